"""functools: lru_cache, partial, reduce, singledispatch, total_ordering, wraps."""

import functools


@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@functools.singledispatch
def named(value):
    return "something"


@named.register(int)
def _(value):
    return "int %d" % value


@named.register(list)
def _(value):
    return "list of " + ", ".join(map(named, value))


@functools.total_ordering
class Size:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n


print(fibonacci(80), fibonacci.cache_info().hits)
print(named([1, [2, "x"]]), functools.reduce(lambda a, b: a * 10 + b, [1, 2, 3], 4))
print(functools.partial(int, base=2)("1011"), Size(2) >= Size(1), Size(1) > Size(2), max(Size(1), Size(3)).n)
