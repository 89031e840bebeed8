"""What each opcode and each place costs, from planted lines of profile.csv; and that it adds up to the comparison."""

import dataclasses
import json
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.conclude import analyse
from profiler.analyze.profile.claim_wording import claim_sentence
from profiler.analyze.profile.place_costs import NAMELESS, NO_FILE
from profiler.catalogue.on_hardware import NOT_ASKED, ON_HARDWARE
from profiler.collect.drilldown import beside
from profiler.errors import MachineError, UsageError
from profiler.folder import RowWriter, compress, load_run, save_run
from profiler.model import Missing, Plan, ProfileRow, Step, SymbolRow, Verdict, Whole, Workload
from profiler.model.drilldown import OpcodeClaim, OpcodeCost, PlaceCost
from profiler.plan.addresses import address_pass
from profiler.plan.schedule import make_plan, steps
from profiler.present.drilldown_told import sentences
from profiler.present.exported_profile import PER_ITERATIONS, callgrind_files, speedscope_files
from profiler.present.view import view
from profiler.sources.by_address import read_addresses
from tests.builders import launcher, unmarked
from tests.unit.simulated import folder_of

ITERATIONS = 1000
PROGRAM, LIBRARY, LIBC = "/usr/bin/python3.11", "/usr/lib/libpython3.11.so.1.0", "/usr/lib/libc.so.6"
EVAL = "_PyEval_EvalFrameDefault"
WORKLOAD = Workload(name="w", path="/w.py", counts_m=(1000, 2000), timed_m=(1000, 2000))

Line = tuple[str | None, str, int, str | None, float]
"""Image, function, address, opcode, executions an iteration."""


def base_lines(block: int) -> list[Line]:
    """ADD: 2 times, 10 in the loop and 30 called each; SUB: once, 10 and (by heap phase) 40 or 50 called."""
    return [
        (PROGRAM, EVAL, 0x100, "ADD", 2),
        (PROGRAM, EVAL, 0x101, "ADD", 18),
        (PROGRAM, "0x500", 0x500, "ADD", 60),
        (PROGRAM, EVAL, 0x200, "SUB", 1),
        (PROGRAM, EVAL, 0x201, "SUB", 9),
        (PROGRAM, "0x500", 0x500, "SUB", 40 + 10 * block),
        (LIBC, "memset", 0x10, None, 3),
    ]


def here_lines(block: int) -> list[Line]:
    """ADD costs 1.5 times as much; SUB 1.2 or 1.25 times: 60 and 75 of 50 and 60."""
    return [
        (LIBRARY, EVAL, 0x900, "ADD", 2),
        (LIBRARY, EVAL, 0x901, "ADD", 28),
        (LIBRARY, "_PyLong_New", 0xA00, "ADD", 90),
        (LIBRARY, EVAL, 0x950, "SUB", 1),
        (LIBRARY, EVAL, 0x951, "SUB", 9),
        (LIBRARY, "_PyLong_New", 0xA00, "SUB", 50 + 15 * block),
        (LIBC, "memset", 0x10, None, 3),
        (None, "0x77 [PLT]", 0x77, None, 1),
    ]


ENTRIES = (0x100, 0x200, 0x900, 0x950)
SYMBOLS = (
    *((PROGRAM, 0x100, EVAL, "store", "ADD"), (PROGRAM, 0x101, EVAL, "register move", None)),
    *((PROGRAM, 0x200, EVAL, "store", "SUB"), (PROGRAM, 0x201, EVAL, "register move", None)),
    *((PROGRAM, 0x500, None, "load", None), (LIBC, 0x10, "memset", "store", None)),
    *((LIBRARY, 0x900, EVAL, "store", "ADD"), (LIBRARY, 0x901, EVAL, "register move", None)),
    *((LIBRARY, 0x950, EVAL, "store", "SUB"), (LIBRARY, 0x951, EVAL, "register move", None)),
    (LIBRARY, 0xA00, "_PyLong_New", "stack frame", None),
)


