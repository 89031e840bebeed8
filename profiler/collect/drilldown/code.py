"""The machine code and the build-ids of files, each read once."""

from __future__ import annotations

from collections.abc import Iterable

from profiler.launch.binaries.elf import build_id, is_elf
from profiler.launch.binaries.function_ranges import FunctionRanges, function_ranges
from profiler.launch.binaries.machine_code import Instruction, decode


class Code:
    """Of all files that a session meets."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, Instruction]] = {}
        self._build_ids: dict[str, str | None] = {}
        self._functions: dict[str, FunctionRanges | None] = {}

    def of(self, image: str, addresses: Iterable[int]) -> dict[int, Instruction]:
        """The instructions of a file that are known by now, with those at ``addresses``.

        Raises:
            MachineError: its machine's instructions are not known.
            UsageError: it is damaged.
        """
        known = self._known.setdefault(image, {})
        wanted = set(addresses) - known.keys()
        if wanted and is_elf(image):
            known |= decode(image, sorted(wanted))
        return known

    def function(self, image: str, address: int) -> str | None:
        """The function whose symbol holds ``address``; None where none does, or it is no file."""
        if image not in self._functions:
            self._functions[image] = function_ranges(image) if is_elf(image) else None
        ranges = self._functions[image]
        return None if ranges is None else ranges.at(address)

    def build_id(self, image: str | None) -> str | None:
        """None: it has none, or is no file."""
        if image is None:
            return None
        if image not in self._build_ids:
            self._build_ids[image] = build_id(image)
        return self._build_ids[image]
