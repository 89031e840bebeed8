"""Who runs the work."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun

LinkMode = Literal["shared", "pic", "static"]


class Launcher(Noun, frozen=True, kw_only=True):
    """One way to run a Python script: a command with placeholders, and what is known of it."""

    name: str
    argv: tuple[str, ...]
    """``{script}``, ``{m}`` and ``{text}`` (what the script holds) are replaced in each element."""
    env: dict[str, str]
    """Added to the environment that all launchers share."""
    image: str | None
    """The ELF file that holds the eval loop, or None until it is seen at run time."""
    build_id: str | None
    link: str | None
    """``program`` (its own static eval loop), ``shared``, ``pic``, ``static``; None for a user's host."""
    init: str | None
    """``Py_BytesMain``, ``Py_InitializeEx``; None for a user's host."""
    allocator: str | None
    """``pymalloc`` or ``malloc`` as seen inside the process; None until it is seen."""
    base: str | None
    """The launcher of which this one is a variant, None for a launcher in its own right."""
    factor: str | None
    """Name of the toggle, treatment or library swap that makes it one."""


BASELINE = "python3"
AGAIN = "python3-again"
"""The baseline's second appearance in every block (A/A): same command, same everything."""
EMBEDDER = "pyo3"
"""The launcher whose tax the ladder climbs to, and the other end of every toggle."""
