/* `planted_host PLANT script.py M`: embeds Python as a C program would, with one thing planted around its start. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <string.h>
#include <stdlib.h>

static int quiet(PyObject *o, PyFrameObject *f, int w, PyObject *a) { return 0; }
static volatile unsigned long spun;
static void *spin(void *x) { for (;;) spun++; return x; }

static void *m(void *c, size_t n) { spun++; return malloc(n ? n : 1); }
static void *k(void *c, size_t n, size_t s) { spun++; return calloc(n ? n : 1, s ? s : 1); }
static void *r(void *c, void *p, size_t n) { spun++; return realloc(p, n ? n : 1); }
static void f(void *c, void *p) { spun++; free(p); }

int main(int argc, char **argv)
{
    const char *plant = argv[1];
    if (!strcmp(plant, "allocator")) {
        PyMemAllocatorEx mine = {NULL, m, k, r, f};
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &mine);
        PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &mine);
    }
    if (!strcmp(plant, "isolated")) {
        PyConfig config;
        PyConfig_InitIsolatedConfig(&config);
        config.use_hash_seed = 1;
        config.hash_seed = 5;
        Py_InitializeFromConfig(&config);
    } else {
        Py_InitializeEx(0);
    }
    if (!strcmp(plant, "profile")) PyEval_SetProfile(quiet, NULL);
    if (!strcmp(plant, "trace")) PyEval_SetTrace(quiet, NULL);
    if (!strcmp(plant, "spin")) { pthread_t t; pthread_create(&t, NULL, spin, NULL); }
    wchar_t *args[2] = {Py_DecodeLocale(argv[2], NULL), Py_DecodeLocale(argv[3], NULL)};
    PySys_SetArgvEx(2, args, 0);
    FILE *file = fopen(argv[2], "r");
    int code = PyRun_SimpleFile(file, argv[2]);
    return Py_FinalizeEx() < 0 ? 120 : code ? 1 : 0;
}
