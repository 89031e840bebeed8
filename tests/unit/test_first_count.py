"""The first count of a run, and how long the rest will take."""

import gzip
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profiler.analyze.first_figure import first_figure
from profiler.analyze.points import Points
from profiler.collect.pace import Pace
from profiler.collect.request import Request
from profiler.collect.session import _run_blocks
from profiler.commands.measuring import _budget
from profiler.folder import load_run
from profiler.model import Block, Step
from profiler.plan.studies import STUDIES
from tests.recorded import RESULTS


def begun(folder: Path, *launchers: str) -> Path:
    """A folder in which these launchers were counted in the first block, and nothing else happened."""
    recorded = RESULTS / "ipc-int_loop"
    shutil.copy(recorded / "run.json.gz", folder)
    header, *lines = gzip.decompress((recorded / "rows.csv.gz").read_bytes()).decode().splitlines(keepends=True)
    at = header.strip().split(",").index("launcher")
    own = [line for line in lines if line.startswith("0,") and line.split(",")[at] in launchers]
    (folder / "rows.csv").write_text(header + "".join(own))
    return folder


def test_two_launchers_are_enough(tmp_path: Path) -> None:
    told = first_figure(load_run(begun(tmp_path, "python3", "pyo3")), tmp_path)
    assert told is not None
    assert told.startswith(
        "first count: pyo3 executes 1.205 times the instructions of python3 on int_loop (1,128 ÷ 936.4"
    )


@pytest.mark.parametrize("launchers", [("python3",), ("pyo3",), ("python3", "python3-again")])
def test_what_is_not_there_yet_is_not_told(tmp_path: Path, launchers: tuple[str, ...]) -> None:
    assert first_figure(load_run(begun(tmp_path, *launchers)), tmp_path) is None


def test_counts_that_scatter_are_no_first_figure(tmp_path: Path) -> None:
    run = load_run(begun(tmp_path, "python3", "pyo3"))
    plan = msgspec.structs.replace(run.plan, source="hardware")
    assert first_figure(msgspec.structs.replace(run, plan=plan), tmp_path) is None


def test_ratios_of_blocks_leave_out_what_took_nothing() -> None:
    points = Points(
        baseline="python3", launcher="pyo3", metric="wall", blocks=(0, 1, 2), base=(2.0, 0.0, 4.0), here=(3.0, 1.0, 5.0)
    )
    assert points.ratios == (1.5, 1.25)


def step(pass_name: str) -> Step:
    return Step(block=0, position=0, pass_name=pass_name, launcher="pyo3", m=1, repetition=0)


def test_the_pace_of_each_pass_tells_what_is_left() -> None:
    now = iter([0.0, 10.0, 20.0, 21.0, 22.0, 22.0])
    pace = Pace(clock=lambda: next(now))
    for name in ("slow", "slow", "quick", "quick"):
        pace.step(step(name))
    assert pace.expected([step("slow"), step("quick"), step("quick")]) == pytest.approx(12.0)
    assert pace.expected([step("never seen")]) == pytest.approx(22 / 4)
    assert pace.spent == 22.0


class Quiet:
    """Measures nothing, and is told about it."""

    def __init__(self) -> None:
        self.blocks: list[int] = []

    def run_block(self, block: Block, *_: object) -> None:
        self.blocks.append(block.index)

    def start(self, *_: object) -> None: ...

    def step(self, *_: object) -> None: ...

    def block(self, *_: object) -> None: ...


@pytest.mark.parametrize(("budget_s", "least", "measured"), [(0.0, 1, 1), (0.0, 2, 2), (None, 1, 6)])
def test_a_budget_is_kept_but_for_the_blocks_that_an_interval_takes(
    budget_s: float | None, least: int, measured: int
) -> None:
    bench: Any = Quiet()
    run = load_run(RESULTS / "ipc-int_loop")
    for _ in _run_blocks(bench, run, set(), bench, budget_s=budget_s, least_blocks=least, progress=bench):
        pass
    assert bench.blocks == list(range(measured))


def test_only_where_nobody_said_how_much_the_study_has_its_own_budget() -> None:
    run, study = load_run(RESULTS / "ipc-int_loop"), STUDIES["ipc"]
    assert _budget(Request(), run) == study.budget_s["callgrind"]
    assert _budget(Request(budget=5.0), run) == 5.0
    assert _budget(Request(blocks=6), run) is None
    assert _budget(Request(precision=0.5), run) is None
    assert _budget(Request(), msgspec.structs.replace(run, command="variants")) is None
