"""Chunks, of launchers that take turns: all of them alive on one CPU, doing short chunks of work in the order A B B A …

Neighbouring chunks meet the same clock, the same neighbours and the same throttling, so their ratio holds where times
of whole processes scatter; the start-up is not in it. A block of chunks is one process per launcher, and what differs
between processes (layout, hash seed, heap) is seen in the scatter between blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from profiler.catalogue.events import BY_NAME
from profiler.collect.live import CLOCK, Chunk, FirstAnswer, ServedProcess, serving
from profiler.collect.recording import Measured, elsewhere, rows_of
from profiler.collect.setting import Setting
from profiler.guest import script
from profiler.model import Block, Chunks, Reading, Row, Step
from profiler.sources.chunking import CLOCKS
from profiler.sources.own_counters import off_the_pmu
from profiler.system.process import Command


def interleave(setting: Setting, block: Block, todo: Sequence[Step]) -> Generator[Measured, None, None]:
    """All launchers of ``todo`` at once; their rows come together, when all is done. Every chunk's output is compared.

    Raises:
        WorkloadError: a launcher ends, does not answer, or prints something else than the baseline.
    """
    pass_ = setting.pass_of(todo[0])
    assert isinstance(pass_, Chunks)
    place, checker, workload = setting.place, setting.checker, setting.workload(pass_)
    by_name = {step.launcher: step for step in todo}
    launchers = {name: setting.launcher(name) for name in by_name}
    cpu = place.cpus[-1]
    rows: list[Row] = []
    with place.scratch(todo[0]) as folder, elsewhere(cpu):
        path = place.placed(block, workload)
        sides = {name: folder / f"side-{step.position}" for name, step in by_name.items()}
        commands = {
            name: place.command(path, workload, block, launcher, pass_.m[0], sides[name], cpu)
            for name, launcher in launchers.items()
        }
        with _together(commands, pass_, folder) as servers:
            for name, (_, first) in servers.items():
                checker.compare_output(launchers[name], workload, pass_.m[0], first.output)
                checker.verify(block, launchers[name], script.read_fingerprint(sides[name]))

            def run(name: str, m: int) -> Chunk:
                server = servers[name][0]
                return setting.second_look.chunk(
                    launchers[name], workload.name, m, lambda: server.run(m, place.timeout_s)
                )

            for name, m, turn, chunk in _take_turns(servers, pass_, setting.turns or pass_.turns, run):
                printed = chunk.output
                checker.compare_output(launchers[name], workload, m, printed)
                rows.extend(
                    rows_of(
                        pass_,
                        workload,
                        msgspec.structs.replace(by_name[name], m=m, repetition=turn),
                        readings(pass_, chunk),
                        exit_code=0,
                        printed=printed,
                        placement=chunk.placement,
                    )
                )
    yield Measured(steps=tuple(todo), rows=tuple(rows))


@contextmanager
def _together(
    commands: Mapping[str, Command], pass_: Chunks, folder: Path
) -> Iterator[dict[str, tuple[ServedProcess, FirstAnswer]]]:
    """Start all commands as servers of chunks; each is ready before the next begins.

    Raises:
        WorkloadError: one ends or does not answer.
        OSError: one cannot be started.
    """
    counted = pass_.events[len(CLOCKS) :]
    count = f"perf:{','.join(counted)}" if counted else CLOCK
    with ExitStack() as opened:
        servers: dict[str, tuple[ServedProcess, FirstAnswer]] = {}
        for name, command in commands.items():
            scratch = folder / f"chunks-{len(servers)}"
            scratch.mkdir()
            server = opened.enter_context(serving(name, command, count=count, scratch=scratch))
            # One after the other: their first runs are measured too.
            servers[name] = server, server.first_answer(command.timeout_s)
        yield servers


def _take_turns(
    servers: Mapping[str, tuple[ServedProcess, FirstAnswer]],
    pass_: Chunks,
    turns: int,
    run: Callable[[str, int], Chunk],
) -> Iterator[tuple[str, int, int, Chunk]]:
    """Launcher, M, turn and chunk, in the order in which they are done: every other turn goes backwards.

    The first runs of each process are turns below 0: they warm up, and are recorded as such.
    Under counters there is one more turn at the higher M: the slope between both is what ``perf stat`` must agree with.
    """
    names = tuple(servers)
    lower, higher = pass_.m[0], pass_.m[-1]
    for name, (_, first) in servers.items():
        for turn, chunk in enumerate(first.runs, start=-len(first.runs)):
            yield name, lower, turn, chunk
    for turn in range(turns):
        for name in names if turn % 2 == 0 else reversed(names):
            yield name, lower, turn, run(name, lower)
    if len(pass_.events) > len(CLOCKS):
        for name in names:
            yield name, higher, turns, run(name, higher)


def readings(pass_: Chunks, chunk: Chunk) -> Iterator[Reading]:
    """The events of one chunk: times in ns, and counts, which are None where a counter stood still for some of it."""
    clocks = dict(zip(CLOCKS, (chunk.wall_ns, chunk.cpu_ns), strict=True))
    for event, value in (*clocks.items(), *zip(pass_.events[len(CLOCKS) :], chunk.counts, strict=True)):
        counted = event not in clocks
        lost = counted and (chunk.running_ns != chunk.enabled_ns or not chunk.running_ns)
        yield Reading(
            event=event,
            value=None if lost else float(value),
            unit=BY_NAME[event].unit,
            enabled_ns=chunk.enabled_ns if counted else None,
            running_ns=chunk.running_ns if counted else None,
            source="hardware" if counted else "software",
            raw_name=f"{event}:u of this thread" if counted else "clock around a chunk, in the process",
            reason=off_the_pmu(chunk.running_ns) if lost else None,
        )
