"""What the gates say: on stderr, and as the failure that ends the command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from profiler.analyze.wording import bounds
from profiler.catalogue.metrics import METRIC
from profiler.errors import GateFailed, MachineError
from profiler.model.across import Across, GateLine
from profiler.present.progress import tell

_SAID = {"within": "is held", "undecided": "is not decided"}


def enforce(lines: Sequence[GateLine], against: str) -> None:
    """Tell what is held and what is not decided; ``against``: of what the ratios are, such as ``the baseline's``.

    Raises:
        GateFailed: a ratio is proven to exceed its gate, whatever else is not known.
        MachineError: none is, and one is not known, so that nothing was gated.
    """
    for (gate, word), told in _grouped(lines).items():
        tell(f"gate {gate} {word}: {', '.join(told)}")
    failed = [line for line in lines if line.word == "exceeded"]
    unknown = list(_unknown(lines))
    if failed:
        also = f"; and not known: {'; '.join(unknown)}" if unknown else ""
        raise GateFailed(
            "; ".join(_exceeded(failed, against)) + also,
            hint="take back what made it slower, or give --max-ratio the bound that you accept",
        )
    if unknown:
        raise MachineError(
            f"the gate cannot decide, not knowing {'; '.join(unknown)}",
            hint="gate on a metric that this machine measures, with two blocks or more; tax-probe doctor lists them",
        )


def tell_change(document: Across) -> None:
    """The headline of a comparison with an earlier run on stderr, beside the answer of this one."""
    tell(f"since {document.folders[0].path} (A): {document.sentence}")
    for warning in document.warnings:
        tell(f"warning {warning.code}: {warning.message}")


def _exceeded(failed: Iterable[GateLine], against: str) -> Iterable[str]:
    by_gate: dict[tuple[str, float], list[GateLine]] = {}
    for line in failed:
        by_gate.setdefault((line.metric, line.max_ratio), []).append(line)
    for (metric, bound), lines in by_gate.items():
        per = METRIC[metric].per
        yield f"{metric} per {per} exceed {bound:g} times {against}: {', '.join(map(_told, lines))}"


def _grouped(lines: Iterable[GateLine]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        if line.word in _SAID:
            why = f": {line.reason}" if line.reason else ""
            gate = f"{line.metric} ≤ {line.max_ratio:g}"
            found.setdefault((gate, _SAID[line.word]), []).append(f"{_told(line)}{why}")
    return found


def _unknown(lines: Iterable[GateLine]) -> Iterable[str]:
    """``cycles of pyo3, runmain (callgrind counts none)``, once for each reason."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for line in lines:
        if line.word == "unknown":
            found.setdefault((line.metric, line.reason or "no interval"), {})[line.subject] = None
    return (f"{metric} of {', '.join(subjects)} ({reason})" for (metric, reason), subjects in found.items())


def _told(line: GateLine) -> str:
    if line.ratio is None or line.lo is None or line.hi is None:
        return line.subject
    told = bounds(line.lo, line.hi, equal="no width")
    interval = told if told == "no width" else f"{line.lo:.4f} to {line.hi:.4f}"
    return f"{line.subject} {line.ratio:.4f} ({interval})"
