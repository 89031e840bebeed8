"""Result folders against each other: planted changes of known size, and everything that forbids a comparison."""

import csv
import gzip
import io
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from profiler.analyze.changes import across
from profiler.analyze.compare import Costs
from profiler.analyze.gate import hold_changes
from profiler.analyze.opened import Opened, opened, require_same_work
from profiler.catalogue.gates import parse_gates
from profiler.errors import GateFailed, MachineError, UsageError
from profiler.folder import load_run, save_run
from profiler.model import Run
from profiler.model.across import ACROSS_SCHEMA, Across, AcrossChange, Of
from profiler.present.across_told import as_json, page
from profiler.present.gate_told import enforce
from tests.recorded import RESULTS

REFERENCE = RESULTS / "ipc-int_loop"
"""936.37 instructions an iteration in python3, 1128 in pyo3 and in runmain, exactly; times scatter by 30 %."""
PLACED = RESULTS / "survey" / "bookworm" / "ipc"
"""Four blocks of two placements, whose heads have two levels: one seed with the other suites of the survey."""

Row = dict[str, str]


def planted(original: Path, place: Path, change: Callable[[Row], None] = lambda row: None) -> Path:
    """A copy of a kept folder at ``place`` whose rows went through ``change``."""
    shutil.copytree(original, place)
    file = place / "rows.csv.gz"
    with io.TextIOWrapper(gzip.open(file), newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        change(row)
    with gzip.open(file, "wt", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return place


def times(factor: float, launcher: str = "pyo3", event: str = "instructions") -> Callable[[Row], None]:
    """Multiply every reading of one event of one launcher."""

    def change(row: Row) -> None:
        if (row["launcher"], row["event"]) == (launcher, event) and row["value"]:
            row["value"] = repr(float(row["value"]) * factor)

    return change


def with_run(one: Opened, change: Callable[[Run], Run]) -> Opened:
    """The same figures of another run."""
    return replace(one, path=Path("elsewhere"), run=change(one.run))


def of_machine(**facts: Any) -> Callable[[Run], Run]:
    return lambda run: msgspec.structs.replace(run, machine=run.machine | facts)


def of_workload(**fields: Any) -> Callable[[Run], Run]:
    def change(run: Run) -> Run:
        workload = msgspec.structs.replace(run.plan.workload, **fields)
        return msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, workload=workload))

    return change


def other_blocks(run: Run) -> Run:
    """As another seed draws them."""
    blocks = tuple(msgspec.structs.replace(one, hash_seed=one.hash_seed + 1) for one in run.plan.blocks)
    return msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, seed=46, blocks=blocks))


def change(document: Across, launcher: str, metric: str, of: Of = "cost", folder: str = "B") -> AcrossChange:
    (found,) = (c for c in document.changes if (c.of, c.launcher, c.metric, c.folder) == (of, launcher, metric, folder))
    return found


def named(document: Across) -> dict[str, tuple[str | None, ...]]:
    return {one.what: one.values for one in document.differences}


@pytest.fixture(scope="module")
def reference() -> Opened:
    return opened(REFERENCE)


@pytest.fixture(scope="module")
def placed() -> Opened:
    return opened(PLACED)


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """pyo3 takes 2 % more instructions than in the reference, and nothing else is other."""
    return opened(planted(REFERENCE, tmp_path_factory.mktemp("slower") / "run", times(1.02)))


# ---------------------------------------------------------------- planted changes


@pytest.mark.parametrize("seeded", [True, False], ids=["one seed", "another seed"])
def test_two_per_cent_more_instructions_are_two_per_cent_exactly(
    reference: Opened, slower: Opened, seeded: bool
) -> None:
    other = slower if seeded else with_run(slower, other_blocks)
    document = across([reference, other])
    cost = change(document, "pyo3", "instructions")
    assert (cost.before, cost.after) == pytest.approx((1128, 1.02 * 1128))
    assert (cost.ratio, cost.lo, cost.hi) == pytest.approx((1.02, 1.02, 1.02), rel=1e-12)
    assert (cost.exact, cost.verdict, cost.pairing) == (True, "slower", "blocks" if seeded else "none")
    tax = change(document, "pyo3", "instructions", "tax")
    assert (tax.before, tax.after) == pytest.approx((1.2046466, 1.02 * 1.2046466))
    assert (tax.ratio, tax.lo, tax.hi) == pytest.approx((1.02, 1.02, 1.02), rel=1e-12)
    for launcher, of in (("python3", "cost"), ("runmain", "cost"), ("runmain", "tax")):
        found = change(document, launcher, "instructions", of)  # type: ignore[arg-type]
        assert (found.ratio, found.verdict) == (pytest.approx(1, rel=1e-12), "same")
    assert document.sentence == (
        "pyo3 on B executes 1.020 times the instructions it did on A (exact); its tax went from 1.205 to 1.229."
    )


