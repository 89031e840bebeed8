"""``opcodes --statements`` from the command line, of two statements: by counted regions, and by the clock."""

import shutil

import msgspec
import pytest

from profiler import workloads
from profiler.collect import session
from profiler.folder import load_run
from profiler.model import Whole
from profiler.plan.schedule import make_plan
from profiler.plan.statement_forms import statement_pass
from profiler.sources.callgrind import CallgrindSource
from tests.builders import launcher
from tests.commandline import TaxProbe, assert_refused
from tests.recorded import RESULTS

FEW = ("x = 5", "x = [p, q]")
OPTIONS = ("--launcher", "python3", "--seed", "3", "--blocks", "1", "--format", "json")

needs_valgrind = pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is long; two statements go the same way."""
    short = msgspec.structs.replace(
        workloads.SINGLE_STATEMENTS, arguments=("4", "12", *FEW), counts_m=(20, 220), timed_m=(20, 220)
    )
    monkeypatch.setattr(workloads, "SINGLE_STATEMENTS", short)


def costs(document: dict[str, list[dict[str, object]]]) -> dict[object, dict[str, object]]:
    return {row["statement"]: row for row in document["statements"]}


@needs_valgrind
def test_an_emulator_counts_regions_of_one_process(tax_probe: TaxProbe, few: None) -> None:
    options = ("opcodes", "--statements", "--source", "callgrind", "--out", str(tax_probe.out), *OPTIONS)
    regions = tax_probe(*options)
    assert regions.code == 0, regions.err
    inside = costs(regions.document)
    assert set(inside) == set(FEW)
    assert {row["ratio"] for row in inside.values()} == {1.0}
    assert inside["x = [p, q]"]["value"] > 2 * inside["x = 5"]["value"]  # type: ignore[operator]


def test_without_a_counter_the_clock_tells(tax_probe: TaxProbe, few: None) -> None:
    ran = tax_probe("opcodes", "--statements", "--source", "software", "--out", str(tax_probe.out), *OPTIONS)
    assert ran.code == 0, ran.err
    assert {row["metric"] for row in costs(ran.document).values()} == {"task-clock"}
    assert tax_probe.folder().name.endswith("-opcodes-statements")
    report = tax_probe("report", str(tax_probe.folder()), "--format", "json")
    assert report.document["statements"] == ran.document["statements"]


@pytest.mark.parametrize(
    ("option", "words"),
    [(("--workload", "dynamic"), "measures statements of its own"), (("--m", "100,200"), "differ by 200 at least")],
)
def test_what_cannot_be_asked_is_refused(tax_probe: TaxProbe, option: tuple[str, ...], words: str) -> None:
    assert_refused(tax_probe("opcodes", "--statements", *option), 2, words)


def test_a_host_that_can_do_no_chunks_is_measured_as_whole_processes() -> None:
    """And all others with it: each form at both M."""
    work = msgspec.structs.replace(workloads.SINGLE_STATEMENTS, arguments=("4", "12", *FEW))
    source = CallgrindSource("valgrind", "3")
    passes = (statement_pass(work, source.passes(work), regions=True),)
    plan = make_plan(seed=1, source="callgrind", workload=work, launchers=(launcher("python3"),), passes=passes,
                     blocks=1, sections=("statements",))  # fmt: skip
    run = msgspec.structs.replace(load_run(RESULTS / "ipc-int_loop"), plan=plan, warnings=())
    changed = session._with_passes(run, source, {"host": "it ended"})
    (pass_,) = changed.plan.passes
    assert isinstance(pass_, Whole)
    assert len(pass_.m) == 2 * (1 + 2 * len(FEW))
    assert "instructions" in pass_.events
    assert [warning.code for warning in changed.warnings] == ["no-chunks"]