def lines_of(name: str, block: int) -> list[Line]:
    return here_lines(block) if name == "pyo3" else base_lines(block)


def plan_of(blocks: int) -> Plan:
    counting = Whole(
        name="counted", events=("instructions",), m=(1000, 2000), exclusive=False, repetitions=1, blocks=(0, None)
    )
    launchers = (launcher("python3", image=PROGRAM), launcher("pyo3", image=LIBRARY))
    return make_plan(
        seed=5, source="callgrind", workload=WORKLOAD, launchers=launchers, passes=(counting,), blocks=blocks
    )


def profile_rows(name: str, block: int, lines: list[Line]) -> list[ProfileRow]:
    return [
        ProfileRow(
            block=block,
            phase=0,
            launcher=name,
            iterations=ITERATIONS,
            image=image,
            build_id=None if image is None else f"id of {image}",
            function=function,
            address=address,
            opcode=opcode,
            dispatches=round(times * ITERATIONS) if address in ENTRIES else 0,
            executions=times * ITERATIONS,
        )
        for image, function, address, opcode, times in lines
    ]


def symbol_rows(lined: bool) -> list[SymbolRow]:
    return [
        SymbolRow(
            image=image,
            build_id=f"id of {image}",
            address=address,
            depth=0,
            function="innermost" if lined and address in (0x500, 0xA00) else function,
            file="Objects/longobject.c" if lined else None,
            line=170 if lined else None,
            kind=kind,
            entry=entry,
        )
        for image, address, function, kind, entry in SYMBOLS
    ]


def verdict_of(tmp_path: Path, command: str, *, blocks: int = 2, lined: bool = False) -> Verdict:
    return analyse(folder(tmp_path, command, blocks=blocks, lined=lined)).verdict


def folder(tmp_path: Path, command: str, *, blocks: int = 2, lined: bool = False) -> Path:
    plan = plan_of(blocks)

    def truth(step: Step, workload: str, before: int) -> dict[str, float]:
        each = sum(times for *_, times in lines_of(step.launcher, step.block))
        return {"instructions": 5e6 + each * step.m}

    made = folder_of(tmp_path, plan, command, truth, source="callgrind")
    writer = RowWriter(made)
    for block in plan.blocks:
        for name in ("python3", "python3-again", "pyo3"):
            writer.append((), (), profile_rows(name, block.index, lines_of(name, block.index)), ())
    writer.append((), (), (), symbol_rows(lined))
    return made


def opcodes_of(verdict: Verdict, name: str) -> dict[str | None, OpcodeCost]:
    assert verdict.opcodes is not msgspec.UNSET
    return {row.opcode: row for row in verdict.opcodes if row.launcher == name}


def places_of(verdict: Verdict) -> dict[tuple[str, str | None, str | None], PlaceCost]:
    assert verdict.places is not msgspec.UNSET
    return {(row.level, row.parent, row.name): row for row in verdict.places if row.launcher == "pyo3"}


def compared(verdict: Verdict) -> float:
    (found,) = [
        comparison
        for comparison in verdict.comparisons
        if comparison.launcher == "pyo3" and comparison.metric == "instructions"
    ]
    assert found.value is not None
    assert found.baseline_value is not None
    return found.value - found.baseline_value


