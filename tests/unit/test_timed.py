"""Bare runs: the software source, and what callgrind uses for time."""

import os
import sys
from pathlib import Path

import pytest

from profiler.catalogue.events import BY_NAME, EVENTS
from profiler.model import Reading, Workload
from profiler.sources.software import SoftwareSource
from profiler.sources.timed import TIMED_EVENTS, timed
from profiler.system.process import Command
from tests.conftest import needs_extension

WORKLOAD = Workload(name="w", path="w.py", counts_m=(1, 2), timed_m=(10, 20))


def command(code: str, cpu: int | None = None) -> Command:
    return Command(
        argv=(sys.executable, "-S", "-c", code),
        env=dict(os.environ),
        cwd="/",
        cpu=cpu,
        timeout_s=60.0,
        max_output_bytes=1 << 16,
    )


def by_name(readings: tuple[Reading, ...]) -> dict[str, Reading]:
    return {one.event: one for one in readings}


def test_readings_are_the_timed_events_in_their_order_and_units() -> None:
    outcome = timed(command("print(1)"))
    assert tuple(one.event for one in outcome.readings) == TIMED_EVENTS
    assert all(one.unit == BY_NAME[one.event].unit and one.source == "software" for one in outcome.readings)
    assert (outcome.exit, outcome.stdout) == (0, b"1\n")


def test_page_faults_follow_the_memory_that_is_touched() -> None:
    small = by_name(timed(command("pass")).readings)["page-faults"].value
    large = by_name(timed(command("bytearray(50_000_000)")).readings)["page-faults"].value
    assert small is not None
    assert large is not None
    assert large > small


def test_a_process_that_is_not_pinned_has_no_clock() -> None:
    clock = by_name(timed(command("pass")).readings)["clock"]
    assert clock.value is None
    assert "not pinned" in (clock.reason or "")


def test_without_the_extension_there_is_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "profiler._counters", None)
    clock = by_name(timed(command("pass", cpu=min(os.sched_getaffinity(0)))).readings)["clock"]
    assert clock.value is None
    assert "not built" in (clock.reason or "")


@needs_extension
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the clock's estimate knows x86-64 only")
def test_the_clock_is_estimated_on_the_cpu_of_the_process() -> None:
    before = os.sched_getaffinity(0)
    clock = by_name(timed(command("pass", cpu=max(before))).readings)["clock"]
    assert clock.value is not None
    assert 0.1 < clock.value < 10
    assert os.sched_getaffinity(0) == before


def test_the_software_source_reads_every_timed_event_and_says_what_it_lacks(tmp_path: Path) -> None:
    source = SoftwareSource()
    (what,) = source.passes(WORKLOAD)
    assert (what.m, what.exclusive, what.repetitions) == ((10, 20), True, 3)
    outcome = source.measure(what, command("pass"), tmp_path)
    assert tuple(one.event for one in outcome.readings) == what.events
    assert {one.event for one in source.missing} | set(what.events) == {
        event.name for event in EVENTS if not event.inside
    }
