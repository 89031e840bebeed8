"""Each cause of the catalogue with its verdict: by intervention where one was made, else by what was seen.

The tax that is explained is that of instructions per iteration where they were counted, which both sources do exactly;
causes that act on CPI or time alone need hardware counters and are otherwise not tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, differences, is_clear, logs, ratio, share_of
from profiler.analyze.stats import verdict
from profiler.causes import CAUSES, EMBEDDER, SAME_START, SEEN_ONLY, SWAPPED, TOGGLES, TREATMENTS, CauseEntry
from profiler.events import BY_NAME
from profiler.model import BASELINE, Cause, Interval, Launcher, Noun, Run, Unexplained

if TYPE_CHECKING:
    import pandas as pd

_NEGLIGIBLE = 0.02
"""A share whose whole interval lies within ± 2 % of the tax is none."""


class Case(Noun, frozen=True, kw_only=True):
    """One launcher whose tax is to be explained."""

    launcher: Launcher
    metric: str
    margin: float
    tax: pd.Series
    """Log ratio to the baseline per block."""


def judge(costs: Costs, run: Run) -> tuple[tuple[Cause, ...], Unexplained]:
    """Causes of the embedder's tax, then of every user's host; ``unexplained`` is that of the embedder.

    What stays unexplained is measured: the tax less the effects of the confirmed interventions, per block.
    """
    launchers = {launcher.name: launcher for launcher in run.plan.launchers}
    causes: list[Cause] = []
    left = UNKNOWN
    for launcher in launchers.values():
        own = launcher.name == EMBEDDER
        if not own and (launcher.link is not None or launcher.base is not None):
            continue
        metric = "instructions" if "instructions" in costs.table else "task-clock"
        tax = logs(costs, BASELINE, launcher.name, metric)
        case = Case(launcher=launcher, metric=metric, margin=BY_NAME[metric].margin, tax=tax)
        found, unexplained = _judge_case(costs, run, launchers, case)
        causes.extend(found)
        left = unexplained if own else left
    return tuple(causes), Unexplained(share=left.share, lo=left.lo, hi=left.hi)


def _judge_case(costs: Costs, run: Run, launchers: dict[str, Launcher], case: Case) -> tuple[list[Cause], Share]:
    if case.tax.empty or not is_clear(case.tax, case.margin):
        return [_no_tax(case, entry) for entry in CAUSES], UNKNOWN
    verdicts: dict[str, Cause] = {}
    explained: list[pd.Series] = []
    for cause, effect, evidence in _interventions(costs, run, launchers, case):
        share = share_of(effect, case.tax)
        status = _status(share)
        if cause in verdicts and verdicts[cause].status == "confirmed" and status != "confirmed":
            continue
        verdicts[cause] = _cause(case, _entry(cause), status, "intervened", share, evidence)
        if status == "confirmed":
            explained.append(effect)
    for cause, evidence in _equal_on_both_ends(costs, run, launchers, case):
        verdicts.setdefault(cause, _cause(case, _entry(cause), "refuted", "intervened", UNKNOWN, evidence))
    left = case.tax
    for effect in explained:
        left = (left - effect).dropna()
    unexplained = share_of(left, case.tax)
    for found in _seen(run, case, left, unexplained, verdicts):
        verdicts.setdefault(found.cause, found)
    frequency = _frequency(costs, case)
    if frequency is not None:
        verdicts["frequency"] = frequency
    for entry in CAUSES:
        verdicts.setdefault(entry.id, _untested(run, case, entry))
    return [verdicts[entry.id] for entry in CAUSES], unexplained


def _no_tax(case: Case, entry: CauseEntry) -> Cause:
    """Where nothing is to be explained, no cause is at work; where that is not known, none is known."""
    if case.tax.empty:
        return _cause(case, entry, "not-tested", None, UNKNOWN, f"{case.metric} could not be compared")
    found = ratio(case.tax)
    if verdict(found, margin=case.margin, better="lower") == "same":
        return _cause(case, entry, "refuted", None, UNKNOWN, f"no tax to explain: {_ratio(found)} in {case.metric}")
    return _cause(case, entry, "unresolved", None, UNKNOWN, f"the tax itself is unresolved: {_ratio(found)}")


def _interventions(
    costs: Costs, run: Run, launchers: dict[str, Launcher], case: Case
) -> list[tuple[str, pd.Series, str]]:
    """(cause, effect in logs per block, evidence) of every intervention on one factor that was measured."""
    name, metric = case.launcher.name, case.metric
    found: list[tuple[str, pd.Series, str]] = []
    baseline = launchers[BASELINE]

    def add(cause: str, effect: pd.Series, evidence: str) -> None:
        if not effect.empty:
            found.append((cause, effect, f"{evidence}: {_ratio(ratio(effect))} in {metric}"))

    debug = [bool(_fingerprint(run, one).get("debug_build")) for one in (BASELINE, name)]
    image_cause = "dev-mode" if debug == [False, True] else "eval-loop-image"
    if name == EMBEDDER:
        if SAME_START in launchers:
            add(
                "eval-loop-image",
                logs(costs, BASELINE, SAME_START, metric),
                f"same start-up path (Py_BytesMain), eval loop of {launchers[SAME_START].image}, not {baseline.image}",
            )
            add(
                "init-path",
                logs(costs, SAME_START, EMBEDDER, metric),
                "same library, Py_InitializeEx through PyO3 instead of Py_BytesMain",
            )
        for toggle in TOGGLES:
            toggled = f"{EMBEDDER}+{toggle.name}"
            if toggle.ends == (EMBEDDER,) and toggled in launchers:
                add(toggle.cause, logs(costs, toggled, EMBEDDER, metric), f"without and with: {toggle.title}")
        swapped = launchers.get(SWAPPED)
        if swapped is not None:
            add(
                "eval-loop-image",
                (logs(costs, BASELINE, EMBEDDER, metric) - logs(costs, BASELINE, swapped.name, metric)).dropna(),
                f"unchanged host on {swapped.image} instead of {case.launcher.image}",
            )
        return found
    clean = _clean_host(launchers, case.launcher)
    if clean is not None:
        add(
            image_cause,
            logs(costs, BASELINE, clean.name, metric),
            f"a bare host ({clean.name}) on the same eval loop, {case.launcher.image}, against {baseline.image}",
        )
    for treatment in TREATMENTS:
        treated = f"{name}~{treatment.name}"
        given = f"{BASELINE}+{treatment.name}"
        if treated in launchers:
            effect = logs(costs, treated, name, metric)
            add(treatment.cause, effect, f"{name} with and without its {', '.join(treatment.keys)}")
        elif given in launchers and _differs(run, name, treatment.keys):
            add(treatment.cause, logs(costs, BASELINE, given, metric), f"the baseline given the same ({given})")
    return found


def _clean_host(launchers: dict[str, Launcher], host: Launcher) -> Launcher | None:
    """A launcher of ours that runs the host's eval loop and nothing else of it."""
    if host.image is None or host.image == launchers[BASELINE].image:
        return None
    for name in (f"{EMBEDDER}@{host.name}", EMBEDDER):
        if name in launchers and launchers[name].image == host.image:
            return launchers[name]
    return None