def test_a_slower_baseline_lowers_the_tax(reference: Opened, tmp_path: Path) -> None:
    """Both runs of it: otherwise A/A would withdraw the metric."""

    def change_both(row: Row) -> None:
        times(1.02, "python3")(row)
        times(1.02, "python3-again")(row)

    document = across([reference, opened(planted(REFERENCE, tmp_path / "run", change_both))])
    assert change(document, "python3", "instructions").ratio == pytest.approx(1.02)
    assert change(document, "pyo3", "instructions").ratio == pytest.approx(1)
    tax = change(document, "pyo3", "instructions", "tax")
    assert (tax.ratio, tax.lo, tax.hi, tax.verdict) == (*[pytest.approx(1 / 1.02)] * 3, "faster")


def test_times_are_independent_samples_with_a_width(reference: Opened, tmp_path: Path) -> None:
    """10 % more wall time; the tax, free of what all launchers of a block had in common, is known much better."""
    document = across([reference, opened(planted(REFERENCE, tmp_path / "run", times(1.1, event="wall")))])
    cost, tax = change(document, "pyo3", "wall"), change(document, "pyo3", "wall", "tax")
    for found in (cost, tax):
        assert found.ratio == pytest.approx(1.1)
        assert found.pairing == "none"
        assert found.lo is not None
        assert found.hi is not None
        assert found.lo < 1.1 < found.hi
    assert cost.verdict == "unresolved"
    assert tax.detectable is not None
    assert cost.detectable is not None
    assert tax.detectable < cost.detectable / 4


def test_placed_heaps_are_paired_where_they_are_the_same(placed: Opened, tmp_path: Path) -> None:
    """Levels of 912 to 936 within a run; the change of 0.5 % is exact all the same."""
    document = across([placed, opened(planted(PLACED, tmp_path / "run", times(1.005)))])
    found = change(document, "pyo3", "instructions")
    assert (found.ratio, found.lo, found.hi) == pytest.approx((1.005, 1.005, 1.005), abs=1e-9)
    assert (found.pairing, found.blocks, found.verdict) == ("blocks", (4, 4), "slower")


def test_placed_heaps_of_other_blocks_have_a_width(placed: Opened) -> None:
    document = across([placed, with_run(placed, other_blocks)])
    found = change(document, "pyo3", "instructions")
    assert (found.pairing, found.verdict) == ("none", "unresolved")
    assert found.lo is not None
    assert found.lo < 0.99
    # The tax hardly moves between placements, and so it is known.
    tax = change(document, "pyo3", "instructions", "tax")
    assert tax.lo is not None
    assert tax.lo > 0.995


def test_the_matrix_has_a_row_per_launcher_and_a_column_per_folder(placed: Opened) -> None:
    suites = [opened(RESULTS / "survey" / suite / "ipc") for suite in ("bullseye", "forky")]
    document = across([placed, *suites])
    assert document.headline == "instructions"
    assert [one.label for one in document.folders] == ["A", "B", "C"]
    rows = {row.launcher: [one and one.ratio for one in row.ratios] for row in document.matrix}
    assert rows["pyo3"] == pytest.approx([1.2066, 1.1876, 1.3170], abs=5e-5), "as the README has them"
    assert rows["runmain-static"] == pytest.approx([1.0820, 1.0547, 1.0784], abs=5e-5)
    by_hand = 1.3170 / 1.2066
    assert change(document, "pyo3", "instructions", "tax", "C").ratio == pytest.approx(by_hand, abs=1e-3)


def test_a_launcher_of_one_run_stands_in_the_matrix_alone(reference: Opened) -> None:
    ladder = opened(RESULTS / "variants-int_loop")
    document = across([reference, ladder])
    assert {c.launcher for c in document.changes} == {"python3", "pyo3", "runmain"}
    (static,) = (row for row in document.matrix if row.launcher == "pyo3-static")
    assert static.ratios[0] is None
    assert static.ratios[1] is not None
    assert "pyo3+malloc" not in {row.launcher for row in document.matrix}
    assert set(named(document)) == {"launchers", "command", "kinds of passes", "blocks"}


# ---------------------------------------------------------------- what the runs differ in


def test_runs_of_one_machine_and_build_differ_in_nothing(reference: Opened, slower: Opened) -> None:
    document = across([reference, slower])
    assert document.differences == ()
    assert document.warnings == ()


