"""What a crossover means for the user, in words made from figures only."""

from __future__ import annotations

from profiler.analyze.crossover import BreakEven, Crossing, Estimate

_MS = 1e-6


def advise(pair: BreakEven, baseline: str, per_launch_ms: float | None) -> str:
    """What to do with this workload in this launcher; times in ns in ``pair``."""
    told = f"{pair.launcher}: {_where(pair, baseline)}"
    if pair.gain is None or per_launch_ms is None:
        return told
    return f"{told} At {per_launch_ms:g} ms of work per launch it {_gain(pair.gain)}."


def _where(pair: BreakEven, baseline: str) -> str:
    work = pair.in_work
    start, tax = _start(pair.saving), f"{_signed(pair.tax)} on the work"
    if pair.equal:
        return f"no crossover: it costs what {baseline} costs, at the start and per unit of work."
    if work.status == "found":
        if pair.saving.value > 0:
            return (
                f"embed up to {_work(work)} of work per launch{_m('up to', pair.in_m)}; beyond, keep it in the host "
                f"interpreter ({start}, {tax})."
            )
        return (
            f"embed from {_work(work)} of work per launch on{_m('from', pair.in_m)}; below, keep it in the host "
            f"interpreter ({start}, {tax})."
        )
    if work.status == "none":
        slower = pair.tax.value > 0
        where = "slower" if slower else "faster"
        advice = "keep the work in the host interpreter" if slower else "embed whatever the work"
        return f"no crossover: it is {where} at every M; {advice} ({start}, {tax})."
    bound = ""
    if work.lo is not None:
        bound = f"; if there is one, it lies above {work.lo * _MS:.3g} ms of work per launch"
    elif work.hi is not None:
        bound = f"; if there is one, it lies below {work.hi * _MS:.3g} ms of work per launch"
    return f"a crossover can neither be bounded nor ruled out{bound} ({start}, {tax}); more --blocks."


def _work(crossing: Crossing) -> str:
    assert crossing.at is not None
    assert crossing.lo is not None
    assert crossing.hi is not None
    return f"{crossing.at * _MS:.3g} ms ({crossing.lo * _MS:.3g} to {crossing.hi * _MS:.3g})"


def _m(where: str, crossing: Crossing) -> str:
    """Nothing where the work has an interval and M has none: their scatter differs."""
    return "" if crossing.at is None else f" (M {where} {crossing.at:,.0f})"


def _start(saving: Estimate) -> str:
    word = "saves" if saving.value > 0 else "loses"
    return f"it {word} {abs(saving.value) * _MS:.2f} ms{_between(saving, _MS, absolute=True)} per launch"


def _signed(tax: Estimate) -> str:
    between = "" if tax.lo is None or tax.hi is None else f" ({tax.lo:+.1%} to {tax.hi:+.1%})"
    return f"{tax.value:+.1%}{between}"


def _gain(gain: Estimate) -> str:
    clear = gain.lo is not None and gain.hi is not None and (gain.lo > 0) == (gain.hi > 0)
    if not clear:
        return f"makes no difference that is resolved ({gain.value * _MS:+.2f} ms{_between(gain, _MS)})"
    word = "gains" if gain.value > 0 else "costs"
    return f"{word} {abs(gain.value) * _MS:.2f} ms{_between(gain, _MS, absolute=True)} per launch"


def _between(estimate: Estimate, scale: float, *, absolute: bool = False) -> str:
    if estimate.lo is None or estimate.hi is None:
        return " (no interval)"
    ends = [estimate.lo * scale, estimate.hi * scale]
    if absolute and estimate.value < 0:
        ends = [-ends[1], -ends[0]]
    return f" ({ends[0]:.2f} to {ends[1]:.2f})"
