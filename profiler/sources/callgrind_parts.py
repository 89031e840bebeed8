"""Callgrind's out file, read part by part: names, images and functions. What a line of costs is for is its reader's.

Format: valgrind manual, "Callgrind Format Specification".
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

from profiler.errors import MachineError

_NAMED = re.compile(r"\((\d+)\)(?: (.*))?")
"""A compressed name: ``(7) PyObject_Free`` defines it, ``(7)`` stands for it from then on, in later parts too."""

_SPEC = re.compile(r"(c?ob|c?fn|calls|fl|fi|fe|cfi|cfl|jump|jcnd|jfi|jfn)=(.*)")
_COST = re.compile(r"[0-9+*-]")
_RECURSION = re.compile(r"'\d+$")
"""Callgrind's suffix of deeper levels of a recursion: the same function."""

Function = tuple[str | None, str]
"""Its ELF file (None: unknown) and its name, or its address where the file shows no name for it."""

Part = TypeVar("Part")


class Names:
    """Compressed names of one kind, as a file defines them."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def expanded(self, rest: str) -> str:
        """The name that stands after ``fn=`` and its like.

        Raises:
            KeyError: the file did not define it.
        """
        compressed = _NAMED.fullmatch(rest)
        if compressed is None:
            return rest
        number, name = compressed.groups()
        if name is not None:
            self._known[number] = name
        return self._known[number]


def without_depth(function: str) -> str:
    """The function, whatever the depth of its recursion."""
    return _RECURSION.sub("", function)


def in_file(image: str) -> str | None:
    """The ELF file, where callgrind knows one."""
    return None if image in ("???", "") else image


class PartsReader(ABC, Generic[Part]):
    """Where the reading of a file stands: names, and the function that lines of costs belong to."""

    def __init__(self) -> None:
        self._files, self._functions = Names(), Names()
        self._column = 0
        self._begin()

    def read(self, text: str) -> tuple[Part, ...]:
        """The parts of an out file, in their order.

        Raises:
            MachineError: a name is used that the file did not define, or a figure is none: it is damaged.
        """
        try:
            return tuple(self._parts(text))
        except (ValueError, KeyError, IndexError) as error:
            raise MachineError(f"callgrind's out file is not readable: {error}", hint="is the disk full?") from error

    def _parts(self, text: str) -> Iterator[Part]:
        begun = False
        for line in text.split("\n"):
            spec = _SPEC.fullmatch(line)
            if spec is not None:
                self._specify(*spec.groups())
            elif _COST.match(line):
                self._cost(line.split())
            elif line.startswith("part:"):
                if begun:
                    yield self._part()
                    self._begin()
                begun = True
            else:
                self._head(line)
        yield self._part()

    def _begin(self) -> None:
        """A part begins: nothing is counted yet."""
        self._trigger = self._image = self._function = self._called_image = self._callee = ""

    @abstractmethod
    def _part(self) -> Part:
        """What was counted since."""

    @abstractmethod
    def _cost(self, fields: list[str]) -> None:
        """A line of positions and costs."""

    @abstractmethod
    def _positioned(self, kinds: list[str]) -> None:
        """What positions are: ``line``, ``instr``."""

    def _specify(self, key: str, rest: str) -> None:
        if key == "ob":
            self._image = self._files.expanded(rest)
        elif key == "cob":
            self._called_image = self._files.expanded(rest)
        elif key == "fn":
            self._function = without_depth(self._functions.expanded(rest))
        elif key == "cfn":
            self._callee = without_depth(self._functions.expanded(rest))

    @property
    def _here(self) -> Function:
        return in_file(self._image), self._function

    @property
    def _there(self) -> Function:
        """The called function. Without a cob= of its own a call stays in the caller's file."""
        return in_file(self._called_image or self._image), self._callee

    def _head(self, line: str) -> None:
        if line.startswith("desc: Trigger:"):
            self._trigger = line.removeprefix("desc: Trigger:").strip()
        elif line.startswith("positions:"):
            self._positioned(line.split()[1:])
        elif line.startswith("events:"):
            names = line.split()[1:]
            self._column = names.index("Ir") if "Ir" in names else 0
