"""Which Python a file holds, by its own symbol or strings."""

from __future__ import annotations

import re
import struct

from elftools.elf.elffile import ELFFile

from profiler.launch.binaries.elf import opened
from profiler.launch.binaries.elf_sections import section
from profiler.launch.binaries.symbols import exported_at

_MINOR = re.compile(rb"python(3\.\d{1,2})")
"""In the names of its folders (``lib/python3.11``), which every CPython holds."""
_FOLDER = re.compile(rb"(?<![^\0])(/[^\0:\n]{1,300})(?=\0)")
_HEX_WORD = 4


def version_in(path: str) -> str | None:
    """``"3.11.2"`` of the CPython that the file ``path`` defines; ``"3.11"`` where its strings tell no more.

    ``Py_Version`` says it since 3.11 (PY_VERSION_HEX); before, PY_VERSION is one of its strings.

    Raises:
        UsageError: the file is damaged.
        OSError: it cannot be read.
    """
    with opened(path) as elf:
        at = exported_at(elf, "Py_Version")
        number = None if at is None else _word_at(elf, at)
        if number is not None and number >> 24 == 3:
            return f"3.{number >> 16 & 0xFF}.{number >> 8 & 0xFF}"
        text = section(elf, ".rodata")
    minors = [match.group(1) for match in _MINOR.finditer(text)]
    if not minors:
        return None
    minor = max(set(minors), key=minors.count)
    exact = re.search(rb"(?<![^\0])(" + re.escape(minor) + rb"\.\d{1,3})[+a-z0-9]*(?=\0)", text)
    return (minor if exact is None else exact.group(1)).decode()


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
