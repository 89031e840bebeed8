"""The bytes of an ELF file as they lie in memory, by the addresses that it was linked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from profiler.launch.binaries.relocations import entries
from profiler.model import Noun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EXECUTABLE = 1
_WORD = 8
_RELATIVE = {"EM_X86_64": 8, "EM_AARCH64": 1027, "EM_RISCV": 3}
"""R_*_RELATIVE (psABIs): what the loader puts there is the addend, moved by where the file lies."""


class Segment(Noun, frozen=True, kw_only=True):
    """What one PT_LOAD holds of the file."""

    address: int
    data: bytes
    executable: bool


def segments(elf: ELFFile) -> tuple[Segment, ...]:
    """All that is loaded, in the order of the program headers."""
    return tuple(
        Segment(
            address=int(segment["p_vaddr"]),
            data=bytes(segment.data()),
            executable=bool(segment["p_flags"] & _EXECUTABLE),
        )
        for segment in elf.iter_segments("PT_LOAD")
    )


def words(elf: ELFFile, segment: Segment) -> NDArray[np.uint64]:
    """The 64-bit words of a segment as they are after relocation by the load bias, which is not added."""
    import numpy as np

    skipped = -segment.address % _WORD
    usable = segment.data[skipped:]
    found = np.frombuffer(usable[: len(usable) // _WORD * _WORD], dtype="<u8").copy()
    first = segment.address + skipped
    for at, addend in _relative(elf):
        if first <= at < first + _WORD * len(found) and (at - first) % _WORD == 0:
            found[(at - first) // _WORD] = addend
    return found


def _relative(elf: ELFFile) -> list[tuple[int, int]]:
    """Place and addend of each RELATIVE relocation; those of DT_RELR keep their addend in place."""
    wanted = _RELATIVE.get(str(elf["e_machine"]))
    if wanted is None or elf.elfclass != 64:
        return []
    return [
        (place, addend)
        for section in elf.iter_sections()
        if isinstance(section, RelocationSection) and section.is_RELA()
        for (kind, _), (place, addend) in zip(entries(elf, section), _places(section), strict=True)
        if kind == wanted
    ]


def _places(section: RelocationSection) -> list[tuple[int, int]]:
    import struct

    return [(place, addend) for place, _, addend in struct.iter_unpack("<QQq", section.data())]
