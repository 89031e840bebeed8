"""Callgrind's out file by function: recorded files with a known truth, and written ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.catalogue.events import TLS_ACCESSES, TLS_INSTRUCTIONS
from profiler.errors import MachineError
from profiler.sources.by_function import count_tls, read_profiles
from profiler.sources.callgrind_output import combine, parse_totals

RECORDED = Path(__file__).parents[1] / "fixtures" / "callgrind"
VERSIONS = ("3.19", "3.24")
INSIDE = 11
"""Instructions of glibc's ``__tls_get_addr`` on x86-64 where nothing has to be allocated."""


def recorded(version: str, name: str) -> str:
    return (RECORDED / version / f"{name}.out").read_text()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["process", "simulated"])
def test_a_process_of_seven_turns(version: str, name: str) -> None:
    text = recorded(version, name)
    profiles = read_profiles(text)
    assert sum(profiles[0].own.values()) == parse_totals(text)["Ir"], "every instruction belongs to one function"
    found = count_tls(profiles)
    assert (found.accesses, found.instructions) == (21, 21 * INSIDE)
    assert {one.callee for one in found.callers} == {"__tls_get_addr"}
    by_caller = {one.caller: one.calls for one in found.callers}
    nameless = next(name for name in by_caller if name.startswith("0x"))
    assert by_caller == {"touch": 7, nameless: 14}
    assert nameless.endswith(" under twice"), "a function without a name is told by the exported one that calls it"
    assert all(one.image is not None and one.image.endswith("/libplanted.so") for one in found.callers)


@pytest.mark.parametrize("version", VERSIONS)
def test_regions_are_parts_that_share_their_names(version: str) -> None:
    profiles = [one for one in read_profiles(recorded(version, "regions")) if one.trigger == "Client Request: region"]
    assert [count_tls((one,)).accesses for one in profiles] == [15, 21, 27]
    assert [count_tls((one,)).instructions for one in profiles] == [15 * INSIDE, 21 * INSIDE, 27 * INSIDE]
    assert {one.caller.partition(" ")[0] for one in count_tls((profiles[2],)).callers} >= {"touch"}


def test_the_figures_become_readings_beside_those_of_the_columns() -> None:
    text = recorded("3.19", "process")
    readings = combine(
        [parse_totals(text)],
        ("instructions", TLS_ACCESSES, TLS_INSTRUCTIONS),
        count_tls(read_profiles(text)),
    )
    assert [one.value for one in readings] == [float(parse_totals(text)["Ir"]), 21.0, 231.0]
    assert readings[1].raw_name == "calls of __tls_get_addr"


def written(*lines: str) -> str:
    return "\n".join(("positions: instr line", "events: Dr Ir", *lines, ""))


def test_positions_and_events_may_stand_in_another_order() -> None:
    (profile,) = read_profiles(
        written(
            "ob=/x", "fn=a", "0x10 3 7 5", "+4 * 1 2", "cob=/y", "cfn=b", "calls=3 0x20 1", "+1 3 900 900", "+2 3 1"
        )
    )
    assert profile.own == {("/x", "a"): 7}, "a figure that is left out is 0, and what a call costs is not the caller's"
    assert profile.calls == {(("/x", "a"), ("/y", "b")): 3}


def test_the_file_of_a_called_function_holds_for_one_call() -> None:
    (profile,) = read_profiles(
        written("ob=/x", "fn=a", "cob=/y", "cfn=b", "calls=1 0 0", "0 0 1 1", "cfn=c", "calls=2 0 0", "0 0 1 1")
    )
    assert set(profile.calls) == {(("/x", "a"), ("/y", "b")), (("/x", "a"), ("/x", "c"))}


def test_levels_of_a_recursion_are_one_function() -> None:
    (profile,) = read_profiles(written("fn=(1) a", "0 0 0 5", "fn=(2) a'2", "0 0 0 6"))
    assert profile.own == {(None, "a"): 11}


