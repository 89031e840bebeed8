"""Effects of build options and their account of the ladder, on costs with known truth."""

import math
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from profiler.analyze.causes.factorial_fit import account, effects
from profiler.analyze.causes.option_verdicts import best_library, caveats, judge_options, rebuilt_of
from profiler.analyze.causes.option_walk import walk
from profiler.analyze.compare import Costs
from profiler.catalogue.factorial_design import cells, levels_of
from profiler.errors import UsageError
from profiler.model import BASELINE, Comparison, Launcher, Run
from profiler.model.factorial import Built, Factor, FactorialPlan, Level, Levels, NotBuilt, Rebuilt, Training
from profiler.model.option_effects import FactorEffect
from tests.builders import ROLES, launcher

METRIC = "instructions"


def factor(name: str, first: str, second: str, **more: Any) -> Factor:
    return Factor(name=name, title=name, cause=name, levels=(Level(name=first), Level(name=second)), **more)


PLAN = FactorialPlan(
    title="",
    factors=(
        factor("pgo", "pgo", "no-pgo"),
        factor("lto", "lto", "no-lto"),
        factor("pic", "static", "shared"),
        factor("plt", "direct", "interposable", applies={"pic": "shared"}),
    ),
    reproduces={
        "program": {"pgo": "pgo", "lto": "lto", "pic": "static"},
        "library": {"pgo": "no-pgo", "lto": "lto", "pic": "shared", "plt": "interposable"},
    },
)


def true_log(levels: Levels) -> float:
    """No PGO costs 12 %, without LTO 5 % more; PIC 2 %, interposition 3 %; each relative to PGO, LTO, static."""
    slow = {name: level in ("no-pgo", "no-lto", "shared", "interposable") for name, level in levels.items()}
    return (
        math.log(1.12) * slow["pgo"]
        + math.log(1.04) * slow["lto"]
        + math.log(1.05) * (slow["pgo"] and slow["lto"])
        + math.log(1.02) * slow["pic"]
        + math.log(1.03) * slow.get("plt", False)
    )


def run_of(built: tuple[Built, ...], plan: FactorialPlan, failed: tuple[NotBuilt, ...] = ()) -> Run:
    """A run with nothing but what the analysis of rebuilt combinations looks at."""
    launchers = tuple(
        launcher(name, link=None, image=product)
        for name, product in [("pyo3", "/usr/lib/libpython.so"), *((one.launcher, one.product) for one in built)]
    )
    rebuilt = Rebuilt(plan=plan, source="", compiler="", changed=(), built=built, failed=failed)
    return Run(
        **dict.fromkeys(set(Run.__struct_fields__) - {"plan", "rebuilt", "remedy"}),  # type: ignore[arg-type]
        plan=_Plan(launchers),  # type: ignore[arg-type]
        rebuilt=msgspec.to_builtins(rebuilt),
    )


class _Plan:
    source = "callgrind"

    def __init__(self, launchers: tuple[Launcher, ...]) -> None:
        self.launchers = launchers


def built(levels: Levels, product: str = "", mismatched: int | None = 0) -> Built:
    return Built(
        levels=levels,
        kind="library" if levels.get("pic") == "shared" else "program",
        product=product or f"/cache/{'-'.join(levels.values())}",
        build_id=None, key="", configure=(), cflags=(), ldflags=(), training=None, mismatched_functions=mismatched,
        seconds=1.0, log="",
    )  # fmt: skip


def costs_of(ones: tuple[Built, ...], *, scatter: float, library_extra: float = 0.0) -> Costs:
    rng = np.random.default_rng(1)
    rows: list[tuple[int, str, float]] = []
    for block in range(6):
        base = 900 * math.exp(rng.normal(0, 0.01))
        rows.append((block, BASELINE, base))
        library = {**PLAN.reproduces["library"]}
        rows.append((block, "pyo3", base * math.exp(true_log(library) + library_extra + rng.normal(0, scatter))))
        rows += [(block, one.launcher, base * math.exp(true_log(one.levels) + rng.normal(0, scatter))) for one in ones]
    table = pd.DataFrame(rows, columns=["block", "launcher", METRIC]).set_index(["block", "launcher"])
    return Costs(table=table, apart=frozenset(), sources={}, reasons={}, fallback_source="callgrind", roles=ROLES)


def effect(found: tuple[FactorEffect, ...], term: str) -> FactorEffect:
    return next(one for one in found if one.term == term)


def test_planted_effects_are_recovered_within_their_intervals() -> None:
    ones = tuple(map(built, cells(PLAN)))
    run = run_of(ones, PLAN)
    found = effects(costs_of(ones, scatter=1e-4), run, msgspec.convert(run.rebuilt, Rebuilt))
    truth = {
        "pgo": 1.12 * math.sqrt(1.05),
        "lto": 1.04 * math.sqrt(1.05),
        "pic": 1.02 * math.sqrt(1.03),
        "plt": 1.03,
        "pgo × lto": math.sqrt(1.05),
        "pgo × pic": 1.0,
    }
    for term, ratio in truth.items():
        one = effect(found.effects, term)
        assert one.lo is not None
        assert one.hi is not None
        # Six intervals of 95 %: each may miss by a little, none by its own width.
        assert 2 * one.lo - one.hi < ratio < 2 * one.hi - one.lo, term
        assert one.hi - one.lo < 0.001
        assert one.confounded_with == ()
    assert found.not_separable == ()
    assert 0 <= found.lack_of_fit[METRIC] < 3e-4


