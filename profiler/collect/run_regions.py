"""Regions: many heap phases in one process under an emulator, what it is asked to do, and what came of it.

The process does both M once per heap phase; the emulator writes what it counted of each region, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from profiler.collect.live import parse_chunk, served
from profiler.collect.recording import Measured, calls_of, rows_of, startable
from profiler.collect.setting import Setting
from profiler.errors import MachineError
from profiler.guest import script
from profiler.model import (
    Block,
    CallRow,
    Calls,
    Noun,
    ProfileRow,
    Reading,
    Regions,
    Row,
    SourceName,
    Step,
    SymbolRow,
)
from profiler.plan.schedule import growth
from profiler.sources.source import Outcome
from profiler.system.process import Command

_REQUESTS, _ANSWERS = "requests", "answers"


class _Region(Noun, frozen=True, kw_only=True):
    """One M in one heap phase."""

    phase: int
    m: int
    readings: tuple[Reading, ...]
    calls: tuple[Calls, ...]
    printed: bytes
    placement: int | None


def measure(setting: Setting, pass_: Regions, block: Block, step: Step, cpu: int) -> Measured:
    """One process, through all its heap phases; every region's output is compared."""
    launcher, workload = setting.launcher(step.launcher), setting.workload(pass_)
    place, checker = setting.place, setting.checker
    rows: list[Row] = []
    calls: list[CallRow] = []
    with place.scratch(step) as scratch:
        side = scratch / "side"
        command = place.command(place.placed(block, workload), workload, block, launcher, step.m, side, cpu)
        command = _through_phases(setting, block, pass_, command, scratch)
        with startable(launcher):
            outcome = setting.source.measure(pass_, command, scratch)
        checker.require_success(launcher, workload, step.m, outcome)
        checker.learn_uncounted(launcher, outcome.uncounted)
        checker.verify(block, launcher, script.read_fingerprint(side))
        profile, symbols = _by_address(setting, pass_, block, step, outcome)
        for region in _counted(setting.source.name, pass_, outcome, scratch):
            checker.compare_output(launcher, workload, region.m, region.printed)
            own = msgspec.structs.replace(step, m=region.m, repetition=region.phase)
            rows.extend(
                rows_of(
                    pass_,
                    workload,
                    own,
                    region.readings,
                    exit_code=outcome.exit,
                    printed=region.printed,
                    placement=region.placement,
                )
            )
            calls.extend(calls_of(own, region.calls))
    return Measured(steps=(step,), rows=tuple(rows), calls=tuple(calls), profile=profile, symbols=symbols)


def _by_address(
    setting: Setting, pass_: Regions, block: Block, step: Step, outcome: Outcome
) -> tuple[tuple[ProfileRow, ...], tuple[SymbolRow, ...]]:
    if not pass_.by_address:
        return (), ()
    assert setting.drill is not None
    return setting.drill.rows(setting.plan, pass_, block, step, outcome)


def _through_phases(setting: Setting, block: Block, pass_: Regions, command: Command, scratch: Path) -> Command:
    """``command`` as a server that takes its requests from a file; ``scratch`` is a directory of this process alone."""
    both = [f"run {m}" for m in pass_.m]
    lines = list(both)
    for counts in growth(setting.plan.seed, block, pass_.phases):
        lines += [f"grow {' '.join(map(str, counts))}", *both]
    requests = scratch / _REQUESTS
    requests.write_text("\n".join(lines) + "\n")
    return served(command, count=setting.source.name, requests=requests, answers=scratch / _ANSWERS)


def _counted(source: SourceName, pass_: Regions, outcome: Outcome, scratch: Path) -> Iterator[_Region]:
    """The regions of a process that ended well.

    Raises:
        MachineError: there are fewer or more than were asked for.
    """
    chunks = [parse_chunk(line) for line in (scratch / _ANSWERS).read_bytes().splitlines()[1:]]
    places = [(phase, m) for phase in range(pass_.phases) for m in pass_.m]
    width = len(pass_.events)
    if len(outcome.readings) != width * len(places) or len(chunks) != len(places):
        raise MachineError(
            f"{source} wrote {len(outcome.readings) // width} regions of {len(places)}",
            hint="is the disk of the temporary folder full?",
        )
    for number, ((phase, m), chunk) in enumerate(zip(places, chunks, strict=True)):
        own = outcome.readings[number * width : (number + 1) * width]
        yield _Region(
            phase=phase,
            m=m,
            readings=own,
            calls=outcome.calls[number] if outcome.calls else (),
            printed=chunk.output,
            placement=chunk.placement,
        )
