"""Division, remainder, shifts and powers, of both signs."""

for a in (-17, -1, 0, 1, 17):
    for b in (-5, -1, 1, 5):
        print(a, b, a // b, a % b, divmod(a, b), a & b, a | b, a ^ b, end=";")
    print(a << 3, a >> 1, ~a, a**3, abs(a), -a)
print(7 / 2, -7 / 2, 7 // 2.0, 2**-2, pow(3, 200, 1009), round(2.5), round(3.5), round(-2.675, 2))