@pytest.mark.parametrize("slow", ["__tls_get_addr_slow", "update_get_addr", "tls_get_addr_tail"])
def test_the_slow_path_is_inside_and_no_access_of_its_own(slow: str) -> None:
    found = count_tls(
        read_profiles(
            written(
                *(
                    "ob=/lib/ld-linux-x86-64.so.2",
                    "fn=(1) __tls_get_addr",
                    "0 0 0 11",
                    f"cfn=(2) {slow}",
                    "calls=1 0 0",
                ),
                *("0 0 0 40", "fn=(2)", "0 0 0 40", "ob=/lib/libpython3.13.so.1.0", "fn=(3) PyObject_Free"),
                *("cob=/lib/ld-linux-x86-64.so.2", "cfn=(1)", "calls=1 0 0", "0 0 0 51"),
            )
        )
    )
    assert (found.accesses, found.instructions) == (1, 51)
    assert [(one.caller, one.calls) for one in found.callers] == [("PyObject_Free", 1)]


def test_descriptors_are_accesses_too() -> None:
    found = count_tls(
        read_profiles(written("fn=(2) _dl_tlsdesc_return", "0 0 0 8", "fn=(1) f", "cfn=(2)", "calls=4 0 0", "0 0 0 8"))
    )
    assert (found.accesses, found.instructions) == (4, 8)


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (["0x1ab70", "0x2c00"], False),
        (["0x1ab70", "_dl_fixup"], True),
        ([], True),
    ],
)
def test_a_loader_without_any_name_leaves_the_count_unknown(names: list[str], known: bool) -> None:
    """Else there would be none where there are some that cannot be told."""
    lines = [line for name in names for line in (f"fn={name}", "0 0 0 1")]
    text = written("ob=/lib64/ld-linux-x86-64.so.2", *lines, "ob=/usr/bin/python3.13", "fn=main", "0 0 0 1")
    found = count_tls(read_profiles(text))
    assert found.accesses == (0 if known else None)
    assert (found.reason is None) == known
    reading = combine([{"Ir": 1}], (TLS_ACCESSES,), found)[0]
    assert (reading.value is None) == (reading.reason is not None) == (not known)


def test_a_name_that_was_not_defined_is_refused() -> None:
    with pytest.raises(MachineError, match="not readable"):
        read_profiles(written("fn=(7)"))


FUNCTIONS = st.sampled_from(["f", "g", "operator()(int)", "PyObject_Free", "__tls_get_addr"])


@given(
    st.lists(st.tuples(FUNCTIONS, st.integers(0, 10**12), st.lists(st.tuples(FUNCTIONS, st.integers(1, 10**9))))),
    st.booleans(),
)
def test_every_figure_comes_back_compressed_or_not(
    functions: list[tuple[str, int, list[tuple[str, int]]]], compressed: bool
) -> None:
    numbers: dict[str, int] = {}

    def name(text: str) -> str:
        if not compressed:
            return f"x{text}"
        if text in numbers:
            return f"({numbers[text]})"
        numbers[text] = len(numbers)
        return f"({numbers[text]}) x{text}"

    lines = ["events: Ir"]
    for function, cost, calls in functions:
        lines += [f"fn={name(function)}", f"+3 {cost}"]
        for callee, number in calls:
            lines += [f"cfn={name(callee)}", f"calls={number} +5", "* 12345"]
    (profile,) = read_profiles("\n".join(lines))
    for function in {one for one, _, _ in functions}:
        assert profile.own[None, f"x{function}"] == sum(cost for one, cost, _ in functions if one == function)
    assert sum(profile.calls.values()) == sum(number for _, _, calls in functions for _, number in calls)


@given(st.text())
def test_junk_is_refused_or_read_but_never_crashes(text: str) -> None:
    try:
        count_tls(read_profiles(text))
    except MachineError:
        return
