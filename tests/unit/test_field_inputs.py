"""Small inputs of the kinds that users' reports describe, each with the figure that is right."""

from pathlib import Path

import pytest

from profiler.catalogue.events import BY_NAME
from profiler.errors import MachineError
from profiler.plan.calibrate import grows
from profiler.sources.callgrind_output import parse_totals
from profiler.sources.perf_output import NOT_COUNTED, UNREADABLE, Asked, read
from profiler.sources.perf_stat import percent_is_exact
from profiler.system.build_environment import for_builders
from profiler.system.environment import environment_caveats, preload_caveats

DATA = Path(__file__).parents[1] / "data" / "field"
CLOCK = '{{"counter-value" : "{}", "unit" : "{}", "event" : "{}", "event-runtime" : {}, "pcnt-running" : 100.00}}'


def perf(name: str, *events: str, exact: bool = False) -> list[tuple[float | None, str | None]]:
    asked = [Asked(event=event, spec=BY_NAME[event].perf[0].spec, unit=BY_NAME[event].unit) for event in events]
    found = read((DATA / "perf" / name).read_bytes(), asked, percent_is_exact=exact)
    return [(reading.value, reading.reason) for reading in found]


def test_each_event_comes_from_the_kind_of_core_that_ran() -> None:
    found = perf("hybrid-all-atom-then-core.json", "instructions", "cycles")
    assert found == [(9413500123.0, None), (3117052358.0, None)]


def test_a_process_that_ran_on_one_kind_of_core_only_is_not_counted_where_that_one_was_not() -> None:
    """The rows of the kind of core that ran are lost: what is left is no figure."""
    asked = [Asked(event="instructions", spec="instructions:u", unit="instructions")]
    first = (DATA / "perf" / "hybrid-all-atom-then-core.json").read_bytes().split(b"\n")[0]
    (reading,) = read(first, asked)
    assert (reading.value, reading.reason) == (None, NOT_COUNTED)


@pytest.mark.parametrize(
    ("instructions", "cycles"),
    [
        ("instructions", "cycles"),
        ("instructions:u", "cpu-cycles:u"),
        ("INSTRUCTIONS:u", "cycles:uH"),
        ("cpu_core/instructions/", "cpu_core/cpu-cycles/u"),
        ("armv8_pmuv3_0/inst_retired/", "armv8_pmuv3_0/cpu_cycles/"),
        ("cpu/instructions/u", "cpu/cpu-cycles/u"),
        ("r8", "r11"),
    ],
)
def test_events_that_perf_calls_otherwise_are_known_by_their_place(instructions: str, cycles: str) -> None:
    rows = [CLOCK.format("11.000000", "", instructions, 5), '{"metric-value" : 0.3, "metric-unit" : "frontend"}']
    rows.append(CLOCK.format("7.000000", "", cycles, 5)[:-1] + ', "metric-value" : "1.2", "metric-unit" : "GHz"}')
    asked = [Asked(event=name, spec=f"{name}:u", unit=name) for name in ("instructions", "cycles")]
    assert [reading.value for reading in read("\n".join(rows).encode(), asked)] == [11, 7]


def test_two_kinds_of_core_under_arm_s_names_are_added_up() -> None:
    rows = [
        CLOCK.format(f"{value}.000000", "", f"armv8_cortex_{core}/{event}/", 5)
        for event, values in (("inst_retired", (5, 7)), ("cpu_cycles", (6, 9)))
        for core, value in zip(("a53", "a72"), values, strict=True)
    ]
    asked = [Asked(event=name, spec=f"{name}:u", unit=name) for name in ("instructions", "cycles")]
    assert [reading.value for reading in read("\n".join(rows).encode(), asked)] == [12, 15]


@pytest.mark.parametrize("figure", ["5.123.456,000000", "5,123,456", "5 123 456", "0x10", "1e9", "-3.000000", ""])
def test_a_figure_in_another_notation_is_no_figure(figure: str) -> None:
    asked = [Asked(event="branches", spec="branches:u", unit="branches")]
    (reading,) = read(CLOCK.format(figure, "", "branches:u", 5).encode(), asked)
    assert (reading.value, reading.reason) == (None, UNREADABLE)


@pytest.mark.parametrize("apart", [False, True])
def test_copies_of_an_event_on_two_kinds_of_core_stay_apart(apart: bool) -> None:
    """As the self-test asks for them; some versions of perf sort the rows by kind of core."""
    core = [CLOCK.format(f"{n}.000000", "", "cpu_core/instructions/u", 5) for n in (11, 12, 13)]
    atom = [CLOCK.format("<not counted>", "", "cpu_atom/instructions/u", 0)] * 3
    rows = [*atom, *core] if apart else [row for pair in zip(core, atom, strict=True) for row in pair]
    asked = [Asked(event="instructions", spec="instructions:u", unit="instructions")] * 3
    assert [reading.value for reading in read("\n".join(rows).encode(), asked)] == [11, 12, 13]


def test_metrics_that_are_no_number_cost_no_counter() -> None:
    found = perf("nan-metric.json", "instructions", "cycles", "branches")
    assert found == [(9413500123.0, None), (3117052358.0, None), (2104000777.0, None)]


