"""Where each opcode's machine code begins: the table of computed gotos in the eval loop, found in a stripped file.

CPython's ``opcode_targets`` (Python/ceval.c, opcode_targets.h): 256 pointers into the code, one for each opcode, and in
each slot without an opcode the address of ``_unknown_opcode``. No symbol names it; this pattern does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from elftools.elf.elffile import ELFFile

from profiler.launch.binaries.elf import opened
from profiler.launch.binaries.memory_image import Segment, segments, words
from profiler.model import Noun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SLOTS = 256
_LEAST_DISTINCT = 100
"""Opcodes since CPython 3.8 that have code of their own."""
_SPARE = 2
"""Slots without a name that may have code all the same (reserved and internal opcodes), and the other way round."""


class GotoTable(Noun, frozen=True, kw_only=True):
    """The table of one eval loop."""

    address: int
    """Where it lies, as the file is linked."""
    entries: dict[int, tuple[str, ...]]
    """Address of machine code → the opcodes that begin there; several where the compiler merged them."""


def goto_tables(path: str, names: Mapping[int, str]) -> tuple[GotoTable, ...]:
    """The tables of the file, as its addresses are linked; none where it dispatches in another way (a switch).

    Args:
        path: an ELF file.
        names: opcode number → name, with specialised opcodes, of the interpreter that the file holds.

    Raises:
        UsageError: the file is damaged.
    """
    with opened(path) as elf:
        return tuple(_tables(elf, names))


def _tables(elf: ELFFile, names: Mapping[int, str]) -> list[GotoTable]:
    import numpy as np

    empty = [slot for slot in range(SLOTS) if slot not in names]
    loaded = segments(elf)
    if len(empty) <= _SPARE or elf.elfclass != 64:
        return []
    found: list[tuple[int, GotoTable]] = []
    for segment in loaded:
        held = words(elf, segment)
        starts = held.size - SLOTS + 1
        if segment.executable or starts <= 0:
            continue
        into_code = np.concatenate(([0], np.cumsum(_in_code(held, loaded))))
        candidate = into_code[SLOTS:] - into_code[:-SLOTS] == SLOTS
        at = np.flatnonzero(candidate)
        if not at.size:
            continue
        first = segment.address + -segment.address % held.itemsize
        for start in at.tolist():
            table = held[start : start + SLOTS]
            odd, entries = _entries(table, names, empty)
            if odd <= _SPARE:
                found.append((odd, GotoTable(address=first + start * held.itemsize, entries=entries)))
    # A word beside its begin, the same table may still fit well enough.
    best = min((odd for odd, _ in found), default=0)
    return [table for odd, table in found if odd == best]


def _in_code(held: NDArray[np.uint64], loaded: tuple[Segment, ...]) -> NDArray[np.bool_]:
    import numpy as np

    inside = np.zeros(held.shape, dtype=bool)
    for segment in loaded:
        if segment.executable:
            inside |= (held >= segment.address) & (held < segment.address + len(segment.data))
    return inside


def _entries(
    table: NDArray[np.uint64], names: Mapping[int, str], empty: list[int]
) -> tuple[int, dict[int, tuple[str, ...]]]:
    """In how many slots these 256 words are not such a table, and the opcodes by address."""
    import numpy as np

    values, counts = np.unique(table[empty], return_counts=True)
    unknown = int(values[counts.argmax()])
    named = [slot for slot in range(SLOTS) if slot in names]
    odd = len(empty) - int(counts.max()) + int((table[named] == unknown).sum())
    if odd > _SPARE or np.unique(table).size <= _LEAST_DISTINCT:
        return SLOTS, {}
    entries: dict[int, tuple[str, ...]] = {}
    for slot in named:
        if (address := int(table[slot])) != unknown:
            entries[address] = (*entries.get(address, ()), names[slot])
    return odd, entries
