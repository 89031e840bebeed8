"""Over all recorded results: a verdict quotes no ratio that no pair of processes had."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import permutations
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from profiler.analyze.compare import Costs
from profiler.analyze.conclude import conclude
from profiler.analyze.costing import costs_of
from profiler.analyze.rows import measured, read_all
from profiler.catalogue.events import QUEUED
from profiler.folder import load_run
from profiler.model import AGAIN, BASELINE, Cause, Verdict
from tests.recorded import FOLDERS, RESULTS

JUDGED = [folder for folder in FOLDERS if load_run(folder).command in ("variants", "rebuild")]
"""The commands whose evidence quotes ratios of launchers. ``eliminate`` compares arms, each with its own baseline."""

INTERVAL = re.compile(r"\[[^]]*\]|± < \S+")
RATIO = re.compile(r"(?<![\d.])\d\.\d{4}(?!\d)")


def quoted(cause: Cause) -> Iterator[str]:
    """Ratios in the evidence, and ``without``; bounds of intervals are no ratios of a pair."""
    yield from RATIO.findall(INTERVAL.sub("", cause.evidence))
    if cause.without is not None:
        yield f"{cause.without:.4f}"


ALSO = {"frequency": ("clock", "ns per cycle"), "throttling": ("running", "wall")}
"""What is told of causes that take no part of a count."""


@cache
def costs_in(folder: Path) -> Costs:
    found, _ = costs_of(load_run(folder), measured(read_all(folder)))
    table = found.table.copy()
    if QUEUED in table:
        table["running"] = 1 - table[QUEUED] / table["wall"]
    if {"task-clock", "cycles"} <= set(table.columns):
        table["ns per cycle"] = table["task-clock"] / table["cycles"]
    return msgspec.structs.replace(found, table=table)


@cache
def verdict(folder: Path) -> Verdict:
    return conclude(folder)


@cache
def pairs(folder: Path, metric: str) -> frozenset[str]:
    """The ratio of every launcher to every other in ``metric``, as geometric means over the blocks that have both.

    The baseline ran twice; its figure is the mean, but for its waits, which are those of a single process.
    """
    costs = costs_in(folder)
    if metric not in costs.table:
        return frozenset()
    wide = costs.table[metric].unstack("launcher")
    for block, name in costs.apart:
        wide.loc[block, name] = float("nan")
    if AGAIN in wide and metric != "running":
        wide[BASELINE] = (wide[BASELINE] + wide[AGAIN]) / 2
    return frozenset(_ratios(wide))


def _ratios(wide: pd.DataFrame) -> set[str]:
    logs = np.log(wide.where(wide > 0))
    return {
        f"{np.exp(mean):.4f}"
        for one, other in permutations(wide.columns, 2)
        if np.isfinite(mean := (logs[one] - logs[other]).mean())
    }


@pytest.mark.once
@pytest.mark.parametrize("folder", JUDGED, ids=lambda folder: str(folder.relative_to(RESULTS)))
def test_every_quoted_ratio_is_that_of_two_launchers(folder: Path) -> None:
    found = verdict(folder)
    strangers = [
        (cause.cause, one)
        for cause in found.causes
        for one in quoted(cause)
        if not any(one in pairs(folder, metric) for metric in ALSO.get(cause.cause, (cause.metric or "",)))
    ]
    assert strangers == []
    assert any(True for cause in found.causes for _ in quoted(cause)) == bool(found.causes)
    for rung in found.ladder:
        if rung.ratio is not None and rung.orders is None:
            assert f"{rung.ratio:.4f}" in pairs(folder, rung.metric), rung
        if rung.orders is not None:
            assert rung.orders > 1
            assert {f"{rung.least:.4f}", f"{rung.most:.4f}"} <= pairs(folder, rung.metric)


NAMED = re.compile(r"(\d\.\d{4}) (?:\[[^]]*\]|± < \S+|\(exact\)) \((\S+) to (\S+)\)")
ALONE = re.compile(r"alone (\S+) takes (\d\.\d{4}) ")


@pytest.mark.once
@pytest.mark.parametrize(
    "folder", [one for one in JUDGED if "rebuild/default" in str(one)], ids=lambda folder: str(folder.name)
)
def test_a_ratio_of_builds_is_that_of_the_two_that_are_named(folder: Path) -> None:
    """Among fifteen launchers any figure is soon that of some pair."""
    table = costs_in(folder).table["instructions"].unstack("launcher")
    table[BASELINE] = (table[BASELINE] + table[AGAIN]) / 2
    causes = [cause for cause in verdict(folder).causes if cause.share_least is not None]
    assert len(causes) == 3
    for cause in causes:
        named = [(other, one, ratio) for ratio, one, other in NAMED.findall(cause.evidence)]
        named += [(launcher, BASELINE, ratio) for launcher, ratio in ALONE.findall(cause.evidence)]
        assert len(named) == (2 if cause.without is None else 3)
        for other, one, ratio in named:
            assert ratio == f"{np.exp(np.log(table[other] / table[one]).mean()):.4f}"


def test_the_home_targets_account_by_order() -> None:
    """Figures that stand in the rows: with direct calls alone 27 % go, with PGO alone 5 %, and the mean is no pair."""
    folder = RESULTS / "rebuild" / "default-int_loop"
    found = {cause.cause: cause for cause in verdict(folder).causes}
    plt, pgo, pic = found["plt"], found["pgo"], found["pic"]
    assert (plt.share, plt.share_least, plt.share_most) == pytest.approx((0.4260, 0.2685, 0.7410), abs=1e-4)
    assert (pgo.share, pgo.share_least, pgo.share_most) == pytest.approx((0.3565, 0.0508, 0.5234), abs=1e-4)
    assert (plt.without, pgo.without) == pytest.approx((1.1459, 1.1933), abs=1e-4)
    assert "between 1.0513 " in plt.evidence
    assert "and 1.1479 " in plt.evidence
    assert "1.0825" not in plt.evidence
    assert pic.without is None
    assert "cannot go alone" in pic.evidence
    assert {one.part_of for one in (plt, pgo, pic)} == {"eval-loop-image"}
    assert found["eval-loop-image"].share == pytest.approx(sum(one.share or 0.0 for one in (plt, pgo, pic)), abs=1e-9)
