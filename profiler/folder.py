"""The result folder, the one place where recording and analysing meet: rows are appended, ``run.json`` is replaced."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from profiler.errors import MachineError, UsageError
from profiler.model import SCHEMA, CallRow, ProfileRow, Row, Run, Step, SymbolRow
from profiler.older import up_to_date

ROWS = "rows.csv"
RUN = "run.json"
CALLS = "calls.csv"
"""Who called the functions that are events of their own; only where a process made such calls."""
PROFILE, SYMBOLS = "profile.csv", "symbols.csv"
"""Counts of each machine instruction, and where each stands in the source; of a drill-down alone."""
_RECORDED = (ROWS, CALLS, PROFILE, SYMBOLS, RUN)
_FOLDER_HINT = f"name a folder that a measuring command has written: it holds {RUN} and {ROWS}"

_CALL_COLUMNS = tuple("pass" if name == "pass_name" else name for name in CallRow.__struct_fields__)
_COLUMNS = tuple("pass" if name == "pass_name" else name for name in Row.__struct_fields__)


_Line = Row | CallRow | ProfileRow | SymbolRow

_ZIPPED = ".gz"


def recorded(folder: Path, name: str) -> Path:
    """Where ``name`` stands in a result folder: as it was written, or compressed, as results are kept."""
    zipped = folder / (name + _ZIPPED)
    return zipped if zipped.exists() and not (folder / name).exists() else folder / name


def open_recorded(folder: Path, name: str) -> BinaryIO:
    """Open ``name`` for reading, compressed or not.

    Raises:
        OSError: there is no such file.
    """
    path = recorded(folder, name)
    return cast("BinaryIO", gzip.open(path)) if path.suffix == _ZIPPED else path.open("rb")


def compress(folder: Path) -> None:
    """Compress what was recorded, as results are kept; equal folders give equal files.

    Raises:
        MachineError: the folder cannot be written to.
    """
    for name in _RECORDED:
        plain = folder / name
        if plain.exists():
            write_result(folder, name + _ZIPPED, gzip.compress(plain.read_bytes(), mtime=0))
            plain.unlink()


def _unpack(folder: Path) -> None:
    """The opposite of ``compress``: rows can only be appended to a file that is not compressed."""
    for name in _RECORDED:
        zipped = folder / (name + _ZIPPED)
        if zipped.exists():
            if not (folder / name).exists():
                write_atomically(folder / name, gzip.decompress(zipped.read_bytes()))
            zipped.unlink()


def new_folder(out: Path, command: str) -> Path:
    """Make ``<out>/<UTC time>-<command>/``.

    Raises:
        MachineError: it cannot be made or written to.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = out / f"{stamp}-{command}"
    suffix = 1
    while folder.exists():
        suffix += 1
        folder = out / f"{stamp}-{command}-{suffix}"
    try:
        folder.mkdir(parents=True)
        write_atomically(folder / ".writable", b"x")
        (folder / ".writable").unlink()
    except OSError as error:
        raise MachineError(
            f"cannot write results to {out}: {error.strerror}", hint="choose another folder with --out DIR"
        ) from error
    return folder


def json_document(noun: object, *, indent: int = 1) -> bytes:
    """``noun`` as a JSON document. Of a file's name that is no UTF-8 the other bytes stand as ``\\xff``."""
    try:
        data = msgspec.json.encode(noun)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_legible(msgspec.to_builtins(noun)))
    return msgspec.json.format(data, indent=indent) + b"\n"


def _legible(value: object) -> object:
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if isinstance(value, dict):
        return {_legible(key): _legible(item) for key, item in value.items()}
    return [_legible(item) for item in value] if isinstance(value, list | tuple) else value


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside ``path`` and move it there, so that a reader never sees half of it."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)


def save_run(folder: Path, run: Run) -> None:
    """Replace ``run.json``.

    Raises:
        MachineError: the disk is full or read-only.
    """
    try:
        write_atomically(folder / RUN, json_document(run))
    except OSError as error:
        raise _disk(folder, error) from error


def write_result(folder: Path, name: str, data: bytes) -> None:
    """Replace one file that is made from the rows.

    Raises:
        MachineError: the disk is full or read-only.
    """
    try:
        (folder / name).parent.mkdir(exist_ok=True)
        write_atomically(folder / name, data)
    except OSError as error:
        raise MachineError(
            f"cannot write to {folder}: {error.strerror}",
            hint=f"the rows are kept; make room or let it be written to, then tax-probe report {folder}",
        ) from error


def sha256_of(data: bytes) -> str:
    """Hex, as a finding names its files."""
    return hashlib.sha256(data).hexdigest()


