"""The ratio of two runs: by hand, against scipy, and in simulated runs whose truth is known."""

import math
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from profiler.analyze.two_runs import NO_BLOCK, NO_SIDE, ONCE, PLACED_IN_ONE, Blocks, Kind, changed, welch

TRUTH = math.log(1.02)
PAIRS = 600


def blocks(*figures: float, first: int = 0, draws: str = "", sides: Mapping[int, str] | None = None) -> Blocks:
    """Blocks from ``first`` on with these figures; runs of equal ``draws`` drew the same."""
    places = range(first, first + len(figures))
    return Blocks(
        logs={at: math.log(figure) for at, figure in zip(places, figures, strict=True)},
        draws={at: (draws, at) for at in places},
        sides=sides or {},
    )


def a_and_b(before: Blocks, after: Blocks, kind: Kind = "exact", margin: float = 0.002) -> tuple[float | None, ...]:
    found = changed(before, after, kind=kind, margin=margin)
    return found.ratio, found.lo, found.hi


# ---------------------------------------------------------------- Welch


def test_welch_by_hand() -> None:
    """Variances 1 and 4 of samples of 3 and 3: error √(1/3 + 4/3), freedom (5/3)² ÷ ((1/3)²/2 + (4/3)²/2) = 50/17."""
    difference, error, freedom = welch([1, 2, 3], [4, 6, 8])
    assert (difference, error, freedom) == pytest.approx((4, math.sqrt(5 / 3), 50 / 17))


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=12),
    st.lists(st.floats(-1, 1), min_size=2, max_size=12),
)
def test_welch_is_that_of_scipy(before: list[float], after: list[float]) -> None:
    assume(min(np.std(before), np.std(after)) > 1e-3)
    theirs = scipy_stats.ttest_ind(after, before, equal_var=False)
    difference, error, freedom = welch(before, after)
    assert difference / error == pytest.approx(theirs.statistic, abs=1e-9)
    assert freedom == pytest.approx(theirs.df)
    bounds = theirs.confidence_interval(0.95)
    found = changed(blocks(*np.exp(before)), blocks(*np.exp(after), draws="other"), kind="timed", margin=0.01)
    assert found.lo is not None
    assert found.hi is not None
    assert (math.log(found.lo), math.log(found.hi)) == pytest.approx((bounds.low, bounds.high), abs=1e-9)


@pytest.mark.parametrize("grown", [1.05, 1 / 1.05], ids=["slower", "faster"])
def test_the_p_value_is_of_a_change_beyond_the_margin(grown: float) -> None:
    """Welch's t-test against the nearer end of the margin, doubled for the choice of the side."""
    logs = [0.0, 0.01, -0.01, 0.02]
    before, after = np.array(logs), np.array(logs[:3]) + math.log(grown)
    found = changed(blocks(*np.exp(before)), blocks(*np.exp(after), draws="other"), kind="timed", margin=0.01)
    end = math.log(1.01 if grown > 1 else 0.99)
    side: Literal["greater", "less"] = "greater" if grown > 1 else "less"
    theirs = scipy_stats.ttest_ind((after - end).tolist(), before.tolist(), equal_var=False, alternative=side)
    assert found.p_value == pytest.approx(2 * theirs.pvalue)
    assert 0 < 2 * theirs.pvalue < 0.05


def test_one_block_has_no_interval() -> None:
    found = changed(blocks(100), blocks(102, 104, draws="other"), kind="timed", margin=0.01)
    assert found.ratio == pytest.approx(math.sqrt(102 * 104) / 100)
    assert (found.lo, found.hi, found.reason, found.p_value) == (None, None, ONCE, None)
    with pytest.raises(ValueError, match="two figures"):
        welch([1.0], [1.0, 2.0])


def test_without_blocks_nothing_is_said() -> None:
    found = changed(blocks(), blocks(1, 2), kind="timed", margin=0.01)
    assert (found.ratio, found.pairing, found.reason) == (None, None, NO_BLOCK)


# ---------------------------------------------------------------- exact counts