def test_differences_of_machine_build_and_measurement_are_named(reference: Opened) -> None:
    def other(run: Run) -> Run:
        run = other_blocks(of_machine(cpu_model="AMD EPYC", cpus_online=64, kernel="7.1", turbo=True)(run))
        programs = [one | {"package": "python3.11-minimal 3.11.2-7"} for one in run.interpreters["programs"]]
        launchers = tuple(
            msgspec.structs.replace(one, build_id="cafe") if one.name == "pyo3" else one for one in run.plan.launchers
        )
        return msgspec.structs.replace(
            run,
            target=msgspec.structs.replace(run.target, version="3.11.9", build_id="beef"),
            interpreters={"programs": programs},
            plan=msgspec.structs.replace(run.plan, launchers=launchers),
            tool_version="9",
        )

    document = across([reference, with_run(reference, other)])
    found = named(document)
    assert found["CPU"] == ("Intel(R) Xeon(R) Processor @ 2.80GHz", "AMD EPYC")
    assert found["CPUs online"] == ("2", "64")
    assert found["version"] == ("3.11.2", "3.11.9")
    assert found["build-id of the program"] == ("571d98e01096d5c1c32420d229a6731a0a50d2a0", "beef")
    assert found["build-id of pyo3's image"] == ("9c43ffefa67ac31d2070c69c46db6d8ced25b942", "cafe")
    assert found["package of the program"][1] == "python3.11-minimal 3.11.2-7"
    assert found["seed"] == ("45", "46")
    # What one of them does not know is no difference.
    assert not {"turbo", "tax-probe"} & set(found)
    (warning,) = document.warnings
    assert warning.code == "other-machine"
    assert "(CPU, CPUs online)" in warning.message
    assert change(document, "pyo3", "wall").ratio == pytest.approx(1), "shown all the same"
    text = page(document)
    assert "| machine: CPU | Intel(R) Xeon(R) Processor @ 2.80GHz | AMD EPYC |" in text
    assert "other-machine" in text


def test_another_kernel_is_no_other_machine(reference: Opened) -> None:
    document = across([reference, with_run(reference, of_machine(kernel="7.1"))])
    assert set(named(document)) == {"kernel"}
    assert document.warnings == ()


# ---------------------------------------------------------------- what cannot be compared


def test_counts_of_different_sources_are_not_compared_and_times_are(reference: Opened, tmp_path: Path) -> None:
    def hardware(row: Row) -> None:
        row["source"] = {"callgrind": "hardware"}.get(row["source"], row["source"])

    document = across([reference, opened(planted(REFERENCE, tmp_path / "run", hardware))])
    for of in ("cost", "tax"):
        found = change(document, "pyo3", "instructions", of)
        assert (found.ratio, found.verdict) == (None, "unresolved")
        assert found.reason == "figures of callgrind and of hardware are not of the same things"
    assert change(document, "pyo3", "wall").ratio == pytest.approx(1)
    assert document.headline == "wall"
    # A bound without a metric is on what was counted, and does not pass by another.
    with pytest.raises(MachineError, match="are not of the same things"):
        enforce(hold_changes(parse_gates("9"), document, "tax"), "those of A")


def test_what_one_run_withdrew_is_not_compared(reference: Opened) -> None:
    document = across([reference, opened(RESULTS / "variants-int_loop")])
    for launcher in ("python3", "pyo3"):
        found = change(document, launcher, "startup-wall")
        assert found.ratio is None
        assert found.reason is not None
        assert found.reason.startswith("withdrawn in A: the baseline's own two runs leave startup-wall open")


def test_another_workload_is_refused(reference: Opened) -> None:
    with pytest.raises(UsageError, match="of the workload int_loop, and the other of dynamic"):
        across([reference, opened(RESULTS / "ipc-dynamic")])


def test_another_text_of_the_workload_is_refused(reference: Opened) -> None:
    first = with_run(reference, of_workload(sha256="1" * 64))
    with pytest.raises(UsageError, match="another text of int_loop"):
        across([first, with_run(reference, of_workload(sha256="2" * 64))])
    # Also where only its hash is known yet.
    with pytest.raises(UsageError, match="another text"):
        require_same_work(first, of_workload(sha256="2" * 64)(reference.run), {})
    assert require_same_work(first, of_workload(sha256="1" * 64)(reference.run), {}) is None
    assert across([first, with_run(reference, of_workload(sha256="1" * 64))]).warnings == ()


def test_another_output_is_another_workload(reference: Opened) -> None:
    """Of folders that do not hold the text's hash."""
    printed = dict.fromkeys(reference.outputs, "something else")
    with pytest.raises(UsageError, match="printed something else"):
        across([reference, replace(reference, outputs=printed)])
    elsewhere = {m + 1: sha256 for m, sha256 in reference.outputs.items()}
    (warning,) = across([reference, replace(reference, outputs=elsewhere)]).warnings
    assert warning.code == "workload-unsure"


