"""The parser of ``perf stat -j``: recorded files, written files, and any damage to them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.catalogue.events import BY_NAME
from profiler.model import Reading
from profiler.sources.perf_output import MISSING, NOT_COUNTED, NOT_SUPPORTED, UNREADABLE, Asked, is_user_only, read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "perf"
RECORDED = FIXTURES / "recorded-debian12-perf6.1-no-pmu"
WRITTEN = FIXTURES / "written-by-hand"

TRUTH = {
    "instructions": 9413500123.0,
    "cycles": 3117052358.0,
    "task-clock": 812345678.0,
    "wall": 813973625.0,
    "branches": 2104000777.0,
}


def ask(*events: str) -> list[Asked]:
    return [Asked(event=name, spec=BY_NAME[name].perf[0].spec, unit=BY_NAME[name].unit) for name in events]


def written(name: str) -> dict[str, Reading]:
    return {reading.event: reading for reading in read((WRITTEN / name).read_bytes(), ask(*TRUTH))}


def values(readings: dict[str, Reading]) -> dict[str, float | None]:
    return {name: reading.value for name, reading in readings.items()}


@pytest.mark.parametrize(
    "name", ["normal.json", "decimal-comma.json", "nul.json", "chatter.json", "hybrid.json", "perf-6.8.json"]
)
def test_figures_survive_every_notation(name: str) -> None:
    readings = written(name)
    assert values(readings) == TRUTH
    assert {reading.reason for reading in readings.values()} == {None}


def test_times_of_a_counter() -> None:
    reading = written("normal.json")["instructions"]
    assert (reading.enabled_ns, reading.running_ns, reading.raw_name) == (812345678, 812345678, "instructions:u")


def test_hybrid_rows_are_one_event() -> None:
    assert written("hybrid.json")["cycles"].raw_name == "cpu_atom/cycles/u+cpu_core/cycles/u"


def test_hybrid_figures_are_added_where_both_kinds_of_core_counted() -> None:
    text = (WRITTEN / "hybrid.json").read_text()
    text = text.replace(
        '"<not counted>", "unit" : "", "event" : "cpu_atom/cycles/u", "event-runtime" : 0, "pcnt-running" : 0.00',
        '"1000.000000", "unit" : "", "event" : "cpu_atom/cycles/u", "event-runtime" : 5, "pcnt-running" : 100.00',
    )
    cycles = read(text.encode(), ask(*TRUTH))[1]
    assert cycles.value == TRUTH["cycles"] + 1000


def test_a_process_that_moved_between_kinds_of_core_is_rejected() -> None:
    reading = written("hybrid-moved.json")["instructions"]
    assert reading.value is None
    assert reading.reason is not None
    assert "moved between kinds of core" in reading.reason


def test_not_counted_is_not_zero() -> None:
    readings = written("not-counted.json")
    assert values(readings) == TRUTH | {"instructions": None, "cycles": None, "branches": None}
    assert readings["cycles"].reason == NOT_COUNTED
    assert readings["cycles"].running_ns == 0


def test_not_supported_carries_100_per_cent_and_is_not_zero() -> None:
    readings = written("not-supported.json")
    assert values(readings) == TRUTH | {"instructions": None, "cycles": None, "branches": None}
    assert readings["cycles"].reason == NOT_SUPPORTED
    assert (readings["cycles"].enabled_ns, readings["cycles"].running_ns) == (None, None)


def test_a_multiplexed_figure_is_rejected_even_at_99_per_cent() -> None:
    readings = written("multiplexed.json")
    assert values(readings) == TRUTH | {"instructions": None, "branches": None}
    assert readings["instructions"].reason == "multiplexed: ran 83 % of the time; rejected"
    assert readings["branches"].reason == "multiplexed: ran 99 % of the time; rejected"
    assert (readings["instructions"].enabled_ns, readings["instructions"].running_ns) == (None, 676954731)


def test_a_truncated_last_row_costs_that_row_only() -> None:
    readings = written("truncated.json")
    assert values(readings) == TRUTH | {"branches": None}
    assert readings["branches"].reason == UNREADABLE


def test_a_lost_row_does_not_shift_the_others() -> None:
    readings = written("row-lost.json")
    assert values(readings) == TRUTH | {"cycles": None}
    assert readings["cycles"].reason == MISSING


def test_copies_of_one_event_stay_apart() -> None:
    readings = read((WRITTEN / "dead-slot.json").read_bytes(), ask(*["instructions"] * 6))
    assert [reading.value for reading in readings] == [200110042.0] * 5 + [41.0]


def test_a_renamed_event_is_found_by_its_place() -> None:
    text = (WRITTEN / "normal.json").read_text().replace("branches:u", "branch-instructions")
    branches = read(text.encode(), ask(*TRUTH))[-1]
    assert (branches.value, branches.raw_name) == (TRUTH["branches"], "branch-instructions")


def test_a_renamed_event_beside_a_lost_row_is_not_guessed() -> None:
    text = (WRITTEN / "row-lost.json").read_text().replace("instructions:u", "inst_retired.any")
    assert [reading.value for reading in read(text.encode(), ask(*TRUTH))[:2]] == [None, None]


def test_an_unexpected_unit_is_not_converted() -> None:
    text = (WRITTEN / "normal.json").read_text().replace('"msec"', '"fortnights"')
    assert read(text.encode(), ask(*TRUTH))[2].reason == UNREADABLE


def test_recorded_without_a_pmu() -> None:
    asked = ask("instructions", "cycles", "task-clock", "wall", "page-faults", "context-switches")
    readings = read((RECORDED / "not-supported.json").read_bytes(), asked)
    assert [reading.value for reading in readings] == [None, None, 1093589.0, 1849647.0, 51.0, 1.0]
    assert [reading.reason for reading in readings[:2]] == [NOT_SUPPORTED] * 2


def test_recorded_software_events() -> None:
    readings = read(
        (RECORDED / "software.json").read_bytes(), ask("task-clock", "wall", "page-faults", "context-switches")
    )
    assert [reading.value for reading in readings] == [943166.0, 1418220.0, 50.0, 0.0]


def test_recorded_cache_events_lose_their_modifier() -> None:
    asked = [
        *ask("task-clock"),
        Asked(event="l1i-misses", spec="L1-icache-load-misses:u", unit="misses"),
        Asked(event="dtlb-misses", spec="dTLB-load-misses:u", unit="misses"),
    ]
    readings = read((RECORDED / "cache-event-without-u.json").read_bytes(), asked)
    assert [reading.raw_name for reading in readings] == ["task-clock", "L1-icache-load-misses", "dTLB-load-misses"]


def test_recorded_user_only_events_are_found_under_their_new_names() -> None:
    readings = read(
        (RECORDED / "user-only.json").read_bytes(),
        ask("instructions", "task-clock", "page-faults", "context-switches", "wall"),
    )
    assert [reading.value for reading in readings] == [None, 1514800.0, 47.0, 0.0, 2429940.0]
    assert is_user_only(readings[3].raw_name)
    assert not is_user_only("context-switches")


def test_nothing_but_a_header() -> None:
    readings = read((RECORDED / "exec-failed.json").read_bytes(), ask("task-clock"))
    assert [(reading.value, reading.reason, reading.raw_name) for reading in readings] == [
        (None, MISSING, "task-clock")
    ]


# ---------------------------------------------------------------- any input

FIGURES = st.integers(min_value=0, max_value=2**53 - 1)
JUNK = st.text(max_size=60).filter(lambda line: '"counter-value"' not in line)
NAMES = st.lists(
    st.sampled_from([name for name in BY_NAME if BY_NAME[name].perf and BY_NAME[name].unit != "ns"]), unique=True
)


def row(spec: str, value: int) -> str:
    return (
        f'{{"counter-value" : "{value}.000000", "unit" : "", "event" : "{spec}", "event-runtime" : 7, '
        '"pcnt-running" : 100.00, "metric-value" : 0.000000, "metric-unit" : "(null)"}'
    )


@given(names=NAMES, data=st.data())
def test_round_trip_with_any_junk_between_the_rows(names: list[str], data: st.DataObject) -> None:
    asked = ask(*names)
    truth = [data.draw(FIGURES) for _ in names]
    lines = data.draw(st.lists(JUNK, max_size=3))
    for one, value in zip(asked, truth, strict=True):
        lines += [row(one.spec, value), *data.draw(st.lists(JUNK, max_size=2))]
    readings = read("\n".join(lines).encode("utf-8", "surrogatepass"), asked)
    assert [reading.value for reading in readings] == [float(value) for value in truth]


@given(names=NAMES, data=st.data())
def test_damage_costs_figures_but_never_falsifies_one(names: list[str], data: st.DataObject) -> None:
    """Rows lost, cut off, or overwritten by junk: what is still read is the truth."""
    asked = ask(*names)
    truth = [data.draw(FIGURES) for _ in names]
    lines = []
    for one, value in zip(asked, truth, strict=True):
        whole = row(one.spec, value)
        damage = data.draw(st.sampled_from(["none", "lost", "cut", "junk"]))
        if damage != "lost":
            lines.append({"none": whole, "cut": whole[: data.draw(st.integers(0, len(whole) - 1))]}.get(damage, "junk"))
    readings = read("\n".join(lines).encode(), asked)
    for reading, value in zip(readings, truth, strict=True):
        assert reading.value in {None, float(value)}
        assert (reading.value is None) == (reading.reason is not None)


@given(data=st.binary(max_size=400))
def test_any_bytes_give_reasons(data: bytes) -> None:
    readings = read(data, ask(*TRUTH))
    assert [reading.value for reading in readings] == [None] * len(TRUTH)


@given(
    value=st.one_of(st.text(max_size=12), st.integers(), st.none()),
    running=st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4)),
    percent=st.one_of(
        st.floats(max_value=99.99, allow_nan=False, allow_infinity=False), st.text(max_size=4), st.none()
    ),
)
def test_any_types_in_a_row_never_raise(value: object, running: object, percent: object) -> None:
    import json

    line = json.dumps(
        {"counter-value": value, "unit": "", "event": "cycles:u", "event-runtime": running, "pcnt-running": percent}
    )
    (reading,) = read(line.encode(), ask("cycles"))
    assert reading.value is None
    assert reading.reason is not None
