"""The table of a command that asks a question of its own: combinations, sweep, suspects."""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.numbers import digits, share, told
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Comparison, Verdict
from profiler.model.amortization import Amortization
from profiler.model.factorial import Built, cell_name
from profiler.model.option_effects import Rebuilding
from profiler.model.suspects import Eliminated, Suspects
from profiler.model.verdict import part
from profiler.present import drilldown_tables, statement_tables
from profiler.present.forest import axis_of, ratio_of
from profiler.present.table import Cell, Column, Lane, Mark, Table, Tone, columns
from profiler.present.whom import against_baseline, subjects
from profiler.present.words import exact_metrics, verdict_mark

_MOST_ROWS = 12
_LEVELS = {
    "pgo": "PGO", "no-pgo": "no PGO", "lto": "LTO", "no-lto": "no LTO", "direct": "direct calls",
    "general-dynamic": "general-dynamic TLS", "initial-exec": "initial-exec TLS", "no-usdt": "no USDT", "usdt": "USDT",
    "bare": "not hardened", "whole": "LTO as a whole", "gnu2": "TLS descriptors", "gnu": "__tls_get_addr",
}  # fmt: skip
"""Levels of a plan for people; those that are missing stand as they are."""
STATUS: dict[str, tuple[str, Tone]] = {
    "confirmed": ("comes from it", "worse"),
    "refuted": ("not from it", "plain"),
    "unresolved": ("not decided", "open"),
    "not-tested": ("not tested", "faint"),
}


def tables(verdict: Verdict) -> tuple[Table, ...]:
    """Nothing where the command only compares."""
    return (
        *_combinations(verdict),
        *_sweep(verdict),
        *_suspects(verdict),
        *drilldown_tables.tables(verdict),
        *statement_tables.tables(verdict),
    )


