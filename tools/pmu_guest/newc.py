"""An initial RAM disk: a cpio archive in the "newc" format, written without root and without cpio.

Format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

from collections.abc import Iterable

from profiler.model import Noun

_DIRECTORY, _REGULAR, _LINK = 0o040000, 0o100000, 0o120000
_TRAILER = "TRAILER!!!"


class Entry(Noun, frozen=True, kw_only=True):
    """One file; a folder has no body, a link's body is where it leads."""

    name: str
    mode: int
    """Type and permissions, as in ``st_mode``."""
    body: bytes = b""


def folder(name: str) -> Entry:
    """A folder."""
    return Entry(name=name, mode=_DIRECTORY | 0o755)


def regular(name: str, body: bytes, permissions: int = 0o644) -> Entry:
    """A file."""
    return Entry(name=name, mode=_REGULAR | permissions, body=body)


def link(name: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(name=name, mode=_LINK | 0o777, body=target.encode())


def newc(entries: Iterable[Entry]) -> bytes:
    """The archive; folders must stand before what lies in them."""
    listed = [*entries, Entry(name=_TRAILER, mode=0)]
    return b"".join(_entry(number, entry) for number, entry in enumerate(listed, start=1))


def _entry(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    inode = 0 if entry.name == _TRAILER else number
    # ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
    fields = (inode, entry.mode, 0, 0, 1, 0, len(entry.body), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return _padded(head) + _padded(entry.body)


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % 4)
