"""A folder from anywhere: each file of it can be read, and together they may still make no sense."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from profiler.errors import UsageError

_MAKES_NO_SENSE = (
    ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, RecursionError,
    msgspec.MsgspecError,
)  # fmt: skip


@contextmanager
def consistent(*folders: Path) -> Iterator[None]:
    """Around all that is made of ``folders``: where that fails for what they hold, this is said, and where it was seen.

    Raises:
        UsageError: they do not hold together.
    """
    try:
        yield
    except _MAKES_NO_SENSE as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if "/profiler/" in frame.filename] or [at]
        where = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        named = ", ".join(map(str, folders))
        raise UsageError(
            f"what {named} holds does not fit together: {type(error).__name__}: {str(error)[:200]} ({where})",
            hint="take the folder from where it was measured; where this is that one, report a bug with these words",
        ) from error
