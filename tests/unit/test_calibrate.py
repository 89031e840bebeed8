"""The two M of a workload, chosen from runs of a machine whose start-up and cost per unit are known."""

from collections.abc import Callable

import pytest

from profiler.model import Workload
from profiler.plan.calibrate import calibrate

OPEN = Workload(name="w", path="/w.py", counts_m=None, timed_m=None)


def runs(startup_ns: int, unit_ns: int, extra: Callable[[int, int], int] = lambda m, run: 0) -> Callable[[int], int]:
    """CPU time of each run at M; ``extra`` is added to the n-th run at it."""
    before: dict[int, int] = {}

    def cpu_time(m: int) -> int:
        before[m] = before.get(m, -1) + 1
        return startup_ns + m * unit_ns + extra(m, before[m])

    return cpu_time


def test_both_ranges_by_hand() -> None:
    """8 ms of 1 µs a unit are counted, 120 ms are timed, and the lower M is 1.6 or 6 times less."""
    found = calibrate(OPEN, runs(20_000_000, 1_000))
    assert (found.counts_m, found.timed_m) == ((5_000, 8_000), (20_000, 120_000))


def test_two_digits_are_kept() -> None:
    found = calibrate(OPEN, runs(20_000_000, 973))
    assert (found.counts_m, found.timed_m) == ((5_100, 8_200), (20_000, 120_000))


@pytest.mark.parametrize("run", [0, 1, 2])
def test_a_disturbed_start_is_not_the_start(run: int) -> None:
    late = calibrate(OPEN, runs(20_000_000, 1_000, lambda m, n: 30_000_000 * (m == 1 and n == run)))
    assert (late.counts_m, late.timed_m) == ((5_000, 8_000), (20_000, 120_000))


def test_a_disturbed_run_of_the_work_is_measured_again() -> None:
    found = calibrate(OPEN, runs(20_000_000, 1_000, lambda m, n: 100_000_000 * (m == 65_536 and n == 0)))
    assert found.timed_m == (20_000, 120_000)


def test_little_beside_a_long_start_up_is_no_work_yet() -> None:
    """A start-up of a second scatters by more than 30 ms."""
    found = calibrate(OPEN, runs(1_000_000_000, 1_000, lambda m, n: 100_000_000 * (1 < m <= 16)))
    assert found.timed_m == (20_000, 120_000)


def test_what_is_given_stays_and_the_rest_is_filled_in() -> None:
    half = Workload(name="w", path="/w.py", counts_m=(3, 7), timed_m=None)
    found = calibrate(half, runs(20_000_000, 1_000))
    assert (found.counts_m, found.timed_m) == ((3, 7), (20_000, 120_000))


def test_a_heavy_unit_still_gives_two_m() -> None:
    found = calibrate(OPEN, runs(20_000_000, 10_000_000_000))
    assert (found.counts_m, found.timed_m) == ((1, 2), (1, 2))
