"""Integers of many digits."""

import math

n = math.factorial(60)
print(n, len(str(n)), n % 1000003, n.bit_length())
a, b = 2**521 - 1, 3**200
print(a * b % (10**40), (a * b) // b == a, math.gcd(a, b), hex(b)[:20], int(str(b)) == b)
print(pow(a, b, 10**30 + 57), math.isqrt(b) ** 2 <= b, int.from_bytes(b.to_bytes(40, "big"), "big") == b)
print(-(10**50) // 7, -(10**50) % 7, (1 << 200) - 1 & (1 << 130) + 5)
