"""Planted order, scope and location effects are found, and none in a clean run: arms, schedule, analysis together."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from profiler.analyze.conclude import conclude
from profiler.errors import UsageError
from profiler.model import AGAIN, Plan, Step, Whole, Workload
from profiler.model.suspects import Eliminated, Suspects
from profiler.model.verdict import part
from profiler.plan.arms import ArmSpec, EliminationSpec, build_arms, default_eliminations
from profiler.plan.schedule import make_plan, steps
from profiler.sources.timed import TIMED_EVENTS
from tests.builders import launcher
from tests.unit.simulated import Truth, folder_of

LAUNCHERS = (launcher("python3"), launcher("pyo3"))
OFFERED = (
    Whole(name="counted", events=("instructions",), m=(10, 20), exclusive=False, repetitions=1, blocks=(0, None)),
    Whole(name="timed", events=TIMED_EVENTS, m=(100, 600), exclusive=True, repetitions=3, blocks=(0, None)),
)
BLOCKS = 8
TAX = 1.2
WORKS = {"int_loop": 100.0, "int_loop_global": 150.0, "dynamic": 900.0}
"""Cost per unit in the baseline."""


def workload(name: str) -> Workload:
    return Workload(name=name, path=f"/{name}.py", counts_m=(10, 20), timed_m=(100, 600))


def plan(specs: tuple[EliminationSpec, ...] | None = None) -> Plan:
    arms = build_arms(
        default_eliminations() if specs is None else specs,
        workload="int_loop",
        complete=workload,
        launchers=LAUNCHERS,
        offered=OFFERED,
        source="callgrind",
    )
    return make_plan(
        seed=3,
        source="callgrind",
        workload=workload("int_loop"),
        launchers=(*LAUNCHERS, *arms.launchers),
        passes=arms.passes,
        blocks=BLOCKS,
        eliminations=arms.eliminations,
    )


def truth(made: Plan, *, heat: float = 1.0, scope: float = 1.0, place: float = 1.0, noise: float = 0.003) -> Truth:
    """pyo3 costs 20 % more; whoever runs in the hot second half of a pass pays ``heat``, pyo3 with its loop at module
    level ``scope``, and pyo3 where it was installed ``place``."""
    rng = np.random.default_rng(4)
    runs = {what.name: sum(s.pass_name == what.name for s in steps(made, made.blocks[0])) for what in made.passes}

    def reading(step: Step, work: str, before: int) -> dict[str, float]:
        per_unit = WORKS[work]
        if step.launcher.startswith("pyo3"):
            per_unit *= TAX
            per_unit *= scope if work.endswith("_global") else 1.0
        if "counted" in step.pass_name:
            return {"instructions": 1e6 + per_unit * step.m}
        if step.launcher.startswith("pyo3") and not step.launcher.endswith(("+copied", "+mine")):
            per_unit *= place
        if before >= runs[step.pass_name] / 2:
            per_unit *= heat
        time = (1e4 + per_unit * step.m) * math.exp(noise * rng.normal())
        return {"task-clock": time, "wall": 1.01 * time, "steal": 0.0, "clock": 3.0}

    return reading


def judged(tmp_path: Path, **planted: float) -> dict[tuple[str, str], Eliminated]:
    made = plan()
    found = part(conclude(folder_of(tmp_path, made, "eliminate", truth(made, **planted))), Suspects)
    assert found is not None
    return {(one.elimination, one.metric): one for one in found.eliminations}


def confirmed(found: dict[tuple[str, str], Eliminated]) -> set[str]:
    return {name for (name, _), one in found.items() if one.status == "confirmed"}


def test_a_clean_run_eliminates_every_suspect(tmp_path: Path) -> None:
    found = judged(tmp_path)
    assert {one.status for one in found.values()} == {"refuted"}, [o for o in found.values() if o.status != "refuted"]
    assert len({name for name, _ in found}) == len(default_eliminations())
    scope = found["scope", "instructions"]
    assert scope.before == pytest.approx(TAX)
    assert scope.after == pytest.approx(TAX)
    assert scope.share == pytest.approx(0, abs=1e-9)


@pytest.mark.once
def test_a_planted_order_effect_is_found(tmp_path: Path) -> None:
    found = judged(tmp_path, heat=1.15)
    assert confirmed(found) == {"order-baseline-first", "order-host-first"}
    assert found["order-baseline-first", "task-clock"].change == pytest.approx(1.15, abs=0.02)
    assert found["order-host-first", "task-clock"].change == pytest.approx(1 / 1.15, abs=0.02)


@pytest.mark.once
def test_a_planted_scope_effect_is_found(tmp_path: Path) -> None:
    """The module level costs pyo3 half as much again: of a tax of 1.8, log 1.5 goes with it."""
    found = judged(tmp_path, scope=1.5)
    assert confirmed(found) == {"scope"}
    scope = found["scope", "instructions"]
    assert scope.before == pytest.approx(1.8)
    assert scope.share == pytest.approx(math.log(1.5) / math.log(1.8))


def test_a_scope_effect_that_leaves_most_of_the_tax_is_no_explanation(tmp_path: Path) -> None:
    found = judged(tmp_path, scope=1.03)
    assert found["scope", "instructions"].status == "refuted"
    assert found["scope", "instructions"].share == pytest.approx(math.log(1.03) / math.log(1.2 * 1.03))


def test_a_planted_location_effect_is_found(tmp_path: Path) -> None:
    found = judged(tmp_path, place=1.1)
    assert confirmed(found) == {"program-location"}
    one = found["program-location", "task-clock"]
    assert one.change == pytest.approx(1.1, abs=0.01)
    assert one.cause == "program-location"


def test_too_much_noise_is_unresolved_and_says_so(tmp_path: Path) -> None:
    found = judged(tmp_path, noise=0.3)
    one = found["nothing", "task-clock"]
    assert one.status == "unresolved"
    assert one.reason is not None
    assert "more --blocks" in one.reason


def test_serial_orders_are_serial_and_arms_take_turns() -> None:
    made = plan()
    of_arm = {
        order: [s.launcher for s in steps(made, made.blocks[0]) if s.pass_name == f"order-{order}-before/timed"]
        for order in ("baseline-first", "host-first")
    }
    assert of_arm["baseline-first"] == ["python3"] * 8 + ["pyo3"] * 8
    assert of_arm["host-first"] == ["pyo3"] * 8 + ["python3"] * 8
    orders = {tuple(dict.fromkeys(s.pass_name for s in steps(made, block))) for block in made.blocks}
    assert len(orders) > 1, "an arm that is always last would carry the machine's drift"


def test_equal_arms_are_measured_once_and_the_reference_has_its_twin() -> None:
    made = plan()
    assert sum(what.name == "reference/timed" for what in made.passes) == 1
    assert AGAIN in next(what for what in made.passes if what.name == "reference/timed").launchers
    assert not any(what.name.startswith("scope-after") for what in made.passes), "it is the reference"
    assert not any(what.name == "program-location-after/counted" for what in made.passes), "callgrind cannot show it"


def test_an_elimination_of_the_users_own(tmp_path: Path) -> None:
    own = msgspec.convert(
        {
            "name": "mine",
            "hypothesis": "LC_ALL matters",
            "intervention": "LC_ALL=C in pyo3",
            "after": {"env": {"LC_ALL": "C"}, "on": ["pyo3"]},
            "metrics": ["task-clock"],
        },
        EliminationSpec,
    )
    made = plan((own,))
    stands_in = next(one for one in made.launchers if one.name == "pyo3+mine")
    assert stands_in.env == {"LC_ALL": "C"}
    (elimination,) = made.eliminations
    assert (elimination.after[0].baseline, elimination.after[0].hosts) == ("python3", ("pyo3+mine",))
    found = part(conclude(folder_of(tmp_path, made, "eliminate", truth(made, place=1.3))), Suspects)
    assert found is not None
    assert found.eliminations[0].change == pytest.approx(1.3, abs=0.03), "planted: pyo3 with LC_ALL=C is faster"


def test_a_toggle_that_does_not_run_here_leaves_its_elimination_untested(tmp_path: Path) -> None:
    made = plan()
    kept = tuple(one for one in made.launchers if not one.name.endswith("+copied"))
    found = part(
        conclude(folder_of(tmp_path, msgspec.structs.replace(made, launchers=kept), "eliminate", truth(made))), Suspects
    )
    assert found is not None
    one = next(one for one in found.eliminations if one.elimination == "program-location")
    assert one.status == "not-tested"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cause": "gremlins"}, "no cause 'gremlins'"),
        ({"after": ArmSpec(toggle="warp")}, "no toggle 'warp'"),
        ({"after": ArmSpec(on=("nobody",))}, "no launcher nobody"),
        ({"after": ArmSpec(m=(5, 5))}, "m needs 0 < LO < HI"),
    ],
)
def test_what_does_not_exist_is_refused(changed: dict[str, object], words: str) -> None:
    spec = EliminationSpec(name="x", hypothesis="h", intervention="i")
    with pytest.raises(UsageError, match=words):
        plan((msgspec.structs.replace(spec, **changed),))
