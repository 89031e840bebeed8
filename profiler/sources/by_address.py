"""Callgrind's out file by machine instruction: how often each ran, where jumps went, what calls cost.

Format: valgrind manual, "Callgrind Format Specification", of files written with ``--dump-instr=yes --dump-line=no
--collect-jumps=yes``; addresses are those that a file was linked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from profiler.errors import MachineError
from profiler.model import Noun
from profiler.sources.by_function import Function, Names, in_file, without_depth

OPTIONS = ("--dump-instr=yes", "--dump-line=no", "--collect-jumps=yes", "--skip-plt=no")
"""Without ``--skip-plt=no`` what is called through the PLT vanishes from the counts of its caller."""

_COST = re.compile(r"[0-9+*-]")
_POSITIONS = "instr"

Site = tuple[Function, int]
"""A function and an address in it."""


class AddressProfile(Noun, frozen=True, kw_only=True):
    """One part of an out file: a whole process, or one region of it."""

    trigger: str
    """As in ``by_function.Profile``."""
    counts: dict[Site, int]
    """Instruction → how often it was executed."""
    jumps: dict[tuple[Site, int], int]
    """(the jump, address of its target) → how often it was taken; within one function."""
    calls: dict[tuple[Site, Site], tuple[int, int]]
    """(where it is called, the called function and its entry) → calls, instructions until they returned. A jump into
    another function counts as a call."""


def read_addresses(text: str) -> tuple[AddressProfile, ...]:
    """The parts of an out file, in their order.

    Raises:
        MachineError: it is not by instruction, a name is not defined, or a figure is none: it is damaged.
    """
    try:
        return tuple(_AddressReader().parts(text))
    except (ValueError, KeyError, IndexError) as error:
        raise MachineError(f"callgrind's out file is not readable: {error}", hint="is the disk full?") from error


class _AddressReader:
    """Where the reading of a file stands."""

    def __init__(self) -> None:
        self._files, self._functions = Names(), Names()
        self._column = 0
        self._begin()

    def parts(self, text: str) -> Iterator[AddressProfile]:
        begun = False
        for line in text.split("\n"):
            if _COST.match(line):
                self._cost(line.split())
            elif line.startswith("part:"):
                if begun:
                    yield self._part()
                    self._begin()
                begun = True
            elif "=" in line:
                self._specify(*line.split("=", 1))
            else:
                self._head(line)
        yield self._part()

    def _begin(self) -> None:
        self._trigger = self._image = self._function = self._called_image = self._callee = ""
        self._at = 0
        self._call: tuple[int, int] | None = None
        self._jump: tuple[int, int] | None = None
        self._counts: dict[Site, int] = defaultdict(int)
        self._jumps: dict[tuple[Site, int], int] = defaultdict(int)
        self._calls: dict[tuple[Site, Site], tuple[int, int]] = {}

    def _part(self) -> AddressProfile:
        return AddressProfile(
            trigger=self._trigger, counts=dict(self._counts), jumps=dict(self._jumps), calls=dict(self._calls)
        )

    def _specify(self, key: str, rest: str) -> None:
        if key == "ob":
            self._image = self._files.expanded(rest)
        elif key == "cob":
            self._called_image = self._files.expanded(rest)
        elif key == "fn":
            self._function = without_depth(self._functions.expanded(rest))
        elif key == "cfn":
            self._callee = without_depth(self._functions.expanded(rest))
        elif key == "calls":
            number, target = rest.split()[:2]
            self._call = int(number), self._address(target)
        elif key in ("jump", "jcnd"):
            number, target = rest.split()[:2]
            self._jump = int(number.partition("/")[0]), self._address(target)

    def _cost(self, fields: list[str]) -> None:
        # Lines of calls and jumps are relative to the last cost line too, and move nothing: callgrind's dump.c.
        at = self._address(fields[0])
        here = (in_file(self._image), self._function)
        if self._call is not None:
            number, entry = self._call
            there = in_file(self._called_image) if self._called_image else here[0]
            key = (here, at), ((there, self._callee), entry)
            calls, inside = self._calls.get(key, (0, 0))
            self._calls[key] = calls + number, inside + int(fields[1 + self._column])
            self._call, self._called_image = None, ""
        elif self._jump is not None:
            taken, target = self._jump
            self._jumps[(here, at), target] += taken
            self._jump = None
        else:
            self._at = at
            self._counts[here, at] += int(fields[1 + self._column])

    def _address(self, text: str) -> int:
        if text[0] in "+-":
            return self._at + int(text)
        return self._at if text == "*" else int(text, 16)

    def _head(self, line: str) -> None:
        if line.startswith("desc: Trigger:"):
            self._trigger = line.removeprefix("desc: Trigger:").strip()
        elif line.startswith("positions:") and line.split()[1:] != [_POSITIONS]:
            raise ValueError(f"it is by {line.split()[1:]}, and not by instruction")
        elif line.startswith("events:"):
            names = line.split()[1:]
            self._column = names.index("Ir") if "Ir" in names else 0