def _equal_on_both_ends(costs: Costs, run: Run, launchers: dict[str, Launcher], case: Case) -> list[tuple[str, str]]:
    """Factors that were changed on both ends alike while the tax stayed: they cannot be what makes the difference."""
    name, metric = case.launcher.name, case.metric
    found = []
    for toggle in TOGGLES:
        ends = (f"{BASELINE}+{toggle.name}", f"{EMBEDDER}+{toggle.name}")
        if name != EMBEDDER or not set(ends) <= set(launchers):
            continue
        toggled = logs(costs, ends[0], ends[1], metric)
        if toggled.empty or not is_clear(toggled, case.margin):
            continue
        if _differs(run, name, ("pymalloc",)):
            continue
        # In absolute figures: what both ends gain alike must not look as if it took the tax away.
        before = differences(costs, BASELINE, name, metric)
        remains = share_of(differences(costs, *ends, metric), before)
        evidence = (
            f"equal on both ends, and the tax does not go with it: {toggle.title} on both, it is "
            f"{_ratio(ratio(toggled))} in {metric}, {_percent(remains.share)} of the difference before"
        )
        if toggle.cause == "allocator":
            evidence += "; the part that goes lies in pymalloc's own machine code, which is the image's"
        found.append((toggle.cause, evidence))
    return found


def _frequency(costs: Costs, case: Case) -> Cause | None:
    """The core's frequency in the runs of both: counted as cycles over CPU time, or else timed beside each run."""
    name = case.launcher.name
    counted = (logs(costs, BASELINE, name, "task-clock") - logs(costs, BASELINE, name, "cycles")).dropna()
    timed = -logs(costs, BASELINE, name, "clock")
    effect, how = (counted, "CPU time ÷ cycles") if len(counted) else (timed, "core clock timed beside each run")
    if effect.empty:
        return None
    found = ratio(effect)
    margin = BY_NAME["clock"].margin
    near = found.lo is not None and found.hi is not None and found.lo >= 1 - margin and found.hi <= 1 + margin
    return _cause(
        case, _entry("frequency"), "refuted" if near else "unresolved", "correlated", UNKNOWN, f"{how}: {_ratio(found)}"
    )