def _combinations(verdict: Verdict) -> Iterator[Table]:
    found = part(verdict, Rebuilding)
    if found is None:
        return
    metric = "instructions"
    shipped = found.rebuilt.plan.reproduces
    rows: list[tuple[str, str, Comparison, str]] = []
    for build in found.rebuilt.built:
        known = against_baseline(verdict, build.launcher).get(metric)
        if known is not None:
            host = build.launcher.partition("@")[0]
            rows.append((host, _options(build), known, "as shipped" if _is(build, shipped.get(build.kind)) else ""))
    host = subjects(verdict)[0]
    embedder = against_baseline(verdict, host).get(metric)
    if embedder is not None:
        rows.append((host, "the distribution's own library", embedder, "shipped"))
    if not rows:
        return
    rows.sort(key=lambda row: -(row[2].ratio or 0.0))
    shown = rows if len(rows) <= _MOST_ROWS else [*rows[: _MOST_ROWS // 2], *rows[-(_MOST_ROWS // 2) :]]
    bounds = (bound for row in shown for bound in (row[2].lo, row[2].ratio, row[2].hi) if bound is not None)
    axis = axis_of(bounds)
    yield Table(
        title=f"{title(metric)} ÷ {BASELINE}",
        columns=(
            *columns("name", "program", "built with"),
            *columns("ratio", f"÷ {BASELINE}"),
            *columns("interval", ""),
            Column(title="", kind="lane", axis=axis),
            Column(title="", kind="verdict", spare=True),
        ),
        rows=tuple(_combination(*row) for row in shown),
        notes=(f"{len(rows) - len(shown)} more between them: -v",) if len(shown) < len(rows) else (),
    )


def _combination(host: str, options: str, comparison: Comparison, note: str) -> tuple[Cell, ...]:
    ratio, mark = ratio_of(comparison), verdict_mark(comparison)
    lane = Lane(value=comparison.ratio, lo=comparison.lo, hi=comparison.hi, tone=mark.tone)
    return host, options, ratio.ratio, ratio.spread, lane, note


def _options(built: Built) -> str:
    return options(cell_name(built.levels))


def options(levels: str) -> str:
    """``no PGO, LTO, shared, direct calls`` of ``no-pgo,lto,shared,direct``."""
    return ", ".join(_LEVELS.get(level, level) for level in levels.split(","))


def _is(built: Built, levels: dict[str, str] | None) -> bool:
    return levels is not None and built.levels == levels


def _sweep(verdict: Verdict) -> Iterator[Table]:
    found = part(verdict, Amortization)
    if found is None:
        return
    base = {point.m: point for point in found.points if point.launcher == BASELINE}
    rows: list[tuple[Cell, ...]] = []
    last = ""
    points = [point for point in found.points if point.launcher != BASELINE]
    axis = axis_of(bound for p in points for bound in (p.ratio_lo, p.ratio, p.ratio_hi) if bound is not None)
    for point in points:
        ratio = told(point.ratio, point.ratio_lo, point.ratio_hi)
        tone: Tone = _toned(point.ratio_lo, point.ratio_hi)
        rows.append(
            (
                "" if point.launcher == last else point.launcher,
                f"{point.m:,}",
                _ms(base[point.m].wall_ms),
                _ms(point.wall_ms),
                ratio.ratio,
                ratio.spread,
                Lane(value=point.ratio, lo=point.ratio_lo, hi=point.ratio_hi, tone=tone),
                _speed(tone),
            )
        )
        last = point.launcher
    yield Table(
        title="the whole process, start to end",
        columns=(
            *columns("name", "whole process"),
            *columns("figure", "M"),
            Column(title=f"{BASELINE}", kind="figure", spare=True),
            Column(title="here", kind="figure", spare=True),
            *columns("ratio", f"÷ {BASELINE}"),
            *columns("interval", ""),
            Column(title="", kind="lane", axis=axis),
            *columns("verdict", ""),
        ),
        rows=tuple(rows[:20]),
        groups=True,
    )
    if found.savings:
        yield _savings(found)


def _savings(found: Amortization) -> Table:
    crossings = {crossing.launcher: crossing for crossing in found.crossover}
    rows: list[tuple[Cell, ...]] = []
    for saving in found.savings:
        crossing = crossings.get(saving.launcher)
        rows.append(
            (
                saving.launcher,
                _range(saving.saving_ms, saving.saving_ms_lo, saving.saving_ms_hi, "ms"),
                "" if saving.tax is None else digits(1 + saving.tax),
                ""
                if saving.tax_lo is None or saving.tax_hi is None
                else f"{1 + saving.tax_lo:.2f} to {1 + saving.tax_hi:.2f}",
                "" if crossing is None else _crossing(crossing.status, crossing.work_ms),
                "" if crossing is None else _range(None, crossing.work_ms_lo, crossing.work_ms_hi, "ms"),
            )
        )
    return Table(
        title="what a launch saves, and what the work costs more",
        columns=(
            *columns("name", ""),
            *columns("interval", "saved at start-up"),
            *columns("ratio", f"work ÷ {BASELINE}"),
            *columns("interval", ""),
            *columns("ratio", "pays up to"),
            *columns("interval", ""),
        ),
        rows=tuple(rows),
    )


def _crossing(status: str, work_ms: float | None) -> str:
    return status if work_ms is None else f"{work_ms:.3g} ms"


def _range(value: float | None, lo: float | None, hi: float | None, unit: str) -> str:
    middle = "" if value is None else f"{value:.3g} {unit}"
    around = "" if lo is None or hi is None else f"{lo:.3g} to {hi:.3g}" + ("" if middle else f" {unit}")
    return f"{middle} ({around})" if middle and around else middle or around


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f} ms"


def _toned(lo: float | None, hi: float | None) -> Tone:
    if lo is None or hi is None or lo <= 1 <= hi:
        return "open"
    return "worse" if lo > 1 else "better"


def _speed(tone: Tone) -> Mark:
    words = {"worse": "slower", "better": "faster"}
    return Mark(text=words.get(tone, "not decided"), tone=tone)


def _suspects(verdict: Verdict) -> Iterator[Table]:
    found = part(verdict, Suspects)
    if found is None:
        return
    first: dict[tuple[str, str], Eliminated] = {}
    for eliminated in found.eliminations:
        first.setdefault((eliminated.launcher, eliminated.elimination), eliminated)
    exact = exact_metrics(verdict)
    yield Table(
        title="each suspect, removed",
        columns=(
            *columns("name", "suspect", ""),
            *columns("ratio", "before"),
            *columns("interval", ""),
            *columns("ratio", "after"),
            *columns("interval", ""),
            *columns("share", "of the tax"),
            *columns("verdict", ""),
        ),
        rows=tuple(_suspect(eliminated, exact=eliminated.metric in exact) for eliminated in first.values()),
        notes=("before, after: ratio to python3 with and without the suspect, in the metric that decides",),
    )


def _suspect(eliminated: Eliminated, *, exact: bool) -> tuple[Cell, ...]:
    before = told(eliminated.before, eliminated.before_lo, eliminated.before_hi, exact=exact)
    after = told(eliminated.after, eliminated.after_lo, eliminated.after_hi, exact=exact)
    word, tone = STATUS[eliminated.status]
    part_ = share(eliminated.share) if eliminated.status != "unresolved" else ""
    mark = Mark(text=word, tone=tone)
    return (
        eliminated.elimination,
        title(eliminated.metric),
        before.ratio,
        before.spread,
        after.ratio,
        after.spread,
        part_,
        mark,
    )
