"""Thread-local variables reached by a call: how many accesses an iteration, who makes them, what part of the tax.

Counted are the calls of ``__tls_get_addr`` and the instructions inside it. What the call itself takes in the caller,
and what an executable takes instead, is the machine's code sequence, or measured where the same objects ran both ways.
"""

from __future__ import annotations

import io
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from profiler.analyze.causes.case import Case, cause_of, entry_of, status_of
from profiler.analyze.compare import Costs, paired
from profiler.analyze.effects import Share, differences, is_clear, share_of
from profiler.analyze.rows import DAMAGED
from profiler.analyze.wording import percent
from profiler.catalogue.events import TLS_ACCESSES, TLS_INSTRUCTIONS
from profiler.catalogue.interventions import AS_LIBRARY
from profiler.catalogue.source_kinds import SOURCE_KINDS
from profiler.catalogue.variant_rules import variant_of
from profiler.errors import UsageError
from profiler.folder import CALLS, read_lines, recorded
from profiler.folder.marks import MARK
from profiler.model import Cause, Noun, Run

if TYPE_CHECKING:
    import pandas as pd

_ORDER = ("confirmed", "refuted")
_RARE = 1e-3
"""Fewer accesses an iteration than this are those of the start-up, which differ by chance."""
_MOST_CALLERS = 5
_SMALL = 0.05
"""Callers of a smaller part of the accesses are told as "others"."""


class Sequence(Noun, frozen=True, kw_only=True):
    """What one access takes outside the function that is called, in instructions."""

    at_call: int
    as_program: int
    """In an executable, where the linker has put an offset in the place of the call."""


SEQUENCES: dict[tuple[str, str], Sequence] = {
    # lea, call and the PLT's jump; mov %fs:0 and lea instead ("ELF Handling For Thread-Local Storage", 4.1.6 and 5.5).
    ("x86_64", "__tls_get_addr"): Sequence(at_call=3, as_program=2),
    # lea and an indirect call; mov and a no-operation instead (psABI, AMD64 supplement, "TLS descriptors").
    ("x86_64", "_dl_tlsdesc"): Sequence(at_call=2, as_program=2),
}
"""By architecture (``uname -m``) and the beginning of the called function's name."""


def tls(costs: Costs, run: Run, case: Case, known: Cause | None) -> Cause | None:
    """The verdict by count, or by the pair of program and library of the same objects where both ran.

    ``known`` is what ``rebuild`` found: an intervention beats a count, and of equals the one that decides stands.
    None: not counted, or there is no tax to explain.
    """
    tax = case.main
    if tax.metric != "instructions" or tax.logs.empty or not is_clear(tax.logs, tax.margin):
        return None
    name, baseline = case.launcher.name, costs.roles.baseline
    both = paired(costs, baseline, name, TLS_ACCESSES)
    if both.empty:
        reason = costs.reasons.get(TLS_ACCESSES)
        if known is not None or reason is None or not SOURCE_KINDS[run.plan.source].emulates:
            return None
        return cause_of(case, entry_of("tls"), "not-tested", None, reason)
    own, base = float(both["other"].mean()), float(both["base"].mean())
    if max(own, base) < _RARE:
        nothing = Share(share=0.0, lo=0.0, hi=0.0, blocks=len(both))
        evidence = f"{own:.1f} accesses an iteration in either, counted"
        return _stronger(cause_of(case, entry_of("tls"), "refuted", "correlated", evidence, nothing), known)
    whole = differences(costs, baseline, name, tax.metric)
    effect, how = _by_code_sequence(costs, run, name)
    strength = "correlated"
    pair = _per_access(costs, run, case)
    if pair is not None:
        each, text = pair
        strength, how = "intervened", f"{how}; {text}"
        effect = (each * differences(costs, baseline, name, TLS_ACCESSES)).dropna()
    share = share_of(effect, whole)
    evidence = (
        f"{own:.1f} accesses an iteration through a call, {base:.1f} in {baseline}, counted{_callers(costs, name)}; "
        f"{how}; together {_mean(effect):.1f} of the {_mean(whole):.1f} instructions more, {percent(share.share)}"
    )
    return _stronger(cause_of(case, entry_of("tls"), status_of(share), strength, evidence, share), known)


def with_calls(costs: Costs, folder: Path) -> Costs:
    """``costs`` with ``calls.csv`` of a result folder, where there is one.

    Raises:
        UsageError: it is there and cannot be read.
    """
    import pandas as pd

    path = recorded(folder, CALLS)
    if not path.exists():
        return costs
    keys = ["block", "pass", "launcher", "m", "repetition", "callee", "caller", "image"]
    try:
        lines = read_lines(folder, CALLS)
        frame = pd.read_csv(io.BytesIO(lines.data), on_bad_lines="skip", keep_default_na=False)
        # A process that was interrupted and measured again left its lines twice.
        calls = frame.drop(columns=MARK, errors="ignore").drop_duplicates(keys, keep="last")
        calls.attrs[DAMAGED] = lines.dropped if lines.marked else 0
        return msgspec.structs.replace(costs, calls=calls)
    except (OSError, EOFError, zlib.error, ValueError, KeyError) as error:
        raise UsageError(f"cannot read {path}: {error}", hint="remove the file: it holds call sites only") from error


