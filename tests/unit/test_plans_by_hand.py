"""What plans hold, worked out by hand, where a plausible slip would pass everything else."""

import msgspec
import pytest

from profiler.catalogue.interventions import ALL_REMOVED, BY_ID, GIVEN_ALL, Given
from profiler.errors import UsageError
from profiler.launch.interpreters import resolve_target
from profiler.model import AGAIN, BASELINE, EMBEDDER, Launcher, Native, SourceName, Variant, Whole, Workload
from profiler.plan import lineup
from profiler.plan.arms import ArmSpec, EliminationSpec, build_arms
from profiler.plan.schedule import make_plan, steps, workload_of
from profiler.plan.studies import STUDIES
from profiler.plan.sweep import intervened, sweep_passes
from profiler.plan.treat import treated, vary
from tests.builders import launcher

WORKLOAD = Workload(name="w", path="/w.py", counts_m=(10, 20), timed_m=(100, 600))
LAUNCHERS = (launcher("python3"), launcher("pyo3"))


def whole(name: str, *events: str, exclusive: bool = False) -> Whole:
    return Whole(name=name, events=events, m=(10, 20), exclusive=exclusive, repetitions=1, blocks=(0, None))


COUNTED, TIMED = whole("counted", "instructions"), whole("timed", "task-clock", "wall", exclusive=True)


# Schedule


def test_a_pass_runs_in_its_blocks_alone() -> None:
    passes = (msgspec.structs.replace(COUNTED, blocks=(1, 3)),)
    made = make_plan(seed=1, source="callgrind", workload=WORKLOAD, launchers=LAUNCHERS, passes=passes, blocks=5)
    assert [len(steps(made, block)) > 0 for block in made.blocks] == [False, True, True, False, False]


def test_an_arm_has_a_workload_of_its_own() -> None:
    made = make_plan(seed=1, source="callgrind", workload=WORKLOAD, launchers=LAUNCHERS, passes=(COUNTED,), blocks=1)
    other = msgspec.structs.replace(WORKLOAD, name="other")
    assert workload_of(made, COUNTED) is WORKLOAD
    assert workload_of(made, msgspec.structs.replace(COUNTED, workload=other)) is other


def test_arms_take_turns_in_another_order_in_each_block() -> None:
    arms = tuple(whole(f"{arm}/counted", "instructions") for arm in "abcd")
    made = make_plan(seed=1, source="callgrind", workload=WORKLOAD, launchers=LAUNCHERS, passes=arms, blocks=8)
    orders = {tuple(dict.fromkeys(step.pass_name for step in steps(made, block))) for block in made.blocks}
    assert all(len(order) == 4 for order in orders)
    assert len(orders) > 4


# Sweep


def test_what_the_sweep_repeats_and_counts() -> None:
    many = whole("many", "instructions", "branches")
    timed, counted = sweep_passes(WORKLOAD, (1, 10, 50, 100, 1000), (many, COUNTED, TIMED), LAUNCHERS)
    assert isinstance(timed, Native)
    assert timed.once_from == 100, "from the lower M of timed runs on"
    assert counted.events == ("instructions",), "the pass that counts the fewest events beside"
    assert counted.m == (1, 10, 50), "up to four times the work of counting passes"
    assert timed.launchers == (BASELINE, AGAIN, "pyo3")


def test_of_a_users_host_only_the_loader_can_be_told_otherwise() -> None:
    host = launcher("mine", "/opt/mine", "{script}", link=None)
    assert {one.name: one.env for one in intervened((host,))} == {"mine+bind-now": {"LD_BIND_NOW": "1"}}
    embedder = intervened((launcher("pyo3"),))
    assert embedder
    assert all(one.argv == ("/bin/true", "{script}", "{m}") for one in embedder)


# Arms


def arms_of(*specs: EliminationSpec, source: SourceName = "callgrind") -> dict[str, Whole]:
    made = build_arms(
        specs,
        workload="w",
        complete=lambda name: msgspec.structs.replace(WORKLOAD, name=name),
        launchers=LAUNCHERS,
        offered=(COUNTED, TIMED),
        source=source,
    )
    return {one.name: one for one in made.passes}


def spec(after: ArmSpec) -> EliminationSpec:
    return EliminationSpec(name="mine", hypothesis="h", intervention="i", after=after)


def test_late_runs_are_the_later_half_and_counts_stay_what_they_are() -> None:
    made = arms_of(spec(ArmSpec(late=True, warmups=3)))
    assert (made["mine-after/timed"].m, made["reference/timed"].m) == ((350, 600), (100, 600))
    assert made["mine-after/counted"].m == (10, 20)
    assert (made["mine-after/timed"].warmups, made["mine-after/counted"].warmups) == (3, 0)


