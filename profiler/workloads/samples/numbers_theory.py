"""Primes, the sieve, matrices and a random walk with a seed."""

import random

sieve = bytearray([1]) * 200
sieve[:2] = b"\0\0"
for n in range(2, 15):
    if sieve[n]:
        sieve[n * n :: n] = bytes(len(range(n * n, 200, n)))
print([n for n in range(200) if sieve[n]][-5:], sum(sieve))


def times(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


matrix = [[1, 1], [1, 0]]
power = [[1, 0], [0, 1]]
for _ in range(50):
    power = times(power, matrix)
print(power)
walk = random.Random(42)
print(
    [walk.randrange(100) for _ in range(6)],
    walk.random(),
    walk.getrandbits(64),
    random.Random("seed").randint(1, 10**9),
)
