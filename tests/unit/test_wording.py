"""Figures in sentences and evidence."""

import pytest

from profiler.analyze.wording import bounds, percent, told
from profiler.model import Interval


@pytest.mark.parametrize(
    ("lo", "hi", "shown"),
    [
        (1.2046, 1.2046, "1.2046 (exact)"),
        (1.20458, 1.20462, "1.2046 ± < 0.0001"),
        (1.1, 1.3, "1.2046 [1.1000, 1.3000]"),
        (None, None, "1.2046 (measured once)"),
    ],
)
def test_a_ratio_with_its_interval(lo: float | None, hi: float | None, shown: str) -> None:
    assert told(Interval(ratio=1.2046, lo=lo, hi=hi)) == shown


def test_what_is_unknown() -> None:
    assert told(Interval(ratio=None, lo=None, hi=None)) == "unknown"
    assert (percent(None), percent(0.339)) == ("an unknown part", "33.9%")


def test_digits_decide_what_has_a_width() -> None:
    assert bounds(1.2041, 1.2044, 3) == "± < 0.001"
    assert bounds(1.2041, 1.2044) == "[1.2041, 1.2044]"
