"""The PoC's pure integer loop, in a function (LOAD_FAST)."""

import sys


def run(m):
    acc = 0
    for i in range(m):
        acc += i * i - (i & 7)
    return acc


print(run(int(sys.argv[1])))
