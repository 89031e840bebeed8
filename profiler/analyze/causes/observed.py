"""Verdicts without an intervention: from what was seen in files and processes, or that nothing was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.analyze.causes.case import (
    NEGLIGIBLE,
    Case,
    cause_of,
    differing,
    doubted,
    entry_of,
    fingerprint,
    short,
)
from profiler.analyze.causes.files import built_differently
from profiler.analyze.compare import Costs
from profiler.analyze.effects import Share, is_clear, logs, ratio, share_of
from profiler.analyze.stats import verdict
from profiler.analyze.wording import percent, told
from profiler.catalogue.causes import CauseEntry
from profiler.catalogue.events import BY_NAME, QUEUED
from profiler.catalogue.properties import PROPERTIES
from profiler.model import Cause, Run

if TYPE_CHECKING:
    import pandas as pd

_TELLING = frozenset({"busy_threads", "debug_build"})
"""Properties that cost by themselves wherever they are. Others may be there and cost nothing."""

_PARTIAL = frozenset({"linker_environment"})
"""Properties whose equality clears no cause: the loader binds alike, and the compiler may have inlined otherwise."""

_SAME_WAIT = 0.01
"""Waiting that makes the work slower by less than this is none."""


def frequency(costs: Costs, case: Case) -> Cause | None:
    """The core's frequency in the runs of both: counted as cycles over CPU time, or else timed beside each run."""
    name, base = case.launcher.name, costs.roles.baseline
    time, cycles = (
        logs(costs, base, name, metric, beside=("task-clock", "cycles")) for metric in ("task-clock", "cycles")
    )
    counted = (time - cycles).dropna()
    timed = -logs(costs, base, name, "clock")
    effect, how = (counted, "CPU time ÷ cycles") if len(counted) else (timed, "core clock timed beside each run")
    if effect.empty:
        return None
    found = ratio(effect)
    margin = BY_NAME["clock"].margin
    near = verdict(found, margin=margin, better="lower") == "same"
    return cause_of(
        case, entry_of("frequency"), "refuted" if near else "unresolved", "correlated", f"{how}: {told(found)}"
    )


def throttling(costs: Costs, run: Run, case: Case) -> Cause | None:
    """How much longer the work took because it was ready to run and had no CPU, read inside the process.

    Work that waits in a part w of its wall time takes 1 / (1 - w) times as long. Confirmed only where time is what the
    source explains; a host with busy threads of its own waits for those.
    """
    name, base, entry = case.launcher.name, costs.roles.baseline, entry_of("throttling")
    effect = (_running(costs, base) - _running(costs, name)).dropna()
    if effect.empty:
        return None
    slowdown = ratio(effect)
    keys = tuple(key for key, cause in PROPERTIES.items() if cause == entry.id)
    different = differing(run, name, keys)
    evidence = f"waiting for a CPU makes it {told(slowdown)} times as slow as {base}"
    evidence = "; ".join(filter(None, (evidence, different)))
    if fingerprint(run, name).get("busy_threads"):
        return cause_of(case, entry, "unresolved", "correlated", f"{evidence}; its own busy threads take CPUs too")
    if verdict(slowdown, margin=_SAME_WAIT, better="lower") == "same":
        return cause_of(case, entry, "refuted", "correlated", evidence)
    if not is_clear(effect, _SAME_WAIT):
        strength = "correlated" if different else None
        return cause_of(case, entry, "unresolved", strength, f"{evidence}; other work on this machine may be in it")
    share = share_of(effect, logs(costs, base, name, "wall"))
    evidence += f", {percent(share.share)} of what it takes longer"
    tax = case.taxes["time"]
    if tax.logs.empty and tax.withdrawn is None:
        evidence += f"; {run.plan.source} explains instructions, not time"
    clear = is_clear(tax.logs, tax.margin) and share.lo is not None and share.lo > NEGLIGIBLE
    return cause_of(case, entry, "confirmed" if clear else "unresolved", "correlated", evidence, share)


