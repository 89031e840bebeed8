"""Documents of a result folder: each is replaced as a whole, or stays as it was."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from profiler.errors import MachineError, UsageError
from profiler.folder.recorded import RECORDED, ROWS, RUN, ZIPPED, read_recorded
from profiler.folder.regular_files import read_regular, require_own_folder, write_atomically
from profiler.folder.secrets import redacted
from profiler.model import SCHEMA, Run
from profiler.older import up_to_date

UNREADABLE = (
    OSError, EOFError, zlib.error, msgspec.MsgspecError, UnicodeError, RecursionError,
    KeyError, TypeError, ValueError, AttributeError,
)  # fmt: skip
"""What reading a document raises that is none of ours."""
_FOLDER_HINT = f"name a folder that a measuring command has written: it holds {RUN} and {ROWS}"


def new_folder(out: Path, command: str) -> Path:
    """Make ``<out>/<UTC time>-<command>/``, an option in it as a word: ``-opcodes-statements``.

    Raises:
        MachineError: it cannot be made or written to.
    """
    command = command.replace(" --", "-")
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


def save_run(folder: Path, run: Run) -> None:
    """Replace ``run.json``; what looks like a secret in a command is not written.

    Raises:
        MachineError: the disk is full or read-only.
    """
    try:
        write_atomically(folder / RUN, json_document(redacted(run)))
    except OSError as error:
        raise disk_trouble(folder, error) from error


def write_result(folder: Path, name: str, data: bytes) -> None:
    """Replace one file that is made from the rows.

    Raises:
        MachineError: the disk is full or read-only.
    """
    try:
        if (folder / name).parent != folder:
            require_own_folder((folder / name).parent)
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
        run = msgspec.convert(up_to_date(msgspec.json.decode(read_recorded(folder, RUN))), Run)
    except UNREADABLE as error:
        raise UsageError(f"{folder} is not a result folder of this version: {error}", hint=_FOLDER_HINT) from error
    if run.schema != SCHEMA:
        raise UsageError(f"{folder} has schema {run.schema}, this version reads {SCHEMA}", hint=_FOLDER_HINT)
    if all(launcher.role != "baseline" for launcher in run.plan.launchers):
        raise UsageError(f"{folder}: none of its launchers is the baseline", hint=_FOLDER_HINT)
    return run


def compress(folder: Path) -> None:
    """Compress what was recorded, as results are kept; equal folders give equal files.

    Raises:
        MachineError: the folder cannot be written to.
    """
    for name in RECORDED:
        plain = folder / name
        if plain.exists():
            write_result(folder, name + ZIPPED, gzip.compress(read_regular(plain), mtime=0))
            plain.unlink()


def disk_trouble(folder: Path, error: OSError) -> MachineError:
    """What was being measured cannot be kept."""
    begun = (folder / RUN).exists() or (folder / (RUN + ZIPPED)).exists()
    return MachineError(
        f"cannot write to {folder}: {error.strerror}",
        hint=f"what was measured so far is kept; make room, then continue with --resume {folder}"
        if begun
        else "nothing was measured yet; make room, or choose another folder with --out DIR",
    )