def test_one_folder_is_no_comparison(reference: Opened) -> None:
    with pytest.raises(UsageError, match="1 result folder to compare"):
        across([reference])
    with pytest.raises(UsageError, match="27 result folders"):
        across([reference] * 27)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a result folder"):
        opened(tmp_path)


# ---------------------------------------------------------------- gates on changes


@pytest.mark.parametrize(
    ("of", "bound", "failed"), [("cost", 1.019, True), ("cost", 1.021, False), ("tax", 1.019, True)]
)
def test_the_gate_is_on_the_change(reference: Opened, slower: Opened, of: Of, bound: float, failed: bool) -> None:
    """The tax itself, 1.2287, is far above each of these bounds."""
    lines = hold_changes(parse_gates(bound), across([reference, slower]), of)
    assert len(lines) == (3 if of == "cost" else 2)
    if failed:
        with pytest.raises(GateFailed, match=r"those of A: .*pyo3 on B 1\.0200 \(no width\)$"):
            enforce(lines, "those of A")
    else:
        enforce(lines, "those of A")


def test_an_interval_that_holds_the_bound_is_not_decided(
    reference: Opened, slower: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    enforce(hold_changes(parse_gates("wall=1.1"), across([reference, slower]), "cost"), "those of A")
    assert "gate wall ≤ 1.1 is not decided: python3 on B 1.0000 (0.7326 to 1.3650), " in capsys.readouterr().err


def test_a_launcher_that_went_is_not_passed_and_a_new_one_is_told(
    reference: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    ladder = opened(RESULTS / "variants-int_loop")
    enforce(hold_changes(parse_gates("1.01"), across([reference, ladder]), "tax"), "those of A")
    assert "the tax of pyo3-static on B: A has no launcher pyo3-static" in capsys.readouterr().err
    with pytest.raises(MachineError, match="B has no launcher pyo3-static"):
        enforce(hold_changes(parse_gates("1.01"), across([ladder, reference]), "tax"), "those of A")


# ---------------------------------------------------------------- the document


def test_the_document_reads_back(reference: Opened, slower: Opened) -> None:
    document = across([reference, slower])
    assert document.schema == ACROSS_SCHEMA
    assert msgspec.json.decode(as_json(document), type=Across, strict=True) == document
    assert all(c.reason for c in document.changes if c.ratio is None)
    assert all(math.isfinite(c.ratio) for c in document.changes if c.ratio is not None)


def test_the_hash_of_the_workload_is_kept(reference: Opened, tmp_path: Path) -> None:
    """In ``run.json``, from which an older version's folder has none."""
    assert reference.run.plan.workload.sha256 is None
    save_run(tmp_path, of_workload(sha256="1" * 64)(reference.run))
    assert load_run(tmp_path).plan.workload.sha256 == "1" * 64


# ---------------------------------------------------------------- simulated runs of known truth


def simulated(reference: Opened, rng: np.random.Generator, blocks: int, cost: float, tax: float) -> Opened:
    """A run of wall time: 10 % between days, 5 % between blocks for all alike, 1 % between processes."""
    day, by_block = rng.normal(0, 0.1), rng.normal(0, 0.05, blocks)
    logs = {
        (block, name): math.log(100) + day + by_block[block] + own + rng.normal(0, 0.01)
        for block in range(blocks)
        for name, own in zip(("python3", "python3-again", "pyo3"), np.log([cost / tax, cost / tax, cost]), strict=True)
    }
    table = pd.DataFrame({"wall": {key: math.exp(log) for key, log in logs.items()}})
    table.index = table.index.set_names(["block", "launcher"])
    costs = Costs(
        table=table, apart=frozenset(), sources={"wall": "software"}, reasons={}, fallback_source="software",
        roles=reference.costs.roles,
    )  # fmt: skip
    return replace(reference, costs=costs, names=("python3", "pyo3"))


@pytest.mark.once
def test_the_interval_of_a_tax_covers_it_whatever_the_day_and_the_blocks_do(reference: Opened) -> None:
    """95 % of 300 pairs of runs within 2.7 standard errors of a proportion (1.3 % each); one seed. The tax, 1.20 before
    and 1.224 after, is known to about 1 %, and what the launcher itself takes is the days'.
    """
    rng = np.random.default_rng(5)
    held, widths = 0, []
    for _ in range(300):
        before = simulated(reference, rng, 6, 1.2, 1.2)
        after = simulated(reference, rng, 9, 1.224, 1.224)
        tax = change(across([before, after]), "pyo3", "wall", "tax")
        assert tax.lo is not None
        assert tax.hi is not None
        held += tax.lo <= 1.02 <= tax.hi
        widths.append(tax.hi - tax.lo)
    assert 0.916 <= held / 300 <= 0.984
    assert 0.015 < float(np.median(widths)) < 0.04
