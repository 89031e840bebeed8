"""Many heap phases in one process under callgrind: what it is asked to do, and what came of it.

The process does both M once per heap phase; callgrind writes one part of its out file per region, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from profiler.collect.live import CALLGRIND, parse_chunk, served
from profiler.errors import MachineError
from profiler.model import Block, Calls, Noun, Pass, Reading
from profiler.plan.schedule import growth
from profiler.sources.source import Outcome
from profiler.system.process import Command

_REQUESTS, _ANSWERS = "requests", "answers"


class Region(Noun, frozen=True, kw_only=True):
    """One M in one heap phase."""

    phase: int
    m: int
    readings: tuple[Reading, ...]
    calls: tuple[Calls, ...]
    printed: bytes
    placement: int | None


def through_phases(seed: int, block: Block, what: Pass, command: Command, scratch: Path) -> Command:
    """``command`` as a server that takes its requests from a file; ``scratch`` is a directory of this process alone."""
    both = [f"run {m}" for m in what.m]
    lines = list(both)
    for counts in growth(seed, block, what.repetitions):
        lines += [f"grow {' '.join(map(str, counts))}", *both]
    requests = scratch / _REQUESTS
    requests.write_text("\n".join(lines) + "\n")
    return served(command, count=CALLGRIND, requests=requests, answers=scratch / _ANSWERS)


def counted(what: Pass, outcome: Outcome, scratch: Path) -> Iterator[Region]:
    """The regions of a process that ended well.

    Raises:
        MachineError: there are fewer or more than were asked for.
    """
    chunks = [parse_chunk(line) for line in (scratch / _ANSWERS).read_bytes().splitlines()[1:]]
    places = [(phase, m) for phase in range(what.repetitions) for m in what.m]
    width = len(what.events)
    if len(outcome.readings) != width * len(places) or len(chunks) != len(places):
        raise MachineError(
            f"callgrind wrote {len(outcome.readings) // width} regions of {len(places)}",
            hint="is the disk of the temporary folder full?",
        )
    for number, ((phase, m), chunk) in enumerate(zip(places, chunks, strict=True)):
        own = outcome.readings[number * width : (number + 1) * width]
        yield Region(
            phase=phase,
            m=m,
            readings=own,
            calls=outcome.calls[number] if outcome.calls else (),
            printed=chunk.text.encode(),
            placement=chunk.placement,
        )
