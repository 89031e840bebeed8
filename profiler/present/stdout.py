"""Printing may fail (a full disk behind ``>``); a reader that left is the command line's matter."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from profiler.errors import MachineError


@contextmanager
def printing(where: str) -> Iterator[None]:
    """Around everything that is printed of an answer; ``where`` says how to have it all the same.

    Raises:
        MachineError: stdout cannot be written to.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is buffered cannot be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise MachineError(f"cannot write the answer to stdout: {error.strerror}", hint=where) from error
