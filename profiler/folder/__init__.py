"""The result folder, where recording and analysing meet: rows are appended with a commit mark, documents replaced."""

from profiler.folder.documents import (
    compress,
    json_document,
    load_run,
    new_folder,
    save_run,
    sha256_of,
    write_result,
)
from profiler.folder.recorded import CALLS, PROFILE, ROWS, RUN, SYMBOLS, read_lines, read_recorded, recorded
from profiler.folder.regular_files import require_own_folder, write_atomically
from profiler.folder.row_writer import RowWriter, done_steps

__all__ = [
    "CALLS",
    "PROFILE",
    "ROWS",
    "RUN",
    "SYMBOLS",
    "RowWriter",
    "compress",
    "done_steps",
    "json_document",
    "load_run",
    "new_folder",
    "read_lines",
    "read_recorded",
    "recorded",
    "require_own_folder",
    "save_run",
    "sha256_of",
    "write_atomically",
    "write_result",
]
