"""``--max-ratio`` fails only what is proven to exceed it, and never passes what was not measured."""

import shutil
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.conclude import conclude
from profiler.analyze.gate import hold_verdict
from profiler.catalogue.gates import parse_gate, parse_gates
from profiler.catalogue.metrics import METRICS
from profiler.errors import GateFailed, MachineError, UsageError
from profiler.model import Doubt, Verdict
from profiler.model.across import Gate
from profiler.present.gate_told import enforce
from tests.commandline import TaxProbe, assert_refused
from tests.recorded import RESULTS

RECORDED = RESULTS / "survey" / "bookworm" / "ipc"
"""In which pyo3 takes 1.2066 [1.2035, 1.2098] times the instructions, and no times were measured."""
COUNTED = RESULTS / "ipc-int_loop"
"""In which pyo3 takes 1.2046 times the instructions, exactly, and 1.1936 [1.1485, 1.2404] times the wall time."""


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return conclude(RECORDED)


@pytest.fixture(scope="module")
def counted() -> Verdict:
    return conclude(COUNTED)


def hold(verdict: Verdict, *gates: str) -> None:
    enforce(hold_verdict(parse_gates(gates), verdict), "the baseline's")


# ---------------------------------------------------------------- how it is written


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("1.25", Gate(metric=None, max_ratio=1.25)),
        (1.25, Gate(metric=None, max_ratio=1.25)),
        ("instructions=1.05", Gate(metric="instructions", max_ratio=1.05)),
        ("wall time=2", Gate(metric="wall", max_ratio=2.0)),
        ("startup-wall=1e1", Gate(metric="startup-wall", max_ratio=10.0)),
    ],
)
def test_a_gate_is_a_ratio_of_a_metric(text: str | float, gate: Gate) -> None:
    assert parse_gate(text) == gate


def test_every_metric_can_be_gated_by_its_name_and_by_its_title() -> None:
    for metric in METRICS:
        assert parse_gate(f"{metric.name}=2").metric == parse_gate(f"{metric.title}=2").metric == metric.name


def test_a_metric_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as told:
        parse_gate("instrs=1.05")
    assert "'instrs'" in told.value.message
    assert all(metric.name in told.value.hint for metric in METRICS)


@pytest.mark.parametrize("text", ["", "much", "instructions=", "instructions=0", "-1", "nan", "instructions=inf", "=1"])
def test_a_bound_that_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_gate(text)


# ---------------------------------------------------------------- what it decides


