"""What was recorded in a result folder: where it stands, packed or not, and what of it can be relied on."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

from profiler.folder.marks import Intact, intact
from profiler.folder.regular_files import MOST_BYTES, read_regular, write_atomically

ROWS = "rows.csv"
RUN = "run.json"
CALLS = "calls.csv"
"""Who called the functions that are events of their own; only where a process made such calls."""
PROFILE, SYMBOLS = "profile.csv", "symbols.csv"
"""Counts of each machine instruction, and where each stands in the source; of a drill-down alone."""
RECORDED = (ROWS, CALLS, PROFILE, SYMBOLS, RUN)

ZIPPED = ".gz"


def recorded(folder: Path, name: str) -> Path:
    """Where ``name`` stands in a result folder: as it was written, or compressed, as results are kept."""
    zipped = folder / (name + ZIPPED)
    return zipped if zipped.exists() and not (folder / name).exists() else folder / name


def read_recorded(folder: Path, name: str) -> bytes:
    """What ``name`` holds, unpacked.

    Raises:
        OSError: there is no such file, or it is none that is read (``read_regular``).
        EOFError, zlib.error: it is compressed and damaged.
    """
    path = recorded(folder, name)
    data = read_regular(path)
    return _unpacked(data) if path.suffix == ZIPPED else data


def read_lines(folder: Path, name: str) -> Intact:
    """The lines of ``name`` that can be relied on; raises as ``read_recorded`` does."""
    return intact(read_recorded(folder, name))


def _unpacked(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
        found = packed.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise OSError("it unpacks to more than is read")
    return found


def unpack(folder: Path) -> None:
    """The opposite of ``documents.compress``: rows can only be appended to a file that is not compressed.

    Raises:
        OSError: the folder cannot be written to.
        EOFError, zlib.error: a file is damaged.
    """
    for name in RECORDED:
        zipped = folder / (name + ZIPPED)
        if zipped.exists():
            if not (folder / name).exists():
                write_atomically(folder / name, _unpacked(read_regular(zipped)))
            zipped.unlink()