def _seen(run: Run, case: Case, left: pd.Series, unexplained: Share, verdicts: dict[str, Cause]) -> list[Cause]:
    """What differs but cannot be changed from here: the only candidate for a clear rest is named, several are not."""
    reference, own = _fingerprint(run, BASELINE), _fingerprint(run, case.launcher.name)
    if not reference or not own:
        return []
    different = {
        key: cause for key, cause in SEEN_ONLY.items() if reference.get(key) != own.get(key) and cause not in verdicts
    }
    countable = {
        cause for cause in different.values() if _entry(cause).shows == "instructions" or run.plan.source == "hardware"
    }
    rest = is_clear(left, case.margin) and unexplained.lo is not None and unexplained.lo > _NEGLIGIBLE
    causes = []
    for key, cause in different.items():
        evidence = f"{key}: {reference.get(key)!r} in {BASELINE}, {own.get(key)!r} in {case.launcher.name}"
        if cause not in countable:
            causes.append(
                _cause(case, _entry(cause), "unresolved", "correlated", UNKNOWN, f"{evidence}; shows in time only")
            )
        elif rest and countable == {cause}:
            causes.append(_cause(case, _entry(cause), "confirmed", "correlated", unexplained, evidence))
        elif rest:
            causes.append(_cause(case, _entry(cause), "unresolved", "correlated", UNKNOWN, evidence))
        else:
            nothing = f"{evidence}; but nothing is left to explain"
            causes.append(_cause(case, _entry(cause), "refuted", "correlated", UNKNOWN, nothing))
    return causes


def _untested(run: Run, case: Case, entry: CauseEntry) -> Cause:
    """Verdict on a cause that nothing was done about: equal where it was looked at, else not tested."""
    keys = [key for key, cause in SEEN_ONLY.items() if cause == entry.id]
    keys += [key for treatment in TREATMENTS if treatment.cause == entry.id for key in treatment.keys]
    reference, own = _fingerprint(run, BASELINE), _fingerprint(run, case.launcher.name)
    if entry.shows != "instructions" and run.plan.source != "hardware":
        reason = f"acts on {entry.shows}, which {run.plan.source} does not count; look at {entry.observable}"
        return _cause(case, entry, "not-tested", None, UNKNOWN, reason)
    if keys and reference and own and all(reference.get(key) == own.get(key) for key in keys):
        told = ", ".join(f"{key} {own.get(key)!r}" for key in keys)
        return _cause(case, entry, "refuted", "correlated", UNKNOWN, f"equal on both sides: {told}")
    built = _built_differently(run, case, entry)
    if built is not None:
        return _cause(case, entry, "unresolved", "correlated", UNKNOWN, built)
    return _cause(case, entry, "not-tested", None, UNKNOWN, f"no intervention was made; look at {entry.observable}")


def _built_differently(run: Run, case: Case, entry: CauseEntry) -> str | None:
    """For causes that are properties of a file: how the two files differ, which separates nothing yet."""
    programs = {program["real_path"]: program for program in run.interpreters.get("programs", ())}
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    one, other = programs.get(images.get(BASELINE)), programs.get(images.get(case.launcher.name))
    if one is None or other is None or entry.id not in one or one[entry.id] == other[entry.id]:
        return None
    return (
        f"{one['real_path']}: {entry.id} {one[entry.id]}, {other['real_path']}: {entry.id} {other[entry.id]}; part of "
        "eval-loop-image, separated by rebuilding"
    )


def _status(share: Share) -> Any:
    if share.lo is None or share.hi is None:
        return "unresolved"
    if share.lo >= -_NEGLIGIBLE and share.hi <= _NEGLIGIBLE:
        return "refuted"
    return "confirmed" if share.lo > _NEGLIGIBLE or share.hi < -_NEGLIGIBLE else "unresolved"


def _entry(cause: str) -> CauseEntry:
    return next(entry for entry in CAUSES if entry.id == cause)


def _fingerprint(run: Run, name: str) -> dict[str, Any]:
    return run.fingerprints.get(name, {})


def _differs(run: Run, name: str, keys: tuple[str, ...]) -> bool:
    return any(_fingerprint(run, BASELINE).get(key) != _fingerprint(run, name).get(key) for key in keys)


def _percent(share: float | None) -> str:
    return "an unknown part" if share is None else f"{share:.1%}"


def _ratio(interval: Interval) -> str:
    if interval.ratio is None:
        return "unknown"
    if interval.lo is None or interval.hi is None:
        return f"{interval.ratio:.4f} (no interval)"
    return f"{interval.ratio:.4f} [{interval.lo:.4f}, {interval.hi:.4f}]"


def _cause(  # noqa: PLR0917 - one line per verdict reads best
    case: Case, entry: CauseEntry, status: Any, strength: Any, share: Share, evidence: str
) -> Cause:
    return Cause(
        cause=entry.id,
        launcher=case.launcher.name,
        status=status,
        strength=strength,
        share=share.share,
        lo=share.lo,
        hi=share.hi,
        evidence=evidence,
    )
