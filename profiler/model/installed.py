"""Every CPython of a machine: what each is, what it costs, and in what two builds differ."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Caveat, Noun
from profiler.model.inspection import Program

PYTHONS_SCHEMA = "tax-probe/pythons/1"

Origin = Literal["distribution", "pyenv", "uv", "conda", "/opt", "/usr/local", "embedder", "elsewhere"]
"""Where a file is from, by its path. ``distribution``: a package owns it; ``embedder``: nothing but an installed
program that loads it leads there."""


class BuildDifference(Noun, frozen=True, kw_only=True):
    """A build option that two files show to differ. Seen, not proved to be a cause."""

    option: str
    """Id in ``catalogue.build_options``."""
    cause: str | None
    """Id in the catalogue of causes; None: that has no entry for it."""
    here: str
    """What this one has, in words."""
    fastest: str
    """What the fastest of its minor version has."""
    costs: bool | None
    """True: what this one has is known to cost instructions; False: to save them; None: either may be."""
    brings: tuple[str, ...] = ()
    """What else differs because of this, in words."""


class PythonCount(Noun, frozen=True, kw_only=True):
    """Instructions of one CPython on one workload."""

    workload: str
    instructions: float | None
    """Per iteration, exact at one placement of the heap; None with a ``reason``."""
    reason: str | None = None
    fastest: str | None = None
    """Path of the one of its minor version that needs the fewest; its own where that is itself."""
    ratio: float | None = None
    """To the fastest."""


class PythonProgram(Noun, frozen=True, kw_only=True):
    """A python program that loads a libpython, and so runs the eval loop of that."""

    path: str
    build_id: str | None
    aliases: tuple[str, ...]
    """Other paths to it, or to a copy of it."""


class InstalledPython(Noun, frozen=True, kw_only=True):
    """One file that holds CPython's eval loop, by evidence from the file itself; it is not executed for this."""

    version: str | None
    """``"3.11.2"``, as the file holds it."""
    origin: Origin
    kind: Literal["program", "library"]
    file: Program
    aliases: tuple[str, ...]
    """Other paths to it, or to a file of the same build-id."""
    programs: tuple[PythonProgram, ...] = ()
    """Of a library: the python programs that load it."""
    free_threaded: bool | None
    hardening: tuple[str, ...] | None
    """Of ``stack protector``, ``fortify``, ``CET``, ``RELRO``, ``bind now``; None: the file does not show them."""
    compiler: str | None
    """``"GCC 12.2.0"``."""
    counts: tuple[PythonCount, ...] = ()
    differences: tuple[BuildDifference, ...] = ()
    """To the fastest of its minor version, where counts say which that is."""
    not_told: tuple[str, ...] = ()
    """Options that one of these two files does not show."""


class Pythons(Noun, frozen=True, kw_only=True):
    """Answer of ``tax-probe pythons`` (schema ``tax-probe/pythons/1``). A field may be added, none is renamed; unknown
    is null."""

    schema: str = PYTHONS_SCHEMA
    pythons: tuple[InstalledPython, ...]
    unread: tuple[str, ...]
    """Files that are called like a CPython and show none, each with the reason."""
    unreadable_folders: int
    seed: int | None = None
    """Of the hash seed, the heap and the environment under which all were counted; None: nothing was counted."""
    measured_s: float | None = None
    """How long counting took, in seconds."""
    warnings: tuple[Caveat, ...] = ()
