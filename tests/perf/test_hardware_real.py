"""The hardware source on this machine's own PMU; skips with the diagnosed reason where there is none."""

import os
import sys
from pathlib import Path

import pytest

from profiler.catalogue.events import BY_NAME, EVENTS
from profiler.errors import MachineError
from profiler.model import Pass, Workload
from profiler.sources.hardware import HardwareSource
from profiler.sources.pmu import INSTRUCTIONS_PER_ITERATION, program
from profiler.system.process import Command

pytestmark = pytest.mark.perf

LO, HI = 2_000_000, 42_000_000
WORKLOAD = Workload(name="count_down", path="", counts_m=(LO, HI), timed_m=(LO, HI))


@pytest.fixture(scope="module")
def source() -> HardwareSource:
    try:
        return HardwareSource.probe()
    except MachineError as error:
        pytest.skip(f"{error.message} ({error.hint})")


def counts(source: HardwareSource, what: Pass, command: Command, scratch: Path) -> dict[str, float | None]:
    outcome = source.measure(what, command, scratch)
    assert outcome.exit == 0, outcome.stderr_tail
    return {reading.event: reading.value for reading in outcome.readings}


def slope(source: HardwareSource, what: Pass, event: str, scratch: Path) -> float:
    cpu = max(os.sched_getaffinity(0))
    lo, hi = (counts(source, what, program(m, cpu), scratch)[event] for m in what.m)
    assert lo is not None
    assert hi is not None
    return (hi - lo) / (HI - LO)


def counting_instructions(source: HardwareSource) -> tuple[Pass, ...]:
    """All passes, unless others hold counters."""
    return tuple(what for what in source.passes(WORKLOAD) if "instructions" in what.events)


def test_the_self_test_finds_room_for_instructions_and_cycles(source: HardwareSource) -> None:
    assert source.self_test.slots + source.self_test.cycles_beside >= 2
    assert source.self_test.tried[-1].passed


def test_every_pass_counts_the_known_loop_right(source: HardwareSource, tmp_path: Path) -> None:
    for what in counting_instructions(source):
        assert slope(source, what, "instructions", tmp_path) == pytest.approx(INSTRUCTIONS_PER_ITERATION, rel=1e-3)


def test_one_branch_per_iteration(source: HardwareSource, tmp_path: Path) -> None:
    for what in source.passes(WORKLOAD):
        if "branches" in what.events:
            assert slope(source, what, "branches", tmp_path) == pytest.approx(1, rel=1e-2)


def test_an_iteration_takes_at_least_a_fraction_of_a_cycle(source: HardwareSource, tmp_path: Path) -> None:
    cycles = slope(source, source.passes(WORKLOAD)[0], "cycles", tmp_path)
    assert 0.2 < cycles < 20


def test_nothing_is_multiplexed(source: HardwareSource, tmp_path: Path) -> None:
    for what in source.passes(WORKLOAD):
        outcome = source.measure(what, program(HI, max(os.sched_getaffinity(0))), tmp_path)
        assert {reading.event: reading.reason for reading in outcome.readings if reading.value is None} == {}
        slotted = [one for one in outcome.readings if BY_NAME[one.event].needs_slot]
        assert len(slotted) <= source.self_test.slots + source.self_test.cycles_beside
        assert all(one.enabled_ns == one.running_ns for one in slotted)


def test_passes_agree_on_their_anchors(source: HardwareSource, tmp_path: Path) -> None:
    slopes = [slope(source, what, "instructions", tmp_path) for what in counting_instructions(source)]
    assert max(slopes) == pytest.approx(min(slopes), rel=1e-3)


def test_each_event_is_counted_or_has_its_reason(source: HardwareSource) -> None:
    counted = {name for what in source.passes(WORKLOAD) for name in what.events}
    missing = {one.event: one.reason for one in source.missing}
    by_script = {event.name for event in EVENTS if event.inside}
    assert sorted((*counted, *missing, *by_script)) == sorted(BY_NAME)
    assert all(missing.values())


def test_wall_time_covers_cpu_time_of_one_thread(source: HardwareSource, tmp_path: Path) -> None:
    found = counts(source, source.passes(WORKLOAD)[0], program(HI, max(os.sched_getaffinity(0))), tmp_path)
    wall, cpu = found["wall"], found["task-clock"]
    assert wall is not None
    assert cpu is not None
    assert 0 < cpu <= wall * 1.01


def test_a_killed_workload_is_seen(source: HardwareSource, tmp_path: Path) -> None:
    command = program(None, None)
    killed = Command(
        argv=(sys.executable, "-S", "-c", "import os; os.kill(os.getpid(), 9)"),
        env=command.env,
        cwd=command.cwd,
        cpu=None,
        timeout_s=command.timeout_s,
        max_output_bytes=command.max_output_bytes,
    )
    assert source.measure(source.passes(WORKLOAD)[0], killed, tmp_path).exit == -9