def test_equal_counts_have_no_width() -> None:
    """Also where the blocks are others: 936 in every block of one run, 954.72 in every one of the other."""
    ratio, lo, hi = a_and_b(blocks(936, 936, 936), blocks(954.72, 954.72, draws="other"))
    assert ratio == pytest.approx(1.02)
    assert lo == pytest.approx(ratio, rel=1e-12)
    assert hi == pytest.approx(ratio, rel=1e-12)


def test_the_same_blocks_are_paired_so_that_what_they_drew_cancels() -> None:
    """Levels that differ by 2 % between blocks; 1 % more in each of the other run, whose sixth block has no partner."""
    levels = [920, 932, 936, 921, 925]
    before, after = blocks(*levels), blocks(*(1.01 * level for level in levels), 1200)
    found = changed(before, after, kind="exact", margin=0.002)
    assert (found.ratio, found.lo, found.hi) == pytest.approx((1.01, 1.01, 1.01))
    assert (found.pairing, found.blocks, found.p_value) == ("blocks", (5, 5), pytest.approx(0, abs=1e-12))
    # Of times the machine decides, on another day.
    assert changed(before, after, kind="timed", margin=0.002).pairing == "none"
    other = changed(before, blocks(*(1.01 * level for level in levels), draws="other"), kind="exact", margin=0.002)
    assert other.pairing == "none"
    assert other.lo is not None
    assert other.lo < 1


def test_the_interval_of_paired_exact_counts_holds_every_block() -> None:
    found = changed(blocks(*[100] * 9), blocks(*[101] * 8, 103), kind="exact", margin=0.002)
    assert found.hi == pytest.approx(1.03)
    counted = changed(blocks(*[100] * 9), blocks(*[101] * 8, 103), kind="counted", margin=0.002)
    assert counted.hi is not None
    assert counted.hi < 1.03


def test_placements_are_compared_with_themselves() -> None:
    """Heads take 1.2 % more. One run saw two tails and three heads, the other three tails and two heads: the same."""
    before = blocks(920, 920, 932, 932, 932, sides={0: "tail", 1: "tail", 2: "head", 3: "head", 4: "head"})
    after = blocks(
        932, 920, 920, 920, 932, draws="other", sides={0: "head", 1: "tail", 2: "tail", 3: "tail", 4: "head"}
    )
    found = changed(before, after, kind="exact", margin=0.002)
    assert (found.ratio, found.lo, found.hi) == pytest.approx((1, 1, 1))
    assert (found.pairing, found.blocks) == ("placements", (5, 5))


def test_a_change_of_one_placement_makes_the_interval_their_range() -> None:
    """3 % more in the tail alone: 0 to 3 %, and nothing is said of a margin that lies between."""
    sides = {0: "tail", 1: "tail", 2: "head", 3: "head"}
    found = changed(
        blocks(920, 920, 932, 932, sides=sides),
        blocks(1.03 * 920, 1.03 * 920, 932, 932, draws="other", sides=sides),
        kind="exact",
        margin=0.002,
    )
    assert (found.ratio, found.lo, found.hi) == pytest.approx((math.sqrt(1.03), 1, 1.03))


def test_one_block_of_a_placement_is_no_level() -> None:
    """936 and 932 are two levels of the head, which no one block can know: Welch, with a width."""
    found = changed(
        blocks(920, 920, 932, sides={0: "tail", 1: "tail", 2: "head"}),
        blocks(920, 920, 936, draws="other", sides={0: "tail", 1: "tail", 2: "head"}),
        kind="exact",
        margin=0.002,
    )
    assert found.pairing == "none"
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo < 1 < found.hi


def test_runs_without_a_common_placement_are_not_compared() -> None:
    """Each is exact in itself, and the 1.3 % between them are the placement's."""
    tails, heads = dict.fromkeys(range(3), "tail"), dict.fromkeys(range(3), "head")
    found = changed(
        blocks(920, 920, 920, sides=tails), blocks(932, 932, 932, draws="x", sides=heads), kind="exact", margin=0.002
    )
    assert found.ratio is None
    assert found.reason is not None
    assert found.reason.startswith(NO_SIDE)
    unknown = changed(blocks(920, 920), blocks(932, 932, draws="x", sides=heads), kind="exact", margin=0.002)
    assert (unknown.ratio, unknown.reason) == (None, PLACED_IN_ONE)


