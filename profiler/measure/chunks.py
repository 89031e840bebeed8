"""Launchers that take turns: all of them alive on one CPU, doing short chunks of work in the order A B B A …

Neighbouring chunks meet the same clock, the same neighbours and the same throttling, so their ratio holds where times
of whole processes scatter; the start-up is not in it. A block of chunks is one process per launcher, and what differs
between processes (layout, hash seed, heap) is seen in the scatter between blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from profiler.events import BY_NAME
from profiler.measure.live import CLOCK, Chunk, Hello, Server, serving
from profiler.model import CHUNKS, Pass, Reading, Workload
from profiler.process import Command

CLOCKS = ("wall", "task-clock")
COUNTED = ("instructions", "cycles")
_TURNS = 16
"""In the first blocks, before the scatter is known; even, so that every order comes as often as its reverse."""


def chunk_pass(workload: Workload, counted: tuple[str, ...] = ()) -> Pass:
    """Chunks of the lower M of timed runs, some 10 ms of work; ``counted``: events of the process's own counters."""
    assert workload.timed_m is not None
    return Pass(
        name=CHUNKS,
        events=(*CLOCKS, *counted),
        m=workload.timed_m,
        exclusive=True,
        repetitions=_TURNS,
        blocks=(0, None),
        kind="chunks",
    )


def with_chunks(passes: tuple[Pass, ...], workload: Workload) -> tuple[Pass, ...]:
    """Chunks beside bare timed runs of whole processes, which are then for the start-up alone: one repetition each."""
    once = (msgspec.structs.replace(what, repetitions=1) if what.exclusive else what for what in passes)
    return (*once, chunk_pass(workload))


def in_process() -> tuple[str, ...]:
    """The events that a process can count of itself here: instructions and cycles, or none."""
    try:
        from profiler._counters import Region

        Region(list(COUNTED))
    except (ImportError, OSError):
        return ()
    return COUNTED


@contextmanager
def together(commands: Mapping[str, Command], what: Pass, folder: Path) -> Iterator[dict[str, tuple[Server, Hello]]]:
    """Start all commands as servers of chunks; each is ready before the next begins.

    Raises:
        WorkloadError: one ends or does not answer.
        OSError: one cannot be started.
    """
    counted = what.events[len(CLOCKS) :]
    count = f"perf:{','.join(counted)}" if counted else CLOCK
    with ExitStack() as opened:
        servers: dict[str, tuple[Server, Hello]] = {}
        for name, command in commands.items():
            scratch = folder / f"chunks-{len(servers)}"
            scratch.mkdir()
            server = opened.enter_context(serving(name, command, count=count, scratch=scratch))
            # One after the other: their first runs are measured too.
            servers[name] = server, server.hello(command.timeout_s)
        yield servers


def take_turns(
    servers: Mapping[str, tuple[Server, Hello]], what: Pass, turns: int, timeout_s: float
) -> Iterator[tuple[str, int, int, Chunk]]:
    """Launcher, M, turn and chunk, in the order in which they are done: every other turn goes backwards.

    The first runs of each process are turns below 0: they warm up, and are recorded as such.
    Under counters there is one more turn at the higher M: the slope between both is what ``perf stat`` must agree with.
    """
    names = tuple(servers)
    lower, higher = what.m[0], what.m[-1]
    for name, (_, hello) in servers.items():
        for turn, chunk in enumerate(hello.runs, start=-len(hello.runs)):
            yield name, lower, turn, chunk
    for turn in range(turns):
        for name in names if turn % 2 == 0 else reversed(names):
            yield name, lower, turn, servers[name][0].run(lower, timeout_s)
    if len(what.events) > len(CLOCKS):
        for name in names:
            yield name, higher, turns, servers[name][0].run(higher, timeout_s)


def readings(what: Pass, chunk: Chunk) -> Iterator[Reading]:
    """The events of one chunk."""
    clocks = dict(zip(CLOCKS, (chunk.wall_ns, chunk.cpu_ns), strict=True))
    for event, value in (*clocks.items(), *zip(what.events[len(CLOCKS) :], chunk.counts, strict=True)):
        multiplexed = event not in clocks and chunk.running_ns != chunk.enabled_ns
        yield Reading(
            event=event,
            value=None if multiplexed else float(value),
            unit=BY_NAME[event].unit,
            enabled_ns=None if event in clocks else chunk.enabled_ns,
            running_ns=None if event in clocks else chunk.running_ns,
            source="software" if event in clocks else "hardware",
            raw_name="clock around a chunk, in the process" if event in clocks else f"{event}:u of this thread",
            reason="the counters of the process were not on the PMU all the time" if multiplexed else None,
        )