def callers(calls: pd.DataFrame, launcher: str) -> pd.Series:
    """Calls per iteration by caller, the most frequent first: the slope between the two M, mean over blocks.

    A caller that is not known at both M, since it made next to none of the calls at one, is left out.
    """
    own = calls[calls["launcher"] == launcher]
    at_m = own.groupby(["block", "pass", "repetition", "caller", "m"], observed=True)["calls"].sum().unstack("m")
    if at_m.shape[1] < 2:
        return at_m.sum(axis=1, min_count=2).dropna()
    lo, hi = int(at_m.columns.min()), int(at_m.columns.max())
    slope: pd.Series = ((at_m[hi] - at_m[lo]) / (hi - lo)).dropna().groupby(level="caller").mean()
    return slope.sort_values(ascending=False)


def _by_code_sequence(costs: Costs, run: Run, name: str) -> tuple[pd.Series, str]:
    """Net instructions per block by what is counted inside and the code sequence outside, and how that was found."""
    inside = differences(costs, costs.roles.baseline, name, TLS_INSTRUCTIONS)
    accesses = differences(costs, costs.roles.baseline, name, TLS_ACCESSES)
    each = _mean(inside) / _mean(accesses)
    sequence = _sequence(costs, run, name)
    if sequence is None:
        return inside, f"{each:.1f} instructions each, counted inside; what the call takes outside is not in it"
    net = inside + (sequence.at_call - sequence.as_program) * accesses
    return net, (
        f"each takes {each:.1f} instructions counted inside and {sequence.at_call} at the call, where an executable's "
        f"takes {sequence.as_program} (both by {run.machine.get('architecture')}'s code sequence): "
        f"{_mean(net) / _mean(accesses):.1f} net"
    )


def _sequence(costs: Costs, run: Run, name: str) -> Sequence | None:
    architecture = run.machine.get("architecture")
    callee = "__tls_get_addr"
    if costs.calls is not None:
        own = costs.calls[costs.calls["launcher"] == name]
        if not own.empty:
            callee = str(own.groupby("callee")["calls"].sum().idxmax())
    return next(
        (
            sequence
            for (machine, start), sequence in SEQUENCES.items()
            if machine == architecture and callee.startswith(start)
        ),
        None,
    )


def _per_access(costs: Costs, run: Run, case: Case) -> tuple[pd.Series, str] | None:
    """Instructions that an access costs in a library more than in a program of the same objects, per block.

    None where the two did not run, or the launcher runs another library than that of which the objects are.
    """
    program, same_start = run.plan.roles.as_program, run.plan.roles.same_start
    if program is None or same_start is None:
        return None
    library = variant_of(run.plan.launchers, same_start, AS_LIBRARY, "replaced")
    image = next((launcher.image for launcher in run.plan.launchers if launcher.role == "embedder"), None)
    if library is None or image != case.launcher.image:
        return None
    saved = differences(costs, program, library.name, case.main.metric)
    more = differences(costs, program, library.name, TLS_ACCESSES)
    each = (saved / more).dropna()
    if each.empty or not (more > _RARE).all():
        return None
    return each, (
        f"the same objects as a library ({library.name}) instead of in the program ({program}) take "
        f"{_mean(saved):.1f} instructions more for {_mean(more):.1f} accesses more: {_mean(each):.1f} each, measured"
    )


def _callers(costs: Costs, name: str) -> str:
    if costs.calls is None:
        return ""
    found = callers(costs.calls, name)
    total = float(found.sum())
    if not total > 0:
        return ""
    told = found[found >= _SMALL * total].head(_MOST_CALLERS)
    others = total - float(told.sum())
    text = ", ".join(f"{caller} {number:.1f}" for caller, number in told.items())
    return f"; called from {text} an iteration" + (f", others {others:.1f}" if others >= _SMALL * total else "")


def _stronger(own: Cause, known: Cause | None) -> Cause:
    """``known`` where it is an intervention and ``own`` is not, or where it alone decides; with both evidences."""
    if known is None:
        return own
    decides = (own.status in _ORDER, known.status in _ORDER)
    by_count = own.strength == "correlated" and known.strength == "intervened"
    if decides == (False, True) or (by_count and decides[1]) or (by_count and not decides[0]):
        return msgspec.structs.replace(known, evidence=f"{known.evidence}; {own.evidence}")
    return msgspec.structs.replace(own, evidence=f"{own.evidence}; {known.evidence}")


def _mean(series: pd.Series) -> float:
    return float(series.mean()) if len(series) else math.nan
