/* The work of int_loop, a known number of instructions a turn; the name is that of CPython's eval loop. */
#ifdef PLANT_BROKEN
#error planted failure
#endif
long _PyEval_EvalFrameDefault(long m)
{
    long acc = 0;
    for (long i = 0; i < m; i++) {
        acc += i * i - (i & 7);
#ifdef PLANT_SEVEN
        __asm__ volatile("nop; nop; nop; nop; nop; nop; nop");
#endif
#ifdef PLANT_ELEVEN
        __asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop");
#endif
        __asm__ volatile("" : "+r"(acc));
    }
    return acc;
}
