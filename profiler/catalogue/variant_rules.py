"""Which launcher is a variant of which: asked of data, never of names."""

from __future__ import annotations

from collections.abc import Iterable

from profiler.catalogue.interventions import ALL_REMOVED, AS_LIBRARY, BARE, BY_ID, GIVEN_ALL
from profiler.model import Launcher, Way


def variant_of(
    launchers: Iterable[Launcher], of: str, intervention: str, way: Way = "changed", given_by: str | None = None
) -> Launcher | None:
    """The launcher that is ``of`` with one intervention; None where there is none."""
    return next(
        (
            launcher
            for launcher in launchers
            if launcher.variant is not None
            if (launcher.variant.of, launcher.variant.intervention, launcher.variant.way, launcher.variant.given_by)
            == (of, intervention, way, given_by)
        ),
        None,
    )


def is_host(launcher: Launcher) -> bool:
    """One that the user named, a program of theirs or another interpreter, and not that which others are compared
    with.
    """
    return launcher.kind != "bundled" and launcher.variant is None and launcher.role not in ("baseline", "twin")


def is_judged(launcher: Launcher) -> bool:
    """Its tax is explained: that of the embedder, and of the user's hosts."""
    return is_host(launcher) or launcher.role == "embedder"


def twin_of(host: Launcher, launchers: Iterable[Launcher]) -> Launcher | None:
    """The launcher that runs nothing but the host's eval loop, through ``Py_BytesMain``; None where there is none.

    Another interpreter runs nothing else itself: what it has beside its eval loop is given to the baseline.
    """
    launchers = tuple(launchers)
    if host.kind == "program":
        return next((launcher for launcher in launchers if launcher.role == "baseline"), None)
    return next(
        (
            launcher
            for launcher in launchers
            if launcher.image == host.image is not None and launcher.role != "twin"
            if (
                launcher.init == "Py_BytesMain"
                if launcher.variant is None
                else (launcher.variant.intervention, launcher.variant.given_by) == (BARE, host.name)
            )
        ),
        None,
    )


def counted_only(launcher: Launcher) -> bool:
    """It answers one question about instructions, so exact counts of few blocks are enough, and no times."""
    if launcher.variant is None:
        return False
    name = launcher.variant.intervention
    entry = BY_ID.get(name)
    if entry is None:
        return name in (ALL_REMOVED, GIVEN_ALL)
    return not entry.shown and (entry.change is not None or bool(entry.keys) or name == AS_LIBRARY)
