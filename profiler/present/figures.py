"""Figures of a result folder, each as SVG and PNG."""

from __future__ import annotations

import io
from pathlib import Path

from profiler.folder import write_result
from profiler.model import AGAIN, BASELINE, Comparison, Verdict
from profiler.present.terminal import title

_COLOURS = {"slower": "#b3261e", "faster": "#1b7f3b", "same": "#444444", "unresolved": "#c28a00"}
_WIDEST = 3.0
"""Ratios beyond this (rare misses) would squeeze everything else; they stay in the table."""


def write(folder: Path, verdict: Verdict) -> tuple[str, ...]:
    """Draw the ratios of every launcher with their intervals.

    Returns:
        The files written, relative to ``folder``.

    Raises:
        MachineError: the folder cannot be written to.
    """
    shown = [
        c
        for c in verdict.comparisons
        if c.baseline == BASELINE and c.ratio is not None and c.lo is not None and c.hi is not None
        if c.hi < _WIDEST and c.lo > 0
    ]
    if not shown:
        return ()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(8, 1.2 + 0.28 * len(shown)), layout="constrained")
    FigureCanvasAgg(drawing)
    axes = drawing.subplots()
    for y, comparison in enumerate(reversed(shown)):
        _bar(axes, y, comparison)
    axes.axvline(1.0, color="#888888", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [_label(c) for c in reversed(shown)], fontsize=8)
    axes.set_xlabel(f"ratio to {BASELINE} per iteration, 95 % interval ({verdict.source}, {verdict.workload.name})")
    axes.grid(axis="x", linewidth=0.3)
    written = []
    for kind in ("svg", "png"):
        data = io.BytesIO()
        # Without a date the same rows give the same file.
        drawing.savefig(data, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
        name = f"figures/ratios.{kind}"
        write_result(folder, name, data.getvalue())
        written.append(name)
    return tuple(written)


def _bar(axes: object, y: int, comparison: Comparison) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
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
