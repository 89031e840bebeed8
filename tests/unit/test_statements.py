"""Statements by differences: planted costs are found exactly, and the claim is judged by them."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.conclude import analyse
from profiler.analyze.statement_ratios import statement_claim, statement_costs
from profiler.catalogue.events import BY_NAME
from profiler.catalogue.statement_list import FEW, FORM, MANY, STATEMENTS
from profiler.collect.request import checked
from profiler.errors import UsageError
from profiler.folder import new_folder
from profiler.model import Regions, Step, Verdict, Whole, Workload
from profiler.model.statement_costs import StatementCost
from profiler.plan.schedule import make_plan
from profiler.plan.statement_forms import statement_pass
from profiler.plan.studies import STUDIES
from profiler.present.statement_tables import as_line
from profiler.present.view import view
from profiler.sources.callgrind import CallgrindSource
from profiler.sources.software import SoftwareSource
from profiler.workloads import SINGLE_STATEMENTS, find_workload
from tests.builders import launcher
from tests.unit.simulated import folder_of

COMMAND = "opcodes --statements"
COSTS = {"x = a": (10.0, 12.0), "x = b": (100.0, 119.0), "x = c": (40.0, 60.0), "x = d": (50.0, 50.0)}
"""Instructions of an execution in python3 and in pyo3."""
STARTUP, LOOP, BEFORE = 5e6, 77.0, 901.0
WORKLOAD = Workload(
    name="statements", path="/w.py", counts_m=(100, 300), timed_m=(1000, 5000), arguments=("4", "12", *COSTS)
)


def taken(step: Step, side: int) -> float:
    """What a process takes: the start-up, what a form has before its loop, the loop, and the statements in it."""
    form, iterations = divmod(step.m, FORM)
    each = [pair[side] for pair in COSTS.values()]
    if form == 0:
        return STARTUP + BEFORE + iterations * (LOOP + sum(each))
    often = (4, 12)[(form - 1) % 2]
    return STARTUP + BEFORE * form + iterations * (LOOP + often * each[(form - 1) // 2])


def folder(tmp_path: Path, event: str = "instructions", *, noise: float = 0.0, blocks: int = 2) -> Path:
    offered = (
        Whole(name="times", events=("wall",), m=(1, 2), exclusive=True, repetitions=3, blocks=(0, 1)),
        Whole(name="counted", events=(event,), m=(1, 2), exclusive=True, repetitions=3, blocks=(0, 1)),
    )
    pass_ = statement_pass(WORKLOAD, offered[event != "instructions" :], regions=False)
    plan = make_plan(
        seed=5, source="callgrind", workload=WORKLOAD, launchers=(launcher("python3"), launcher("pyo3")),
        passes=(pass_,), blocks=blocks,
    )  # fmt: skip

    def truth(step: Step, workload: str, before: int) -> dict[str, float]:
        odd = noise * step.block * (step.m % FORM) * ((step.m // FORM + 1) % 2) if step.m >= FORM else 0.0
        return {event: taken(step, int(step.launcher == "pyo3")) + odd}

    return folder_of(tmp_path, plan, COMMAND, truth, source="callgrind")


def costs_of(verdict: Verdict, name: str) -> dict[str, StatementCost]:
    assert verdict.statements is not msgspec.UNSET
    return {row.statement: row for row in verdict.statements if row.launcher == name}


def test_what_a_statement_costs_is_free_of_the_loop_and_of_the_start_up(tmp_path: Path) -> None:
    verdict = analyse(folder(tmp_path)).verdict
    found = costs_of(verdict, "pyo3")
    assert {name: (row.baseline_value, row.value) for name, row in found.items()} == {
        name: pytest.approx(pair) for name, pair in COSTS.items()
    }
    assert found["x = b"].ratio == pytest.approx(1.19)
    assert (found["x = b"].lo, found["x = b"].hi) == pytest.approx((1.19, 1.19))
    assert {row.ratio for row in costs_of(verdict, "python3-again").values()} == {1.0}


def test_the_comparison_is_of_the_loop_with_all_of_them(tmp_path: Path) -> None:
    compared = next(c for c in analyse(folder(tmp_path)).verdict.comparisons if c.launcher == "pyo3")
    assert compared.metric == "instructions"
    assert compared.baseline_value == pytest.approx(LOOP + sum(base for base, _ in COSTS.values()))
    assert compared.value == pytest.approx(LOOP + sum(here for _, here in COSTS.values()))


def test_a_range_goes_over_blocks(tmp_path: Path) -> None:
    """Eight of both sides in the second block: 18 and 20 of 10 and 12."""
    row = costs_of(analyse(folder(tmp_path, noise=64.0)).verdict, "pyo3")["x = a"]
    assert (row.baseline_value, row.value) == pytest.approx((14.0, 16.0))
    assert (row.lo, row.hi) == pytest.approx((20 / 18, 12 / 10))
    assert row.ratio == pytest.approx(16 / 14)


def test_the_claim_is_judged_by_the_ratios(tmp_path: Path) -> None:
    verdict = analyse(folder(tmp_path)).verdict
    assert verdict.statement_claims is not msgspec.UNSET
    (claim,) = [one for one in verdict.statement_claims if one.launcher == "pyo3"]
    assert (claim.statements, claim.inside, claim.least, claim.most) == (4, 2, pytest.approx(1.0), pytest.approx(1.5))
    assert claim.quartiles == pytest.approx((1.1425, 1.195, 1.275))
    shown = view(analyse(tmp_path))
    assert shown.headline[0] == (
        "No: of 4 statements 2 cost 1.18 to 1.20 times as much in pyo3; they go from 1.000 to 1.500 times python3's "
        "instructions, quartiles 1.143, 1.195 and 1.275."
    )
    assert verdict.sentence == shown.headline[0]
    (table,) = shown.tables
    assert [row[0] for row in table.rows] == [
        "x = c", "x = a", "x = b", "x = d", "upper quartile", "median", "lower quartile",
    ]  # fmt: skip
    assert shown.next is not None
    assert shown.next[0] == "tax-probe opcodes"


def test_the_baseline_alone_is_told_against_itself(tmp_path: Path) -> None:
    analysis = analyse(folder(tmp_path))
    alone = tuple(one for one in analysis.verdict.launchers if one.name == "python3")
    shown = view(dataclasses.replace(analysis, verdict=msgspec.structs.replace(analysis.verdict, launchers=alone)))
    assert shown.headline == ("Each of 4 statements costs as much in python3-again as in python3.",)
    assert [row[1] for row in shown.tables[0].rows][:4] == [row[2] for row in shown.tables[0].rows][:4]


def test_without_counts_it_is_cpu_time(tmp_path: Path) -> None:
    found = analyse(folder(tmp_path, "task-clock")).verdict
    assert {row.metric for row in costs_of(found, "pyo3").values()} == {"task-clock"}
    assert "python3's CPU time" in view(analyse(tmp_path)).headline[0]


def test_a_cost_that_is_noise_has_no_ratio() -> None:
    import pandas as pd

    rows = [
        {"block": 0, "repetition": 0, "kind": "whole", "launcher": name, "event": "instructions",
         "m": form * FORM + m, "value": value * m}
        for name, figures in (("python3", (5.0, 4.0)), ("pyo3", (5.0, 13.0)))
        for form, value in enumerate(figures, start=1)
        for m in (100, 300)
    ]  # fmt: skip
    work = msgspec.structs.replace(WORKLOAD, arguments=("4", "12", "x = a"))
    plan = make_plan(seed=1, source="callgrind", workload=work, launchers=(launcher("python3"), launcher("pyo3")),
                     passes=(), blocks=1)  # fmt: skip
    (row,) = statement_costs(pd.DataFrame(rows), work, plan.roles, ("python3", "pyo3"))
    assert (row.baseline_value, row.value, row.ratio, row.lo) == (-0.125, 1.0, None, None)
    claim = statement_claim((row,), "pyo3")
    assert claim is not None
    assert (claim.statements, claim.quartiles, claim.least) == (0, None, None)


@pytest.mark.parametrize("regions", [True, False])
def test_a_pass_runs_every_form_at_both_m(regions: bool) -> None:
    counted = Whole(name="counted", events=("instructions",), m=(1, 2), exclusive=False, repetitions=3, blocks=(0, 1))
    pass_ = statement_pass(WORKLOAD, (counted,), regions=regions)
    assert len(pass_.m) == 2 * (1 + 2 * len(COSTS))
    assert sorted({m % FORM for m in pass_.m}) == [100, 300]
    assert list(pass_.m) == sorted(pass_.m)
    assert isinstance(pass_, Regions) == regions


def test_a_run_can_be_resumed_because_the_source_has_such_a_pass() -> None:
    """Of an emulator's passes that with the fewest events, so without its model of caches."""
    work = msgspec.structs.replace(SINGLE_STATEMENTS, sha256=None)
    for source in (CallgrindSource("valgrind", "3"), SoftwareSource()):
        pass_ = statement_pass(work, source.passes(work), regions=source.name == "callgrind")
        assert pass_.events in {offered.events for offered in source.passes(work)}
        assert not any(BY_NAME[event].simulated for event in pass_.events)


