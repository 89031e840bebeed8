"""Decimal and Fraction."""

from decimal import ROUND_HALF_UP, Decimal, getcontext, localcontext
from fractions import Fraction

getcontext().prec = 28
print(
    Decimal("0.1") + Decimal("0.2"), Decimal(1) / Decimal(7), Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_UP)
)
with localcontext() as context:
    context.prec = 50
    print(Decimal(2).sqrt())
print(Fraction(1, 3) + Fraction(1, 6), Fraction("0.125"), Fraction(22, 7).limit_denominator(5), float(Fraction(1, 3)))
print(sum(Fraction(1, n) for n in range(1, 20)))
