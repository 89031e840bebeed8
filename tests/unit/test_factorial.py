"""Factorial plans: combinations, and what they can and cannot tell apart, on designs from the textbook."""

import math
from pathlib import Path

import numpy as np
import pytest

from profiler.catalogue.factorial_design import cells, check, columns, model, separable
from profiler.errors import UsageError
from profiler.model.factorial import Factor, FactorialPlan, Level, Levels, cell_name
from profiler.rebuild.plans import DEFAULT, load_plan


def factor(name: str, **more: object) -> Factor:
    return Factor(
        name=name,
        title=name,
        cause=None,
        levels=(Level(name=f"{name}0"), Level(name=f"{name}1")),
        **more,  # type: ignore[arg-type]
    )


def plan(*names: str, **more: object) -> FactorialPlan:
    return FactorialPlan(title="", factors=tuple(map(factor, names)), **more)  # type: ignore[arg-type]


def test_a_full_plan_has_every_combination_once_and_separates_everything() -> None:
    full = plan("a", "b", "c")
    assert len({cell_name(one) for one in cells(full)}) == 8
    clear, aliases = separable(full, cells(full))
    assert clear == (("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"))
    assert aliases == ()


def test_half_a_plan_confounds_the_pairs_that_its_generator_says() -> None:
    """2^(4-1) with d = abc, resolution IV (Box, Hunter & Hunter, table 6.22): ab = cd, ac = bd, ad = bc."""
    half = plan("a", "b", "c", "d", fraction={"d": ("a", "b", "c")})
    assert len(cells(half)) == 8
    clear, aliases = separable(half, cells(half))
    assert clear == (("a",), ("b",), ("c",), ("d",))
    assert set(aliases) == {
        (("a", "b"), ("c", "d")),
        (("a", "c"), ("b", "d")),
        (("a", "d"), ("b", "c")),
    }


def test_a_saturated_third_of_a_plan_confounds_main_effects_with_interactions() -> None:
    """2^(3-1) with c = ab, resolution III."""
    quarter = plan("a", "b", "c", fraction={"c": ("a", "b")})
    assert separable(quarter, cells(quarter))[1] == (
        (("a",), ("b", "c")),
        (("b",), ("a", "c")),
        (("c",), ("a", "b")),
    )


def test_a_factor_that_is_fixed_is_no_part_of_the_model() -> None:
    fixed = plan("a", "b", fixed={"b": "b1"})
    assert [cell_name(one) for one in cells(fixed)] == ["a0,b1", "a1,b1"]
    assert model(fixed) == (("a",),)
    assert separable(fixed, cells(fixed)) == ((("a",),), ())


def test_a_fixed_factor_that_one_extra_combination_varies_has_its_effect_there_and_no_interaction() -> None:
    beside = plan("a", "b", fixed={"b": "b0"}, extra=({"a": "a0", "b": "b1"},))
    assert separable(beside, cells(beside)) == ((("a",), ("b",)), ())
    twice = plan("a", "b", fixed={"b": "b0"}, extra=({"a": "a0", "b": "b1"}, {"a": "a1", "b": "b1"}))
    assert separable(twice, cells(twice)) == ((("a",), ("b",), ("a", "b")), ())


def test_a_factor_that_applies_at_one_level_only_is_not_built_twice_at_the_other() -> None:
    nested = FactorialPlan(title="", factors=(factor("a"), factor("b", applies={"a": "a1"}), factor("c")))
    assert [cell_name(one) for one in cells(nested)] == [
        "a0,c0", "a0,c1", "a1,b0,c0", "a1,b0,c1", "a1,b1,c0", "a1,b1,c1",
    ]  # fmt: skip
    assert ("a", "b") not in model(nested)
    assert separable(nested, cells(nested))[1] == ()


def test_a_combination_that_failed_costs_what_only_it_showed() -> None:
    full = plan("a", "b")
    clear, aliases = separable(full, cells(full)[:3])
    assert clear == ()
    assert aliases == ((("a",), ("b",), ("a", "b")),)


def test_effects_of_known_size_come_back_from_the_model_matrix() -> None:
    full = plan("a", "b", "c")
    truth = {("a",): 0.2, ("b",): -0.05, ("a", "b"): 0.03}

    def cost(levels: Levels) -> float:
        sign = {name: 1 if level.endswith("1") else -1 for name, level in levels.items()}
        return 5 + sum(size / 2 * math.prod(sign[name] for name in effect) for effect, size in truth.items())

    solved, *_ = np.linalg.lstsq(
        columns(full, cells(full), model(full)), np.array([cost(one) for one in cells(full)]), rcond=None
    )
    assert solved[0] == pytest.approx(5)
    assert dict(zip(model(full), solved[1:], strict=True)) == pytest.approx(
        {effect: truth.get(effect, 0.0) for effect in model(full)}, abs=1e-12
    )


def test_extra_combinations_stand_beside_the_plan() -> None:
    beside = plan("a", "b", fixed={"b": "b0"}, reproduces={"library": {"a": "a1", "b": "b0"}}, extra=({"b": "b1"},))
    assert [cell_name(one) for one in cells(beside)] == ["a0,b0", "a1,b0", "a1,b1"]


def test_the_default_plan_separates_all_its_effects() -> None:
    default = load_plan(DEFAULT)
    assert len(cells(default)) == 12
    assert separable(default, cells(default))[1] == ()
    assert all(dict(end) in cells(default) for end in default.reproduces.values())


@pytest.mark.parametrize("file", sorted(DEFAULT.resolve().parent.glob("rebuild-*.toml")), ids=lambda file: file.stem)
def test_every_plan_that_we_offer_separates_its_effects(file: Path) -> None:
    offered = load_plan(file)
    assert separable(offered, cells(offered))[1] == ()
    applied = {factor.name for factor in offered.factors}
    assert all(set(stands) == applied for end, stands in offered.reproduces.items() if end == "library")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fixed": {"a": "a7"}}, "no level a = 'a7'"),
        ({"fixed": {"z": "z0"}}, "no level z = 'z0'"),
        ({"extra": ({"b": "b9"},)}, "no level b = 'b9'"),
        ({"training": {"b": "nothing"}}, "no level b"),
        ({"reproduces": {"library": {"a": "x"}}}, "reproduces.library"),
        ({"fraction": {"c": ("a", "c")}}, "fraction: c"),
        ({"fraction": {"c": ()}}, "fraction: c"),
        ({"fraction": {"z": ("a",)}}, "fraction: z"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        check(plan("a", "b", "c", **change), "plan.toml")
    assert "plan.toml" in refused.value.message
    assert refused.value.hint
