"""Over all recorded results: a verdict quotes no ratio that no pair of processes had."""

import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from profiler.analyze.conclude import conclude
from profiler.analyze.costing import costs_of
from profiler.analyze.rows import measured, read_all
from profiler.events import QUEUED
from profiler.folder import load_run
from profiler.model import AGAIN, BASELINE, Cause

RESULTS = Path(__file__).parents[2] / "results"
FOLDERS = sorted(path.parent for path in RESULTS.rglob("run.json"))
JUDGED = [folder for folder in FOLDERS if load_run(folder).command in ("variants", "rebuild")]
"""The commands whose evidence quotes ratios of launchers. ``eliminate`` compares arms, each with its own baseline."""

INTERVAL = re.compile(r"\[[^]]*\]")
RATIO = re.compile(r"(?<![\d.])\d\.\d{4}(?!\d)")


def quoted(cause: Cause) -> Iterator[str]:
    """Ratios in the evidence, and ``without``; bounds of intervals are no ratios of a pair."""
    yield from RATIO.findall(INTERVAL.sub("", cause.evidence))
    if cause.without is not None:
        yield f"{cause.without:.4f}"


def pairs(folder: Path) -> set[str]:
    """The ratio of every launcher to every other in every metric, as geometric means over the blocks that have both.

    The baseline ran twice; its figure is the mean. Also of the part of its time in which a launcher waited for no CPU.
    """
    costs, _ = costs_of(load_run(folder), measured(read_all(folder)))
    table = costs.table.copy()
    if QUEUED in table:
        table["running"] = 1 - table[QUEUED] / table["wall"]
    if {"task-clock", "cycles"} <= set(table.columns):
        table["ns per cycle"] = table["task-clock"] / table["cycles"]
    found = set()
    for metric in table:
        wide = table[metric].unstack("launcher")
        for block, name in costs.apart:
            wide.loc[block, name] = float("nan")
        if AGAIN in wide:
            # A wait is read in each process; only costs are averaged over the baseline's two.
            found |= _ratios(wide) if metric == "running" else set()
            wide[BASELINE] = (wide[BASELINE] + wide[AGAIN]) / 2
        found |= _ratios(wide)
    return found


def _ratios(wide: pd.DataFrame) -> set[str]:
    logs = np.log(wide.where(wide > 0))
    return {
        f"{np.exp(mean):.4f}"
        for one, other in permutations(wide.columns, 2)
        if np.isfinite(mean := (logs[one] - logs[other]).mean())
    }


@pytest.mark.parametrize("folder", JUDGED, ids=lambda folder: str(folder.relative_to(RESULTS)))
def test_every_quoted_ratio_is_that_of_two_launchers(folder: Path) -> None:
    found, measured_pairs = conclude(folder), pairs(folder)
    every = [(cause.cause, one) for cause in found.causes for one in quoted(cause)]
    assert every or not found.causes
    assert [(cause, one) for cause, one in every if one not in measured_pairs] == []
    for rung in found.ladder:
        if rung.ratio is not None and rung.orders is None:
            assert f"{rung.ratio:.4f}" in measured_pairs, rung
        if rung.orders is not None:
            assert rung.orders > 1
            assert {f"{rung.least:.4f}", f"{rung.most:.4f}"} <= measured_pairs


def test_the_home_targets_account_by_order() -> None:
    """Figures that stand in the rows: with direct calls alone 27 % go, with PGO alone 5 %, and the mean is no pair."""
    folder = RESULTS / "rebuild" / "default-int_loop"
    found = {cause.cause: cause for cause in conclude(folder).causes}
    plt, pgo, pic = found["plt"], found["pgo"], found["pic"]
    assert (plt.share, plt.share_least, plt.share_most) == pytest.approx((0.4260, 0.2685, 0.7410), abs=1e-4)
    assert (pgo.share, pgo.share_least, pgo.share_most) == pytest.approx((0.3565, 0.0508, 0.5234), abs=1e-4)
    assert (plt.without, pgo.without) == pytest.approx((1.1459, 1.1933), abs=1e-4)
    assert "between 1.0513 " in plt.evidence
    assert "and 1.1479 " in plt.evidence
    assert "1.0825" not in plt.evidence
    assert "1.0825" not in pairs(folder)
    assert pic.without is None
    assert "cannot go alone" in pic.evidence
    assert {one.part_of for one in (plt, pgo, pic)} == {"eval-loop-image"}
    assert found["eval-loop-image"].share == pytest.approx(sum(one.share or 0.0 for one in (plt, pgo, pic)), abs=1e-9)
