"""When a run that goes on until its interval is narrow may stop, and how long it will still take."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.analyze.costing import costs_as_measured
from profiler.analyze.effects import logs
from profiler.analyze.rows import read_rows, turns
from profiler.analyze.stats import LEAST_SEQUENTIAL_BLOCKS, SEQUENTIAL_LEVEL, mean_intervals, t_half_width
from profiler.analyze.variance import best_turns
from profiler.model import Run, Standing

if TYPE_CHECKING:
    import numpy as np

    from profiler.analyze.stats import Floats

_LEAST_BLOCKS = 3
_MARGIN_OF_FEW = 10.0
"""Fewer blocks than ``LEAST_SEQUENTIAL_BLOCKS`` suffice if the interval is so many times too narrow: for counts."""
_LOOKS_AHEAD = 0.8
"""With so many of the needed blocks done, look after each; before, looking costs time and says nothing new."""


def half_widths(samples: Floats) -> Floats:
    """The larger half of the interval of each row's mean, shape (experiments, blocks), for a run that stops by it."""
    import numpy as np

    centre = samples.mean(axis=-1)
    lo, hi = mean_intervals(samples, confidence=SEQUENTIAL_LEVEL)
    half: Floats = np.maximum(hi - centre, centre - lo)
    return half


def narrow(samples: Floats, half_width: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which experiments may stop: rows of log ratios, shape (experiments, blocks); ``half_width`` is relative.

    The cheap interval first: the other one only widens it.
    """
    import numpy as np

    blocks = samples.shape[-1]
    asked = math.log1p(half_width)
    if blocks < LEAST_SEQUENTIAL_BLOCKS:
        asked /= _MARGIN_OF_FEW
    may = np.zeros(samples.shape[0], dtype=bool)
    if blocks >= _LEAST_BLOCKS:
        may = t_half_width(samples, confidence=SEQUENTIAL_LEVEL) <= asked
        may[may] = half_widths(samples[may]) <= asked
    return may


class PrecisionWatch:
    """Looks at a growing result folder: does it stand where it should?"""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next_look = _LEAST_BLOCKS
        self._last = Standing(reached=False, text="", blocks_needed=None, turns=None)

    def __call__(self, run: Run, blocks: int) -> Standing:
        """Where the run stands after so many blocks."""
        if blocks >= self._next_look:
            self._last = self._look(run)
            needed = self._last.blocks_needed or 0
            self._next_look = max(blocks + 1, min(math.ceil(_LOOKS_AHEAD * needed), 2 * blocks))
        return self._last

    def _look(self, run: Run) -> Standing:
        import numpy as np

        asked = run.plan.precision
        assert asked is not None
        frame = read_rows(self._folder)
        costs, _ = costs_as_measured(run, frame)
        found = {name: logs(costs, costs.roles.baseline, name, asked.metric).to_numpy() for name in judged(run)}
        found = {name: values for name, values in found.items() if len(values) >= _LEAST_BLOCKS}
        if not found:
            return Standing(reached=False, text=f"no {asked.metric} yet", blocks_needed=None, turns=None)
        widths = {name: float(half_widths(values[np.newaxis])[0]) for name, values in found.items()}
        widest = max(widths, key=lambda name: widths[name])
        values = found[widest]
        ratio, half = math.exp(values.mean()), math.expm1(widths[widest])
        needed = math.ceil(len(values) * (widths[widest] / math.log1p(asked.half_width)) ** 2)
        return Standing(
            reached=all(bool(narrow(values[np.newaxis], asked.half_width)[0]) for values in found.values()),
            text=f"{widest} {ratio:.4f} ± {half:.2%}",
            blocks_needed=max(LEAST_SEQUENTIAL_BLOCKS, needed),
            turns=best_turns(turns(frame), frame, asked.metric),
        )


def judged(run: Run) -> tuple[str, ...]:
    """Whose intervals must be narrow: every launcher but the baseline, and its twin only where there is no other."""
    others = [launcher.name for launcher in run.plan.launchers if launcher.role not in {"baseline", "twin"}]
    return tuple(others) or tuple(launcher.name for launcher in run.plan.launchers if launcher.role == "twin")