def test_the_account_adds_up_to_the_whole_ladder_and_shows_what_is_left() -> None:
    ones = tuple(map(built, cells(PLAN)))
    run = run_of(ones, PLAN)
    rungs, left = account(costs_of(ones, scatter=0, library_extra=0.004), run, msgspec.convert(run.rebuilt, Rebuilt))
    whole = true_log(PLAN.reproduces["library"]) + 0.004
    assert sum(math.log(rung.ratio or 0) for rung in rungs) == pytest.approx(whole)
    assert sum(rung.share or 0 for rung in rungs) == pytest.approx(1)
    by_name = {rung.from_: rung.ratio for rung in rungs}
    assert by_name["pgo"] == pytest.approx(1.12)
    assert by_name["static"] == pytest.approx(1.02)
    assert by_name["direct"] == pytest.approx(1.03)
    assert "lto" not in by_name, "both ends are built with LTO"
    assert rungs[-1].ratio == pytest.approx(math.exp(0.004))
    assert left.share == pytest.approx(0.004 / whole)


def test_a_factor_that_is_fixed_stays_in_the_step_of_what_it_applies_to() -> None:
    """Interposition is never varied, so it goes with position-independent code; the account stands all the same."""
    plan = msgspec.structs.replace(PLAN, fixed={"lto": "lto", "plt": "interposable"})
    ones = tuple(built(levels) for levels in cells(plan))
    walked = walk(costs_of(ones, scatter=0.0), plan, ones, "instructions")
    assert walked is not None
    assert [stride.factor.name for stride in walked.strides] == ["pgo", "pic"]
    (_, pic) = walked.strides
    assert pic.effect.mean() == pytest.approx(math.log(1.02) + math.log(1.03))
    run = run_of(ones, plan)
    causes = judge_options(costs_of(ones, scatter=0), run, msgspec.convert(run.rebuilt, Rebuilt))
    status = {cause.cause: cause.status for cause in causes}
    assert status["plt"] == "not-tested", "it is no more equal at both ends than it was varied"
    assert status["lto"] == "refuted"


def test_what_rebuilding_does_not_reproduce_is_not_the_images() -> None:
    ones = tuple(map(built, cells(PLAN)))
    run = run_of(ones, PLAN)
    costs = costs_of(ones, scatter=0, library_extra=0.02)
    image, *_ = judge_options(costs, run, msgspec.convert(run.rebuilt, Rebuilt))
    assert image.cause == "eval-loop-image"
    assert image.share == pytest.approx(1 - 0.02 / (true_log(PLAN.reproduces["library"]) + 0.02))


def test_an_aliased_pair_is_reported_as_not_separable() -> None:
    half = FactorialPlan(
        title="", factors=PLAN.factors[:3], fraction={"pic": ("pgo", "lto")}, reproduces=PLAN.reproduces
    )
    ones = tuple(map(built, cells(half)))
    run = run_of(ones, half)
    found = effects(costs_of(ones, scatter=1e-4), run, msgspec.convert(run.rebuilt, Rebuilt))
    assert ("pic", "pgo × lto") in found.not_separable
    pic = effect(found.effects, "pic")
    assert pic.confounded_with == ("pgo × lto",)
    assert pic.ratio == pytest.approx(1.02 * math.sqrt(1.05), rel=1e-3), "the sum of what it is confounded with"
    assert all(one.term != "pgo × lto" for one in found.effects)


@pytest.mark.parametrize("extra", [0.0, math.log(1.1)])
def test_a_share_that_depends_on_order_tells_its_range_and_what_was_measured(extra: float) -> None:
    """Interposition costs ``extra`` more where there is PGO: what it takes depends on which of them is met first."""
    ones = tuple(map(built, cells(PLAN)))
    run = run_of(ones, PLAN)
    costs = costs_of(ones, scatter=0)
    both = [one.launcher for one in ones if {one.levels["pgo"], one.levels.get("plt")} == {"pgo", "interposable"}]
    rows = costs.table.index.get_level_values("launcher").isin(both)
    costs.table.loc[rows, METRIC] *= math.exp(extra)
    image, pgo, lto, pic, plt = judge_options(costs, run, msgspec.convert(run.rebuilt, Rebuilt))
    whole = true_log(PLAN.reproduces["library"])
    assert [one.cause for one in (pgo, lto, pic, plt)] == ["pgo", "lto", "pic", "plt"]
    assert image.share == pytest.approx(1.0)
    assert (pgo.share or 0) + (pic.share or 0) + (plt.share or 0) == pytest.approx(1.0)
    # In one of three orders (PIC comes before interposition) interposition is met while there is PGO.
    alone = math.log(1.03) / whole
    assert plt.share_least == pytest.approx(alone)
    assert plt.share_most == pytest.approx(alone + extra / whole)
    assert plt.share == pytest.approx(alone + extra / whole / 3)
    assert pgo.share_most == pytest.approx(math.log(1.12) / whole)
    assert pgo.share_least == pytest.approx((math.log(1.12) - extra) / whole)
    assert plt.without == pytest.approx(1.12 * 1.02)
    assert pgo.without == pytest.approx(1.02 * 1.03 * math.exp(extra))
    assert (pic.without, "cannot go alone" in pic.evidence) == (None, True)
    assert f"with direct alone pyo3@no-pgo,lto,shared,direct takes {1.12 * 1.02:.4f} " in plt.evidence
    assert f"makes {'between ' if extra else ''}1.0300 (exact)" in plt.evidence
    assert {one.part_of for one in (pgo, pic, plt)} == {"eval-loop-image"}
    rungs, _ = account(costs, run, msgspec.convert(run.rebuilt, Rebuilt))
    mean = next(rung for rung in rungs if rung.to == "interposable")
    assert (mean.orders, mean.least, mean.most) == (3, pytest.approx(1.03), pytest.approx(1.03 * math.exp(extra)))
    assert [rung.orders for rung in rungs] == [None, 3, 3, 3, None]


