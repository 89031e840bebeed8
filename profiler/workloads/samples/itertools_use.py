"""itertools."""

import itertools

print(list(itertools.chain([1], "ab", (2,))), list(itertools.islice(itertools.count(5, 3), 4)))
print(["".join(p) for p in itertools.permutations("abc", 2)], list(itertools.combinations(range(4), 2))[:4])
print([(key, len(list(group))) for key, group in itertools.groupby("aabbbca")])
print(list(itertools.accumulate([1, 2, 3, 4], lambda a, b: a * b)), list(itertools.product("ab", repeat=2))[1:3])
one, two = itertools.tee(range(3))
print(list(zip(one, itertools.cycle("xy"))), list(two), list(itertools.zip_longest("ab", "c", fillvalue="-")))
print(list(itertools.takewhile(lambda n: n < 3, itertools.count())), list(itertools.compress("abcd", [1, 0, 1, 0])))
