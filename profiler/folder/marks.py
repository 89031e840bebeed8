"""Commit marks: what was appended at once is there as a whole and as it was written, or it is not there.

The last column of a file of rows is empty but in the last line of each append, where it holds how many lines that was
and a checksum of them: ``12-9f86d081884c7d65``. Pure functions of bytes.
"""

from __future__ import annotations

import hashlib
import re

from profiler.model import Noun

MARK = "mark"
"""Name of the column."""
_MARKED = re.compile(rb",(\d{1,9})-([0-9a-f]{16})\n")


class Intact(Noun, frozen=True, kw_only=True):
    """What of a file of rows can be relied on."""

    data: bytes
    """The header and the lines that have their mark; of a file without marks all whole lines."""
    marked: bool
    """Whether the file has marks at all: those of earlier versions have none."""
    dropped: int
    """Lines that were left out, a torn one included."""


def with_mark(lines: bytes) -> bytes:
    """One append: ``lines``, each with an empty last cell, with the mark in the last of them."""
    return b"%s%d-%s\n" % (lines[:-1], lines.count(b"\n"), _checksum(lines))


def intact(data: bytes) -> Intact:
    """Leave out what lacks its mark, or does not agree with it."""
    header, end, body = data.partition(b"\n")
    if not end:
        return Intact(data=b"", marked=False, dropped=1 if header else 0)
    if header.rpartition(b",")[2] != MARK.encode():
        whole = data[: data.rfind(b"\n") + 1]
        return Intact(data=whole, marked=False, dropped=int(whole != data))
    kept, lines, last = [header + end], 0, 0
    for found in _MARKED.finditer(body):
        count = int(found[1])
        start = _start_of(body, last, found.end(), count)
        if start is not None and _checksum(body[start : found.start()] + b",\n") == found[2]:
            kept.append(body[start : found.end()])
            lines += count
            last = found.end()
    total = body.count(b"\n") + (not body.endswith(b"\n") and bool(body))
    return Intact(data=b"".join(kept), marked=True, dropped=total - lines)


def _start_of(body: bytes, least: int, end: int, count: int) -> int | None:
    """Where the ``count`` lines begin that end at ``end``; None: there are not so many behind ``least``."""
    if body.count(b"\n", least, end) == count:
        return least
    start = end
    for _ in range(count):
        if start <= least:
            return None
        start = body.rfind(b"\n", least, start - 1) + 1
        if not start:
            start = least
    return start


def _checksum(lines: bytes) -> bytes:
    return hashlib.sha256(lines).hexdigest()[:16].encode()
