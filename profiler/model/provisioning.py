"""What a target is made of, and what of it is there."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun

TARGETS_SCHEMA = "tax-probe/targets/1"


class PackageGroup(Noun, frozen=True, kw_only=True):
    """Debian packages of one architecture that are resolved together."""

    architecture: str
    names: tuple[str, ...]
    name: str = ""
    """What it is called in messages."""
    left_out: tuple[str, ...] = ()
    """Regular expressions of whole names."""
    only: tuple[str, ...] = ()
    """Where there are any: names, without what they depend on."""


class Need(Noun, frozen=True, kw_only=True):
    """One thing that a target takes, and whether it is there."""

    name: str
    where: str
    """A file of what is provisioned, or a program on PATH."""
    present: bool
    remedy: str | None
    """The command that brings it; None: it is there."""


class TargetState(Noun, frozen=True, kw_only=True):
    """One target of the catalogue on this machine."""

    name: str
    title: str
    state: Literal["ready", "half-finished", "missing", "no recipe"]
    counts: str | None
    """The event that counts its work."""
    needs: tuple[Need, ...]
    download_mb: int | None
    """Of what provisioning fetches, as it was when the recipe was last tried, or as it was here."""
    disk_mb: int | None
    seconds: float | None
    measured: Literal["here", "catalogue"] | None
    """Where these figures are from; None: nobody knows them."""
    command: str | None
    """What provisions it; None: nothing does, for the ``reason``."""
    reason: str | None


class TargetStates(Noun, frozen=True, kw_only=True):
    """``tax-probe targets --format json``."""

    schema: str
    targets: tuple[TargetState, ...]
