"""The rows of ``profile.csv`` and ``symbols.csv`` that the processes of a session leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from profiler.collect.checker import Checker
from profiler.collect.drilldown.code import Code
from profiler.collect.drilldown.dispatch import Dispatch, read_dispatch, without_jumps, without_table
from profiler.collect.drilldown.growth import Growth, growths
from profiler.collect.drilldown.opcode_flow import Loop, Mixtures, mixtures
from profiler.collect.drilldown.symbolise import Symbols
from profiler.collect.workplace import Workplace
from profiler.errors import MachineError
from profiler.guest.script import OPCODE_NAMES
from profiler.launch.binaries.elf import is_elf
from profiler.launch.binaries.goto_table import goto_tables
from profiler.model import Block, Launcher, Plan, ProfileRow, Regions, Step, SymbolRow
from profiler.plan.schedule import workload_of
from profiler.sources.source import Outcome
from profiler.system import process

_NESTED = 0.001
"""Less of the work in inner loops is nothing to warn of."""


class Drill:
    """What is known of each launcher's eval loop and of each file; shared by all processes of a session."""

    def __init__(self, place: Workplace, checker: Checker) -> None:
        self._place = place
        self._checker = checker
        self._lock = threading.Lock()
        self._code = Code()
        self._symbols = Symbols(self._code)
        self._entries: dict[str, dict[int, str]] = {}
        """By launcher: address of machine code in its image → opcode."""
        self._dispatch: dict[str, Dispatch] = {}

    def rows(
        self, plan: Plan, pass_: Regions, block: Block, step: Step, outcome: Outcome
    ) -> tuple[tuple[ProfileRow, ...], tuple[SymbolRow, ...]]:
        """What one process leaves; symbols of instructions that no process had before.

        Raises:
            MachineError: regions are missing, or machine code cannot be read.
        """
        if len(outcome.addresses) != pass_.phases * len(pass_.m):
            raise MachineError(
                f"callgrind wrote {len(outcome.addresses)} regions of {pass_.phases * len(pass_.m)} by address",
                hint="is the disk of the temporary folder full?",
            )
        launcher = next(launcher for launcher in plan.launchers if launcher.name == step.launcher)
        rows: list[ProfileRow] = []
        symbols: list[SymbolRow] = []
        width = len(pass_.m)
        # What two launchers need of the same file at the same time is read once.
        with self._lock:
            entries = self._entries_of(plan, pass_, block, launcher)
            for phase in range(pass_.phases):
                first, last = outcome.addresses[phase * width], outcome.addresses[(phase + 1) * width - 1]
                growth, everything = growths(first, last, self._code.function)
                symbols += self._symbols.of(growth, {launcher.image or "": entries})
                mixed = self._mixed(launcher, growth, everything, entries)
                rows += (
                    ProfileRow(
                        block=block.index,
                        phase=phase,
                        launcher=launcher.name,
                        iterations=pass_.m[-1] - pass_.m[0],
                        image=image,
                        build_id=self._code.build_id(image),
                        function=function,
                        address=address,
                        opcode=opcode,
                        dispatches=mixed.dispatches.get((image, address), 0) if opcode == entries.get(address) else 0,
                        executions=round(executions, 6),
                    )
                    for ((image, function), address), count in growth.counts.items()
                    for opcode, executions in divided(count, mixed.at(((image, function), address)))
                )
        return tuple(rows), tuple(symbols)

    def _mixed(self, launcher: Launcher, growth: Growth, everything: Growth, entries: Mapping[int, str]) -> Mixtures:
        image = launcher.image or ""
        code = self._code.of(image, (at for (function, at) in everything.counts if function[0] == image))
        loops = {image: Loop(entries=dict(entries), code=code)} if entries else {}
        found = mixtures(growth, everything, loops)
        if entries and not found.dispatches:
            self._checker.learn_no_opcodes(launcher, without_jumps(image, self._dispatch[launcher.name]))
        counted = sum(growth.counts.values())
        if found.nested > _NESTED * counted:
            self._checker.learn_nested(launcher, min(1.0, found.nested / counted))
        return found

    def _entries_of(self, plan: Plan, pass_: Regions, block: Block, launcher: Launcher) -> dict[int, str]:
        """Where the opcodes of the launcher's eval loop begin; empty, with a caveat, where that cannot be told."""
        if launcher.name not in self._entries:
            found: dict[int, str] = {}
            if launcher.image is None or not is_elf(launcher.image):
                self._checker.learn_no_opcodes(launcher, "whose eval loop runs was not seen, or its file is gone")
            else:
                dispatch = self._dispatch[launcher.name] = self._asked(plan, pass_, block, launcher)
                tables = goto_tables(launcher.image, dispatch.names)
                found = {at: "/".join(own) for table in tables for at, own in table.entries.items()}
                if not found:
                    self._checker.learn_no_opcodes(launcher, without_table(launcher.image, dispatch))
            self._entries[launcher.name] = found
        return self._entries[launcher.name]

    def _asked(self, plan: Plan, pass_: Regions, block: Block, launcher: Launcher) -> Dispatch:
        """What the launcher's interpreter says of its opcodes; nothing where it does not come to that."""
        with self._place.scratch() as scratch:
            side = scratch / "side"
            workload = workload_of(plan, pass_)
            process.run(
                self._place.command(OPCODE_NAMES, workload, block, launcher, pass_.m[0], side, self._place.cpus[-1])
            )
            return read_dispatch(side.read_text() if side.exists() else "")


def divided(count: int, mixture: Mapping[str, float]) -> Iterator[tuple[str | None, float]]:
    """``count`` by opcode, and what is left to none; together they are ``count``."""
    left = float(count)
    for opcode, part in mixture.items():
        left -= count * part
        yield opcode, count * part
    if abs(left) > 1e-6 * max(1, abs(count)):
        yield None, left
