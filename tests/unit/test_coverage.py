"""Simulated experiments with known truth: do intervals cover it, also when the run stops by their width?

Raw chunks are simulated, not block means: each process has its own level, both launchers share what the machine does,
and the analysis of real rows (turns, medians, pairing, intervals) is applied to them. Seeds are fixed.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from profiler.analyze.sequential import narrow
from profiler.analyze.stats import (
    FAMILY_ERROR,
    LEAST_SEQUENTIAL_BLOCKS,
    SEQUENTIAL_LEVEL,
    holm,
    mean_intervals,
    p_value_of_difference,
    verdict,
)
from profiler.model import Interval

Floats = NDArray[np.float64]
Rng = np.random.Generator
EXPERIMENTS, TURNS, TRUTH = 2000, 16, math.log(1.2)
PROCESS = 0.004
"""Standard deviation of a process's own level."""


def lognormal(rng: Rng, shape: tuple[int, ...]) -> Floats:
    return rng.normal(0, 0.02, (2, *shape))


def heavy_tails(rng: Rng, shape: tuple[int, ...]) -> Floats:
    return 0.02 * rng.standard_t(2.5, (2, *shape))


def drift(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """The clock falls by up to 30 % within a block, for both launchers; chunk by chunk, not turn by turn."""
    slope = rng.uniform(-0.3, 0.3, shape[:-1])[..., np.newaxis]
    turn = np.arange(shape[-1])
    # Order A B B A: in even turns the second launcher runs half a turn later, in odd turns half a turn earlier.
    later = np.where(turn % 2 == 0, 0.5, -0.5)
    when = np.stack([turn - later / 2, turn + later / 2]) / shape[-1]
    return slope * when[:, np.newaxis, np.newaxis, :] + rng.normal(0, 0.02, (2, *shape))


def autocorrelation(rng: Rng, shape: tuple[int, ...]) -> Floats:
    noise = rng.normal(0, 0.02, (2, *shape))
    for turn in range(1, shape[-1]):
        noise[..., turn] = 0.9 * noise[..., turn - 1] + math.sqrt(1 - 0.81) * noise[..., turn]
    return noise


def outliers(rng: Rng, shape: tuple[int, ...]) -> Floats:
    hit = rng.random((2, *shape)) < 0.1
    return rng.normal(0, 0.02, (2, *shape)) + hit * rng.exponential(0.5, (2, *shape))


NOISES: tuple[Callable[[Rng, tuple[int, ...]], Floats], ...] = (
    lognormal,
    heavy_tails,
    drift,
    autocorrelation,
    outliers,
)


def simulated(noise: Callable[[Rng, tuple[int, ...]], Floats], blocks: int, truth: float, seed: int) -> Floats:
    """Log ratios, shape (experiments, blocks), as ``rows.slopes`` makes them of chunks of two launchers."""
    rng = np.random.default_rng(seed)
    chunks = noise(rng, (EXPERIMENTS, blocks, TURNS))
    pairs = chunks.reshape(*chunks.shape[:-1], TURNS // 2, 2).mean(axis=-1)
    processes = rng.normal(0, PROCESS, (2, EXPERIMENTS, blocks))
    found: Floats = truth + np.median(pairs[1] - pairs[0], axis=-1) + processes[1] - processes[0]
    return found


def coverage(lo: Floats, hi: Floats, truth: float) -> float:
    return float(((lo <= truth) & (truth <= hi)).mean())


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("blocks", [5, 12])
def test_intervals_of_a_fixed_number_of_blocks_cover_the_truth(
    noise: Callable[[Rng, tuple[int, ...]], Floats], blocks: int
) -> None:
    lo, hi = mean_intervals(simulated(noise, blocks, TRUTH, 1))
    assert 0.935 <= coverage(lo, hi, TRUTH) <= 0.965


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("blocks", [9, 18])
def test_intervals_cover_the_truth_where_the_run_stopped_by_their_width(
    noise: Callable[[Rng, tuple[int, ...]], Floats], blocks: int
) -> None:
    """The asked width is what about ``blocks`` blocks give: few, where stopping hurts most, and more."""
    logs = simulated(noise, 3 * blocks, TRUTH, 2)
    half_width = math.expm1(2.1 * float(np.median(logs.std(axis=-1, ddof=1))) / math.sqrt(blocks))
    running = np.ones(EXPERIMENTS, dtype=bool)
    lo, hi = np.empty(EXPERIMENTS), np.empty(EXPERIMENTS)
    stops = []
    for count in range(3, logs.shape[1] + 1):
        ended = running.copy()
        if count < logs.shape[1]:
            ended[running] = narrow(logs[running, :count], half_width)
        if ended.any():
            lo[ended], hi[ended] = mean_intervals(logs[ended, :count], confidence=SEQUENTIAL_LEVEL)
            stops += [count] * int(ended.sum())
        running &= ~ended
    assert LEAST_SEQUENTIAL_BLOCKS <= np.median(stops) < 2 * blocks
    assert 0.935 <= coverage(lo, hi, TRUTH) <= 0.965


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("scale", [1, 12])
def test_two_equal_launchers_are_hardly_ever_called_slower_or_faster(
    noise: Callable[[Rng, tuple[int, ...]], Floats], scale: int
) -> None:
    """In no metric of four, also on a machine that scatters twelve times as much as the margin bears."""
    metrics = [scale * simulated(noise, 8, 0.0, 10 + seed) for seed in range(4)]
    bounds = [mean_intervals(logs) for logs in metrics]
    wrong = 0
    clear = [(lo > math.log(1.01)) | (hi < math.log(0.99)) for lo, hi in bounds]
    for experiment in np.flatnonzero(np.any(clear, axis=0)):
        p_values = holm(
            [p_value_of_difference(np.exp(logs[experiment]).tolist(), [1.0] * 8, margin=0.01) for logs in metrics]
        )
        for (lo, hi), p_value in zip(bounds, p_values, strict=True):
            interval = Interval(ratio=1.0, lo=math.exp(lo[experiment]), hi=math.exp(hi[experiment]))
            claimed = verdict(interval, margin=0.01, better="lower") in {"slower", "faster"}
            if claimed and p_value is not None and p_value <= FAMILY_ERROR:
                wrong += 1
                break
    assert wrong / EXPERIMENTS <= 0.01


def test_a_planted_difference_is_found() -> None:
    """The other side of caution: 20 % with the scatter of these experiments is seen in every one of them."""
    logs = simulated(outliers, 8, TRUTH, 3)[:200]
    found = [p_value_of_difference(np.exp(one).tolist(), [1.0] * 8, margin=0.01) for one in logs]
    adjusted = [holm([p_value, *[0.5] * 12])[0] for p_value in found]
    assert all(p_value is not None and p_value <= FAMILY_ERROR for p_value in adjusted)


def test_holm_by_hand() -> None:
    # Sorted: 0.01 × 4, 0.02 × 3, 0.03 × 2 = 0.06, 0.5 × 1; each at least the one before.
    assert holm([0.02, None, 0.01, 0.5, 0.03]) == [
        pytest.approx(0.06),
        None,
        pytest.approx(0.04),
        0.5,
        pytest.approx(0.06),
    ]
    # 0.01 × 2, and 0.011 × 1 is less: whoever comes later is no surer.
    assert holm([0.011, 0.01]) == [pytest.approx(0.02), pytest.approx(0.02)]
