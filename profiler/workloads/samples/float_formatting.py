"""Floats as text: shortest, fixed, scientific, hexadecimal, and what is no number."""

for value in (0.1, 1 / 3, 1e16, 1e-5, 123456789.123456789, -0.0, 5e-324, 1.7976931348623157e308, 2.5, 1e22):
    print(
        repr(value), "%.3f" % value if abs(value) < 1e20 else "-", format(value, ".6e"), format(value, "g"), value.hex()
    )
inf, nan = float("inf"), float("nan")
print(inf, -inf, nan, nan == nan, inf - inf != inf - inf, format(1234567.891, ",.2f"), format(0.256, ".1%"))
print(float("1_000.5"), float.fromhex("0x1.8p3"), (0.1).as_integer_ratio(), 0.1 + 0.2, round(1e300 * 10, 2))
