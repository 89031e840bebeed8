"""Opcodes flow from dispatches along jumps and calls: on loops whose counts are known beforehand."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.collect.drilldown.drill import divided
from profiler.collect.drilldown.growth import Growth, growths
from profiler.collect.drilldown.opcode_flow import Loop, Mixtures, mixtures
from profiler.launch.binaries.machine_code import Flow, Instruction
from profiler.sources.by_address import AddressProfile, Site
from profiler.sources.callgrind_parts import Function

IMAGE = "/lib/libpython.so"
EVAL: Function = (IMAGE, "_PyEval_EvalFrameDefault")
COLD: Function = (IMAGE, "0x900")
NEW: Function = (IMAGE, "_PyLong_New")
SLOT: Function = (IMAGE, "slot_tp_descr_get")

ADD, SUB, TAIL = 0x100, 0x200, 0x300
CODE: dict[int, Flow] = {
    ADD: "next",
    ADD + 1: "call",
    ADD + 2: "jump",
    SUB: "next",
    SUB + 1: "branch",
    SUB + 2: "call",
    SUB + 3: "jump",
    TAIL: "next",
    TAIL + 1: "indirect",
    0x900: "next",
    0x901: "jump",
    0x50: "indirect",
}
LOOP = Loop(
    entries={ADD: "ADD", SUB: "SUB"},
    code={address: Instruction(size=1, flow=flow, kind="arithmetic") for address, flow in CODE.items()},
)


def at(function: Function, address: int) -> Site:
    return function, address


def work(*, adds: int = 30, subs: int = 10, called: int = 8) -> Growth:
    """ADD: two instructions, a call of 9, on to the tail. SUB: a branch over its call of 5 (``called`` times taken to
    it), on to the same tail, which dispatches what comes next.
    """
    counts = {at(EVAL, ADD + step): adds for step in range(3)}
    counts |= {at(EVAL, SUB): subs, at(EVAL, SUB + 1): subs, at(EVAL, SUB + 2): called, at(EVAL, SUB + 3): called}
    counts |= {at(EVAL, TAIL): adds + subs, at(EVAL, TAIL + 1): adds + subs, at(NEW, 0x500): 9 * adds + 5 * called}
    jumps = {
        (at(EVAL, ADD + 2), TAIL): adds,
        (at(EVAL, SUB + 1), TAIL): subs - called,
        (at(EVAL, SUB + 3), TAIL): called,
        (at(EVAL, TAIL + 1), ADD): adds,
        (at(EVAL, TAIL + 1), SUB): subs,
    }
    calls = {
        (at(EVAL, ADD + 1), at(NEW, 0x500)): (adds, 9 * adds),
        (at(EVAL, SUB + 2), at(NEW, 0x500)): (called, 5 * called),
    }
    return Growth(counts=counts, jumps=jumps, calls=calls)


def by_opcode(growth: Growth, found: Mixtures) -> dict[str | None, float]:
    sums: dict[str | None, float] = defaultdict(float)
    for site, count in growth.counts.items():
        for opcode, part in divided(count, found.at(site)):
            sums[opcode] += part
    return dict(sums)


def test_own_shared_and_called_instructions_are_each_opcodes() -> None:
    growth = work()
    found = mixtures(growth, growth, {IMAGE: LOOP})
    # ADD: 30 × (3 + 2 of the tail) and 30 × 9 called; SUB: 10 × (2 + 2), 8 × 2 and 8 × 5 called.
    assert by_opcode(growth, found) == pytest.approx({"ADD": 30 * 5 + 270, "SUB": 40 + 16 + 40})
    assert found.dispatches == {(IMAGE, ADD): 30, (IMAGE, SUB): 10}
    assert found.at(at(EVAL, TAIL)) == pytest.approx({"ADD": 0.75, "SUB": 0.25})
    assert found.nested == 0


def test_a_jump_into_another_opcodes_code_stays_the_first_ones() -> None:
    """A specialised opcode that fails goes on in the general one's code, without a dispatch."""
    growth = work(adds=30, subs=10, called=0)
    jumps = dict(growth.jumps)
    jumps[at(EVAL, SUB + 1), ADD] = jumps.pop((at(EVAL, SUB + 1), TAIL))
    jumps[at(EVAL, TAIL + 1), ADD] = 20
    moved = Growth(counts=growth.counts, jumps=jumps, calls=growth.calls)
    found = mixtures(moved, moved, {IMAGE: LOOP})
    assert found.dispatches == {(IMAGE, ADD): 20, (IMAGE, SUB): 10}
    assert found.at(at(EVAL, ADD)) == pytest.approx({"ADD": 2 / 3, "SUB": 1 / 3})


def test_a_cold_part_that_callgrind_takes_for_a_function_is_the_loops() -> None:
    """What jumps there is no call, and what jumps back from there goes on as the opcode that came."""
    growth = work(subs=10, called=0)
    counts = growth.counts | {at(COLD, 0x900): 10, at(COLD, 0x901): 10}
    jumps = dict(growth.jumps)
    del jumps[at(EVAL, SUB + 1), TAIL]
    jumps[at(COLD, 0x901), TAIL] = 10
    calls = dict(growth.calls) | {(at(EVAL, SUB + 1), at(COLD, 0x900)): (10, 500)}
    loop = Loop(entries=LOOP.entries | {0x901: "NEVER"}, code=LOOP.code)
    part = Growth(counts=counts, jumps=jumps, calls=calls)
    found = mixtures(part, part, {IMAGE: loop})
    assert found.at(at(COLD, 0x900)) == pytest.approx({"SUB": 1.0})
    assert found.at(at(EVAL, TAIL)) == pytest.approx({"ADD": 0.75, "SUB": 0.25})