def load_run(folder: Path) -> Run:
    """Read ``run.json``.

    Raises:
        UsageError: ``folder`` is no result folder, one of another schema, or has no baseline.
    """
    try:
        with open_recorded(folder, RUN) as file:
            run = msgspec.convert(up_to_date(msgspec.json.decode(file.read())), Run)
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{folder} is not a result folder of this version: {error}", hint=_FOLDER_HINT) from error
    if run.schema != SCHEMA:
        raise UsageError(f"{folder} has schema {run.schema}, this version reads {SCHEMA}", hint=_FOLDER_HINT)
    if all(launcher.role != "baseline" for launcher in run.plan.launchers):
        raise UsageError(f"{folder}: none of its launchers is the baseline", hint=_FOLDER_HINT)
    return run


class RowWriter:
    """Appends the rows of one process in one write, so that a killed run leaves whole processes behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / ROWS
        self._columns = _COLUMNS
        self._repair()

    def _repair(self) -> None:
        """Start the file, or cut off what an interrupted run left torn: the last line, and its process's other rows."""
        try:
            _unpack(self._folder)
            data = self._path.read_bytes() if self._path.exists() else b""
            kept = _whole_processes(data)
            if not kept:
                write_atomically(self._path, (",".join(_COLUMNS) + "\n").encode())
            elif kept != data:
                write_atomically(self._path, kept)
            if kept:
                # A run that an earlier version began goes on as it began: its rows lack what came later.
                self._columns = tuple(kept.partition(b"\n")[0].decode(errors="replace").split(","))
            for beside in (self._folder / name for name in (CALLS, PROFILE, SYMBOLS)):
                if beside.exists() and not (held := beside.read_bytes()).endswith(b"\n"):
                    write_atomically(beside, held[: held.rfind(b"\n") + 1])
        except OSError as error:
            raise _disk(self._folder, error) from error

    def append(
        self,
        rows: Sequence[Row],
        calls: Sequence[CallRow] = (),
        profile: Sequence[ProfileRow] = (),
        symbols: Sequence[SymbolRow] = (),
    ) -> None:
        """Append the rows of a process and hand them to the kernel; what belongs to ``calls.csv``, ``profile.csv`` and
        ``symbols.csv`` before.

        A process that was interrupted between the two is measured again: of equal lines there the last one counts.

        Raises:
            MachineError: the disk is full or read-only.
        """
        beside: tuple[tuple[str, Sequence[_Line], tuple[str, ...]], ...] = (
            (CALLS, calls, _CALL_COLUMNS),
            (SYMBOLS, symbols, SymbolRow.__struct_fields__),
            (PROFILE, profile, ProfileRow.__struct_fields__),
        )
        for name, lines, columns in beside:
            if lines:
                self._append(self._folder / name, _lines(lines, columns), columns)
        self._append(self._path, _lines(rows, self._columns))

    def _append(self, path: Path, lines: str, header: tuple[str, ...] = ()) -> None:
        before = None
        try:
            before = path.stat().st_size if path.exists() else 0
            with path.open("ab") as out:
                out.write((("" if before else ",".join(header) + "\n" * bool(header)) + lines).encode())
        except OSError as error:
            if before is not None:
                with suppress(OSError):
                    os.truncate(path, before)
            raise _disk(self._folder, error) from error


def _lines(rows: Sequence[_Line], columns: tuple[str, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(_cell(getattr(row, "pass_name" if name == "pass" else name, None)) for name in columns)
    return text.getvalue()


def _whole_processes(data: bytes) -> bytes:
    """``data`` without a torn last line and without the rows before it that are of the same process, or may be."""
    end = data.rfind(b"\n") + 1
    torn = data[end:].split(b",")
    lines = data[:end].splitlines(keepends=True)
    if torn == [b""] or len(lines) < 2:
        return data[:end]
    process = lines[-1].split(b",")[:2]
    if len(torn) > 2 and torn[:2] != process:
        return data[:end]
    while len(lines) > 1 and lines[-1].split(b",")[:2] == process:
        lines.pop()
    return b"".join(lines)


def done_steps(folder: Path) -> set[Step]:
    """The processes whose rows are in ``rows.csv``: what ``--resume`` need not repeat."""
    with io.TextIOWrapper(open_recorded(folder, ROWS), newline="") as lines:
        return {
            Step(
                block=int(row["block"]),
                position=int(row["position"]),
                pass_name=row["pass"],
                launcher=row["launcher"],
                m=int(row["m"]),
                repetition=int(row["repetition"]),
            )
            for row in csv.DictReader(lines)
        }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _disk(folder: Path, error: OSError) -> MachineError:
    return MachineError(
        f"cannot write to {folder}: {error.strerror}",
        hint=f"what was measured so far is kept; make room, then continue with --resume {folder}",
    )
