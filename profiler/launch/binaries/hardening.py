"""What hardens an ELF file, as far as its headers and the names that it imports show."""

from __future__ import annotations

import re

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from elftools.elf.segments import NoteSegment

from profiler.launch.binaries.elf import dynamic_tags, opened
from profiler.model import Hardening

_DF_BIND_NOW = 0x8
_DF_1_NOW = 0x1
_EXECUTABLE = 0x1
_FEATURES = {"GNU_PROPERTY_X86_FEATURE_1_AND": {0x1: "IBT", 0x2: "SHSTK"}}
"""The processor supplement of the System V ABI for x86, "Program Property"."""
_CHECKED = re.compile(r"__\w+_chk")


def hardening_of(path: str) -> Hardening:
    """What the file shows; a stack protector and checked functions show by what they call alone.

    Raises:
        UsageError: the file is damaged.
        OSError: it cannot be read.
    """
    with opened(path) as elf:
        tags = dynamic_tags(elf)
        now = (
            "DT_BIND_NOW" in tags
            or bool(tags.get("DT_FLAGS", [0])[0] & _DF_BIND_NOW)
            or bool(tags.get("DT_FLAGS_1", [0])[0] & _DF_1_NOW)
        )
        segments = {str(segment["p_type"]): int(segment["p_flags"]) for segment in elf.iter_segments()}
        imported = _imported(elf)
        stack = segments.get("PT_GNU_STACK")
        return Hardening(
            relro=("full" if now else "partial") if "PT_GNU_RELRO" in segments else "none",
            executable_stack=None if stack is None else bool(stack & _EXECUTABLE),
            stack_protector=any(name.startswith("__stack_chk_") for name in imported),
            fortified=sum(_CHECKED.fullmatch(name) is not None for name in imported),
            branch_protection=_features(elf),
        )


def _imported(elf: ELFFile) -> set[str]:
    table = elf.get_section_by_name(".dynsym")
    if not isinstance(table, SymbolTableSection):
        return set()
    return {symbol.name for symbol in table.iter_symbols() if symbol["st_shndx"] == "SHN_UNDEF"}


def _features(elf: ELFFile) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for segment in elf.iter_segments("PT_NOTE"):
        assert isinstance(segment, NoteSegment)
        for note in segment.iter_notes():
            if note["n_type"] != "NT_GNU_PROPERTY_TYPE_0":
                continue
            for entry in note["n_desc"]:
                known = _FEATURES.get(str(entry["pr_type"]), {})
                found |= dict.fromkeys(name for bit, name in known.items() if int(entry["pr_data"]) & bit)
    return tuple(found)
