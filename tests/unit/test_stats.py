"""Intervals and verdicts on figures that are known beforehand."""

import math

import numpy as np
import pytest

from profiler.analyze.stats import log_ratio_interval, ratio_of_means, smallest_detectable_effect, verdict
from profiler.model import Interval


def test_t_interval_of_three_blocks_by_hand() -> None:
    # mean 0.02, s = 0.01, t(0.975, 2) = 4.302653: half-width 4.302653 * 0.01 / sqrt(3) = 0.024841
    found = log_ratio_interval([0.01, 0.02, 0.03])
    assert found.ratio == pytest.approx(math.exp(0.02))
    assert found.lo == pytest.approx(math.exp(0.02 - 0.0248414), rel=1e-6)
    assert found.hi == pytest.approx(math.exp(0.02 + 0.0248414), rel=1e-6)


def test_one_block_has_no_interval_and_no_verdict() -> None:
    found = log_ratio_interval([0.2])
    assert (found.lo, found.hi) == (None, None)
    assert verdict(found, margin=0.01, better="lower") == "unresolved"


def test_no_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        log_ratio_interval([])
    with pytest.raises(ValueError, match="finite"):
        log_ratio_interval([0.1, float("nan")])


def test_exact_counts_give_a_point() -> None:
    found = log_ratio_interval([math.log(1.2)] * 9)
    assert found.lo == pytest.approx(1.2)
    assert found.hi == pytest.approx(1.2)


@pytest.mark.parametrize("scale", [0.01, 0.1])
def test_coverage_of_the_truth_with_normal_noise(scale: float) -> None:
    rng = np.random.default_rng(1)
    truth = 1.2
    hits = 0
    for _ in range(400):
        found = log_ratio_interval((math.log(truth) + rng.normal(0, scale, 6)).tolist())
        assert found.lo is not None
        assert found.hi is not None
        hits += found.lo <= truth <= found.hi
    assert 0.92 <= hits / 400 <= 0.98


def test_fieller_matches_the_closed_form_for_uncorrelated_figures() -> None:
    top, bottom = [11.0, 9.0, 10.0, 10.0], [5.0, 5.0, 6.0, 4.0]
    found = ratio_of_means(top, bottom)
    assert found.ratio == pytest.approx(2.0)
    # var of both means is (2/3)/4 = 1/6, covariance 0, t(0.975, 3) = 3.182446
    t2 = 3.182446305**2
    a, b, c = 25 - t2 / 6, 50.0, 100 - t2 / 6
    root = math.sqrt(b * b - a * c)
    assert found.lo == pytest.approx((b - root) / a, rel=1e-6)
    assert found.hi == pytest.approx((b + root) / a, rel=1e-6)


def test_fieller_is_unbounded_when_the_denominator_may_be_zero() -> None:
    found = ratio_of_means([1.0, 2.0, 3.0], [-1.0, 2.0, 0.5])
    assert (found.lo, found.hi) == (None, None)
    assert ratio_of_means([1.0, 2.0], [1.0, -1.0]).ratio is None


@pytest.mark.parametrize(
    ("lo", "hi", "better", "word"),
    [
        (1.02, 1.03, "lower", "slower"),
        (1.02, 1.03, "higher", "faster"),
        (0.90, 0.95, "lower", "faster"),
        (0.90, 0.95, "higher", "slower"),
        (0.995, 1.005, "lower", "same"),
        (1.001, 1.009, "lower", "same"),
        (1.005, 1.02, "lower", "unresolved"),
        (0.9, 1.1, "lower", "unresolved"),
        (None, None, "lower", "unresolved"),
    ],
)
def test_four_verdicts(lo: float | None, hi: float | None, better: str, word: str) -> None:
    assert verdict(Interval(ratio=1.0, lo=lo, hi=hi), margin=0.01, better=better) == word


def test_smallest_detectable_effect_shrinks_with_blocks() -> None:
    few = smallest_detectable_effect([0.0, 0.01, 0.02])
    many = smallest_detectable_effect([0.0, 0.01, 0.02] * 5)
    assert few is not None
    assert many is not None
    assert many < few / 2
    assert smallest_detectable_effect([0.1]) is None