def test_each_opcode_has_its_executions_its_cost_and_its_part(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "opcodes")
    found = opcodes_of(verdict, "pyo3")
    assert list(found) == ["ADD", "SUB", None], "those that add most come first, the remainder last"
    add, sub = found["ADD"], found["SUB"]
    assert (add.per_iteration, add.baseline_per_iteration) == pytest.approx((2, 2))
    assert (add.baseline_value, add.value, add.ratio) == pytest.approx((40, 60, 1.5))
    assert (add.baseline_own, add.own) == pytest.approx((10, 15))
    assert (add.lo, add.hi) == pytest.approx((1.5, 1.5))
    assert add.difference == pytest.approx(40)
    assert (sub.baseline_value, sub.value) == pytest.approx((55, 67.5))
    assert (sub.lo, sub.hi) == pytest.approx((60 / 50, 75 / 60)), "the range over heap phases"
    assert found[None].difference == pytest.approx(1), "the PLT is no opcode's"
    assert sum(row.difference for row in found.values()) == pytest.approx(compared(verdict))
    assert sum(row.share or 0 for row in found.values()) == pytest.approx(1)


def test_the_baseline_against_itself_adds_nothing(tmp_path: Path) -> None:
    assert [row.difference for row in opcodes_of(verdict_of(tmp_path, "opcodes"), "python3-again").values()] == [
        0,
        0,
        0,
    ]


def test_the_claim_is_judged_by_ratios_and_explained_by_their_mixture(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "opcodes")
    assert verdict.claims is not msgspec.UNSET
    (claim,) = [one for one in verdict.claims if one.launcher == "pyo3"]
    assert (claim.opcodes, claim.inside) == (2, 0)
    assert (claim.least, claim.median, claim.most) == pytest.approx((67.5 / 55, (67.5 / 55 + 1.5) / 2, 1.5))
    assert claim.weighted == pytest.approx((2 * 60 + 67.5) / (2 * 40 + 55))
    assert claim.whole == pytest.approx(191.5 / 138)
    (said,) = sentences(verdict)
    assert said.startswith("No: of 2 opcodes that w executes none costs 1.18 to 1.20 times as much in pyo3;")


def claim_of(**known: object) -> OpcodeClaim:
    usual = {"launcher": "pyo3", "low": 1.18, "high": 1.2, "opcodes": 2, "inside": 2, "least": 1.185, "median": 1.19,
             "most": 1.195, "weighted": 1.19, "whole": 1.19}  # fmt: skip
    return msgspec.convert(usual | known, OpcodeClaim)


def test_a_claim_that_holds_is_said_to() -> None:
    said = claim_sentence(claim_of(), "w", "python3")
    assert said.startswith("Yes: of 2 opcodes that w executes 2 cost 1.18 to 1.20 times as much in pyo3;")
    assert said.endswith("The loop's 1.190 is their mean, weighted by what each takes in python3.")


def test_a_mean_is_not_said_of_loops_with_other_opcodes() -> None:
    assert "that the other does not" in claim_sentence(claim_of(weighted=None, inside=0), "w", "python3")
    assert "is 1.300, and the loop's ratio 1.190" in claim_sentence(claim_of(weighted=1.3), "w", "python3")
    alike = claim_of(inside=0, least=1.0, median=1.0, most=1.0, weighted=1.0, whole=1.0)
    assert (
        claim_sentence(alike, "w", "python3")
        == "Each of 2 opcodes that w executes costs as much in pyo3 as in python3."
    )


def test_one_block_has_no_range(tmp_path: Path) -> None:
    found = opcodes_of(verdict_of(tmp_path, "opcodes", blocks=1), "pyo3")
    assert (found["SUB"].ratio, found["SUB"].lo, found["SUB"].hi) == (pytest.approx(1.2), None, None)


def test_parts_of_an_opcode_are_by_function(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "opcodes")
    assert verdict.opcode_parts is not msgspec.UNSET
    parts = {(row.opcode, row.function): row.difference for row in verdict.opcode_parts if row.launcher == "pyo3"}
    assert parts["ADD", EVAL] == pytest.approx(10)
    assert parts["ADD", "_PyLong_New"] == pytest.approx(90)
    assert parts["ADD", NAMELESS] == pytest.approx(-60)
    assert sum(parts.values()) == pytest.approx(compared(verdict))


