"""__iter__, __next__, __getitem__, iter with a sentinel, unpacking with a star."""


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


class Old:
    def __getitem__(self, n):
        if n > 3:
            raise IndexError
        return n * "x"


first, *middle, last = Countdown(6)
print(first, middle, last, list(Old()), "xx" in Old(), [*Countdown(2), *"ab"])
values = iter([3, 1, 4, 1, 5])
print(list(iter(lambda: next(values), 1)), list(zip("abc", Countdown(9))), list(enumerate("xy", 5)))
print(
    next(Countdown(0), "default"),
    list(map(max, [1, 5], [4, 2])),
    list(reversed([1, 2])),
    dict([("a", 1), *{"b": 2}.items()]),
)