# ---------------------------------------------------------------- simulated runs of known truth


def normal(rng: np.random.Generator, scatter: float, count: int) -> list[float]:
    return list(rng.normal(0, scatter, count))


def skewed(rng: np.random.Generator, scatter: float, count: int) -> list[float]:
    """Blocks that other work slowed down."""
    return list(scatter * (rng.exponential(1, count) - 1))


Noise = Callable[[np.random.Generator, float, int], list[float]]


def coverage(one: tuple[Noise, float, int], two: tuple[Noise, float, int], seed: int) -> tuple[float, float]:
    """How often the interval holds the truth, and how often a change of 2 % is proven to exceed 2.5 %."""
    rng = np.random.default_rng(seed)
    held = false = 0
    for _ in range(PAIRS):
        day = rng.normal(0, 1)  # the level of a run, which its ratio to the baseline does not have
        before = [day + log for log in one[0](rng, *one[1:])]
        after = [day + TRUTH + log for log in two[0](rng, *two[1:])]
        found = changed(blocks(*np.exp(before)), blocks(*np.exp(after), draws="other"), kind="timed", margin=0.01)
        assert found.lo is not None
        assert found.hi is not None
        held += found.lo <= math.exp(TRUTH) <= found.hi
        false += found.lo > 1.025
    return held / PAIRS, false / PAIRS


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ((normal, 0.01, 6), (normal, 0.01, 6)),
        ((normal, 0.01, 5), (normal, 0.05, 12)),
        ((normal, 0.05, 4), (normal, 0.01, 15)),
        ((skewed, 0.02, 10), (skewed, 0.02, 10)),
    ],
    ids=["equal", "the longer scatters", "the shorter scatters", "skewed"],
)
def test_the_interval_covers_the_change(one: tuple[Noise, float, int], two: tuple[Noise, float, int]) -> None:
    """95 % of 600 pairs, within 2.7 standard errors of a proportion (0.9 % each)."""
    held, false = coverage(one, two, seed=1)
    assert 0.926 <= held <= 0.985
    assert false <= 0.025


def test_a_pooled_variance_would_not_cover_it() -> None:
    """So the test above can fail: five blocks of much scatter beside fifteen of little."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(PAIRS):
        before, after = rng.normal(0, 0.05, 4), rng.normal(TRUTH, 0.01, 15)
        bounds = scipy_stats.ttest_ind(after, before, equal_var=True).confidence_interval(0.95)
        held += bool(bounds.low <= TRUTH <= bounds.high)
    assert held / PAIRS < 0.85


def test_no_change_is_hardly_ever_called_one() -> None:
    """p-values of "within the margin" at most 1 % in at most 1 % of runs without any change."""
    rng = np.random.default_rng(3)
    found = [
        changed(
            blocks(*np.exp(rng.normal(0, 0.02, 8))),
            blocks(*np.exp(rng.normal(0, 0.02, 8)), draws="other"),
            kind="timed",
            margin=0.01,
        ).p_value
        for _ in range(PAIRS)
    ]
    assert sum(value is not None and value <= 0.01 for value in found) <= 0.01 * PAIRS


def test_what_is_detectable_is_detected_four_times_of_five() -> None:
    """The change that a pair of such scatter shows with 80 % power, planted: its interval excludes 1 as often."""
    from scipy.special import stdtrit

    rng = np.random.default_rng(4)
    effect = float(stdtrit(18, 0.975) + stdtrit(18, 0.8)) * 0.02 * math.sqrt(2 / 10)
    seen, told = 0, []
    for _ in range(PAIRS):
        found = changed(
            blocks(*np.exp(rng.normal(0, 0.02, 10))),
            blocks(*np.exp(rng.normal(effect, 0.02, 10)), draws="other"),
            kind="timed",
            margin=0.01,
        )
        assert found.lo is not None
        assert found.detectable is not None
        seen += found.lo > 1
        told.append(found.detectable)
    assert seen / PAIRS == pytest.approx(0.8, abs=0.045)
    assert float(np.mean(told)) == pytest.approx(math.expm1(effect), rel=0.03)
