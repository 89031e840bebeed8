"""Sorting: stable, by keys, backwards, of mixed sizes, and by comparison."""

import functools

words = ["banana", "Apple", "cherry", "apple", "Banana", "date"]
print(sorted(words), sorted(words, key=str.lower), sorted(words, key=lambda word: (-len(word), word), reverse=True))
pairs = [(n * 37 % 11, n) for n in range(12)]
pairs.sort(key=lambda pair: pair[0] % 3)
print(pairs)
print(sorted([3, 1, 2], key=functools.cmp_to_key(lambda a, b: b - a)), sorted({"b": 1, "a": 2}), min(words, key=len))
big = sorted(((n * 7919) % 10007 for n in range(2000)), key=lambda n: n ^ 85)
print(big[:4], big[-3:], sorted([1.5, 1, True, 0, -0.5]))
try:
    sorted([1, "a"])
except TypeError as error:
    print(type(error).__name__)
