"""What each block says, beside the mean that a verdict is made of."""

from __future__ import annotations

from profiler.analyze.compare import Costs, paired
from profiler.catalogue.metrics import HEADLINE
from profiler.model import Comparison, Noun


class Points(Noun, frozen=True, kw_only=True):
    """One comparison, block by block."""

    baseline: str
    launcher: str
    metric: str
    blocks: tuple[int, ...]
    base: tuple[float, ...]
    """Cost per iteration of the baseline in each of ``blocks``, in the unit of the metric."""
    here: tuple[float, ...]
    """The launcher's."""

    @property
    def ratios(self) -> tuple[float, ...]:
        """``here`` ÷ ``base`` in each block; without blocks where the baseline took nothing."""
        return tuple(there / base for base, there in zip(self.base, self.here, strict=True) if base > 0)


def block_points(costs: Costs, comparisons: tuple[Comparison, ...]) -> tuple[Points, ...]:
    """Of those comparisons that answer the question (``HEADLINE``) and have a ratio."""
    return tuple(
        _points(costs, comparison)
        for comparison in comparisons
        if comparison.metric in HEADLINE and comparison.ratio is not None
    )


def _points(costs: Costs, comparison: Comparison) -> Points:
    both = paired(costs, comparison.baseline, comparison.launcher, comparison.metric)
    return Points(
        baseline=comparison.baseline,
        launcher=comparison.launcher,
        metric=comparison.metric,
        blocks=tuple(int(block) for block in both.index),
        base=tuple(both["base"].tolist()),
        here=tuple(both["other"].tolist()),
    )
