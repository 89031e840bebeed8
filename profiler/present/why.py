"""The answer of ``variants`` on a terminal: launchers side by side, the waterfall, the causes, what differs inside."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from profiler.analyze.causes.inside import inside
from profiler.model import AGAIN, BASELINE, Comparison, Run, Rung, Verdict
from profiler.present.causes import about_ladder, linked_with_archives, nested, ratio_of, share_of, verdict_of
from profiler.present.words import detectable, figure, interval, title

_SIDE_BY_SIDE = (
    "instructions", "cycles", "ipc", "branches", "indirect-branches", "branch-misses", "l1d-misses", "l1i-misses",
    "cache-misses", "dtlb-misses", "itlb-misses", "task-clock",
)  # fmt: skip
_POC = (BASELINE, "pyo3", "runmain", f"{BASELINE}+malloc", "pyo3+malloc")
"""The launchers that the PoC asked to see beside each other."""

_BAR = 24
_STATUS = {"confirmed": "red", "refuted": "green", "unresolved": "yellow", "not-tested": "dim"}


def tables(verdict: Verdict, run: Run) -> tuple[Table, ...]:
    """Everything that ``variants`` adds to the tables of ``ipc``."""
    return (
        _side_by_side(verdict),
        *_waterfalls(verdict),
        _causes(verdict),
        _inside(run),
    )


def ladder_and_causes(verdict: Verdict) -> tuple[Table, ...]:
    """For commands with tables of their own."""
    return (*_waterfalls(verdict), _causes(verdict))


def _waterfalls(verdict: Verdict) -> tuple[Table, ...]:
    """Every path of the ladder in every metric."""
    archives = linked_with_archives(verdict)
    return tuple(
        _waterfall(
            path,
            "\n".join(
                filter(
                    None,
                    (
                        about_ladder(path, archives),
                        detectable(verdict.comparisons, [metric], (rung.to for rung in path)),
                    ),
                )
            ),
        )
        for metric in dict.fromkeys(rung.metric for rung in verdict.ladder)
        for path in paths(verdict.ladder, metric)
    )


def _side_by_side(verdict: Verdict) -> Table:
    known = {(c.launcher, c.metric): c for c in verdict.comparisons if c.baseline == BASELINE}
    hosts = [one.name for one in verdict.launchers if one.kind == "user" and one.variant is None]
    names = [name for name in (*_POC, *hosts) if name == BASELINE or (name, "wall") in known]
    table = Table(title="side by side (per iteration)", title_justify="left", title_style="bold")
    table.add_column("metric", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right")
    for metric in _SIDE_BY_SIDE:
        first = known.get((AGAIN, metric))
        cells = [None if first is None else first.baseline_value]
        cells += [_value(known.get((name, metric))) for name in names[1:]]
        table.add_row(title(metric), *(figure(cell) for cell in cells))
    table.caption = detectable(verdict.comparisons, _SIDE_BY_SIDE, names[1:])
    table.caption_justify = "left"
    return table


def _value(comparison: Comparison | None) -> float | None:
    return None if comparison is None else comparison.value


def paths(ladder: tuple[Rung, ...], metric: str) -> list[list[Rung]]:
    """The rungs of one metric, split where a path begins again at the baseline."""
    paths: list[list[Rung]] = []
    for rung in ladder:
        if rung.metric == metric:
            if rung.from_ == BASELINE:
                paths.append([])
            paths[-1].append(rung)
    return paths


def _waterfall(path: list[Rung], note: str) -> Table:
    table = Table(title=f"ladder: {path[0].metric} per iteration", title_justify="left", title_style="bold")
    table.add_column("step", overflow="fold")
    table.add_column("what changes")
    table.add_column("ratio", justify="right", no_wrap=all(rung.orders is None for rung in path), max_width=24)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    shares = [rung.share or 0.0 for rung in path]
    reached = 0.0
    for rung, share in zip(path, shares, strict=True):
        start, end = sorted((reached, reached + share))
        reached += share
        table.add_row(
            f"{rung.from_} → {rung.to}",
            rung.factor,
            ratio_of(rung),
            interval(rung.lo, rung.hi),
            "–" if rung.share is None else f"{rung.share:.1%}",
            _bar(start, end),
        )
    table.caption = note
    table.caption_justify = "left"
    return table


def _bar(start: float, end: float) -> str:
    left = min(_BAR, max(0, round(start * _BAR)))
    length = min(_BAR - left, max(0, round(end * _BAR) - left))
    return " " * left + ("█" * length or "▏")


def _causes(verdict: Verdict) -> Table:
    table = Table(title="causes", title_justify="left", title_style="bold")
    for name in ("launcher", "cause", "verdict", "share", "evidence"):
        table.add_column(name, no_wrap=name in ("launcher", "cause"))
    for name, cause in nested(verdict):
        if cause.status == "not-tested":
            continue
        style = _STATUS[cause.status]
        told = f"[{style}]{verdict_of(cause)}[/{style}]" + (f", {cause.strength}" if cause.strength else "")
        table.add_row(cause.launcher or "", name, told, share_of(cause), escape(cause.evidence))
    untested = sorted({cause.cause for cause in verdict.causes if cause.status == "not-tested"})
    table.caption = f"not tested (the reasons stand in causes.csv): {', '.join(untested)}" if untested else ""
    table.caption_justify = "left"
    return table


def _inside(run: Run) -> Table:
    """Differences of the fingerprints, and whether they can cost per opcode."""
    table = Table(title="what differs inside the processes", title_justify="left", title_style="bold")
    for name in ("launcher", "what", BASELINE, "here", "can it cost per opcode?"):
        table.add_column(name)
    for launcher, what, reference, own, cause in inside(run):
        costs = "no" if cause is None else f"yes: {cause}"
        table.add_row(launcher, what, _short(reference), _short(own), costs)
    return table


def _short(value: object, limit: int = 60) -> str:
    text = escape(str(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"