def test_the_account_needs_both_ends() -> None:
    ones = tuple(built(one) for one in cells(PLAN) if one != PLAN.reproduces["library"])
    run = run_of(ones, PLAN)
    rungs, left = account(costs_of(ones, scatter=0), run, msgspec.convert(run.rebuilt, Rebuilt))
    assert rungs == ()
    assert left.share is None


def test_a_launcher_that_did_not_run_its_library_is_named_and_left_out() -> None:
    good, bad = built(cells(PLAN)[0]), built(cells(PLAN)[-1])
    run = run_of((good, msgspec.structs.replace(bad, product="/usr/lib/another.so")), PLAN)
    rebuilt = Rebuilt(
        plan=PLAN, source="", compiler="", changed=(), built=(good, bad),
        failed=(NotBuilt(levels=levels_of(PLAN, {"pgo": "pgo"}), message="work.c: error: planted", hint="log"),),
    )  # fmt: skip
    told = {one.code: one.message for one in caveats(run, rebuilt)}
    assert bad.launcher in told["not-that-library"]
    assert "work.c: error: planted" in told["not-built"]
    assert len(told) == 2


def test_counts_that_do_not_fit_are_a_caveat() -> None:
    one = built(cells(PLAN)[0], mismatched=3)
    run = run_of((one,), PLAN)
    (told,) = caveats(run, msgspec.convert(run.rebuilt, Rebuilt))
    assert told.code == "training-does-not-fit"
    assert "differs: 3 " in told.message


@pytest.mark.parametrize(("failed", "codes"), [(2, []), (20, ["training-incomplete"])])
def test_a_training_of_which_much_failed_is_a_caveat(failed: int, codes: list[str]) -> None:
    training = Training(key="trained-1", tests=44, failed_tests=failed)
    one = msgspec.structs.replace(built(cells(PLAN)[0]), training=training)
    found = caveats(
        run_of((one,), PLAN), Rebuilt(plan=PLAN, source="", compiler="", changed=(), built=(one,), failed=())
    )
    assert [caveat.code for caveat in found] == codes
    assert all(f"trained-1: {failed} of 44 " in caveat.message for caveat in found)


def test_the_drop_in_is_the_best_library_that_every_machine_runs() -> None:
    newer = Factor(name="march", title="", levels=(Level(name="v3", hwcap="x86-64-v3"), Level(name="baseline")))
    plan = msgspec.structs.replace(PLAN, factors=(*PLAN.factors, newer))
    library = PLAN.reproduces["library"]
    fast, portable, program = (
        built(levels_of(plan, levels))
        for levels in (
            library | {"march": "v3"},
            library | {"march": "baseline"},
            PLAN.reproduces["program"] | {"march": "baseline"},
        )
    )
    order = (fast, portable, program)
    ratios = dict(zip((one.launcher for one in order), (0.95, 1.0, 0.9), strict=True))
    comparisons = tuple(
        Comparison(
            **dict.fromkeys(Comparison.__struct_fields__) | {"launcher": launcher, "metric": METRIC, "ratio": ratio}  # type: ignore[arg-type]
        )
        for launcher, ratio in ratios.items()
    )
    rebuilt = Rebuilt(plan=plan, source="", compiler="", changed=(), built=order, failed=())
    found = [best_library(comparisons, rebuilt, drop_in=drop_in) for drop_in in (False, True)]
    assert [one and one[0] for one in found] == [fast, portable]


def test_builds_that_another_version_recorded_are_refused_with_a_remedy() -> None:
    run = run_of((built(cells(PLAN)[0]),), PLAN)
    assert run.rebuilt is not None
    old = msgspec.structs.replace(run, rebuilt=run.rebuilt | {"built": [{"levels": {}}]})
    with pytest.raises(UsageError, match="another version") as refused:
        rebuilt_of(old)
    assert refused.value.hint
