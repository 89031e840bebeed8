"""Rows are appended: those of one process, or of one block of chunks, in one write that has its mark."""

from __future__ import annotations

import csv
import io
import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from profiler.errors import UsageError
from profiler.folder.documents import UNREADABLE, disk_trouble
from profiler.folder.marks import MARK, intact, with_mark
from profiler.folder.recorded import CALLS, PROFILE, ROWS, SYMBOLS, read_lines, unpack
from profiler.folder.regular_files import read_regular, sync_folder, write_atomically
from profiler.model import CallRow, ProfileRow, Row, Step, SymbolRow

_Line = Row | CallRow | ProfileRow | SymbolRow


def _columns(kind: type[_Line]) -> tuple[str, ...]:
    return (*("pass" if name == "pass_name" else name for name in kind.__struct_fields__), MARK)


_KINDS: dict[str, type[_Line]] = {CALLS: CallRow, SYMBOLS: SymbolRow, PROFILE: ProfileRow, ROWS: Row}
"""Each file's lines, in the order in which a process's are written: a process is done when its rows are there."""
_HINT = "take the folder from where it was measured, or measure again"


class RowWriter:
    """Appends to ``rows.csv`` and ``calls.csv``. A killed run, a full disk or a damaged byte leaves whole appends
    behind: what lacks its mark is left out, here and by every reader.
    """

    def __init__(self, folder: Path) -> None:
        """Start the files, or cut off what is not intact.

        Raises:
            MachineError: the disk is full or read-only.
            UsageError: what the folder holds cannot be read.
        """
        self._folder = folder
        self.dropped = 0
        """Lines of ``rows.csv`` that were cut off: their processes are measured again."""
        self.lines = 0
        """Lines of rows that the file holds."""
        try:
            unpack(folder)
            self._columns: dict[str, tuple[str, ...]] = {}
            for name, kind in _KINDS.items():
                self._columns[name], self.dropped = self._repaired(folder / name, _columns(kind))
            if not (folder / ROWS).exists():
                write_atomically(folder / ROWS, (",".join(self._columns[ROWS]) + "\n").encode())
            self.lines = read_regular(folder / ROWS).count(b"\n") - 1
        except (EOFError, zlib.error) as error:
            raise UsageError(f"{folder} cannot be continued: {error}", hint=_HINT) from error
        except OSError as error:
            raise disk_trouble(folder, error) from error

    @staticmethod
    def _repaired(path: Path, columns: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
        """The columns to write to ``path``, and how many lines it lost."""
        if not path.exists():
            return columns, 0
        data = read_regular(path)
        found = intact(data)
        kept = found.data if found.marked else _whole_processes(found.data, data[len(found.data) :])
        if not kept:
            path.unlink()
            return columns, found.dropped
        if kept != data:
            write_atomically(path, kept)
        # A run that an earlier version began goes on as it began: its rows lack what came later.
        own = tuple(kept.partition(b"\n")[0].decode(errors="replace").split(","))
        unknown = set(own) - set(columns)
        if unknown:
            raise UsageError(f"{path} has columns that nobody knows: {', '.join(map(repr, unknown))}", hint=_HINT)
        return own, found.dropped

    def append(
        self,
        rows: Sequence[Row],
        calls: Sequence[CallRow] = (),
        profile: Sequence[ProfileRow] = (),
        symbols: Sequence[SymbolRow] = (),
    ) -> None:
        """Append the rows of a process and hand them to the kernel; what belongs to ``calls.csv``, ``profile.csv`` and
        ``symbols.csv`` before.

        A process that was interrupted between two of them is measured again: of equal lines there the last one counts.

        Raises:
            MachineError: the disk is full or read-only.
        """
        for name, lines in ((CALLS, calls), (SYMBOLS, symbols), (PROFILE, profile)):
            self._append(name, lines)
        self.lines += self._append(ROWS, rows)

    def sync(self) -> None:
        """Have the disk keep what was appended.

        Raises:
            MachineError: it cannot.
        """
        try:
            for name in _KINDS:
                if (self._folder / name).exists():
                    with (self._folder / name).open("rb") as file:
                        os.fsync(file.fileno())
            sync_folder(self._folder)
        except OSError as error:
            raise disk_trouble(self._folder, error) from error

    def _append(self, name: str, rows: Sequence[_Line]) -> int:
        """How many lines that were."""
        if not rows:
            return 0
        path, columns = self._folder / name, self._columns[name]
        lines = _lines(rows, columns).encode()
        before = None
        try:
            before = path.stat().st_size if path.exists() else 0
            with path.open("ab") as out:
                header = b"" if before else ",".join(columns).encode() + b"\n"
                out.write(header + (with_mark(lines) if columns[-1] == MARK else lines))
        except OSError as error:
            if before is not None:
                with suppress(OSError):
                    os.truncate(path, before)
            raise disk_trouble(self._folder, error) from error
        return lines.count(b"\n")


def _lines(rows: Sequence[_Line], columns: tuple[str, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(_cell(getattr(row, "pass_name" if name == "pass" else name, None)) for name in columns)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _whole_processes(data: bytes, torn: bytes) -> bytes:
    """Of a file without marks: ``data`` without the last rows that are, or may be, of the process of the torn line."""
    lines = data.splitlines(keepends=True)
    cells = torn.split(b",")
    if not torn or len(lines) < 2:
        return data
    process = lines[-1].split(b",")[:2]
    if len(cells) > 2 and cells[:2] != process:
        return data
    while len(lines) > 1 and lines[-1].split(b",")[:2] == process:
        lines.pop()
    return b"".join(lines)


def done_steps(folder: Path) -> set[Step]:
    """The processes whose rows are in ``rows.csv``: what ``--resume`` need not repeat.

    Raises:
        UsageError: it cannot be read, or a line is none of ours.
    """
    try:
        found = read_lines(folder, ROWS).data.decode()
        return {
            Step(
                block=int(row["block"]),
                position=int(row["position"]),
                pass_name=row["pass"],
                launcher=row["launcher"],
                m=int(row["m"]),
                repetition=int(row["repetition"]),
            )
            for row in csv.DictReader(io.StringIO(found, newline=""))
        }
    except (*UNREADABLE, csv.Error) as error:
        raise UsageError(f"{folder / ROWS} cannot be continued: {error}", hint=_HINT) from error
