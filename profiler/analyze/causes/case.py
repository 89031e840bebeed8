"""One launcher whose tax is to be explained, and how findings and verdicts on it are written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, logs
from profiler.analyze.wording import percent
from profiler.catalogue.causes import CAUSES, CauseEntry, Role, Shows
from profiler.catalogue.events import BY_NAME
from profiler.catalogue.interventions import Intervention
from profiler.catalogue.properties import Fingerprint
from profiler.catalogue.source_kinds import SOURCE_KINDS
from profiler.model import Cause, Launcher, Noun, Run, SourceName

if TYPE_CHECKING:
    import pandas as pd

NEGLIGIBLE = 0.02
"""A share whose whole interval lies within ± 2 % of the tax is none."""

_LONGEST = 90


class Tax(Noun, frozen=True, kw_only=True):
    """What a launcher costs more than the baseline, in one metric."""

    metric: str
    margin: float
    """The metric's equivalence margin."""
    logs: pd.Series
    """Log ratio to the baseline per block; empty where the metric was not measured, or is withdrawn."""
    withdrawn: str | None = None
    """Why it is withdrawn."""


class Case(Noun, frozen=True, kw_only=True):
    """One launcher whose tax is to be explained."""

    launcher: Launcher
    taxes: dict[Shows, Tax]
    """By where a cause acts: the tax that it can be a part of."""

    @property
    def main(self) -> Tax:
        """The tax that must be explained: instructions, or CPU time where none were counted."""
        return self.taxes["instructions"]


class InterventionResult(Noun, frozen=True, kw_only=True):
    """What one intervention showed of one cause."""

    cause: str
    status: str
    share: Share
    evidence: str
    effect: pd.Series | None
    """In logs per block, a part of the tax; None of a place."""
    role: Role = "cause"
    """``place``: the setting is equal on both ends, and the share says where the difference sits."""
    part_of: str | None = None
    """The cause that brings this one along in this launcher; what it takes is in that cause's effect too."""
    again: bool = False
    """Another view of what a finding before it has: of the two one counts."""


def make_case(costs: Costs, launcher: Launcher, source: SourceName) -> Case:
    """The taxes of ``launcher``. An emulator has no cycles, and what is timed beside it, it does not explain."""
    counted = "instructions" in costs.table and "instructions" not in costs.doubts
    metrics: dict[Shows, str] = {
        "instructions": "instructions" if counted else "task-clock",
        "cpi": "cycles" if counted else "task-clock",
        "time": "" if SOURCE_KINDS[source].emulates else "wall",
    }
    return Case(
        launcher=launcher,
        taxes={
            shows: Tax(
                metric=metric,
                margin=BY_NAME[metric].margin if metric else 0.0,
                logs=logs(costs, costs.roles.baseline, launcher.name, metric),
                withdrawn=costs.doubts[metric].reason if metric in costs.doubts else None,
            )
            for shows, metric in metrics.items()
        },
    )


def entry_of(cause: str) -> CauseEntry:
    """The catalogue's entry of a cause id."""
    return next(entry for entry in CAUSES if entry.id == cause)


def fingerprint(run: Run, name: str) -> Fingerprint:
    """What a launcher is from inside; empty when it was not seen."""
    return run.fingerprints.get(name, {})


def differing(run: Run, name: str, keys: tuple[str, ...]) -> str:
    """``gc_enabled True in python3, False in mine``, for the keys that differ; empty when none do."""
    base = run.plan.roles.baseline
    reference, own = fingerprint(run, base), fingerprint(run, name)
    return "; ".join(
        f"{key} {short(reference.get(key))} in {base}, {short(own.get(key))} in {name}"
        for key in keys
        if reference.get(key) != own.get(key)
    )


def different_keys(run: Run, name: str, keys: tuple[str, ...]) -> frozenset[str]:
    """Those of ``keys`` in which a launcher's fingerprint differs from the baseline's."""
    reference, own = fingerprint(run, run.plan.roles.baseline), fingerprint(run, name)
    return frozenset(key for key in keys if reference.get(key) != own.get(key))


def doubted(run: Run, names: tuple[str, ...], codes: tuple[str, ...]) -> bool:
    """Whether a caveat with one of ``codes`` is about one of these launchers."""
    return any(
        caveat.code in codes and caveat.message.startswith(tuple(f"{name}: " for name in names))
        for caveat in run.warnings
    )


def short(value: object) -> str:
    """A value for people, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def sits(share: float | None, entry: Intervention) -> str:
    """``33.9% sits in pymalloc's own code (same allocator on both ends)``."""
    return f"{percent(share)} sits in {entry.where}"


def cause_of(  # noqa: PLR0917 - one line per verdict reads best
    case: Case, entry: CauseEntry, status: Any, strength: Any, evidence: str, share: Share = UNKNOWN
) -> Cause:
    """A verdict on one cause of ``case``, beneath the cause that the catalogue has it a part of."""
    return Cause(
        cause=entry.id,
        launcher=case.launcher.name,
        status=status,
        strength=strength,
        share=share.share,
        lo=share.lo,
        hi=share.hi,
        evidence=evidence,
        part_of=entry.part_of,
        metric=case.taxes[entry.shows].metric or None,
    )


def with_share(cause: Cause, share: Share, strength: Literal["intervened", "correlated"], evidence: str) -> Cause:
    """``cause`` judged by the share that an effect was found to have."""
    return msgspec.structs.replace(
        cause,
        status=status_of(share),
        strength=strength,
        share=share.share,
        lo=share.lo,
        hi=share.hi,
        evidence=evidence,
    )


def status_of(share: Share) -> str:
    """Confirmed or refuted when the whole interval lies beyond or within what is negligible; else unresolved."""
    if share.lo is None or share.hi is None:
        return "unresolved"
    if share.lo >= -NEGLIGIBLE and share.hi <= NEGLIGIBLE:
        return "refuted"
    return "confirmed" if share.lo > NEGLIGIBLE or share.hi < -NEGLIGIBLE else "unresolved"