def test_counts_run_in_two_blocks_and_times_in_all() -> None:
    made = arms_of(spec(ArmSpec(env={"A": "1"})))
    assert {name: one.blocks for name, one in made.items()} == {
        "reference/counted": (0, 2),
        "reference/timed": (0, None),
        "mine-after/counted": (0, 2),
        "mine-after/timed": (0, None),
    }
    assert made["mine-after/timed"].repetitions == 4


def test_what_is_changed_on_one_launcher_is_changed_on_no_other() -> None:
    made = arms_of(spec(ArmSpec(env={"A": "1"}, on=("pyo3",))))
    assert made["mine-after/timed"].launchers == ("python3", "pyo3+mine")


@pytest.mark.parametrize("m", [(5, 5), (6, 5), (0, 5)])
def test_two_m_must_ascend(m: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="m needs 0 < LO < HI"):
        arms_of(spec(ArmSpec(m=m)))


# Treatments

PLAIN = {
    "gc_enabled": True, "allocator": "pymalloc", "recursion_limit": 1000, "flags": {"optimize": 0}, "xoptions": {},
    "extension_modules": [],
}  # fmt: skip


def host_and_twin() -> tuple[Launcher, Launcher, Launcher]:
    return (
        launcher(BASELINE, image="/usr/bin/python3"),
        launcher("runmain", image="/lib/libpython.so"),
        launcher("mine", "/opt/mine", "{script}", link=None, image="/lib/libpython.so"),
    )


def made_for(own: dict[str, object]) -> dict[str, Launcher]:
    found = treated(host_and_twin(), {BASELINE: PLAIN, "mine": PLAIN | own}, "callgrind")
    return {one.name: one for one in found}


def test_a_change_keeps_the_environment_and_comes_before_the_arguments() -> None:
    base = msgspec.structs.replace(launcher("mine", "/opt/mine", "{script}", "{m}", link=None), env={"KEPT": "1"})
    varied = vary(
        base, Variant(of="mine", intervention="x", way="changed"), Given(env={"NEW": "2"}, options=("-O", "-B"))
    )
    assert varied.env == {"KEPT": "1", "NEW": "2"}
    assert varied.argv == ("/opt/mine", "-O", "-B", "{script}", "{m}")
    assert varied.name == "mine+x"


def test_two_removals_are_also_made_together() -> None:
    alone = made_for({})
    assert [name for name in alone if ALL_REMOVED in name] == []
    assert set(alone) == {"mine~tracing"}, "what can be there unseen is always removed"
    assert f"mine~{ALL_REMOVED}" in made_for({"gc_enabled": False})


def test_only_what_cannot_be_removed_is_given_together() -> None:
    removable = [key for key, entry in BY_ID.items() if entry.remove is not None and entry.keys == ("allocator",)]
    assert removable == ["allocator"]
    one = made_for({"allocator": "malloc", "flags": {"optimize": 1}})
    assert [name for name in one if "@mine" in name] == ["runmain+allocator@mine", "runmain+options@mine"]
    two = made_for({"flags": {"optimize": 1}, "extension_modules": ["array"]})
    assert f"runmain+{GIVEN_ALL}@mine" in two
    assert two[f"runmain+{GIVEN_ALL}@mine"].argv[1] == "-O"


# Line-up and studies


def test_hosts_need_names_of_their_own() -> None:
    target = resolve_target(None)
    two = lineup.user_hosts(("one=true {script} {m}", "two=true {script} {m}"))
    found = lineup.chosen(target, (), two, lambda line: None)
    assert [one.name for one in found.launchers] == [BASELINE, "one", "two"]
    with pytest.raises(UsageError, match="two --host have the same name"):
        lineup.user_hosts(("one=true {script} {m}", "one=false {script} {m}"))


@pytest.mark.parametrize(
    ("change", "callgrind", "software"), [("malloc", True, True), ("copied", False, False), ("big-env", False, True)]
)
def test_changes_that_a_source_cannot_show_are_not_made(change: str, callgrind: bool, software: bool) -> None:
    entry = BY_ID[change]
    assert lineup._shows(entry, "hardware")
    assert (lineup._shows(entry, "callgrind"), lineup._shows(entry, "software")) == (callgrind, software)


def test_how_many_blocks_each_command_takes() -> None:
    assert {study.command: tuple(study.blocks.get(source) for source in ("hardware", "callgrind", "software"))
            for study in STUDIES.values()} == {
        "ipc": (10, 6, 15), "variants": (8, 5, 10), "rebuild": (8, 4, 10), "amortize": (15, 15, 15),
        "eliminate": (8, 6, 8), "opcodes": (None, 4, None), "where": (None, 4, None), "cross": (None, None, None),
        "opcodes --statements": (4, 2, 5),
    }  # fmt: skip
    assert STUDIES["eliminate"].launchers == (BASELINE, EMBEDDER)