def test_functions_that_run_a_loop_again_are_divided_by_calls() -> None:
    """The cost of such a call is also the inner loop's, whatever that did."""
    growth = work()
    calls = growth.calls | {
        (at(EVAL, ADD + 1), at(SLOT, 0x600)): (30, 300),
        (at(EVAL, SUB + 2), at(SLOT, 0x600)): (10, 9000),
        (at(SLOT, 0x601), at(EVAL, 0x50)): (40, 1000),
    }
    nested = Growth(counts=growth.counts | {at(SLOT, 0x600): 100, at(EVAL, 0x50): 40}, jumps=growth.jumps, calls=calls)
    found = mixtures(nested, nested, {IMAGE: LOOP})
    assert found.nested == 1000
    assert found.at(at(SLOT, 0x600)) == pytest.approx({"ADD": 0.75, "SUB": 0.25})


def test_a_loop_that_the_work_runs_in_is_not_nested() -> None:
    """Called once at both M: its cost grows, the number of calls does not."""
    growth = work()
    calls = growth.calls | {(at(SLOT, 0x601), at(EVAL, ADD)): (0, 5000)}
    assert mixtures(growth, growth, {IMAGE: LOOP}).nested == 0
    within = Growth(counts=growth.counts, jumps=growth.jumps, calls=calls)
    assert mixtures(within, within, {IMAGE: LOOP}).nested == 0


def test_what_is_reached_from_no_dispatch_is_the_remainder() -> None:
    growth = work()
    other: Function = ("/lib/libc.so.6", "memset")
    alone = Growth(counts=growth.counts | {at(other, 0x10): 7}, jumps=growth.jumps, calls=growth.calls)
    assert by_opcode(alone, mixtures(alone, alone, {IMAGE: LOOP}))[None] == pytest.approx(7)
    assert mixtures(alone, alone, {}).at(at(EVAL, ADD)) == {}


@given(
    adds=st.integers(1, 10**6),
    subs=st.integers(1, 10**6),
    part=st.floats(0, 1),
    elsewhere=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 10**6)), max_size=8),
)
def test_no_instruction_is_lost_or_won(
    adds: int, subs: int, part: float, elsewhere: list[tuple[int, int, int]]
) -> None:
    """Whatever calls what, in circles too."""
    growth = work(adds=adds, subs=subs, called=round(part * subs))
    calls = dict(growth.calls)
    counts = dict(growth.counts)
    functions: list[Function] = [NEW, SLOT, *((IMAGE, f"f{number}") for number in range(4))]
    for caller, callee, cost in elsewhere:
        calls[at(functions[caller], 0x700), at(functions[callee], 0x710 + callee)] = 1, cost
        counts[at(functions[callee], 0x710 + callee)] = cost
    whole = Growth(counts=counts, jumps=growth.jumps, calls=calls)
    found = mixtures(whole, whole, {IMAGE: LOOP})
    sums = by_opcode(whole, found)
    assert sum(sums.values()) == pytest.approx(sum(counts.values()))
    assert sums["ADD"] >= 5 * adds * (1 - 1e-9)


def region(*parts: tuple[Function, int, int]) -> AddressProfile:
    return AddressProfile(
        trigger="Client Request: region",
        counts={(function, address): count for function, address, count in parts},
        jumps={},
        calls={},
    )


def test_what_a_region_returns_into_is_in_one_function_in_both() -> None:
    """Callgrind counts it in whatever function it returned from: in the first region in another one."""
    lower, higher = region(((IMAGE, "PyObject_Vectorcall"), ADD, 100)), region((EVAL, ADD, 300), (NEW, 0x500, 40))
    grown, whole = growths(lower, higher, lambda image, address: None)
    assert grown.counts == {at(EVAL, ADD): 200, at(NEW, 0x500): 40}
    assert whole.counts == {at(EVAL, ADD): 400, at(NEW, 0x500): 40}
    by_symbol, _ = growths(lower, higher, lambda image, address: "ceval" if address == ADD else None)
    assert by_symbol.counts == {at((IMAGE, "ceval"), ADD): 200, at(NEW, 0x500): 40}


def test_shared_code_stays_with_each_nameless_function_that_was_called() -> None:
    """Else the one would have a caller and no instructions, and the other instructions and no caller."""
    first, second = (IMAGE, "0x500"), (IMAGE, "0x600")
    grown, _ = growths(region(), region((first, 0x510, 9), (second, 0x510, 4)), lambda *_: None)
    assert grown.counts == {at(first, 0x510): 9, at(second, 0x510): 4}


def test_what_is_equal_at_both_m_has_no_entry() -> None:
    assert growths(region((EVAL, ADD, 5)), region((EVAL, ADD, 5)), lambda *_: None)[0].counts == {}
