"""Each cause of the catalogue with its verdict: by intervention where one was made, else by what was seen.

The tax that is explained is that of instructions per iteration where they were counted, which both sources do exactly;
causes that act on CPI or time alone need hardware counters and are otherwise not tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from profiler.analyze.case import NEGLIGIBLE, Case, cause_of, differs, entry_of, fingerprint, percent, told
from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, differences, is_clear, logs, ratio, share_of
from profiler.analyze.observed import frequency, seen, untested
from profiler.analyze.stats import verdict
from profiler.causes import CAUSES, EMBEDDER, SAME_START, SWAPPED, TOGGLES, TREATMENTS, CauseEntry
from profiler.events import BY_NAME
from profiler.model import BASELINE, Cause, Launcher, Run, Unexplained

if TYPE_CHECKING:
    import pandas as pd


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
        verdicts[cause] = cause_of(case, entry_of(cause), status, "intervened", share, evidence)
        if status == "confirmed":
            explained.append(effect)
    for cause, evidence in _equal_on_both_ends(costs, run, launchers, case):
        verdicts.setdefault(cause, cause_of(case, entry_of(cause), "refuted", "intervened", UNKNOWN, evidence))
    left = case.tax
    for effect in explained:
        left = (left - effect).dropna()
    unexplained = share_of(left, case.tax)
    for found in seen(run, case, left, unexplained, verdicts):
        verdicts.setdefault(found.cause, found)
    core = frequency(costs, case)
    if core is not None:
        verdicts["frequency"] = core
    for entry in CAUSES:
        verdicts.setdefault(entry.id, untested(run, case, entry))
    return [verdicts[entry.id] for entry in CAUSES], unexplained


def _no_tax(case: Case, entry: CauseEntry) -> Cause:
    """Where nothing is to be explained, no cause is at work; where that is not known, none is known."""
    if case.tax.empty:
        return cause_of(case, entry, "not-tested", None, UNKNOWN, f"{case.metric} could not be compared")
    found = ratio(case.tax)
    if verdict(found, margin=case.margin, better="lower") == "same":
        return cause_of(case, entry, "refuted", None, UNKNOWN, f"no tax to explain: {told(found)} in {case.metric}")
    return cause_of(case, entry, "unresolved", None, UNKNOWN, f"the tax itself is unresolved: {told(found)}")


def _interventions(
    costs: Costs, run: Run, launchers: dict[str, Launcher], case: Case
) -> list[tuple[str, pd.Series, str]]:
    """(cause, effect in logs per block, evidence) of every intervention on one factor that was measured."""
    name, metric = case.launcher.name, case.metric
    found: list[tuple[str, pd.Series, str]] = []
    baseline = launchers[BASELINE]

    def add(cause: str, effect: pd.Series, evidence: str) -> None:
        if not effect.empty:
            found.append((cause, effect, f"{evidence}: {told(ratio(effect))} in {metric}"))

    debug = [bool(fingerprint(run, one).get("debug_build")) for one in (BASELINE, name)]
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
        elif given in launchers and differs(run, name, treatment.keys):
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
        if differs(run, name, ("pymalloc",)):
            continue
        # In absolute figures: what both ends gain alike must not look as if it took the tax away.
        before = differences(costs, BASELINE, name, metric)
        remains = share_of(differences(costs, *ends, metric), before)
        evidence = (
            f"equal on both ends, and the tax does not go with it: {toggle.title} on both, it is "
            f"{told(ratio(toggled))} in {metric}, {percent(remains.share)} of the difference before"
        )
        if toggle.cause == "allocator":
            evidence += "; the part that goes lies in pymalloc's own machine code, which is the image's"
        found.append((toggle.cause, evidence))
    return found


def _status(share: Share) -> Any:
    if share.lo is None or share.hi is None:
        return "unresolved"
    if share.lo >= -NEGLIGIBLE and share.hi <= NEGLIGIBLE:
        return "refuted"
    return "confirmed" if share.lo > NEGLIGIBLE or share.hi < -NEGLIGIBLE else "unresolved"
