"""Positional, keyword, default and collected arguments."""


def every(a, b=2, *rest, c, d=4, **more):
    return a, b, rest, c, d, sorted(more.items())


def passed(function, *args, **kwargs):
    return function(*args, **kwargs)


print(every(1, c=3))
print(every(1, 2, 3, 4, c=5, e=6, f=7))
print(passed(every, *range(3), **{"c": "x", "z": [1]}))
try:
    every(1)
except TypeError as error:
    print("c" in str(error))
