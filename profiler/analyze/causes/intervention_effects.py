"""What each intervention showed: a factor removed from a launcher, given to its twin, or toggled on both ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from profiler.analyze.causes import version
from profiler.analyze.causes.case import (
    NEGLIGIBLE,
    Case,
    InterventionResult,
    different_keys,
    differing,
    doubted,
    entry_of,
    fingerprint,
    sits,
    status_of,
)
from profiler.analyze.compare import Costs, paired
from profiler.analyze.effects import UNKNOWN, Share, differences, logs, ratio, share_of
from profiler.analyze.wording import percent, told
from profiler.catalogue.causes import IMAGE, UNPLACED
from profiler.catalogue.interventions import (
    ALL_REMOVED,
    GIVEN_ALL,
    IN_HEAD,
    IN_TAIL,
    INTERVENTIONS,
    SWAPPED,
    Intervention,
)
from profiler.catalogue.properties import PROPERTIES, brought_by
from profiler.catalogue.variant_rules import is_host, twin_of, variant_of
from profiler.model import Interval, Launcher, Run

if TYPE_CHECKING:
    import pandas as pd


_POSITION = 0.02
"""By how much of its instructions the position of its arenas can move a launcher, in logs."""


def findings(costs: Costs, run: Run, case: Case) -> tuple[InterventionResult, ...]:
    """Every intervention that was measured, in the order in which they are to be believed."""
    own = _of_host if is_host(case.launcher) else _of_embedder
    found = tuple(own(costs, run, case))
    both_ends = _on_both_ends(costs, run, case, frozenset(finding.cause for finding in found))
    return (*found, *both_ends, *_of_placement(costs, run, case))


def all_met(costs: Costs, run: Run, case: Case) -> pd.Series | None:
    """What is left of a host's tax, in logs per block, when it is relieved of everything that can be taken from it,
    against its twin given everything that cannot; None where no such pair was measured.
    """
    host = case.launcher
    twin = twin_of(host, run.plan.launchers)
    if not is_host(host) or twin is None or twin.image != host.image:
        return None
    relieved, given = _relieved(run, host), _given(run, twin, host)
    if relieved is None or given is None:
        return None
    return logs(costs, given.name, relieved.name, case.main.metric)


def _relieved(run: Run, host: Launcher) -> Launcher | None:
    """The host with everything removed that can be; None where that did not run."""
    single = [
        launcher
        for launcher in run.plan.launchers
        if launcher.variant is not None and (launcher.variant.of, launcher.variant.way) == (host.name, "removed")
    ]
    everything = variant_of(single, host.name, ALL_REMOVED, "removed")
    return everything or (host if not single else single[0] if len(single) == 1 else None)


def _given(run: Run, twin: Launcher, host: Launcher) -> Launcher | None:
    """The twin with everything that cannot be removed from the host; None where that did not run."""
    single = [
        launcher
        for launcher in run.plan.launchers
        if launcher.variant is not None and launcher.variant.intervention != GIVEN_ALL
        if (launcher.variant.of, launcher.variant.way, launcher.variant.given_by) == (twin.name, "given", host.name)
        if variant_of(run.plan.launchers, host.name, launcher.variant.intervention, "removed") is None
    ]
    if len(single) < 2:
        return single[0] if single else twin
    return variant_of(run.plan.launchers, twin.name, GIVEN_ALL, "given", host.name)


def _of_embedder(costs: Costs, run: Run, case: Case) -> Iterator[InterventionResult]:
    metric, embedder, roles = case.main.metric, case.launcher.name, run.plan.roles
    if roles.same_start is not None:
        images = {launcher.name: launcher.image for launcher in run.plan.launchers}
        effect = logs(costs, roles.baseline, roles.same_start, metric)
        eval_loops = f"eval loop of {images[roles.same_start]}, not {images[roles.baseline]}"
        yield from _found(case, IMAGE, effect, f"same start-up path (Py_BytesMain), {eval_loops}")
        effect = logs(costs, roles.same_start, embedder, metric)
        evidence = "same library, Py_InitializeEx through PyO3 instead of Py_BytesMain"
        yield from _found(case, "init-path", effect, evidence)
    for entry in INTERVENTIONS:
        changed = variant_of(run.plan.launchers, embedder, entry.id)
        if entry.ends == ("embedder",) and changed is not None:
            effect = logs(costs, changed.name, embedder, metric)
            yield from _found(case, entry.cause, effect, f"without and with: {entry.title}", part_of=entry.part_of)
    swapped = variant_of(run.plan.launchers, embedder, SWAPPED, "replaced")
    if swapped is not None and version.another(run, swapped.name) is None:
        effect = (case.main.logs - logs(costs, roles.baseline, swapped.name, metric)).dropna()
        evidence = f"unchanged host on {swapped.image} instead of {case.launcher.image}"
        for found in _found(case, IMAGE, effect, evidence, quoted=ratio(logs(costs, swapped.name, embedder, metric))):
            yield msgspec.structs.replace(found, again=True)


def _of_host(costs: Costs, run: Run, case: Case) -> Iterator[InterventionResult]:
    host, base = case.launcher, next(launcher for launcher in run.plan.launchers if launcher.role == "baseline")
    twin = twin_of(host, run.plan.launchers)
    alone = _eval_loops_alone(run, base, host, twin)
    if alone is not None:
        debug = [bool(fingerprint(run, launcher.name).get("debug_build")) for launcher in (base, host)]
        cause = "dev-mode" if debug == [False, True] else IMAGE
        cause = version.CAUSE if version.another(run, host.name) else cause
        here, there, evidence = alone
        yield from _found(case, cause, logs(costs, here.name, there.name, case.main.metric), evidence)
    different = different_keys(run, host.name, tuple(PROPERTIES))
    for entry in INTERVENTIONS:
        metric = case.taxes[entry_of(entry.cause).shows].metric
        differs = differing(run, host.name, entry.keys)
        what = differs or "nothing of it is to be seen inside"
        own = different & set(entry.keys)
        part_of = brought_by(entry.cause, own, different) if own else None
        relieved = variant_of(run.plan.launchers, host.name, entry.id, "removed")
        given = None if twin is None else variant_of(run.plan.launchers, twin.name, entry.id, "given", host.name)
        if relieved is not None:
            evidence = f"{host.name} with and without its {entry.id} ({what})"
            effect = logs(costs, relieved.name, host.name, metric)
            for found in _found(case, entry.cause, effect, evidence, part_of=part_of):
                yield found if differs else _unseen(run, case, found)
        elif twin is not None and given is not None:
            evidence = f"{twin.name} given the host's {entry.id} ({what})"
            effect = logs(costs, twin.name, given.name, metric)
            yield from _found(case, entry.cause, effect, evidence, part_of=part_of)


def _unseen(run: Run, case: Case, found: InterventionResult) -> InterventionResult:
    """``found`` of what was taken away and nobody had seen: a hook that is set in C, or nothing at all."""
    if found.status != "confirmed" or found.effect is None:
        return found
    # What only makes the host slower when it is taken away unseen was not there.
    if found.effect.mean() < 0:
        return msgspec.structs.replace(found, status="refuted")
    # The statements that take it away move the heap too, where that is not placed.
    if found.effect.mean() < _POSITION and doubted(run, (case.launcher.name,), UNPLACED):
        reason = f"{found.evidence}; its heap is not placed, which moves its counts by as much"
        return msgspec.structs.replace(found, status="unresolved", evidence=reason)
    return found


def _eval_loops_alone(
    run: Run, base: Launcher, host: Launcher, twin: Launcher | None
) -> tuple[Launcher, Launcher, str] | None:
    """Two launchers between which nothing differs but whose eval loop runs, and how that was reached."""
    if twin is None or host.image is None or base.image == host.image:
        return None
    if twin.role != "baseline":
        return base, twin, f"nothing but the host's eval loop ({twin.name} on {host.image}) against {base.image}"
    given, relieved = _given(run, base, host), _relieved(run, host)
    if given is None or relieved is None:
        return None
    if (given, relieved) == (base, host):
        return base, host, f"the same command on another interpreter ({host.image}) against {base.image}"
    met = f"with all else equal ({relieved.name} on {host.image}, {given.name} on {base.image})"
    return given, relieved, f"nothing but the eval loop differs {met}"


def _found(
    case: Case,
    cause: str,
    effect: pd.Series,
    evidence: str,
    *,
    part_of: str | None = None,
    quoted: Interval | None = None,
) -> Iterator[InterventionResult]:
    """A finding by ``effect`` in logs, where there is one; ``quoted`` is the measured pair to tell, if another."""
    tax = case.taxes[entry_of(cause).shows]
    if effect.empty:
        return
    share = share_of(effect, tax.logs)
    yield InterventionResult(
        cause=cause,
        status=status_of(share),
        share=share,
        evidence=f"{evidence}: {told(quoted or ratio(effect))} in {tax.metric}",
        effect=effect,
        part_of=part_of,
    )


def _on_both_ends(costs: Costs, run: Run, case: Case, judged: frozenset[str]) -> Iterator[InterventionResult]:
    """Factors that were changed on both ends alike.

    Where the setting was equal, the share of the difference that goes with it says where the difference sits. Where it
    was not and the change makes it equal, what goes is the effect of what differed, unless a treatment of that cause
    (one of those ``judged``) shows it already.
    """
    name = case.launcher.name
    for toggle in INTERVENTIONS:
        here, there = (variant_of(run.plan.launchers, end, toggle.id) for end in (costs.roles.baseline, name))
        if here is None or there is None:
            continue
        ends = (here.name, there.name)
        tax = case.taxes[entry_of(toggle.cause).shows]
        toggled = logs(costs, *ends, tax.metric)
        if toggled.empty:
            continue
        keys = toggle.sets or tuple(key for key, cause in PROPERTIES.items() if cause == toggle.cause)
        different = different_keys(run, name, keys)
        if toggle.role == "place" and not different:
            yield _place(costs, case, toggle, ends)
        elif toggle.role == "cause" or (toggle.cause not in judged and _levelled(run, ends, different)):
            what = differing(run, name, tuple(sorted(different)))
            evidence = f"{toggle.title} on both ends" + (f" ({what})" if what else "") + ": the tax is then"
            yield from _found(
                case,
                toggle.cause,
                (tax.logs - toggled).dropna(),
                evidence,
                part_of=brought_by(
                    toggle.cause, [key for key in different if PROPERTIES[key] == toggle.cause], different
                ),
                quoted=ratio(toggled),
            )


def _of_placement(costs: Costs, run: Run, case: Case) -> Iterator[InterventionResult]:
    """What lying in the head of an arena instead of in its tail costs each end: a place's own figure."""
    told = []
    for name in (costs.roles.baseline, case.launcher.name):
        tail, head = (variant_of(run.plan.launchers, name, part) for part in (IN_TAIL, IN_HEAD))
        if tail is None or head is None:
            continue
        both = paired(costs, tail.name, head.name, case.main.metric)
        if not both.empty:
            more, part = (both["other"] - both["base"]).mean(), (both["other"] / both["base"]).mean() - 1
            told.append(f"{name} takes {more:.1f} {case.main.metric} ({part:+.2%}) more")
    if told:
        evidence = f"in the head of their arenas than in the tail {', '.join(told)}"
        yield InterventionResult(
            cause="arena-placement", status="unresolved", share=UNKNOWN, evidence=evidence, effect=None, role="place"
        )


