"""Hardware counters without perf: chosen for ipc alone, and only where they count right."""

import errno
from typing import Any

import pytest

from profiler import _counters
from profiler.collect.live import Chunk
from profiler.collect.run_chunks import readings
from profiler.errors import MachineError
from profiler.model import CHUNKS, Workload
from profiler.sources import choose, hardware
from profiler.sources.chunking import COUNTED
from profiler.sources.hardware import HardwareSource
from profiler.sources.own_counters import OwnCountersSource, in_process
from profiler.system.diagnose import Circumstances, unopened
from profiler.system.perf import INSTALL
from tests.conftest import needs_extension

WORKLOAD = Workload(name="loop", path="loop.py", counts_m=(1, 2), timed_m=(1000, 6000))


def counting(monkeypatch: pytest.MonkeyPatch, *, per_iteration: float = 2.0, running: int = 1000) -> None:
    """A kernel that gives a process counters, which count so many instructions per iteration of the known loop."""

    class Region:
        done = 0

        def __init__(self, events: list[str]) -> None:
            assert events == list(COUNTED)

        def start(self) -> None:
            Region.done = 0

        def stop(self) -> tuple[list[int], int, int]:
            return [round(per_iteration * Region.done), Region.done], 1000, running

    def count_down(n: int) -> None:
        Region.done += n

    monkeypatch.setattr(_counters, "Region", Region)
    monkeypatch.setattr(_counters, "count_down", count_down)


@pytest.mark.usefixtures("no_perf")
@pytest.mark.parametrize("asked", ["auto", "hardware"])
def test_without_perf_they_suffice_where_chunks_do(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    counting(monkeypatch)
    source, why = choose.choose_source(asked, chunks_suffice=True)
    assert isinstance(source, OwnCountersSource)
    assert source.name == "hardware"
    assert "without perf" in why
    (what,) = source.passes(WORKLOAD)
    assert (what.name, what.kind, what.events) == (CHUNKS, "chunks", ("wall", "task-clock", "instructions", "cycles"))
    assert not {"instructions", "cycles", "wall"} & {one.event for one in source.missing}
    assert "dtlb-misses" in {one.event for one in source.missing}


@pytest.mark.usefixtures("no_perf")
def test_commands_that_need_whole_processes_need_perf(monkeypatch: pytest.MonkeyPatch) -> None:
    counting(monkeypatch)
    with pytest.raises(MachineError, match="perf is not installed"):
        choose.choose_source("hardware")


@pytest.mark.usefixtures("no_perf")
@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        ({"per_iteration": 1.5}, "counted wrong: 1.500 per"),
        ({"running": 900}, "not on the PMU all the time"),
        ({"running": 0}, "opened and never came onto the PMU"),
    ],
)
def test_counters_that_do_not_count_right_are_refused(
    monkeypatch: pytest.MonkeyPatch, kernel: dict[str, Any], words: str
) -> None:
    counting(monkeypatch, **kernel)
    with pytest.raises(MachineError, match=words) as raised:
        choose.choose_source("hardware", chunks_suffice=True)
    assert raised.value.message.startswith("perf is not installed; ")
    assert "end other perf sessions" in (raised.value.hint or "")


@pytest.mark.usefixtures("fake_perf")
def test_where_there_is_perf_each_checks_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = choose.choose_source("hardware", chunks_suffice=True)
    assert isinstance(source, HardwareSource)
    monkeypatch.setattr(hardware, "in_process", lambda: COUNTED)
    by_metric = {}
    for metric in (None, "instructions", "dtlb-misses", "cycles", "wall"):
        *whole, chunks = source.chunk_passes(WORKLOAD, metric)
        assert chunks.kind == "chunks"
        assert {what.kind for what in whole} == {"whole"}
        by_metric[metric] = {what.blocks for what in whole}, chunks.blocks
    every, first = (0, None), (0, 3)
    assert by_metric == {
        None: ({every}, first),
        "instructions": ({every}, first),
        "dtlb-misses": ({every}, first),
        "cycles": ({first}, every),
        "wall": ({first}, every),
    }
    monkeypatch.setattr(hardware, "in_process", lambda: ())
    assert {what.kind for what in source.chunk_passes(WORKLOAD, "cycles")} == {"whole"}, "chunks do not read them"


@pytest.mark.parametrize(("running", "events"), [(1000, COUNTED), (999, ()), (0, ())])
def test_counters_that_open_and_stand_still_are_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, running: int, events: tuple[str, ...]
) -> None:
    """The kernel opens a group while others hold the PMU: it is enabled, and waits."""
    counting(monkeypatch, running=running)
    assert in_process() == events


@pytest.mark.parametrize(
    ("running", "counts", "why"),
    [
        (1000, [70.0, 140.0], None),
        (830, [None, None], "not on the PMU all the time"),
        (0, [None, None], "opened and never came onto the PMU"),
    ],
)
def test_what_a_chunk_reads(running: int, counts: list[float | None], why: str | None) -> None:
    pass_ = OwnCountersSource().passes(WORKLOAD)[0]
    chunk = Chunk(wall_ns=9, cpu_ns=8, counts=(70, 140), enabled_ns=1000, running_ns=running, text="", placement=None)
    found = tuple(readings(pass_, chunk))
    assert [one.value for one in found] == [9.0, 8.0, *counts]
    assert all(one.reason is None if why is None else why in (one.reason or "") for one in found[2:])


@needs_extension
def test_equal_loops_read_equal_times() -> None:
    """Counters go on through the life of a process: a region is what came between its begin and its end."""
    try:
        region = _counters.Region(["task-clock"])
    except OSError as error:
        pytest.skip(f"no perf events: {error}")
    read = []
    for _ in range(8):
        region.start()
        _counters.count_down(10_000_000)
        read.append(region.stop())
    # Of eight times that held all before them, the last would be eight times the first.
    for first, last in zip(*((*one[0], *one[1:]) for one in (read[0], read[-1])), strict=True):
        assert 0.25 < last / first < 4, read


HERE = Circumstances(paranoid=2, privileged=False, seccomp=False, hypervisor=True, wsl=False, pmus=())


@pytest.mark.parametrize(
    ("number", "here", "remedy"),
    [
        (errno.ENOENT, HERE, "give the guest a PMU"),
        (errno.EOPNOTSUPP, HERE, "give the guest a PMU"),
        (errno.ENOSYS, HERE, "CONFIG_PERF_EVENTS"),
        (
            errno.EACCES,
            Circumstances(paranoid=4, privileged=False, seccomp=False, hypervisor=False, wsl=False, pmus=()),
            "sysctl",
        ),
        (
            errno.EPERM,
            Circumstances(paranoid=2, privileged=False, seccomp=True, hypervisor=False, wsl=False, pmus=()),
            "docker",
        ),
    ],
)
def test_the_remedy_is_of_what_the_kernel_answered(number: int, here: Circumstances, remedy: str) -> None:
    assert remedy in unopened(number, here).remedy


@pytest.mark.usefixtures("no_perf")
def test_no_perf_is_installed_where_it_would_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no PMU: that is in the way, and no package brings one."""

    class Region:
        def __init__(self, events: list[str]) -> None:
            raise OSError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(_counters, "Region", Region)
    with pytest.raises(MachineError, match="perf is not installed; a process cannot open counters") as refused:
        choose.choose_source("hardware", chunks_suffice=True)
    assert INSTALL not in refused.value.hint
