"""Figures of a result folder, as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.folder import write_result
from profiler.model import AGAIN, BASELINE, Comparison, Rung, Verdict
from profiler.present import extra
from profiler.present.words import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"slower": "#b3261e", "faster": "#1b7f3b", "same": "#444444", "unresolved": "#c28a00"}
_WIDEST = 3.0
"""Ratios beyond this (rare misses) would squeeze everything else; they stay in the table."""


def write(folder: Path, verdict: Verdict) -> tuple[str, ...]:
    """Draw the ratios of every launcher with their intervals, and the ladder as a waterfall where there is one.

    Commands with an answer of their own have their own pictures instead.

    Returns:
        The files written, relative to ``folder``.

    Raises:
        MachineError: the folder cannot be written to.
    """
    besides = _save_all(folder, extra.pictures_besides(verdict))
    own = _save_all(folder, extra.pictures(verdict))
    if own:
        return own + besides
    steps = _steps(verdict.ladder)
    # Toggles and rungs would bury the launchers that matter; they stand in the tables.
    main = [one.name for one in verdict.launchers if one.variant is None] + [AGAIN]
    shown = [
        c
        for c in verdict.comparisons
        if c.baseline == BASELINE and c.launcher in main
        if c.ratio is not None and c.lo is not None and c.hi is not None
        if c.hi < _WIDEST and c.lo > 0
    ]
    written = _save(folder, "ratios", _ratios(shown, verdict)) if shown else ()
    return written + (_save(folder, "waterfall", _waterfall(steps, verdict)) if steps else ()) + besides


def _save_all(folder: Path, drawn: dict[str, Callable[[Axes], None]]) -> tuple[str, ...]:
    return tuple(path for name, draw in drawn.items() for path in _save(folder, name, _drawing(draw)))


def _save(folder: Path, name: str, drawing: Figure) -> tuple[str, ...]:
    from matplotlib import rc_context

    data = io.BytesIO()
    # Without a date and with a salt of our own for the ids, the same rows give the same file; letters as letters.
    with rc_context({"svg.hashsalt": "tax-probe", "svg.fonttype": "none"}):
        drawing.savefig(data, format="svg", metadata={"Date": None})
    path = f"figures/{name}.svg"
    write_result(folder, path, data.getvalue())
    return (path,)


def _blank(height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(8, height), layout="constrained")
    FigureCanvasAgg(drawing)
    return drawing, drawing.subplots()


def _drawing(draw: Callable[[Axes], None]) -> Figure:
    drawing, axes = _blank(5.5)
    draw(axes)
    return drawing


def _ratios(shown: list[Comparison], verdict: Verdict) -> Figure:
    drawing, axes = _blank(1.2 + 0.28 * len(shown))
    for y, comparison in enumerate(reversed(shown)):
        _bar(axes, y, comparison)
    axes.axvline(1.0, color="#888888", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [_label(c) for c in reversed(shown)], fontsize=8)
    axes.set_xlabel(f"ratio to {BASELINE} per iteration, 95 % interval ({verdict.source}, {verdict.workload.name})")
    axes.grid(axis="x", linewidth=0.3)
    return drawing


def _steps(ladder: tuple[Rung, ...]) -> list[Rung]:
    """The first path of the first metric."""
    path: list[Rung] = []
    for rung in ladder:
        if path and (rung.from_ == BASELINE or rung.metric != path[0].metric):
            break
        path.append(rung)
    return path if all(rung.ratio is not None for rung in path) else []


def _waterfall(steps: list[Rung], verdict: Verdict) -> Figure:
    drawing, axes = _blank(1.5 + 0.45 * len(steps))
    reached = 1.0
    for y, rung in enumerate(steps):
        assert rung.ratio is not None
        after = reached * rung.ratio
        axes.barh(-y, after - reached, left=reached, color=_COLOURS["slower" if after >= reached else "faster"])
        axes.text(max(after, reached), -y, f"  {rung.ratio - 1:+.2%}", va="center", fontsize=8)
        reached = after
    axes.barh(-len(steps), reached - 1, left=1.0, color=_COLOURS["same"])
    axes.text(reached, -len(steps), f"  {reached - 1:+.2%}", va="center", fontsize=8)
    labels = [f"{rung.from_} → {rung.to}\n{rung.factor}{_mean(rung)}" for rung in steps] + [
        f"{BASELINE} → {steps[-1].to}"
    ]
    axes.set_yticks([-y for y in range(len(labels))], labels, fontsize=7)
    axes.axvline(1.0, color="#888888", linewidth=0.8)
    axes.use_sticky_edges = False
    axes.margins(x=0.12)
    axes.set_xlabel(f"{steps[0].metric} per iteration, ratio to {BASELINE} ({verdict.source}, {verdict.workload.name})")
    return drawing


def _mean(rung: Rung) -> str:
    if rung.orders is None or rung.least is None or rung.most is None:
        return ""
    return f" (mean over {rung.orders} orders, {rung.least - 1:+.2%} to {rung.most - 1:+.2%})"


def _bar(axes: Axes, y: int, comparison: Comparison) -> None:
    assert comparison.ratio is not None
    assert comparison.lo is not None
    assert comparison.hi is not None
    axes.errorbar(
        comparison.ratio,
        y,
        xerr=[[comparison.ratio - comparison.lo], [comparison.hi - comparison.ratio]],
        fmt="o",
        markersize=4,
        capsize=3,
        color=_COLOURS[comparison.verdict],
    )


def _label(comparison: Comparison) -> str:
    who = "A/A" if comparison.launcher == AGAIN else comparison.launcher
    return f"{who}: {title(comparison.metric)}"
