"""The launchers that run a matched set in the place of the installed files, for the names of functions and lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from profiler.catalogue.interventions import MATCHED, Given
from profiler.launch.matched_set import MatchedSet
from profiler.model import Launcher, Variant
from profiler.plan.treat import vary


def matched(launchers: tuple[Launcher, ...], found: MatchedSet) -> tuple[Launcher, ...]:
    """One for the baseline, and one for each host that loads the library; none where no host does."""
    if found.library is None or not names_help(launchers):
        return ()
    made = []
    for launcher in launchers:
        variant = Variant(of=launcher.name, intervention=MATCHED, way="replaced")
        if launcher.role == "baseline":
            program = vary(launcher, variant, Given(env={"PYTHONHOME": found.prefix} | _loads(launcher, found)))
            made.append(msgspec.structs.replace(program, argv=(found.program, *launcher.argv[1:])))
        elif _loads_library(launcher):
            made.append(vary(launcher, variant, Given(env=_library_path(found.library))))
    return tuple(made)


def names_help(launchers: Iterable[Launcher]) -> bool:
    """Whether a host loads the library: in others than those their own files are told, whatever is fetched."""
    return any(map(_loads_library, launchers))


def _loads_library(launcher: Launcher) -> bool:
    return launcher.kind != "program" and launcher.link in ("shared", None)


def _loads(launcher: Launcher, found: MatchedSet) -> dict[str, str]:
    return _library_path(found.library) if launcher.link == "shared" and found.library is not None else {}


def _library_path(library: str) -> dict[str, str]:
    return {"LD_LIBRARY_PATH": str(Path(library).parent)}
