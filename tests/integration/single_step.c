/* Executes a program and counts its instructions one by one (ptrace(2)), between SIGUSR1 and SIGUSR2 that it sends
   itself: single_step OUTPUT IMAGE PROGRAM ARGUMENT...; one line "REGION ADDRESS COUNT" per instruction of IMAGE,
   addresses as mapped. */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long low, high;
static unsigned *counts;

static void find(int pid, const char *image) {
    char name[64], line[4096];
    snprintf(name, sizeof name, "/proc/%d/maps", pid);
    FILE *maps = fopen(name, "r");
    while (fgets(line, sizeof line, maps)) {
        unsigned long begin, end;
        if (!strstr(line, image) || sscanf(line, "%lx-%lx", &begin, &end) != 2) continue;
        if (!low || begin < low) low = begin;
        if (end > high) high = end;
    }
    fclose(maps);
    counts = calloc(high - low, sizeof *counts);
}

int main(int argc, char **argv) {
    int status, stepping = 0, region = 0;
    pid_t pid = fork();
    if (argc < 4) return 2;
    if (!pid) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(argv[3], argv + 3);
        _exit(127);
    }
    FILE *output = fopen(argv[1], "w");
    waitpid(pid, &status, 0);
    for (int pass = 0;;) {
        ptrace(stepping ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, 0, pass);
        pass = 0;
        waitpid(pid, &status, 0);
        if (WIFEXITED(status)) return fclose(output) || WEXITSTATUS(status);
        if (WIFSIGNALED(status)) return 1;
        int got = WSTOPSIG(status);
        if (got == SIGUSR1) {
            if (!counts) find(pid, argv[2]);
            stepping = 1;
        } else if (got == SIGUSR2) {
            for (unsigned long at = 0; at < high - low; at++)
                if (counts[at]) fprintf(output, "%d %lu %u\n", region, low + at, counts[at]);
            memset(counts, 0, (high - low) * sizeof *counts);
            region++, stepping = 0;
        } else if (got != SIGTRAP) {
            pass = got;
        }
        if (stepping) {
            unsigned long at = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), 0);
            if (at >= low && at < high) counts[at - low]++;
        }
    }
}
