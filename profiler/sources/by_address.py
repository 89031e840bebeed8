"""Callgrind's out file by machine instruction: how often each ran, where jumps went, what calls cost.

Format: valgrind manual, "Callgrind Format Specification", of files written with ``--dump-instr=yes --dump-line=no
--collect-jumps=yes``; addresses are those that a file was linked for.
"""

from __future__ import annotations

from collections import defaultdict

from profiler.model import Noun
from profiler.sources.callgrind_parts import Function, PartsReader

OPTIONS = ("--dump-instr=yes", "--dump-line=no", "--collect-jumps=yes", "--skip-plt=no")
"""Without ``--skip-plt=no`` what is called through the PLT vanishes from the counts of its caller."""

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
    return _AddressReader().read(text)


class _AddressReader(PartsReader[AddressProfile]):
    """Executions by instruction, jumps and calls."""

    def _begin(self) -> None:
        super()._begin()
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
        super()._specify(key, rest)
        if key == "calls":
            number, target = rest.split()[:2]
            self._call = int(number), self._address(target)
        elif key in ("jump", "jcnd"):
            number, target = rest.split()[:2]
            self._jump = int(number.partition("/")[0]), self._address(target)

    def _cost(self, fields: list[str]) -> None:
        # Lines of calls and jumps are relative to the last cost line too, and move nothing: callgrind's dump.c.
        at = self._address(fields[0])
        if self._call is not None:
            number, entry = self._call
            key = (self._here, at), (self._there, entry)
            calls, inside = self._calls.get(key, (0, 0))
            self._calls[key] = calls + number, inside + int(fields[1 + self._column])
            self._call, self._called_image = None, ""
        elif self._jump is not None:
            taken, target = self._jump
            self._jumps[(self._here, at), target] += taken
            self._jump = None
        else:
            self._at = at
            self._counts[self._here, at] += int(fields[1 + self._column])

    def _positioned(self, kinds: list[str]) -> None:
        if kinds != [_POSITIONS]:
            raise ValueError(f"it is by {kinds}, and not by instruction")

    def _address(self, text: str) -> int:
        if text[0] in "+-":
            return self._at + int(text)
        return self._at if text == "*" else int(text, 16)
