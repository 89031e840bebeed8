"""Who runs the work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from profiler.model.base import Noun

LinkMode = Literal["shared", "pic", "static"]

Kind = Literal["program", "bundled", "user"]
"""``program``: an interpreter's own, the target's or another that it is compared with. ``bundled``: a host of ours.
``user``: a host of the user's."""

LauncherRole = Literal["baseline", "twin", "embedder"]
"""What a launcher is in its plan. ``baseline``: all others are compared with it. ``twin``: the baseline's second
appearance in every block (A/A), same command, same everything. ``embedder``: the ladder climbs to its tax; it is the
other end of every toggle."""

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
    role: LauncherRole | None = None
    """None for all that only stand beside these, and for every variant."""


class Emulator(Noun, frozen=True, kw_only=True):
    """How programs of another machine run on this one."""

    words: tuple[str, ...]
    """What stands before the program, the emulator first."""
    env: dict[str, str]
    """What such a program needs in its environment, to find its own files and not this machine's."""


class Roles(Noun, frozen=True, kw_only=True):
    """Who plays which part in a plan, by name; None: nobody."""

    baseline: str
    twin: str | None = None
    embedder: str | None = None
    same_start: str | None = None
    """Our host that shares the embedder's image and the baseline's start-up path."""
    as_program: str | None = None
    """Our host that starts likewise and is linked with the objects of ``-pic.a``."""

    @property
    def baselines(self) -> frozenset[str | None]:
        """The baseline and its twin."""
        return frozenset({self.baseline, self.twin})


def roles_of(launchers: Iterable[Launcher]) -> Roles:
    """The parts that ``launchers`` play, of which one must be the baseline."""
    own = [launcher for launcher in launchers if launcher.variant is None]
    by_role = {launcher.role: launcher for launcher in own}
    baseline, twin, embedder = by_role["baseline"], by_role.get("twin"), by_role.get("embedder")
    beside = [
        launcher
        for launcher in own
        if launcher.kind == "bundled" and launcher.role is None and launcher.init == baseline.init
    ]
    ours = {launcher.link: launcher.name for launcher in beside}
    return Roles(
        baseline=baseline.name,
        twin=None if twin is None else twin.name,
        embedder=None if embedder is None else embedder.name,
        same_start=ours.get("shared" if embedder is None else embedder.link),
        as_program=ours.get("pic"),
    )


BASELINE = "python3"
AGAIN = "python3-again"
EMBEDDER = "pyo3"
"""What the launchers of these roles are called: to give a name where one is made, never to ask which it is."""