def _levelled(run: Run, ends: tuple[str, str], keys: frozenset[str]) -> bool:
    """Whether the changed ends were seen to be equal in ``keys``."""
    one, other = (fingerprint(run, end) for end in ends)
    return all(key in one and key in other and one[key] == other[key] for key in keys)


def _place(costs: Costs, case: Case, toggle: Intervention, ends: tuple[str, str]) -> InterventionResult:
    """In absolute figures: what both ends gain alike must not look as if it took a part of the tax away."""
    tax = case.taxes[entry_of(toggle.cause).shows]
    before = differences(costs, costs.roles.baseline, case.launcher.name, tax.metric)
    remains = share_of(differences(costs, *ends, tax.metric), before)
    goes = _complement(remains)
    evidence = (
        f"{toggle.title} on both ends: the tax is then {told(ratio(logs(costs, *ends, tax.metric)))} in {tax.metric}, "
        f"{percent(remains.share)} of the difference before"
    )
    if goes.lo is not None and goes.lo > NEGLIGIBLE:
        evidence += f"; of the difference {sits(goes.share, toggle)}"
    elif goes.hi is not None and goes.hi < -NEGLIGIBLE and goes.share is not None:
        evidence += f"; with it the difference is {percent(-goes.share)} larger"
    return InterventionResult(
        cause=toggle.cause, status="unresolved", share=goes, evidence=evidence, effect=None, role="place"
    )


def _complement(share: Share) -> Share:
    def rest(part: float | None) -> float | None:
        return None if part is None else 1 - part

    return Share(share=rest(share.share), lo=rest(share.hi), hi=rest(share.lo), blocks=share.blocks)
