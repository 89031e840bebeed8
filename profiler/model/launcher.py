"""Who runs the work."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun

LinkMode = Literal["shared", "pic", "static"]

Kind = Literal["program", "bundled", "user"]
"""``program``: the target's own. ``bundled``: a host of ours. ``user``: a host of the user's."""

Way = Literal["changed", "removed", "given", "replaced"]
"""How a variant differs: something is ``changed`` from outside, on whatever end; something that only this host has is
``removed`` from it; something that another host has is ``given`` to this one; its eval loop is ``replaced``."""


class Variant(Noun, frozen=True, kw_only=True):
    """In what a launcher differs from the one that it is a variant of."""

    of: str
    """Name of that launcher."""
    intervention: str
    """Id in the catalogue; of an elimination's own change the elimination's name."""
    way: Way
    given_by: str | None = None
    """Name of the host whose property, or eval loop, it is given."""


class Launcher(Noun, frozen=True, kw_only=True):
    """One way to run a Python script: a command with placeholders, and what is known of it."""

    name: str
    """Shown, and the key of its rows; nothing is read from it."""
    kind: Kind
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
    variant: Variant | None
    """None for a launcher in its own right."""


BASELINE = "python3"
AGAIN = "python3-again"
"""The baseline's second appearance in every block (A/A): same command, same everything."""
EMBEDDER = "pyo3"
"""The launcher whose tax the ladder climbs to, and the other end of every toggle."""
