"""Each counter of each launcher: counted, estimated or modelled, and no cell without its reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec

from profiler.analyze.conclude import Analysis, analyse
from profiler.catalogue.events import EVENTS
from profiler.model import Comparison, Verdict
from profiler.present.counter_table import table
from profiler.present.table import Table, text_of
from tests.recorded import RESULTS

Change = Callable[[Comparison], Comparison | None]


@cache
def recorded() -> Analysis:
    return analyse(RESULTS / "ipc-int_loop")


def made(change: Change, **changed: object) -> Table:
    comparisons = tuple(new for old in recorded().verdict.comparisons if (new := change(old)) is not None)
    verdict: Verdict = msgspec.structs.replace(recorded().verdict, comparisons=comparisons, **changed)
    found = table(verdict)
    assert found is not None
    return found


def rows(found: Table) -> dict[str, list[str]]:
    return {text_of(row[0]): [text_of(cell) for cell in row[1:]] for row in found.rows}


def test_each_row_says_how_it_was_got() -> None:
    found = rows(made(lambda c: c))
    assert found["instructions"] == ["936.4", "1,128", "1,128", "counted"]
    assert found["cycles"] == ["330 ± 82", "393 ± 110", "386 ± 93", "estimated"]
    assert found["branch mispredictions"] == ["1.125", "0.125", "0.126", "modelled"]
    assert list(found)[:3] == ["instructions", "cycles", "IPC"]


def test_an_estimate_that_leaves_too_much_open_is_told_by_its_bounds() -> None:
    wide = tuple(
        msgspec.structs.replace(one, value=200.0, lo=120.0, hi=1500.0) if one.metric == "cycles" else one
        for one in recorded().verdict.estimates
    )
    assert rows(made(lambda c: c, estimates=wide))["cycles"] == [*["120.0 to 1,500"] * 3, "estimated"]


def folded(change: Change, **changed: object) -> Table:
    comparisons = tuple(new for old in recorded().verdict.comparisons if (new := change(old)) is not None)
    found = table(msgspec.structs.replace(recorded().verdict, comparisons=comparisons, **changed), folded=True)
    assert found is not None
    return found


def test_on_a_terminal_no_figure_stands_twice_and_what_is_rare_stands_in_one_line() -> None:
    found = folded(lambda c: c)
    assert list(rows(found)) == ["cycles", "IPC", "branches", "indirect branches", "branch mispredictions"]
    assert found.notes[0] == "under 0.01 each, modelled: L1D load misses, L1I misses, last-level cache misses"


def test_what_a_model_finds_often_or_a_counter_counted_is_never_folded() -> None:
    def changed(c: Comparison) -> Comparison:
        match c.metric:
            case "l1d-misses":
                return msgspec.structs.replace(c, value=0.01)
            case "l1i-misses":
                return msgspec.structs.replace(c, source="hardware")
        return c

    found = folded(changed)
    assert {"L1D load misses", "L1I misses"} <= rows(found).keys()
    assert found.notes[0] == "under 0.01 each, modelled: last-level cache misses"


def test_what_hardware_counted_is_counted() -> None:
    def by_hardware(c: Comparison) -> Comparison:
        known = {"dtlb-misses": (0.25, 0.5), "cycles": (300.0, 360.0), "branch-misses": (1.0, 2.0)}.get(c.metric)
        changed = {} if known is None else {"baseline_value": known[0], "value": known[1]}
        return msgspec.structs.replace(c, source="hardware", **changed)

    found = rows(made(by_hardware, estimates=()))
    assert found["dTLB misses"] == ["0.250", "0.500", "0.500", "counted"]
    assert found["branch mispredictions"] == ["1.000", "2.000", "2.000", "counted"]
    assert found["cycles"][-1] == "counted"


def test_every_counter_is_a_row_or_has_its_reason() -> None:
    found = made(lambda c: c)
    told = " ".join((*rows(found), *found.notes))
    assert all(event.title in told for event in EVENTS if event.needs_slot and not event.later)
    assert all(cell for row in rows(found).values() for cell in row)
    assert found.notes == (
        "no dTLB misses, iTLB misses, front-end bound, back-end bound: "
        "callgrind does not simulate it; hardware counters would count it",  # as it was recorded
    )


def test_a_launcher_without_a_figure_has_a_dash_and_its_reason() -> None:
    """Counted of pyo3, and not of runmain."""

    def lost(c: Comparison) -> Comparison:
        if (c.launcher, c.metric) != ("runmain", "branches"):
            return c
        return msgspec.structs.replace(c, value=None, baseline_value=None, ratio=None, reason="no complete block")

    found = made(lost)
    assert rows(found)["branches"] == ["157.0", "165.0", "–", "counted"]
    assert "branches of runmain: no complete block" in " ".join(found.notes)


def test_what_lacks_for_one_reason_stands_in_one_note() -> None:
    def unsupported(c: Comparison) -> Comparison:
        spec = {"dtlb-misses": "dTLB-load-misses:u", "itlb-misses": "iTLB-load-misses:u"}.get(c.metric)
        return c if spec is None else msgspec.structs.replace(c, value=None, reason=f"{spec}: not supported: here")

    assert "no dTLB misses, iTLB misses: not supported: here" in made(unsupported).notes


def test_nothing_is_told_where_nothing_is_compared() -> None:
    assert table(msgspec.structs.replace(recorded().verdict, comparisons=())) is None
