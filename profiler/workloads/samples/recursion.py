"""Recursion: depth, mutual calls, and the limit."""

import sys


def hanoi(n, a, b, c):
    return 0 if n == 0 else hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def ackermann(m, n):
    if m == 0:
        return n + 1
    return ackermann(m - 1, 1 if n == 0 else ackermann(m, n - 1))


def permuted(items):
    return (
        [[]]
        if not items
        else [[x, *rest] for n, x in enumerate(items) for rest in permuted(items[:n] + items[n + 1 :])]
    )


def endless():
    return endless() + 1


print(hanoi(8, *"abc"), even(100), odd(51), ackermann(2, 5), len(permuted([1, 2, 3, 4])), permuted("abc")[3])
before = sys.getrecursionlimit()
try:
    sys.setrecursionlimit(300)
    endless()
except RecursionError as error:
    print(type(error).__name__)
finally:
    sys.setrecursionlimit(before)
