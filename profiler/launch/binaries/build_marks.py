"""What a CPython's file shows of its version and its build beside what ``elf`` reads: nothing is executed."""

from __future__ import annotations

import re

from elftools.elf.elffile import ELFFile

from profiler.launch.binaries.elf import opened
from profiler.launch.binaries.elf_sections import section
from profiler.launch.binaries.symbols import defined_at
from profiler.model import Noun

_FREE_THREADED = "_Py_DecRefShared"
"""Defined with Py_GIL_DISABLED alone (Include/refcount.h), which exists since 3.13."""
_LEVELS = {0xA: "a", 0xB: "b", 0xC: "rc", 0xF: ""}
"""Of PY_VERSION_HEX (docs.python.org/3/c-api/apiabiversion.html)."""
_MINOR = re.compile(r"python3\.(\d+)")
_COMPILER = re.compile(r"(GCC|clang)\b.*?(\d+\.\d+\.\d+)(?!.*\d+\.\d+\.\d+)", re.IGNORECASE)
_DF_BIND_NOW, _DF_1_NOW = 0x8, 0x1
_FORTIFIED = re.compile(rb"\0__(?!stack)\w+_chk\0")
_IBT_OR_SHSTK = 0x3


class BuildMarks(Noun, frozen=True, kw_only=True):
    """None: the file does not show it."""

    version: str | None
    free_threaded: bool | None
    hardening: tuple[str, ...] | None


def read_marks(path: str, soname: str | None) -> BuildMarks:
    """Version, GIL and hardening of the file at ``path``.

    Raises:
        UsageError: it is damaged.
        OSError: it cannot be read.
    """
    with opened(path) as elf:
        version = _exported_version(elf) or _version_string(elf, soname or path)
        shared = defined_at(elf, _FREE_THREADED) is not None
        return BuildMarks(
            version=version,
            free_threaded=True if shared else None if version is None else False,
            hardening=_hardening(elf),
        )


def compiler_name(said: tuple[str, ...]) -> str | None:
    """``"GCC 12.2.0"`` of what a file says of its compilers; None where they are none or several."""
    found = {(match[1], match[2]) for one in said if (match := _COMPILER.search(one))}
    if len(found) != 1:
        return None
    name, version = next(iter(found))
    return f"{name.upper() if name.lower() == 'gcc' else 'Clang'} {version}"


def _exported_version(elf: ELFFile) -> str | None:
    """What ``Py_Version`` holds, an ``unsigned long`` with PY_VERSION_HEX (since 3.11)."""
    at = defined_at(elf, "Py_Version")
    size = elf.elfclass // 8
    offset = None if at is None else next(iter(elf.address_offsets(at, size)), None)
    if offset is None:
        return None
    elf.stream.seek(offset)
    number = int.from_bytes(elf.stream.read(size), "little" if elf.little_endian else "big")
    level = _LEVELS.get(number >> 4 & 0xF)
    if number >> 24 != 3 or level is None:
        return None
    return f"3.{number >> 16 & 0xFF}.{number >> 8 & 0xFF}{level}{number & 0xF if level else ''}"


def _version_string(elf: ELFFile, name: str) -> str | None:
    """PY_VERSION as ``Py_GetVersion`` has it: a string of its own, or the end of one (the linker merges them)."""
    minor = _MINOR.search(name)
    if minor is None:
        return None
    found = re.findall(rb"(?<![\d.])(3\.%s\.\d+(?:(?:a|b|rc)\d+)?)\+?\0" % minor[1].encode(), section(elf, ".rodata"))
    return found[0].decode() if len(set(found)) == 1 else None


def _hardening(elf: ELFFile) -> tuple[str, ...] | None:
    names = section(elf, ".dynstr")
    if not names:
        return None
    tags = {}
    for segment in elf.iter_segments("PT_DYNAMIC"):
        tags = {str(tag.entry.d_tag): int(tag.entry.d_val) for tag in segment.iter_tags()}  # type: ignore[attr-defined]
    now = (
        "DT_BIND_NOW" in tags
        or tags.get("DT_FLAGS", 0) & _DF_BIND_NOW
        or tags.get("DT_FLAGS_1", 0) & _DF_1_NOW
    )  # fmt: skip
    seen = {
        "stack protector": b"\0__stack_chk_fail\0" in names,
        "fortify": _FORTIFIED.search(names) is not None,
        "CET": _cet(elf),
        "RELRO": next(elf.iter_segments("PT_GNU_RELRO"), None) is not None,
        "bind now": bool(now),
    }
    return tuple(name for name, there in seen.items() if there)


def _cet(elf: ELFFile) -> bool:
    """Marked for indirect branch tracking or shadow stacks (x86-64 psABI, GNU_PROPERTY_X86_FEATURE_1_AND)."""
    for segment in elf.iter_segments("PT_NOTE"):
        for note in segment.iter_notes():  # type: ignore[attr-defined]
            if note["n_type"] == "NT_GNU_PROPERTY_TYPE_0" and not isinstance(note["n_desc"], bytes | str):
                for one in note["n_desc"]:
                    if one["pr_type"] == "GNU_PROPERTY_X86_FEATURE_1_AND":
                        return bool(int(one["pr_data"]) & _IBT_OR_SHSTK)
    return False
