"""The archive that PyInstaller appends to its one-file programs: what its table of contents names, nothing unpacked.

Format: PyInstaller's ``PyInstaller/archive/writers.py`` (CArchiveWriter) and ``bootloader/src/pyi_archive.h``. It ends
with a cookie: magic, length of the archive, place and length of the table, version of Python, name of its libpython.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from profiler.launch.binaries.libpython import names_libpython
from profiler.model import Noun

_MAGIC = b"MEI\x0c\x0b\x0a\x0b\x0e"
_COOKIE = struct.Struct(">8sIIII64s")
_ENTRY = struct.Struct(">IIIIBc")
_SEARCHED_BYTES = 64 << 20
"""Behind the cookie stand section headers, or a signature."""
_MOST_TABLE_BYTES = 16 << 20
_MOST_COOKIES = 16
"""A file may hold the magic elsewhere: each is tried, from the end on."""


class FrozenArchive(Noun, frozen=True, kw_only=True):
    """What one such archive says of itself."""

    version: str | None
    """Of the Python inside, ``"3.11"``."""
    names_library: str | None
    """The libpython that the cookie has the bootloader open."""
    libraries: tuple[str, ...]
    """Names in the table of contents that are a libpython's."""
    entries: int


def read_frozen(path: str) -> FrozenArchive | None:
    """The archive appended to the file ``path``; None where there is none, or where its table is damaged.

    Raises:
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        try:
            held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            return None  # An empty file.
        with held:
            lowest, end = max(0, len(held) - _SEARCHED_BYTES), len(held)
            for _ in range(_MOST_COOKIES):
                at = held.rfind(_MAGIC, lowest, end)
                if at < 0:
                    return None
                if (found := _archive(held, at)) is not None:
                    return found
                end = at + len(_MAGIC) - 1
    return None


def _archive(held: mmap.mmap, at: int) -> FrozenArchive | None:
    if at + _COOKIE.size > len(held):
        return None
    _, length, table_at, table_bytes, version, name = _COOKIE.unpack_from(held, at)
    start = at + _COOKIE.size - length
    if start < 0 or not 0 < table_bytes <= _MOST_TABLE_BYTES or start + table_at + table_bytes > at:
        return None
    names = _names(held[start + table_at : start + table_at + table_bytes])
    if names is None:
        return None
    own = _text(name)
    return FrozenArchive(
        version=_version(version),
        names_library=own or None,
        libraries=tuple(dict.fromkeys(name for name in names if names_libpython(name))),
        entries=len(names),
    )


def _names(table: bytes) -> list[str] | None:
    """The names in a table of contents; None where an entry does not end within it."""
    names = []
    at = 0
    while at < len(table):
        if at + _ENTRY.size > len(table):
            return None
        size = _ENTRY.unpack_from(table, at)[0]
        if size <= _ENTRY.size or at + size > len(table):
            return None
        names.append(_text(table[at + _ENTRY.size : at + size]))
        at += size
    return names


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="replace")


def _version(number: int) -> str | None:
    """100 × major + minor, as 311; older archives have 10 × major + minor, as 37."""
    major, minor = divmod(number, 100 if number >= 100 else 10)
    return f"{major}.{minor}" if major in {2, 3} else None