def test_every_level_adds_up_to_its_parent(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "where")
    found = places_of(verdict)
    loop = "python3.11 → libpython3.11.so.1.0"
    assert found["image", None, loop].difference == pytest.approx(compared(verdict) - 1)
    assert found["image", None, NO_FILE].difference == pytest.approx(1)
    for parent in (None, loop, "libc.so.6"):
        for level in ("image",) if parent is None else ("function", "kind"):
            rows = [row for (known, above, _), row in found.items() if known == level and above == parent]
            whole = compared(verdict) if parent is None else found["image", None, parent].difference
            assert sum(row.difference for row in rows) == pytest.approx(whole)
            assert rows[-1].name is None, "the remainder ends each level"
    new = found["function", loop, "_PyLong_New"]
    assert (new.baseline_value, new.value) == pytest.approx((0, 147.5))
    assert new.note == "inlined, or without a name, in python3.11"
    assert found["function", loop, EVAL].note is None
    assert found["kind", loop, "stack frame"].value == pytest.approx(147.5)


def test_inlined_functions_and_lines_are_named_where_both_sides_have_debug_information(tmp_path: Path) -> None:
    found = places_of(verdict_of(tmp_path, "where", lined=True))
    loop = "python3.11 → libpython3.11.so.1.0"
    assert found["function", loop, "innermost"].difference == pytest.approx(147.5 - 105)
    line = found["line", "innermost", "Objects/longobject.c:170"]
    assert line.difference == pytest.approx(147.5 - 105)


def test_what_has_no_row_of_its_own_is_in_the_remainder(tmp_path: Path) -> None:
    """Instructions that nobody disassembled have no kind."""
    made = folder(tmp_path, "where")
    symbols = made / "symbols.csv"
    symbols.write_text(unmarked(symbols.read_text()).replace(",load,", ",,"))
    loop = "python3.11 → libpython3.11.so.1.0"
    rest = places_of(analyse(made).verdict)["kind", loop, None]
    assert (rest.baseline_value, rest.value) == pytest.approx((105, 0))


def test_lines_of_a_process_that_was_measured_again_count_once(tmp_path: Path) -> None:
    made = folder(tmp_path, "opcodes")
    RowWriter(made).append((), (), profile_rows("pyo3", 0, here_lines(0)), symbol_rows(False))
    verdict = analyse(made).verdict
    assert sum(row.difference for row in opcodes_of(verdict, "pyo3").values()) == pytest.approx(compared(verdict))


def test_a_kept_folder_says_the_same(tmp_path: Path) -> None:
    made = folder(tmp_path, "opcodes")
    before = analyse(made)
    compress(made)
    assert (made / "profile.csv.gz").exists()
    assert not (made / "symbols.csv").exists()
    assert analyse(made).verdict == before.verdict


