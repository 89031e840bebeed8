"""What the command line is given to speak through: any of it may be closed, full, or of few characters."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from profiler.errors import MachineError

ELSEWHERE = "make room, or read it on a terminal"
"""Where an answer that cannot be printed is kept nowhere."""


@contextmanager
def printing(where: str = ELSEWHERE) -> Iterator[None]:
    """Around everything that is printed of an answer; ``where`` says how to have it all the same.

    A reader that left is the command line's matter.

    Raises:
        MachineError: stdout cannot be written to.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence()
        raise MachineError(f"cannot write the answer to stdout: {error.strerror}", hint=where) from error


@contextmanager
def answering(where: str = ELSEWHERE) -> Iterator[None]:
    """As ``printing``, where an exit code hangs on the answer, read or not: a reader that left ends nothing.

    Raises:
        MachineError: stdout cannot be written to.
    """
    try:
        with printing(where):
            yield
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Print nothing more: what is buffered cannot be written at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def make_usable() -> None:
    """Once, before anything else: no stream fails for its characters, and stderr never ends a run."""
    # A number that is free would be given to the next file that is opened, and children would write into that.
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # An ASCII terminal has no ±, and a file's name may be no UTF-8: better a mark in its place than no answer.
        stream.reconfigure(errors="backslashreplace" if _is_unicode(stream) else "replace")  # type: ignore[union-attr]
    sys.stderr = _Unheard(sys.stderr)


def _is_unicode(stream: Any) -> bool:
    return str(stream.encoding).lower().replace("-", "").startswith("utf")


class _Unheard:
    """stderr, where what cannot be written is lost: hours of measuring do not end for a progress line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()