def _running(costs: Costs, name: str) -> pd.Series:
    """Logarithm of the part of its wall time in which the work was not waiting for a CPU, per block."""
    import numpy as np
    import pandas as pd

    table = costs.combined({QUEUED, "wall"})
    if QUEUED not in table:
        return pd.Series(dtype=float)
    own = table[table.index.get_level_values("launcher") == name].droplevel("launcher")
    part = (1 - own[QUEUED] / own["wall"])[own["wall"] > 0]
    return pd.Series(np.log(part[part > 0]))


def seen(run: Run, case: Case, entry: CauseEntry, left: pd.Series, unexplained: Share) -> Cause | None:
    """What differs inside but was not changed: the only telling candidate for a clear rest is named, others are not."""
    own = tuple(key for key, cause in PROPERTIES.items() if cause == entry.id)
    evidence = differing(run, case.launcher.name, own)
    if not evidence:
        return None
    if case.taxes[entry.shows].logs.empty:
        only = f"{evidence}; acts on {entry.shows}, {_why_unknown(run, case, entry)}"
        return cause_of(case, entry, "unresolved", "correlated", only)
    if entry.shows != "instructions":
        return cause_of(case, entry, "unresolved", "correlated", f"{evidence}; no intervention was made")
    if not (is_clear(left, case.main.margin) and unexplained.lo is not None and unexplained.lo > NEGLIGIBLE):
        nothing = "but nothing is left to explain" if len(left) > 1 else "and what is left is not known"
        return cause_of(
            case, entry, "refuted" if len(left) > 1 else "unresolved", "correlated", f"{evidence}; {nothing}"
        )
    telling = {
        cause for key, cause in PROPERTIES.items() if key in _TELLING and differing(run, case.launcher.name, (key,))
    }
    if telling == {entry.id}:
        return cause_of(case, entry, "confirmed", "correlated", evidence, unexplained)
    rest = f"{evidence}; {percent(unexplained.share)} of the tax is unexplained, and no intervention ties it to this"
    return cause_of(case, entry, "unresolved", "correlated", rest)


def untested(run: Run, case: Case, entry: CauseEntry) -> Cause:
    """Verdict on a cause that nothing was done about: by the files, equal where it was looked at, else not tested."""
    keys = [key for key, cause in PROPERTIES.items() if cause == entry.id and key not in _PARTIAL]
    base = run.plan.roles.baseline
    reference, own = fingerprint(run, base), fingerprint(run, case.launcher.name)
    if case.taxes[entry.shows].logs.empty:
        reason = f"acts on {entry.shows}, {_why_unknown(run, case, entry)}; look at {entry.observable}"
        return cause_of(case, entry, "not-tested", None, reason)
    by_files = built_differently(run, case, entry)
    if by_files is not None:
        return by_files
    if reference and own and all(reference.get(key) == own.get(key) for key in keys):
        values = ", ".join(f"{key} {short(own.get(key))}" for key in keys)
        if keys and entry.settled_by_equality:
            return cause_of(case, entry, "refuted", "correlated", f"equal on both sides: {values}")
        if entry.drawn and not doubted(run, (base, case.launcher.name), entry.drawn):
            drawn = "equal on both sides: drawn once per block and verified in each process"
            return cause_of(case, entry, "refuted", "correlated", drawn)
    return cause_of(case, entry, "not-tested", None, f"no intervention was made; look at {entry.observable}")


def _why_unknown(run: Run, case: Case, entry: CauseEntry) -> str:
    withdrawn = case.taxes[entry.shows].withdrawn
    return f"which {run.plan.source} does not count" if withdrawn is None else f"which is withdrawn: {withdrawn}"


def no_tax(case: Case, entry: CauseEntry) -> Cause:
    """Where nothing is to be explained, no cause is at work; where that is not known, none is known."""
    tax = case.taxes[entry.shows]
    found = ratio(tax.logs)
    if verdict(found, margin=tax.margin, better="lower") == "same":
        return cause_of(case, entry, "refuted", None, f"no tax to explain: {told(found)} in {tax.metric}")
    return cause_of(case, entry, "unresolved", None, f"the tax itself is unresolved: {told(found)} in {tax.metric}")
