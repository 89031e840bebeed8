/* "python SCRIPT M" prints what int_loop prints and reports its maps as the generated script would;
   "python -m test --pgo" is the training run, "python regrtest.py -s" one of two runs of another. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

long _PyEval_EvalFrameDefault(long m);

static void report(const char *side)
{
    char exe[4096];
    ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
    FILE *out = fopen(side, "w"), *maps = fopen("/proc/self/maps", "r");
    if (out == NULL || maps == NULL || length < 0)
        exit(1);
    exe[length] = 0;
    fprintf(out, "1 1 1\n{\"exe\": \"%s\", \"maps\": \"", exe);
    for (int c; (c = fgetc(maps)) != EOF;)
        fputs(c == '\n' ? "\\n" : (char[]){(char)c, 0}, out);
    fputs("\"}\n", out);
    fclose(maps);
    fclose(out);
}

int main(int argc, char **argv)
{
    const char *m = getenv("TAX_PROBE_M"), *side = getenv("TAX_PROBE_SIDE");
    if (argc > 1 && strcmp(argv[1], "-m") == 0) {
        printf("%ld turns trained\n", _PyEval_EvalFrameDefault(1000));
        return 0;
    }
    if (argc > 2 && strcmp(argv[2], "-s") == 0) {
        int first = access("build/pynexttest", F_OK) != 0;
        if (access(argv[1], R_OK) != 0)
            return 1;
        printf("0:00:00 [1/1] test_%s\n", first ? "first" : "last");
        _PyEval_EvalFrameDefault(1000);
        if (!first)
            return remove("build/pynexttest");
        mkdir("build", 0777);
        return fclose(fopen("build/pynexttest", "w"));
    }
    if (side != NULL)
        report(side);
    printf("%ld\n", _PyEval_EvalFrameDefault(m != NULL ? atol(m) : 0));
    return 0;
}
