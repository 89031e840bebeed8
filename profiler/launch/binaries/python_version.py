"""Which Python a file holds, by its own symbol or strings."""

from __future__ import annotations

import re
import struct

from elftools.elf.elffile import ELFFile

from profiler.launch.binaries.elf import opened
from profiler.launch.binaries.elf_sections import section
from profiler.launch.binaries.symbols import defined_at

_LEVELS = {0xA: "a", 0xB: "b", 0xC: "rc", 0xF: ""}
"""Of PY_VERSION_HEX (docs.python.org/3/c-api/apiabiversion.html)."""
_NAMED = re.compile(r"python(3\.\d{1,2})")
_MINOR = re.compile(rb"python(3\.\d{1,2})")
"""In the names of its folders (``lib/python3.11``), which every CPython holds."""
_FOLDER = re.compile(rb"(?<![^\0])(/[^\0:\n]{1,300})(?=\0)")
_HEX_WORD = 4


def version_in(path: str, soname: str | None = None) -> str | None:
    """``"3.11.2"``, ``"3.14.0rc2"`` of the CPython that the file ``path`` defines; ``"3.11"`` where only the names of
    its folders tell one.

    ``Py_Version`` says it since 3.11 (PY_VERSION_HEX). Before, PY_VERSION is one of its strings, or the end of one (the
    linker merges them): of the minor version that the file is named by, else its folders.

    Raises:
        UsageError: the file is damaged.
        OSError: it cannot be read.
    """
    with opened(path) as elf:
        at = defined_at(elf, "Py_Version")
        number = None if at is None else _word_at(elf, at)
        if number is not None and number >> 24 == 3:
            level = _LEVELS.get(number >> 4 & 0xF, "")
            return f"3.{number >> 16 & 0xFF}.{number >> 8 & 0xFF}{level}{number & 0xF if level else ''}"
        text = section(elf, ".rodata")
    minors = [match.group(1).decode() for match in _MINOR.finditer(text)]
    by_folders = max(set(minors), key=minors.count) if minors else None
    named = _NAMED.search(soname or path)
    minor = by_folders if named is None else named[1]
    if minor is None:
        return None
    ending = rb"(?<![\d.])(%s\.\d{1,3}(?:(?:a|b|rc)\d+)?)\+?\0" % re.escape(minor).encode()
    exact = set(re.findall(ending, text))
    return exact.pop().decode() if len(exact) == 1 else by_folders


def folders_in(path: str) -> tuple[str, ...]:
    """The absolute paths among the strings of the file ``path``; its prefix is one of them.

    Raises:
        UsageError: the file is damaged.
        OSError: it cannot be read.
    """
    with opened(path) as elf:
        text = section(elf, ".rodata")
    return tuple(dict.fromkeys(match.group(1).decode(errors="surrogateescape") for match in _FOLDER.finditer(text)))


def _word_at(elf: ELFFile, address: int) -> int | None:
    """The lower four bytes of the number at ``address``, as the file has it."""
    wide = elf.elfclass == 64
    for segment in elf.iter_segments("PT_LOAD"):
        offset = address - segment["p_vaddr"]
        if 0 <= offset <= segment["p_filesz"] - (8 if wide else _HEX_WORD):
            elf.stream.seek(segment["p_offset"] + offset)
            order = "<" if elf.little_endian else ">"
            form = struct.Struct(order + ("Q" if wide else "I"))
            return int(form.unpack(elf.stream.read(form.size))[0]) & 0xFFFFFFFF
    return None
