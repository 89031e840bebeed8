"""What each intervention showed: a factor removed from a launcher, given to its twin, or toggled on both ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from profiler.analyze import version
from profiler.analyze.case import NEGLIGIBLE, Case, Finding, differing, entry_of, fingerprint, percent, status_of, told
from profiler.analyze.compare import Costs
from profiler.analyze.effects import Share, differences, is_clear, logs, ratio, share_of
from profiler.causes import EMBEDDER, SAME_START, SWAPPED, TOGGLES
from profiler.model import BASELINE, Launcher, Run
from profiler.treatments import ALL_REMOVED, GIVEN_ALL, TREATMENTS, twin_of

if TYPE_CHECKING:
    import pandas as pd

_MOST = 0.5
"""A toggle on both ends that leaves more than half of the tax has not toggled its cause."""


def findings(costs: Costs, run: Run, case: Case) -> tuple[Finding, ...]:
    """Every intervention that was measured, in the order in which they are to be believed."""
    launchers = {launcher.name: launcher for launcher in run.plan.launchers}
    own = _of_embedder if case.launcher.name == EMBEDDER else _of_host
    return (*own(costs, run, case, launchers), *_on_both_ends(costs, run, case, launchers))


def rest(costs: Costs, run: Run, case: Case, explained: list[pd.Series]) -> pd.Series:
    """What is left of the tax, in logs per block: of a host, when it is relieved of everything that can be taken from
    it, against its twin given everything that cannot; else the tax less the effects ``explained``.
    """
    launchers = {launcher.name: launcher for launcher in run.plan.launchers}
    host = case.launcher
    twin = twin_of(host, launchers)
    if host.name != EMBEDDER and twin is not None:
        relieved, given = _relieved(launchers, host), _given(launchers, twin, host)
        if relieved is not None and given is not None:
            return logs(costs, given.name, relieved.name, case.main.metric)
    left = case.main.logs
    for effect in explained:
        left = (left - effect).dropna()
    return left


def _relieved(launchers: dict[str, Launcher], host: Launcher) -> Launcher | None:
    """The host with everything removed that can be; None where that did not run."""
    single = [one for one in launchers.values() if one.name.startswith(f"{host.name}~")]
    everything = launchers.get(f"{host.name}~{ALL_REMOVED}")
    return everything or (host if not single else single[0] if len(single) == 1 else None)


def _given(launchers: dict[str, Launcher], twin: Launcher, host: Launcher) -> Launcher | None:
    """The twin with everything that cannot be removed from the host; None where that did not run."""
    single = [
        one
        for one in launchers.values()
        if one.base == twin.name and one.name.endswith(f"@{host.name}") and one.factor != GIVEN_ALL
        if f"{host.name}~{one.factor}" not in launchers
    ]
    if len(single) < 2:
        return single[0] if single else twin
    return launchers.get(f"{twin.name}+{GIVEN_ALL}@{host.name}")


def _of_embedder(costs: Costs, run: Run, case: Case, launchers: dict[str, Launcher]) -> Iterator[Finding]:
    metric = case.main.metric
    baseline, same = launchers[BASELINE], launchers.get(SAME_START)
    if same is not None:
        effect = logs(costs, BASELINE, SAME_START, metric)
        evidence = f"same start-up path (Py_BytesMain), eval loop of {same.image}, not {baseline.image}"
        yield from _found(case, "eval-loop-image", effect, evidence)
        effect = logs(costs, SAME_START, EMBEDDER, metric)
        evidence = "same library, Py_InitializeEx through PyO3 instead of Py_BytesMain"
        yield from _found(case, "init-path", effect, evidence)
    for toggle in TOGGLES:
        if toggle.embedder_only:
            effect = logs(costs, f"{EMBEDDER}+{toggle.name}", EMBEDDER, metric)
            yield from _found(case, toggle.cause, effect, f"without and with: {toggle.title}")
    swapped = launchers.get(SWAPPED)
    if swapped is not None and version.another(run, SWAPPED) is None:
        effect = (case.main.logs - logs(costs, BASELINE, SWAPPED, metric)).dropna()
        evidence = f"unchanged host on {swapped.image} instead of {case.launcher.image}"
        yield from _found(case, "eval-loop-image", effect, evidence)


def _of_host(costs: Costs, run: Run, case: Case, launchers: dict[str, Launcher]) -> Iterator[Finding]:
    host = case.launcher
    twin = twin_of(host, launchers)
    if twin is not None and twin.name != BASELINE:
        debug = [bool(fingerprint(run, one).get("debug_build")) for one in (BASELINE, host.name)]
        cause = "dev-mode" if debug == [False, True] else "eval-loop-image"
        cause = version.CAUSE if version.another(run, host.name) else cause
        evidence = f"nothing but the host's eval loop ({twin.name} on {host.image}) against {launchers[BASELINE].image}"
        yield from _found(case, cause, logs(costs, BASELINE, twin.name, case.main.metric), evidence)
    for treatment in TREATMENTS:
        metric = case.taxes[entry_of(treatment.cause).shows].metric
        differs = differing(run, host.name, treatment.keys)
        what = differs or "nothing of it is to be seen inside"
        relieved = f"{host.name}~{treatment.name}"
        if relieved in launchers:
            evidence = f"{host.name} with and without its {treatment.name} ({what})"
            effect = logs(costs, relieved, host.name, metric)
            for found in _found(case, treatment.cause, effect, evidence):
                # What only makes the host slower when it is taken away unseen was not there.
                gone = not differs and effect.mean() < 0 and found.status == "confirmed"
                yield msgspec.structs.replace(found, status="refuted") if gone else found
        elif twin is not None:
            given = f"{twin.name}+{treatment.name}@{host.name}"
            evidence = f"{twin.name} given the host's {treatment.name} ({what})"
            yield from _found(case, treatment.cause, logs(costs, twin.name, given, metric), evidence)


def _found(case: Case, cause: str, effect: pd.Series, evidence: str) -> Iterator[Finding]:
    tax = case.taxes[entry_of(cause).shows]
    if effect.empty:
        return
    share = share_of(effect, tax.logs)
    yield Finding(
        cause=cause,
        status=status_of(share),
        share=share,
        evidence=f"{evidence}: {told(ratio(effect))} in {tax.metric}",
        effect=effect,
    )


def _on_both_ends(costs: Costs, run: Run, case: Case, launchers: dict[str, Launcher]) -> Iterator[Finding]:
    """Factors that were changed on both ends alike: the share is the part of the difference that goes with them.

    In absolute figures: what both ends gain alike must not look as if it took a part of the tax away.
    """
    name = case.launcher.name
    keys = {treatment.cause: treatment.keys for treatment in TREATMENTS if treatment.remove is not None}
    for toggle in TOGGLES:
        ends = (f"{BASELINE}+{toggle.name}", f"{name}+{toggle.name}")
        tax = case.taxes[entry_of(toggle.cause).shows]
        if not set(ends) <= set(launchers) or differing(run, name, keys.get(toggle.cause, ())):
            continue
        toggled = logs(costs, *ends, tax.metric)
        if toggled.empty:
            continue
        remains = share_of(differences(costs, *ends, tax.metric), differences(costs, BASELINE, name, tax.metric))
        goes = _complement(remains)
        stays = is_clear(toggled, tax.margin) and remains.lo is not None and remains.lo > _MOST
        status = "refuted" if stays else "confirmed" if remains.hi is not None and remains.hi < _MOST else "unresolved"
        evidence = (
            f"{toggle.title} on both ends: the tax is then {told(ratio(toggled))} in {tax.metric}, "
            f"{percent(remains.share)} of the difference before"
        )
        if status == "refuted" and toggle.cause == "allocator" and goes.lo is not None and goes.lo > NEGLIGIBLE:
            evidence += (
                "; both ends use the same allocator, and what goes lies in pymalloc's own machine code, the image's"
            )
        yield Finding(cause=toggle.cause, status=status, share=goes, evidence=evidence, effect=None)


def _complement(share: Share) -> Share:
    def rest(part: float | None) -> float | None:
        return None if part is None else 1 - part

    return Share(share=rest(share.share), lo=rest(share.hi), hi=rest(share.lo), blocks=share.blocks)