@pytest.mark.parametrize("metric", ["nan", "-nan", "+inf", "-inf", "inf", "NaN", "Infinity", "-Infinity"])
def test_however_a_libc_writes_what_is_no_number(metric: str) -> None:
    asked = [Asked(event="branches", spec="branches:u", unit="branches")]
    row = CLOCK.format("7.000000", "", "branches:u", 5)[:-1] + f', "metric-value" : {metric}, "metric-unit" : ""}}'
    assert read(row.encode(), asked)[0].value == 7
    comma = row.replace("100.00", "100,00").replace("7.000000", "7,000000")
    assert read(comma.encode(), asked)[0].value == 7


def test_a_percentage_that_is_no_number_is_no_whole_count() -> None:
    asked = [Asked(event="branches", spec="branches:u", unit="branches")]
    row = CLOCK.format("7.000000", "", "branches:u", 0).replace("100.00", "-nan")
    assert (read(row.encode(), asked)[0].value, read(row.encode(), asked)[0].reason) == (None, UNREADABLE)


def test_a_rounded_100_per_cent_that_ran_less_than_the_others_is_no_whole_count() -> None:
    found = perf("new-printer-99.996.json", "instructions", "task-clock")
    assert found == [(None, "multiplexed: ran 99.996 % of the time; rejected"), (1e9, None)]


def test_where_the_percentage_is_exact_times_are_not_compared() -> None:
    """Kernels before 6.2 time software events apart from counters, so they differ by a little without a loss."""
    found = perf("new-printer-99.996.json", "instructions", "task-clock", exact=True)
    assert found == [(313848.0, None), (1e9, None)]


@pytest.mark.parametrize(
    ("version", "kernel", "exact"),
    [
        ("6.1.187", "6.1.0-13-amd64", True),
        ("6.12.38", "6.12.38+deb13-amd64", True),
        ("6.14.4", "6.14.4-arch1-1", False),
        ("7.0.1", "7.0.1-1-generic", False),
        ("7.0.1", "5.15.0-91-generic", True),
        ("built from git", "7.0.1", False),
    ],
)
def test_which_perf_cuts_its_percentage_to_an_integer(version: str, kernel: str, exact: bool) -> None:
    assert percent_is_exact(version, kernel) is exact


def test_the_loss_of_one_counter_among_others_is_seen_and_perfs_own_clock_is_not_compared() -> None:
    rows = "\n".join(
        (
            CLOCK.format("5.000000", "", "instructions:u", 1_000_000_000),
            CLOCK.format("6.000000", "", "cycles:u", 999_999_999),
            CLOCK.format("1100000000.000000", "ns", "duration_time", 1_100_000_000),
        )
    )
    asked = [
        Asked(event=name, spec=BY_NAME[name].perf[0].spec, unit=BY_NAME[name].unit)
        for name in ("instructions", "cycles", "wall")
    ]
    instructions, cycles, wall = read(rows.encode(), asked)
    assert (instructions.value, cycles.value, wall.value) == (5.0, None, 1.1e9)
    assert cycles.reason == "multiplexed: ran 99.9999999 % of the time; rejected"
    assert (cycles.enabled_ns, cycles.running_ns) == (None, 999_999_999)


def test_a_clock_without_unit_is_not_taken_for_nanoseconds() -> None:
    assert perf("task-clock-nounit.json", "task-clock") == [(812345678.0, None)]


@pytest.mark.parametrize(
    ("shown", "unit", "event", "ran", "expected"),
    [
        ("812.345678", "msec", "task-clock", 812345678, 812345678.0),
        ("812345678.000000", "ns", "task-clock", 812345678, 812345678.0),
        ("812.345678", "", "task-clock", 812345678, 812345678.0),
        ("812,345678", "", "task-clock", 812345678, 812345678.0),
        ("812.345678", "", "task-clock", 0, 812345678.0),
        ("812.000000", "", "task-clock", 812000000, 812000000.0),
        ("812000000.000000", "", "task-clock", 812000000, 812000000.0),
        ("812000000", "", "cpu-clock", 812000400, 812000000.0),
        ("812.000000", "", "cpu-clock", 812000400, 812000000.0),
        ("0.943166", "", "cpu-clock", 943166, 943166.0),
        ("813973625.000000", "", "duration_time", 813973625, 813973625.0),
        ("813973625", "", "duration_time", 1, 813973625.0),
        ("813.973625", "", "duration_time", 813973625, 813973625.0),
        ("400000000", "", "user_time", 813973625, 400000000.0),
        ("8000000", "ns", "system_time", 8000000, 8000000.0),
        ("12.500000", "usec", "task-clock", 12500, 12500.0),
        ("0.000000", "", "task-clock", 0, 0.0),
        ("3.500000", "sec", "task-clock", 3500000000, None),
    ],
)
def test_every_notation_of_a_time(shown: str, unit: str, event: str, ran: int, expected: float | None) -> None:
    (reading,) = read(
        CLOCK.format(shown, unit, event, ran).encode(), [Asked(event="task-clock", spec=event, unit="ns")]
    )
    assert reading.value == expected


