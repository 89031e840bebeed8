"""Which function's machine code an address of an ELF file lies in, by the symbols that the file still has."""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator

from elftools.elf.elffile import ELFFile

from profiler.launch.binaries.elf import opened
from profiler.launch.binaries.elf_sections import contents
from profiler.model import Noun

_FUNCTIONS = (2, 10)
"""STT_FUNC and STT_GNU_IFUNC."""
_CLONE = re.compile(r"\.(lto_priv|constprop|isra|part|cold|localalias)(\.\d+)*")
"""What GCC appends to the names of a function's copies and parts."""


class FunctionRanges(Noun, frozen=True, kw_only=True):
    """Functions by address, ascending; none overlap."""

    begins: tuple[int, ...]
    ends: tuple[int, ...]
    names: tuple[str, ...]

    def at(self, address: int) -> str | None:
        """The function that holds ``address``; None where no symbol says so."""
        found = bisect_right(self.begins, address) - 1
        return self.names[found] if found >= 0 and address < self.ends[found] else None


def function_ranges(path: str) -> FunctionRanges:
    """Of ``.symtab`` where there is one, and of ``.dynsym``.

    Raises:
        UsageError: the file is damaged.
    """
    with opened(path) as elf:
        # Of several names of one address the same is taken in every file: the shortest, then by letters.
        known = sorted(set(_functions(elf)), key=lambda entry: (entry[0], len(entry[2]), entry[2]))
    kept: list[tuple[int, int, str]] = []
    for begin, end, name in known:
        if not kept or begin >= kept[-1][1]:
            kept.append((begin, end, name))
    return FunctionRanges(
        begins=tuple(begin for begin, _, _ in kept),
        ends=tuple(end for _, end, _ in kept),
        names=tuple(name for _, _, name in kept),
    )


def whole_name(name: str) -> str:
    """The source function whose copy or part ``name`` is."""
    return _CLONE.sub("", name)


def _functions(elf: ELFFile) -> Iterator[tuple[int, int, str]]:
    if elf.elfclass != 64:
        return
    layout = struct.Struct(("<" if elf.little_endian else ">") + "IBBHQQ")
    for symbols, strings in ((".symtab", ".strtab"), (".dynsym", ".dynstr")):
        table, names = elf.get_section_by_name(symbols), elf.get_section_by_name(strings)
        if table is None or names is None:
            continue
        text = contents(names)
        for name, info, _, section, value, size in layout.iter_unpack(contents(table)):
            if info & 0xF in _FUNCTIONS and section and size:
                own = text[name : text.index(b"\0", name)].decode(errors="replace")
                yield value, value + size, whole_name(own)
