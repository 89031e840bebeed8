"""From the baseline to the embedder in steps."""

from __future__ import annotations

from collections.abc import Container, Sequence

from profiler.analyze.numbers import pair, share
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Rung, Verdict
from profiler.present.section import Section
from profiler.present.table import Bar, Table, columns, filled, notes
from profiler.present.words import detectable, exact_metrics


def section(verdict: Verdict) -> Section:
    """Every path of the ladder in every metric."""
    tables = tuple(
        _steps(verdict, metric, path)
        for metric in dict.fromkeys(rung.metric for rung in verdict.ladder)
        for path in _paths(verdict.ladder, metric)
    )
    return Section(title="Ladder", tables=tables)


def _paths(ladder: Sequence[Rung], metric: str) -> list[list[Rung]]:
    """The rungs of one metric, split where a path begins again at the baseline."""
    paths: list[list[Rung]] = []
    for rung in ladder:
        if rung.metric == metric:
            if rung.from_ == BASELINE:
                paths.append([])
            paths[-1].append(rung)
    return paths


def _steps(verdict: Verdict, metric: str, path: Sequence[Rung]) -> Table:
    exact = metric in exact_metrics(verdict)
    # Their link has no LTO across the modules of the archive.
    archives = {launcher.name for launcher in verdict.launchers if launcher.link in ("static", "pic")}
    reached, bars = 0.0, []
    for rung in path:
        start, end = sorted((reached, reached + (rung.share or 0.0)))
        reached += rung.share or 0.0
        bars.append(Bar(start=start, end=end))
    return filled(
        Table(
            title=f"ladder: {title(metric)} per iteration",
            columns=(
                *columns("word", "step", "what changes"),
                *columns("ratio", "ratio"),
                *columns("interval", "95 % interval", "by order"),
                *columns("share", "share"),
                *columns("bar", ""),
            ),
            rows=tuple(
                (
                    f"{rung.from_} → {rung.to}",
                    rung.factor,
                    *pair(rung.ratio, rung.lo, rung.hi, exact=exact),
                    "" if rung.least is None or rung.most is None else f"{rung.least:.4f} to {rung.most:.4f}",
                    share(rung.share),
                    bar,
                )
                for rung, bar in zip(path, bars, strict=True)
            ),
            notes=notes(*_about(path, archives), detectable(verdict.comparisons, [metric], {rung.to for rung in path})),
        )
    )


def _about(path: Sequence[Rung], archives: Container[str]) -> list[str]:
    """What a reader of these steps must know; empty where nothing is."""
    said = []
    drops = [at for at, rung in enumerate(path, 1) if rung.from_ not in archives and rung.to in archives]
    restores = [at for at, rung in enumerate(path, 1) if rung.from_ in archives and rung.to not in archives]
    if drops and restores:
        said.append(
            "the link with an archive (.a, -pic.a) has no LTO across its modules and the shared library has it again, "
            f"so steps {drops[0]} and {restores[0]} contain it both ways"
        )
    orders = next((rung.orders for rung in path if rung.orders is not None), None)
    if orders is not None:
        said.append(
            f"the ratio of a build option is a mean over {orders} orders in which the options can be met: no two "
            "builds have it; by order: the least and the most of the measured pairs"
        )
    return said