def test_a_bound_within_the_interval_is_not_proven_to_be_exceeded(
    verdict: Verdict, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(verdict, "1.205")
    told = capsys.readouterr().err
    assert "gate instructions ≤ 1.205 is not decided: pyo3 1.2066 (1.2035 to 1.2098)" in told
    assert "gate instructions ≤ 1.205 is held: runmain-static 1.0820" in told


def test_a_bound_below_the_interval_is(verdict: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        GateFailed, match=r"instructions .* 1\.203 times .*: pyo3 1\.2066 \(1\.2035 to 1\.2098\)$"
    ) as told:
        hold(verdict, "1.203")
    assert "static" not in told.value.message
    assert "runmain-pic 1.2045" in capsys.readouterr().err, "its interval begins at 1.2014"


def test_the_bound_itself_is_allowed(counted: Verdict) -> None:
    pyo3 = next(c for c in counted.comparisons if (c.launcher, c.metric) == ("pyo3", "instructions"))
    assert pyo3.ratio is not None
    assert pyo3.ratio == pyo3.lo == pyo3.hi
    enforce(hold_verdict((Gate(metric=None, max_ratio=pyo3.ratio),), counted), "the baseline's")
    with pytest.raises(GateFailed):
        enforce(hold_verdict((Gate(metric=None, max_ratio=pyo3.ratio - 1e-9),), counted), "the baseline's")


def test_every_gate_is_held_against(counted: Verdict) -> None:
    hold(counted, "instructions=1.21", "wall=1.25")
    with pytest.raises(GateFailed, match=r"wall per iteration exceed 1\.1 times"):
        hold(counted, "instructions=1.21", "wall=1.1")
    with pytest.raises(GateFailed, match=r"instructions per iteration exceed 1\.2 times .*; wall per iteration"):
        hold(counted, "instructions=1.2", "wall=1.1")


def test_what_was_not_measured_is_not_passed(verdict: Verdict) -> None:
    with pytest.raises(MachineError, match=r"cannot decide, not knowing wall of pyo3, .* \(not measured in a run"):
        hold(verdict, "instructions=1.5", "wall=1.5")


def test_what_is_proven_fails_whatever_else_is_unknown(verdict: Verdict) -> None:
    with pytest.raises(GateFailed, match=r"1\.1 times .*; and not known: wall of pyo3"):
        hold(verdict, "instructions=1.1", "wall=1.5")


def test_what_was_withdrawn_is_not_passed_and_nothing_takes_its_place(counted: Verdict) -> None:
    """Wall time, which a bound alone takes where nothing was counted, would pass here."""
    doubt = Doubt(metric="instructions", kind="differs", ratio=1.1, lo=1.05, hi=1.15, proven=True, reason="A/A 1.1")
    withdrawn = msgspec.structs.replace(
        counted,
        withdrawn=(doubt,),
        comparisons=tuple(
            msgspec.structs.replace(c, ratio=None, lo=None, hi=None, reason=doubt.reason)
            if c.metric == "instructions"
            else c
            for c in counted.comparisons
        ),
    )
    with pytest.raises(MachineError, match=r"instructions of pyo3, runmain \(A/A 1.1\)"):
        hold(withdrawn, "1.5")
    uncounted = msgspec.structs.replace(withdrawn, withdrawn=())
    hold(uncounted, "1.5")
    with pytest.raises(GateFailed, match="wall per iteration"):
        hold(uncounted, "1.1")


def test_a_figure_without_an_interval_is_not_passed(counted: Verdict) -> None:
    once = msgspec.structs.replace(
        counted,
        comparisons=tuple(msgspec.structs.replace(c, lo=None, hi=None, blocks=1) for c in counted.comparisons),
    )
    with pytest.raises(MachineError):
        hold(once, "5")


def test_the_target_alone_has_nothing_to_gate(counted: Verdict) -> None:
    with pytest.raises(MachineError, match="no launcher stands beside the baseline"):
        hold(msgspec.structs.replace(counted, launchers=counted.launchers[:1]), "5")


def test_variants_of_launchers_are_not_gated() -> None:
    """That malloc makes python3 slower is no fault of the host's."""
    verdict = conclude(RESULTS / "variants-int_loop")
    (malloc,) = (
        c
        for c in verdict.comparisons
        if (c.baseline, c.launcher, c.metric) == ("python3", "python3+malloc", "instructions")
    )
    assert malloc.lo is not None
    assert malloc.lo > 1.25
    hold(verdict, "1.25")


# ---------------------------------------------------------------- as its users meet it


def test_report_gates_a_folder(tax_probe: TaxProbe, tmp_path: Path) -> None:
    folder = str(shutil.copytree(COUNTED, tmp_path / "run"))
    assert tax_probe("report", folder, "--format", "json", "--max-ratio", "1.21").code == 0
    failed = tax_probe("report", folder, "--format", "json", "--max-ratio", "instructions=1.2")
    assert (failed.code, failed.document["command"]) == (6, "ipc")
    assert "pyo3 1.2046 (no width), runmain 1.2046" in failed.err
    unknown = tax_probe("report", folder, "--format", "json", "--max-ratio", "cycles=1.2")
    assert (unknown.code, "callgrind counts no cycles" in unknown.err) == (3, True)
    assert_refused(tax_probe("report", folder, "--max-ratio", "instrs=1.2"), 2, "instrs")