# ---------------------------------------------------------------- callgrind


@pytest.mark.parametrize(("name", "instructions"), [("two-parts-combined", 1000), ("thread-parts", 1250)])
def test_the_parts_of_a_file_add_up(name: str, instructions: int) -> None:
    assert parse_totals((DATA / "callgrind" / name).read_text()) == {"Ir": instructions}


@pytest.mark.parametrize("name", ["never-counted", "negative-total"])
def test_what_was_never_counted_is_an_error_and_no_figure(name: str) -> None:
    with pytest.raises(MachineError, match="counted nothing"):
        parse_totals((DATA / "callgrind" / name).read_text())


def test_a_part_that_counted_nothing_beside_one_that_did_adds_nothing() -> None:
    text = (DATA / "callgrind" / "two-parts-combined").read_text()
    assert parse_totals(text.replace("totals: 400", "totals: 0")) == {"Ir": 600}


def test_a_file_that_is_torn_in_its_second_part_gives_no_figure() -> None:
    text = (DATA / "callgrind" / "two-parts-combined").read_text()
    second = text.index("part: 2\n") + len("part: 2\n")
    for cut in (second, text.rindex("totals"), len(text.rstrip()) - 1):
        with pytest.raises(MachineError, match="cut off"):
            parse_totals(text[:cut])


# ---------------------------------------------------------------- workloads


@pytest.mark.parametrize(
    ("startup_ns", "unit_ns", "expected"),
    [(20e6, 0, False), (2e9, 0, False), (20e6, 1, True), (20e6, 100, True), (20e6, 5e9, True), (2e9, 100, True)],
)
def test_work_grows_or_does_not_whatever_it_takes_to_start(startup_ns: float, unit_ns: float, expected: bool) -> None:
    assert grows(lambda m: round(startup_ns + unit_ns * m), 10) is expected


def test_one_disturbed_run_is_no_growth() -> None:
    times = iter([20e6, 20e6, 20e6, 500e6])
    assert not grows(lambda m: round(next(times, 20e6)), 10)


# ---------------------------------------------------------------- the environment of all launchers


@pytest.mark.parametrize(
    "name",
    [
        "GLIBC_TUNABLES", "LD_HWCAP_MASK", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_BIND_NOW",
        "MALLOC_ARENA_MAX", "MALLOC_PERTURB_", "PYTHONDEVMODE", "PYTHONMALLOC", "PYTHONTRACEMALLOC", "PYTHONPATH",
        "PYTHONHOME", "PYTHONOPTIMIZE", "PYTHONPERFSUPPORT", "PYTHON_GIL", "PYTHON_JIT", "COVERAGE_PROCESS_START",
    ],
)  # fmt: skip
def test_what_changes_the_work_of_every_launcher_is_told(name: str) -> None:
    (caveat,) = environment_caveats({name: "1", "HOME": "/root"})
    assert (caveat.code, caveat.message.partition(" ")[0]) == ("environment", f"{name}=1")
    assert environment_caveats({name: ""}) == ()


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "PYTHONSTARTUP", "PYTHON_COLORS", "PATH", "VALGRIND_OPTS"])
def test_what_changes_no_work_is_not_told(name: str) -> None:
    assert environment_caveats({name: "1"}) == ()


def test_what_the_system_loads_into_every_program_is_told(tmp_path: Path) -> None:
    assert preload_caveats(tmp_path) == ()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "ld.so.preload").write_text("/usr/lib/libtrace.so\n/opt/agent.so\n")
    (caveat,) = preload_caveats(tmp_path)
    assert caveat.message.startswith("/etc/ld.so.preload loads /usr/lib/libtrace.so /opt/agent.so into every process")


@pytest.mark.parametrize(
    "name",
    [
        "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_PROFILE_RELEASE_LTO", "CARGO_TARGET_DIR", "CARGO_INCREMENTAL",
        "RUSTC_WRAPPER", "RUSTC", "PYO3_PYTHON", "CFLAGS", "CC", "LDFLAGS", "CPATH", "LIBRARY_PATH", "LD_RUN_PATH",
        "LD_PRELOAD", "GCC_EXEC_PREFIX", "MAKEFLAGS", "PYTHONPATH",
    ],
)  # fmt: skip
def test_what_would_change_a_build_does_not_reach_it(name: str) -> None:
    assert for_builders({name: "x", "PATH": "/bin"}, ADDED="1") == {"PATH": "/bin", "LC_ALL": "C.UTF-8", "ADDED": "1"}


@pytest.mark.parametrize("name", ["CCACHE_DIR", "CARGO_HOME", "CARGO_HTTP_CAINFO", "LD_LIBRARY_PATH", "ARCH", "HOME"])
def test_what_a_builder_needs_to_run_reaches_it(name: str) -> None:
    assert name in for_builders({name: "x"})


def test_a_long_value_is_cut() -> None:
    (caveat,) = environment_caveats({"PYTHONPATH": "/x" * 500})
    assert len(caveat.message) < 200