def test_runs_at_native_speed_do_more() -> None:
    timed = Whole(name="timed", events=("wall",), m=(1, 2), exclusive=True, repetitions=3, blocks=(0, 1))
    assert {m % FORM for m in statement_pass(WORKLOAD, (timed,), regions=False).m} == {1000, 5000}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workload": "int_loop"}, "measures statements of its own"),
        ({"m": (100, 250)}, "differ by 200 at least"),
        ({"m": (100, FORM)}, "with HI below"),
    ],
)
def test_what_would_measure_nothing_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked(options, STUDIES[COMMAND], lambda name: f"--{name}")
    checked({"m": (100, 300)}, STUDIES[COMMAND], str)


def test_its_folder_is_named_by_words(tmp_path: Path) -> None:
    assert new_folder(tmp_path, COMMAND).name.endswith("-opcodes-statements")


def test_a_statement_stands_on_one_line() -> None:
    assert as_line("for y in t:\n    pass") == "for y in t: pass"
    assert all("\n" not in as_line(statement) for statement in STATEMENTS)
    assert len(set(STATEMENTS)) == len(STATEMENTS) > 50


def run_script(script: str, m: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", script, str(m), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_statement_runs_and_both_loops_have_as_many_extended_arg() -> None:
    done = run_script(SINGLE_STATEMENTS.path, 5, str(FEW), str(MANY), *STATEMENTS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("(0, 5, ")


def test_loops_that_differ_in_extended_arg_are_refused(tmp_path: Path) -> None:
    """Without the branch that is never taken the jump back grows with the body."""
    short = tmp_path / "statements.py"
    short.write_text(Path(SINGLE_STATEMENTS.path).read_text().replace("NEVER_TAKEN = 200", "NEVER_TAKEN = 1"))
    done = run_script(str(short), FORM + 5, "4", "60", "for y in range(3):\n    pass")
    assert done.returncode != 0
    assert "EXTENDED_ARG" in done.stderr


def test_the_workload_can_be_found_by_name() -> None:
    found = find_workload("statements")
    assert found.arguments[:2] == (str(FEW), str(MANY))
    assert found.sha256 is not None