def test_a_folder_without_its_profile_is_refused(tmp_path: Path) -> None:
    made = folder(tmp_path, "where")
    (made / "profile.csv").unlink()
    with pytest.raises(UsageError, match=r"profile\.csv"):
        analyse(made)
    (made / "profile.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="lacks the columns"):
        analyse(made)


def test_the_table_ends_in_the_remainder_and_the_sum(tmp_path: Path) -> None:
    (table,) = view(analyse(folder(tmp_path, "opcodes"))).tables
    assert [row[0] for row in table.rows] == ["ADD", "SUB", "no opcode", "sum"]
    assert [row[-2] for row in table.rows] == ["+40.00", "+12.50", "+1.000", "+53.50"]
    assert table.rows[-1][-1] == "100.0 %"


def test_what_no_counter_of_the_cpu_had_a_part_in_is_null_with_its_reason(tmp_path: Path) -> None:
    made = folder(tmp_path, "opcodes")
    verdict = analyse(made).verdict
    assert verdict.hardware is not msgspec.UNSET
    assert [(one.part, one.value) for one in verdict.hardware] == [("perf-record", None), ("top-down", None)]
    assert {one.reason for one in verdict.hardware} == {NOT_ASKED}
    found = tuple(Missing(event=part, reason="no PMU") for part in ON_HARDWARE)
    save_run(made, msgspec.structs.replace(load_run(made), missing=found))
    assert dict(view(analyse(made)).facts)["On hardware"] == "no perf record, no top-down slots: no PMU."


@pytest.mark.parametrize("lent", [True, False])
def test_the_machine_says_why_it_has_no_part(monkeypatch: pytest.MonkeyPatch, lent: bool) -> None:
    def probed(name: str) -> None:
        if not lent:
            raise MachineError("no PMU here", hint="")

    monkeypatch.setattr(beside, "probe", probed)
    reasons = {missing.event: missing.reason for missing in beside.not_by_hardware()}
    assert reasons == (ON_HARDWARE if lent else dict.fromkeys(ON_HARDWARE, "no PMU here"))


def test_the_baseline_alone_is_told_against_itself(tmp_path: Path) -> None:
    """Which opcodes it executes and what each costs, or why that cannot be told."""
    analysis = analyse(folder(tmp_path, "opcodes"))
    verdict = msgspec.structs.replace(
        analysis.verdict, launchers=tuple(one for one in analysis.verdict.launchers if one.name == "python3")
    )
    assert sentences(verdict) == ["Each of 2 opcodes that w executes costs as much in python3-again as in python3."]
    shown = view(dataclasses.replace(analysis, verdict=verdict))
    assert [row[2] for row in shown.tables[0].rows][:2] == ["40.00", "55.00"]


def test_a_pass_by_address_runs_each_launcher_once_a_block() -> None:
    pass_ = address_pass(WORKLOAD)
    assert (pass_.by_address, pass_.phases, pass_.m) == (True, 1, (1000, 2000))
    plan = msgspec.structs.replace(plan_of(1), passes=(pass_,))
    assert [step.launcher for step in steps(plan, plan.blocks[0])] == ["python3", "pyo3", "python3-again"]


def test_callgrinds_format_holds_the_same_sums(tmp_path: Path) -> None:
    made = folder(tmp_path, "opcodes")
    files = callgrind_files(made)
    assert set(files) == {"python3.callgrind.out", "pyo3.callgrind.out"}
    (part,) = read_addresses(files["pyo3.callgrind.out"].decode())
    each = 191.5 * PER_ITERATIONS
    assert sum(part.counts.values()) == each
    assert f"totals: {each:.0f}" in files["pyo3.callgrind.out"].decode()
    add, new = (LIBRARY, "ADD"), (LIBRARY, "_PyLong_New")
    (called,) = [cost for ((caller, _), (callee, _)), cost in part.calls.items() if (caller, callee) == (add, new)]
    assert called == (2 * PER_ITERATIONS, 90 * PER_ITERATIONS)


def test_speedscopes_difference_is_the_comparisons(tmp_path: Path) -> None:
    made = folder(tmp_path, "opcodes")
    document = json.loads(speedscope_files(made)["pyo3.speedscope.json"])
    ends = {profile["name"].partition(":")[0]: profile["endValue"] for profile in document["profiles"]}
    assert ends["pyo3"] - ends["python3"] == pytest.approx(53.5)
    assert ends["more in pyo3"] - ends["more in python3"] == pytest.approx(53.5)
    names = [frame["name"] for frame in document["shared"]["frames"]]
    more = document["profiles"][0]
    stacks = {tuple(names[at] for at in stack): w for stack, w in zip(more["samples"], more["weights"], strict=True)}
    assert stacks["ADD", "_PyLong_New"] == pytest.approx(90)


def test_what_is_no_drill_down_cannot_be_exported_as_one(tmp_path: Path) -> None:
    made = folder(tmp_path, "opcodes")
    (made / "profile.csv").unlink()
    with pytest.raises(UsageError, match="holds no profile"):
        callgrind_files(made)
