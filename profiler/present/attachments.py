"""The files beside a page: small tables stand in it, everything is named with its size and its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from profiler.folder import CALLS, PROFILE, ROWS, RUN, SYMBOLS, recorded
from profiler.model import Noun

_MOST_INSIDE = 100_000
"""Bytes: a larger table is linked alone."""
_INSIDE = ("points.csv", "summary.csv", "causes.csv")
_BESIDE = {
    ROWS: "every reading",
    CALLS: "who called what",
    PROFILE: "each machine instruction, by opcode",
    SYMBOLS: "where each stands",
    RUN: "plan, machine, seeds, files",
    "verdict.json": "ratios, shares, verdicts",
    "summary.csv": "all comparisons",
    "causes.csv": "all suspects with evidence",
    "points.csv": "what each block says",
}


class Attachment(Noun, frozen=True, kw_only=True):
    """One file of the folder."""

    name: str
    what: str
    size: str
    sha256: str
    uri: str | None
    """``data:`` with its bytes; None: it is too large, or no table."""


def attachments(folder: Path) -> tuple[Attachment, ...]:
    """Those that are there, in a fixed order.

    Raises:
        OSError: one cannot be read.
    """
    return tuple(_attachments(folder))


def _attachments(folder: Path) -> Iterator[Attachment]:
    for name, what in _BESIDE.items():
        path = recorded(folder, name)
        if not path.exists():
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        inside = name in _INSIDE and size <= _MOST_INSIDE
        yield Attachment(
            name=path.name,
            what=what,
            size=_size(size),
            sha256=digest,
            uri=f"data:text/csv;charset=utf-8,{quote(path.read_bytes())}" if inside else None,
        )


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"
