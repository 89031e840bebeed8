"""The list of sections that terminal, finding and figures read: everything once, nothing that was never measured."""

from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.conclude import analyse, conclude
from profiler.folder import load_run
from profiler.model import Run, Verdict
from profiler.present import figures, forest
from profiler.present.answer_sections import sections
from profiler.present.finding import render
from profiler.present.markdown import escaped
from profiler.present.products import products
from profiler.present.section import Section
from profiler.present.splits import section as splits_section
from profiler.present.table import Table, text_of
from profiler.present.view import view
from tests.page_checks import renamed
from tests.recorded import RESULTS

KINDS = ("ipc-int_loop", "variants-int_loop", "rebuild/default-int_loop", "poc4-amortize", "poc4-eliminate")


@cache
def answered(name: str) -> tuple[Verdict, Run, tuple[Section, ...]]:
    verdict, run = conclude(RESULTS / name), load_run(RESULTS / name)
    return verdict, run, sections(verdict, run)


def tables(found: tuple[Section, ...]) -> list[Table]:
    return [table for section in found for table in section.tables]


@pytest.mark.parametrize("name", KINDS)
def test_every_comparison_that_is_decided_stands_in_one_row(name: str) -> None:
    verdict, _, found = answered(name)
    compared = tables(tuple(s for s in found if s.title in {"Comparisons", "Other comparisons"}))
    rows = [row for table in compared for row in table.rows]
    itself = {c.metric for c in verdict.comparisons if c.launcher == "python3-again" and c.ratio is not None}
    told = [c for c in verdict.comparisons if c.ratio is not None and c.verdict != "unresolved"]
    open_ = [c for c in verdict.comparisons if c.verdict == "unresolved" and c.metric in itself]
    assert len(told) <= len(rows) <= len(told) + len([c for c in open_ if c.launcher == "python3-again"])
    undecided = [row for row in rows if any(text_of(cell) == "not decided" for cell in row)]
    assert len(undecided) <= len(itself), "of the undecided only A/A has rows"


@pytest.mark.parametrize("name", KINDS)
def test_no_note_is_told_twice_and_no_row_is_empty(name: str) -> None:
    _, _, found = answered(name)
    assert {
        note for note, times in Counter(n for table in tables(found) for n in table.notes).items() if times > 1
    } == set()
    for table in tables(found):
        assert {len(row) for row in table.rows} <= {len(table.columns)}
        figures_of = [at for at, column in enumerate(table.columns) if column.kind in {"ratio", "interval"}]
        for row in table.rows if table.title.startswith("what the ratio") else ():
            assert any(text_of(row[at]) != "–" for at in figures_of)


@pytest.mark.parametrize("name", KINDS)
def test_the_finding_has_the_tables_of_the_view(name: str) -> None:
    found = analyse(RESULTS / name)
    shown = view(found)
    text = render(RESULTS / name, found, shown, ())
    assert 1 <= len(shown.tables) <= 3
    for table in shown.tables:
        assert f"\n## {table.title}\n" in text
    assert escaped(" ".join(shown.headline)) in text


def test_what_was_never_measured_is_a_line_with_its_reason() -> None:
    _, _, found = answered("ipc-int_loop")
    (compared,) = (section for section in found if section.title == "Comparisons")
    told = [note for table in compared.tables for note in table.notes]
    assert "no cycles, IPC: callgrind counts no cycles; hardware counters would" in told
    assert not [row for table in compared.tables for row in table.rows if text_of(row[0]) in {"cycles", "IPC"}]


def test_a_question_of_its_own_comes_first() -> None:
    _, _, found = answered("poc4-amortize")
    assert found[0].title == "From how much work on it pays"
    assert [section.title for section in found if section.folded] == ["Other comparisons", "Other splits"]


def test_a_host_of_any_name_is_drawn(tmp_path: Path) -> None:
    found = renamed(analyse(RESULTS / "ipc-int_loop"), "runmain", "g++")
    assert "figures/forest.svg" in figures.write(tmp_path, found.verdict, view(found))
    assert "g++ instructions" in (tmp_path / "figures" / "forest.svg").read_text()


def test_on_amd_a_reader_is_told_whose_misses_they_are() -> None:
    verdict, run, _ = answered("ipc-int_loop")
    amd = msgspec.structs.replace(run, machine=run.machine | {"vendor": "AuthenticAMD", "family": "26"})
    counted = [
        msgspec.structs.replace(c, source="hardware", ratio=1.1, lo=1.05, hi=1.2, verdict="slower")
        if c.metric == "cache-misses"
        else c
        for c in verdict.comparisons
    ]
    found = sections(msgspec.structs.replace(verdict, comparisons=tuple(counted)), amd)
    told = "last-level cache misses: on AMD the generic event counts L2 misses"
    assert [note for table in tables(found) for note in table.notes].count(told) == 1


def test_no_figure_has_two_intervals() -> None:
    """A term that is compared by itself is told as it is there: over placements, whatever its own interval is."""
    verdict, _, _ = answered("ipc-int_loop")
    counted = [
        msgspec.structs.replace(c, ratio=1.206, lo=1.204, hi=1.208, over="placements")
        if (c.launcher, c.metric) == ("pyo3", "instructions")
        else c
        for c in verdict.comparisons
    ]
    splits = [
        msgspec.structs.replace(
            split,
            terms=tuple(
                msgspec.structs.replace(term, ratio=1.206, lo=1.183, hi=1.229) if term.term == "instructions" else term
                for term in split.terms
            ),
        )
        if (split.launcher, split.of) == ("pyo3", "wall")
        else split
        for split in verdict.decomposition
    ]
    planted = msgspec.structs.replace(verdict, comparisons=tuple(counted), decomposition=tuple(splits))
    made_of = forest.terms(planted)
    assert made_of is not None
    assert made_of.rows[0][:3] == ("  instructions", "1.206", "± 0.002")
    (product, _) = products(planted)
    assert str(product.factors[0].ratio) == "1.206 ± 0.002"
    (table,) = splits_section(planted, shown={"pyo3"}).tables
    assert ("instructions", "1.206", "± 0.002") in [row[2:5] for row in table.rows]
