"""Causes with their verdicts, and what differs inside the processes."""

from __future__ import annotations

from profiler.analyze.causes.fingerprint_differences import fingerprint_differences
from profiler.analyze.causes.nested import beneath
from profiler.analyze.numbers import share
from profiler.model import BASELINE, Cause, Run, Verdict
from profiler.present.section import Section
from profiler.present.table import Cell, Mark, Table, Tone, columns, filled, notes

_TONES: dict[str, Tone] = {"confirmed": "worse", "refuted": "better", "unresolved": "open", "not-tested": "faint"}


def section(verdict: Verdict) -> Section:
    """All causes that were tested, parts beneath their whole; the others are named."""
    tested = [(depth, cause) for depth, cause in beneath(verdict.causes) if cause.status != "not-tested"]
    table = Table(
        title="causes",
        columns=(
            *columns("word", "launcher", "cause"),
            *columns("verdict", "verdict"),
            *columns("share", "share"),
            *columns("interval", "from, to", "without it"),
            *columns("word", "evidence"),
        ),
        rows=tuple(_row(depth, cause) for depth, cause in tested),
        notes=notes(*_notes(verdict)),
    )
    return Section(title="Causes: hypothesis, verdict, evidence", tables=(filled(table),) if verdict.causes else ())


def _row(depth: int, cause: Cause) -> tuple[Cell, ...]:
    return (
        cause.launcher or "",
        f"{'└ ' if depth else ''}{cause.cause}",
        _verdict(cause),
        "" if cause.share is None else share(cause.share),
        _range(cause),
        "" if cause.without is None else f"{cause.without:.4f}",
        cause.evidence,
    )


def _verdict(cause: Cause) -> Mark:
    """``confirmed, intervened``; of a place that it is one, and what the setting is as a cause."""
    if cause.role == "place":
        return Mark(text=f"place ({cause.status} as a cause)", tone="plain")
    return Mark(text=", ".join(filter(None, (cause.status, cause.strength))), tone=_TONES[cause.status])


def _range(cause: Cause) -> str:
    """The share's interval, or how far it goes with the order in which causes are met."""
    if cause.share is None or cause.role == "place":
        return ""
    if cause.share_least is not None and cause.share_most is not None:
        return f"{cause.share_least:.1%} to {cause.share_most:.1%}"
    lo, hi = cause.lo, cause.hi
    if lo is None or hi is None:
        return "–"
    return "" if f"{lo:.1%}" == f"{hi:.1%}" else f"{lo:.1%} to {hi:.1%}"


def _notes(verdict: Verdict) -> list[str | None]:
    causes = verdict.causes
    left = verdict.unexplained
    untested = sorted({cause.cause for cause in causes if cause.status == "not-tested"})
    unresolved = dict.fromkeys(cause.cause for cause in causes if cause.status == "unresolved")
    return [
        "share: of the tax; of a place, of the difference" if any(cause.role == "place" for cause in causes) else None,
        "of a share that depends on the order in which causes are met: its mean, and from the least to the most; "
        "without it: the ratio when it alone is taken away"
        if any(cause.share_least is not None for cause in causes)
        else None,
        None if left.share is None else _unexplained(left.share, left.lo, left.hi),
        f"what stays open: {', '.join(unresolved)}" if unresolved else None,
        f"not tested (the reasons stand in causes.csv): {', '.join(untested)}" if untested else None,
    ]


def _unexplained(part: float, lo: float | None, hi: float | None) -> str:
    told = "" if lo is None or hi is None or f"{lo:.1%}" == f"{hi:.1%}" else f" ({lo:.1%} to {hi:.1%})"
    return f"unexplained: {part:.1%} of the tax{told}"


def differences(run: Run) -> Section:
    """Differences of the fingerprints, and whether they can cost per opcode."""
    table = Table(
        title="what differs inside the processes",
        columns=columns("word", "launcher", "what", BASELINE, "here", "can it cost per opcode?"),
        rows=tuple(
            (launcher, what, _short(reference), _short(own), "no" if cause is None else f"yes: {cause}")
            for launcher, what, reference, own, cause in fingerprint_differences(run)
        ),
        notes=(),
    )
    return Section(title="Inside the processes", tables=(table,) if table.rows else ())


def _short(value: object, limit: int = 60) -> str:
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
