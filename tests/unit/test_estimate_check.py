"""``doctor`` says how far estimated cycles lie from counted ones, on a planted kernel and clock."""

from __future__ import annotations

import time

import pytest

from profiler import _counters
from profiler.collect import checkup
from profiler.errors import MachineError
from profiler.sources import estimate_check
from profiler.sources.own_counters import OwnCountersSource

pytestmark = pytest.mark.usefixtures("counters")
GHZ, LOOP_NS, CYCLES = 2.0, 500, 1000


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Each loop takes ``LOOP_NS`` of CPU time, 1000 cycles of a clock of 2 GHz; as many are counted as is planted."""
    planted = {"cycles": CYCLES, "now": 0}

    class Region:
        def __init__(self, events: list[str]) -> None:
            assert events == ["cycles"]

        def start(self) -> None:
            planted["now"] += LOOP_NS

        def stop(self) -> tuple[list[int], int, int]:
            return [planted["cycles"]], LOOP_NS, LOOP_NS

    monkeypatch.setattr(OwnCountersSource, "probe", OwnCountersSource)
    monkeypatch.setattr(_counters, "Region", Region)
    monkeypatch.setattr(_counters, "count_down", lambda n: None)
    monkeypatch.setattr(_counters, "clock_ghz", lambda chain: GHZ)
    monkeypatch.setattr(time, "process_time_ns", lambda: planted["now"])
    return planted


@pytest.mark.parametrize(("cycles", "error", "status"), [(1000, 0.0, "ok"), (980, 1 / 49, "ok"), (800, 0.25, "note")])
def test_the_error_is_told_and_a_large_one_is_a_note(
    counters: dict[str, int], cycles: int, error: float, status: str
) -> None:
    counters["cycles"] = cycles
    assert estimate_check.errors() == pytest.approx((error,) * 5)
    (check,) = checkup.estimate_checks()
    assert (check.topic, check.status) == ("estimated cycles", status)
    assert f"{error:+.1%}, {error:+.1%} to {error:+.1%} over 5 loops" in check.finding
    assert (check.remedy is None) == (status == "ok")


def test_cycles_that_stand_still_are_no_small_error(counters: dict[str, int]) -> None:
    counters["cycles"] = 0
    (check,) = checkup.estimate_checks()
    assert check.status == "note"


def test_without_a_clock_or_counters_there_is_nothing_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_chain(chain: int) -> float:
        raise NotImplementedError("x86-64 only")

    monkeypatch.setattr(_counters, "clock_ghz", no_chain)
    assert list(checkup.estimate_checks()) == []
    with pytest.raises(MachineError, match="x86-64 only"):
        estimate_check.errors()
