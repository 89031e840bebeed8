"""Figures of the analysis that are worked out by hand, where a plausible slip would pass everything else."""

import math

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit
from scipy.stats import bootstrap

from profiler.analyze import claims, removals
from profiler.analyze import conclude as conclusion
from profiler.analyze.advice import advise
from profiler.analyze.boundary import find_boundaries
from profiler.analyze.causes import cause_verdicts, remedy_verdict, tls, version
from profiler.analyze.causes.case import InterventionResult, make_case, status_of
from profiler.analyze.causes.fingerprint_differences import fingerprint_differences
from profiler.analyze.causes.nested import parts, untold
from profiler.analyze.causes.observed import frequency
from profiler.analyze.causes.remembered import remembered
from profiler.analyze.compare import Costs, compare, compare_metrics, cost_table
from profiler.analyze.conclude import conclude
from profiler.analyze.costing import costs_of
from profiler.analyze.crossover import BreakEven, Crossing, Estimate, crossing_of, sample, spread
from profiler.analyze.decompose import decompose
from profiler.analyze.doubts import doubt_of
from profiler.analyze.effects import Share, is_clear
from profiler.analyze.placement import by_placement_alone, placements_differ
from profiler.analyze.rows import measured, read_rows, slopes
from profiler.analyze.sequential import half_widths, judged, narrow
from profiler.analyze.stats import (
    CONFIDENCE,
    FAMILY_ERROR,
    SEQUENTIAL_LEVEL,
    log_ratio_interval,
    mean_intervals,
    p_value_of_difference,
    ratio_of_means,
    smallest_detectable_effect,
    spanning,
    verdict,
)
from profiler.analyze.variance import components
from profiler.analyze.wording import difference
from profiler.catalogue.causes import CAUSES
from profiler.catalogue.metrics import METRIC
from profiler.folder import load_run
from profiler.model import AGAIN, BASELINE, EMBEDDER, Cause, Comparison, Interval, Precision, Unexplained
from profiler.model.amortization import Amortization
from profiler.model.factorial import RemedyTime
from profiler.model.verdict import part
from tests.builders import ROLES, launcher, unmarked
from tests.recorded import RESULTS
from tests.unit.simulated import folder_of
from tests.unit.test_amortize import sweep_plan, truth

RUN = load_run(RESULTS / "ipc-int_loop")


def costs(figures: dict[str, dict[str, list[float]]], *, level: float = CONFIDENCE) -> Costs:
    """Launcher → metric → its figure in each block."""
    table = pd.DataFrame.from_dict(
        {
            (block, name): {metric: values[block] for metric, values in own.items()}
            for name, own in figures.items()
            for block in range(len(next(iter(own.values()))))
        },
        orient="index",
    )
    table.index = pd.MultiIndex.from_tuples(table.index, names=["block", "launcher"])
    return Costs(
        table=table, apart=frozenset(), sources={}, reasons={}, fallback_source="hardware", roles=ROLES, level=level
    )


def compared(metric: str, base: list[float], other: list[float], *, level: float = CONFIDENCE) -> Comparison:
    made = costs({BASELINE: {metric: base}, "pyo3": {metric: other}}, level=level)
    return compare_metrics(made, BASELINE, "pyo3", (METRIC[metric],))[0]


# Statistics


def test_levels() -> None:
    assert (CONFIDENCE, FAMILY_ERROR) == (0.95, 0.01)
    assert CONFIDENCE < SEQUENTIAL_LEVEL < 0.97


@pytest.mark.parametrize(("lo", "hi"), [(0.985, 0.995), (1.005, 1.015), (0.985, 1.005)])
def test_an_interval_on_the_margin_is_unresolved(lo: float, hi: float) -> None:
    assert verdict(Interval(ratio=1.0, lo=lo, hi=hi), margin=0.01, better="lower") == "unresolved"


def test_fieller_takes_what_both_have_in_common_away() -> None:
    found = ratio_of_means([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert (found.ratio, found.lo, found.hi) == (2.0, None, None)
    found = ratio_of_means([20.0, 22.0, 24.0], [10.0, 11.0, 12.0])
    assert (found.lo, found.hi) == (pytest.approx(2.0), pytest.approx(2.0))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_wider_of_both_intervals_stands_at_each_end(sign: int) -> None:
    """Of skewed figures BCa reaches further than t at the long end and less far at the other."""
    figures = sign * np.array([[0.0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.2]])
    half = stdtrit(7, 0.975) * figures.std(ddof=1) / math.sqrt(8)
    bca = bootstrap(
        (figures,), np.mean, axis=-1, confidence_level=0.95, n_resamples=1999, batch=200, method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    (low,), (high,) = np.asarray(bca.low), np.asarray(bca.high)
    (lo,), (hi,) = mean_intervals(figures)
    assert lo == pytest.approx(min(figures.mean() - half, low))
    assert hi == pytest.approx(max(figures.mean() + half, high))
    assert (high > figures.mean() + half) == (sign > 0), "else this shows nothing"
    assert (low < figures.mean() - half) == (sign < 0), "else this shows nothing"


def test_the_smallest_detectable_effect_by_hand() -> None:
    # s = 0.01, t(0.975, 2) = 4.302653 and t(0.8, 2) = 1.060660: 5.363313 × 0.01 / √3 = 0.030965
    assert smallest_detectable_effect([0.01, 0.02, 0.03]) == pytest.approx(math.expm1(0.030965), rel=1e-4)


@pytest.mark.parametrize("other", [[1.1, 1.2, 1.3], [0.9, 0.8, 0.7]])
def test_the_p_value_of_a_difference_by_hand(other: list[float]) -> None:
    """Contrasts 0.09, 0.19, 0.29 beyond the margin: t = 0.19 √3 / 0.1; of two degrees of freedom P(T > t) is known."""
    t = 0.19 * math.sqrt(3) / 0.1
    expected = 1 - t / math.sqrt(2 + t * t)
    assert p_value_of_difference(other, [1.0, 1.0, 1.0], margin=0.01) == pytest.approx(expected)


def test_an_interval_spans_what_was_seen() -> None:
    narrower = Interval(ratio=1.0, lo=0.9, hi=1.05)
    logs = [math.log(0.95), math.log(1.1)]
    both = spanning(narrower, logs, all_seen=False)
    assert (both.lo, both.hi) == (0.9, pytest.approx(1.1))
    levels = spanning(narrower, logs, all_seen=True)
    assert (levels.lo, levels.hi) == (pytest.approx(0.95), pytest.approx(1.1))


def test_a_clear_tax_or_gain_lies_wholly_beyond_the_margin() -> None:
    assert not is_clear(pd.Series([-0.03, 0.0, 0.06]), 0.01)
    assert is_clear(pd.Series([-0.1, -0.1, -0.1001]), 0.01)
    assert is_clear(pd.Series([0.1, 0.1, 0.1001]), 0.01)
    assert not is_clear(pd.Series([0.012, 0.005, 0.02]), 0.01)


# Comparison


def test_one_metric_among_many_must_stand_out_more() -> None:
    """Each test alone is significant at the level of the family, all four together are not."""
    base, other = [1.0] * 6, [1.030, 1.012, 1.040, 1.028, 1.019, 1.033]
    p_value = p_value_of_difference(other, base, margin=0.01)
    assert p_value is not None
    assert FAMILY_ERROR / 4 < p_value < FAMILY_ERROR
    alone = compared("wall", base, other)
    assert (alone.verdict, alone.p_value) == ("slower", pytest.approx(p_value))
    four = ("cycles", "task-clock", "wall", "ipc")
    made = costs({BASELINE: dict.fromkeys(four, base), "pyo3": dict.fromkeys(four, other)})
    for one in compare_metrics(made, BASELINE, "pyo3", tuple(METRIC[name] for name in four)):
        assert one.lo is not None
        assert one.lo > 1.01
        assert (one.verdict, one.p_value) == ("unresolved", pytest.approx(4 * p_value))
        assert "Holm" in (one.reason or "")


def test_a_run_that_stops_by_its_width_has_wider_intervals() -> None:
    base, other = [1.0, 1.0, 1.0], [1.1, 1.2, 1.3]
    wider = log_ratio_interval([math.log(one) for one in other], confidence=0.99)
    found = compared("wall", base, other, level=0.99)
    assert (found.lo, found.hi) == (pytest.approx(wider.lo), pytest.approx(wider.hi))


def test_values_are_means_and_negative_figures_have_a_ratio_of_means() -> None:
    found = compared("wall", [10.0, 10.0, 13.0], [20.0, -1.0, 47.0])
    assert (found.baseline_value, found.value) == (11.0, 22.0)
    assert found.ratio == pytest.approx(2.0)


def test_what_is_rare_in_one_alone_is_not_too_rare() -> None:
    found = compared("dtlb-misses", [0.0002] * 3, [5.0] * 3)
    assert found.ratio == pytest.approx(25_000)


def test_the_start_up_is_the_intercept() -> None:
    frame = pd.DataFrame(
        {"block": 0, "pass": "p", "kind": "whole", "launcher": BASELINE, "event": event, "m": m, "repetition": 0,
         "value": 7000.0 + 3.0 * m}
        for event in ("wall", "instructions") for m in (10, 30)
    )  # fmt: skip
    table = cost_table(slopes(frame))
    assert table.xs((0, BASELINE)).to_dict() == pytest.approx(
        {"instructions": 3.0, "wall": 3.0, "startup-wall": 7000.0, "startup-instructions": 7000.0}
    )


# Rows


def readings(values: dict[tuple[str, int, int], float], *, kind: str = "whole") -> pd.DataFrame:
    """(pass, M, repetition) → what the baseline's wall time was."""
    return pd.DataFrame(
        {"block": 0, "pass": name, "kind": kind, "launcher": BASELINE, "event": "wall", "m": m,
         "repetition": repetition, "value": value, "source": "software"}
        for (name, m, repetition), value in values.items()
    )  # fmt: skip


def per_iteration(frame: pd.DataFrame) -> float:
    return float(slopes(frame)["per_iteration"].loc[(0, BASELINE, "wall")])


def test_warm_ups_are_no_figures() -> None:
    frame = readings({("p", 10, -2): 1.0, ("p", 10, -1): 1.0, ("p", 10, 0): 2.0})
    assert measured(frame)["repetition"].tolist() == [0]


def test_repetitions_are_joined_by_their_median_and_passes_by_their_mean() -> None:
    one = {("p", 10, 0): 10.0, ("p", 10, 1): 10.0, ("p", 10, 2): 70.0, ("p", 20, 0): 20.0}
    assert per_iteration(readings(one)) == pytest.approx(1.0)
    more = one | {("q", 10, 0): 10.0, ("q", 20, 0): 20.0, ("r", 10, 0): 0.0, ("r", 20, 0): 40.0}
    assert per_iteration(readings(more)) == pytest.approx(2.0)


def test_the_phases_of_a_process_are_joined_by_their_median() -> None:
    phases = {
        ("regions", m, phase): slope * m for phase, slope in enumerate([1.0, 2.0, 9.0]) for m in (10, 20)
    }  # fmt: skip
    assert per_iteration(readings(phases, kind="regions")) == pytest.approx(2.0)


def test_turns_are_those_of_the_lower_m() -> None:
    turns = {("chunks", m, turn): cost * m for turn in range(4) for m, cost in ((10, 3.0), (20, 5.0))}
    assert per_iteration(readings(turns, kind="chunks")) == pytest.approx(3.0)


# Splits, doubts, placements


def flat(**own: dict[str, float]) -> Costs:
    """Three equal blocks."""
    return costs({name.replace("_", "-"): {k: [v] * 3 for k, v in figures.items()} for name, figures in own.items()})


def test_of_hardly_any_tax_there_are_no_shares() -> None:
    base = {"instructions": 900.0, "cycles": 300.0}
    cycles, _ = decompose(flat(python3=base, pyo3={"instructions": 900.0, "cycles": 300.45}), "pyo3")
    assert [term.share for term in cycles.terms] == [None, None]
    cycles, _ = decompose(flat(python3=base, pyo3={"instructions": 900.0, "cycles": 301.0}), "pyo3")
    assert [term.share for term in cycles.terms] == [pytest.approx(0.0), pytest.approx(1.0)]


def test_a_slower_clock_takes_more_time() -> None:
    base = {"instructions": 900.0, "task-clock": 100.0, "wall": 110.0, "clock": 3.0}
    _, wall = decompose(flat(python3=base, pyo3=base | {"task-clock": 200.0, "wall": 220.0, "clock": 1.5}), "pyo3")
    assert {term.term: term.ratio for term in wall.terms} == {
        "instructions": pytest.approx(1.0),
        "cpi": pytest.approx(1.0),
        "frequency": pytest.approx(2.0),
        "off-cpu": pytest.approx(1.0),
    }


def test_more_waiting_is_a_term_above_1_and_nothing_is_left_over() -> None:
    base = {"instructions": 900.0, "cycles": 300.0, "task-clock": 100.0, "wall": 110.0}
    other = {"instructions": 990.0, "cycles": 360.0, "task-clock": 150.0, "wall": 220.0}
    _, wall = decompose(flat(python3=base, pyo3=other), "pyo3")
    assert {term.term: term.ratio for term in wall.terms} == {
        "instructions": pytest.approx(1.1),
        "cpi": pytest.approx(1.2 / 1.1),
        "frequency": pytest.approx(1.5 / 1.2),
        "off-cpu": pytest.approx(2.0 / 1.5),
    }
    assert wall.residual == pytest.approx(0.0, abs=1e-12)


def test_of_an_unclear_tax_there_are_no_shares() -> None:
    made = costs(
        {
            BASELINE: {"instructions": [900.0] * 3, "cycles": [300.0] * 3},
            "pyo3": {"instructions": [910.0] * 3, "cycles": [290.0, 310.0, 320.0]},
        }
    )
    cycles, _ = decompose(made, "pyo3")
    assert [term.share for term in cycles.terms] == [None, None]
    assert "not clearly different" in (cycles.reason or "")


def counts(*figures: float) -> pd.Series:
    index = pd.MultiIndex.from_tuples([(block, "pyo3") for block in range(len(figures))], names=["block", "launcher"])
    return pd.Series(1000.0 * np.array(figures), index=index)


@pytest.mark.parametrize(("exceptional", "named"), [(3, 3), (4, 0)])
def test_exceptions_are_less_than_a_third(exceptional: int, named: int) -> None:
    assert len(find_boundaries(counts(*[1.1] * exceptional, *[1.0] * (10 - exceptional)))) == named


@pytest.mark.parametrize(("most", "named"), [(1.05, 0), (1.1, 1)])
def test_what_scatters_has_exceptions_only_beyond_eight_deviations(most: float, named: int) -> None:
    """The median is 1 and the median deviation 0.010."""
    usual = [0.988, *[0.991] * 5, 1.0, *[1.01] * 4, 1.012]
    assert len(find_boundaries(counts(*usual, most))) == named


def test_the_level_of_a_run_for_a_precision() -> None:
    frame = read_rows(RESULTS / "ipc-int_loop")
    assert costs_of(RUN, frame)[0].level == CONFIDENCE
    precision = Precision(metric="task-clock", half_width=0.01)
    run = msgspec.structs.replace(RUN, plan=msgspec.structs.replace(RUN.plan, precision=precision))
    assert costs_of(run, frame)[0].level == SEQUENTIAL_LEVEL


def test_a_twin_that_takes_more_withdraws_the_metric_and_is_told() -> None:
    frame = read_rows(RESULTS / "ipc-int_loop")
    twins = (frame["launcher"] == AGAIN) & (frame["event"] == "branches")
    found, _ = costs_of(RUN, frame.assign(value=frame["value"].where(~twins, 1.3 * frame["value"])))
    assert {metric: doubt.kind for metric, doubt in found.doubts.items()}["branches"] == "differs"
    told = [caveat.message for caveat in conclusion._health(found, RUN) if caveat.code == "a-a-differs"]
    assert [message.partition(" is withdrawn")[0] for message in told] == ["branches"]


@pytest.mark.parametrize(
    ("lo", "hi", "kind"),
    [(0.3, 0.9, "differs"), (1.1, 4.0, "differs"), (0.5, 1.5, "useless"), (0.3, 0.995, "useless"), (0.9, 1.1, None)],
)
def test_a_wide_interval_that_excludes_1_is_a_difference(lo: float, hi: float, kind: str | None) -> None:
    twin = msgspec.structs.replace(compared("wall", [1.0, 1.0], [1.0, 1.0]), verdict="unresolved", lo=lo, hi=hi)
    found = doubt_of(twin)
    assert (found and found.kind) == kind


def test_one_placement_with_a_scatter_of_its_own_is_no_placement() -> None:
    side = {0: "head", 1: "head", 2: "tail", 3: "tail"}
    assert by_placement_alone(pd.Series([0.1, 0.1, 0.2, 0.2]), side)
    assert not by_placement_alone(pd.Series([0.1, 0.1, 0.2, 0.25]), side)


def test_one_placement_in_all_blocks_is_none_drawn() -> None:
    assert not placements_differ(pd.DataFrame({"placement": [4096.0, 4096.0]}))
    assert placements_differ(pd.DataFrame({"placement": [4096.0, 8192.0]}))


# A run that stops by its width


def test_when_a_run_may_stop() -> None:
    logs = np.array([[-0.02, 0.02] * 6])
    half = math.expm1(half_widths(logs)[0])
    assert narrow(logs, 1.01 * half)[0]
    assert not narrow(logs, 0.99 * half)[0]
    assert not narrow(np.array([[0.1, 0.1]]), 0.01)[0], "two blocks that are equal by chance"


def test_the_wider_side_decides() -> None:
    figures = np.array([[0.0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.2]])
    lo, hi = mean_intervals(figures, confidence=SEQUENTIAL_LEVEL)
    assert half_widths(figures)[0] == pytest.approx(hi[0] - figures.mean())
    assert hi[0] - figures.mean() > 1.1 * (figures.mean() - lo[0])


def test_the_twin_is_judged_only_where_it_is_alone() -> None:
    assert judged(RUN) == ("pyo3", "runmain")
    alone = msgspec.structs.replace(
        RUN.plan, launchers=tuple(one for one in RUN.plan.launchers if one.name in {BASELINE, AGAIN})
    )
    assert judged(msgspec.structs.replace(RUN, plan=alone)) == (AGAIN,)


# Variance


def test_components_without_chunks_by_hand() -> None:
    """Differences of the twins 0.2 in every block: within 0.02; means 0, 1, 2 less 0.1: variance 1, less 0.01."""
    logs = [0.0, 1.0, 2.0]
    made = costs({BASELINE: {"wall": [math.exp(x) for x in logs]}, AGAIN: {"wall": [math.exp(x - 0.2) for x in logs]}})
    empty = pd.DataFrame({"block": [], "kind": [], "event": [], "m": [], "repetition": [], "launcher": [], "value": []})
    (found,) = components(made.table, empty, ROLES)
    assert found.chunk is None
    assert found.process == pytest.approx(math.sqrt(0.02))
    assert found.block == pytest.approx(math.sqrt(0.99))


# Crossover


def test_percentiles_by_hand() -> None:
    assert spread(np.arange(1001.0)) == (pytest.approx(25.0), pytest.approx(975.0))


def test_the_ends_of_fiellers_set_solve_its_equation() -> None:
    covariance = np.array([[0.04, 0.0015], [0.0015, 1e-4]])
    found = crossing_of(5.0, 0.25, covariance, freedom=14, least=1.0)
    t = stdtrit(14, 0.975)
    for x in (found.lo, found.hi):
        assert x is not None
        variance = covariance[0, 0] - 2 * x * covariance[0, 1] + x * x * covariance[1, 1]
        assert abs(5.0 - 0.25 * x) == pytest.approx(t * math.sqrt(variance))


def test_the_twins_runs_are_the_baselines() -> None:
    values = {BASELINE: 10.0, AGAIN: 2.0, "host": 5.0}
    frame = pd.DataFrame(
        {"block": block, "launcher": name, "m": m, "event": "wall", "value": value}
        for block in range(2) for name, value in values.items() for m in (1, 2)
    )  # fmt: skip
    found = sample(frame, "wall", (BASELINE, AGAIN, "host"), ROLES, seed=1)
    assert found is not None
    assert found.launchers == (BASELINE, "host")
    # Of 2, 2, 10, 10 the lower quartile is at place 0.75: 2.
    assert found.centre[:, 0].tolist() == [2.0, 5.0]


def test_an_output_of_its_own_is_not_bit_exact(tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = folder_of(tmp_path, sweep_plan(blocks=2), "amortize", truth((15e6, 1_250.0)))
    lines = unmarked((folder / "rows.csv").read_text()).splitlines(keepends=True)
    changed = [line.replace("w 1000000", "other") if ",host," in line else line for line in lines]
    assert changed != lines
    (folder / "rows.csv").write_text("".join(changed))
    found = conclude(folder)
    swept = part(found, Amortization)
    assert swept is not None
    assert {(one.launcher, one.m) for one in swept.points if not one.bit_exact} == {("host", 1_000_000)}
    assert found.workload.bit_exact is False


@pytest.mark.parametrize(
    ("lo", "hi", "status"), [(0.3, 0.7, "unresolved"), (0.6, 0.9, "confirmed"), (0.1, 0.4, "refuted")]
)
def test_a_suspect_takes_its_part_of_the_tax_or_does_not(lo: float, hi: float, status: str) -> None:
    share = Share(share=(lo + hi) / 2, lo=lo, hi=hi, blocks=6)
    assert removals._explained(share, Interval(ratio=1.2, lo=1.19, hi=1.21), 0.5, 0.02)[0] == status


def test_the_whole_process_is_that_at_the_larger_m() -> None:
    made = flat(python3={"wall": 1.0})
    rows = pd.DataFrame(
        {"block": 0, "launcher": BASELINE, "event": "wall", "m": m, "value": 10.0 * m} for m in (1, 5)
    )  # fmt: skip
    assert removals._with_whole(made, rows).table[removals.WHOLE].dropna().tolist() == [50.0]


def test_a_loss_is_told_with_its_bounds_in_order() -> None:
    never = Crossing(status="none", at=None, lo=None, hi=None)
    pair = BreakEven(
        launcher="host",
        saving=Estimate(value=-5e6, lo=-6e6, hi=-4e6),
        tax=Estimate(value=0.2, lo=0.1, hi=0.3),
        equal=False,
        in_m=never,
        in_work=never,
        gain=None,
    )
    assert "it loses 5.00 ms (4.00 to 6.00) per launch" in advise(pair, BASELINE, None)


# Causes and words


@pytest.mark.parametrize(
    ("lo", "hi", "status"),
    [(0.05, 0.15, "confirmed"), (-0.15, -0.05, "confirmed"), (-0.01, 0.01, "refuted"), (-0.05, 0.05, "unresolved"),
     (0.01, 0.15, "unresolved"), (-0.15, 0.01, "unresolved")],
)  # fmt: skip
def test_what_an_interval_of_a_share_says(lo: float, hi: float, status: str) -> None:
    assert status_of(Share(share=(lo + hi) / 2, lo=lo, hi=hi, blocks=6)) == status


def cause(name: str, **more: object) -> Cause:
    base = Cause(
        cause=name, launcher="pyo3", status="confirmed", strength="intervened", share=0.5, lo=0.4, hi=0.6, evidence=""
    )
    return msgspec.structs.replace(base, **more)


def test_a_part_belongs_to_the_whole_of_its_own_launcher() -> None:
    whole, own = cause("eval-loop-image"), cause("pgo", part_of="eval-loop-image")
    assert parts([whole, own, msgspec.structs.replace(own, launcher="mine")], whole) == (own,)


def test_one_refuted_toggle_does_not_clear_a_cause() -> None:
    made = flat(python3={"instructions": 900.0}, pyo3={"instructions": 1080.0})
    case = make_case(made, launcher("pyo3"), "callgrind")
    shares = {"refuted": 0.0, "unresolved": 0.9, "confirmed": 0.3}
    found = [
        InterventionResult(
            cause="gc", status=status, share=Share(share=share, lo=None, hi=None, blocks=3), evidence="", effect=None
        )
        for status, share in shares.items()
    ]
    assert cause_verdicts._together(case, found).status == "confirmed"
    assert cause_verdicts._together(case, found[:2]).status == "unresolved"


def test_free_threading_of_one_version_is_another_python() -> None:
    seen = {BASELINE: {"version": "3.13.0"}, "pyo3": {"version": "3.13.0", "free_threaded": True}}
    assert version.another(msgspec.structs.replace(RUN, fingerprints=seen), "pyo3") == (
        "3.13.0t in pyo3, 3.13.0 in python3"
    )
    same = msgspec.structs.replace(RUN, fingerprints={name: {"version": "3.13.0"} for name in seen})
    assert version.another(same, "pyo3") is None


def test_what_the_parts_leave_of_the_whole() -> None:
    whole, part = cause("eval-loop-image", share=0.9), cause("pgo", part_of="eval-loop-image", share=0.2)
    assert untold([whole, part], whole) == pytest.approx(0.7)
    assert untold([whole, msgspec.structs.replace(part, status="refuted")], whole) is None


def test_a_count_yields_to_an_intervention_and_an_intervention_to_none() -> None:
    known = cause("tls", share=0.3)
    assert tls._stronger(cause("tls", strength="correlated"), known).share == 0.3
    assert tls._stronger(cause("tls"), known).share == 0.5
    assert tls._stronger(cause("tls", status="unresolved"), known).share == 0.3
    assert tls._stronger(cause("tls"), msgspec.structs.replace(known, status="unresolved")).share == 0.5


@pytest.mark.parametrize(("lo", "hi", "passed"), [(0.95, 0.99, True), (0.98, 1.02, None), (1.01, 1.05, False)])
def test_a_remedy_must_not_be_slower_than_the_library_it_stands_for(lo: float, hi: float, passed: bool | None) -> None:
    time = RemedyTime(
        against=EMBEDDER, metric="task-clock", ratio=(lo + hi) / 2, lo=lo, hi=hi, blocks=9, asked=0.02, resolved=True,
        kind="chunks", reason=None, disturbed=False,
    )  # fmt: skip
    assert remedy_verdict._check(time, ROLES).passed is passed
    assert remedy_verdict._check(msgspec.structs.replace(time, resolved=False), ROLES).passed is None
    assert remedy_verdict._check(msgspec.structs.replace(time, against=BASELINE), ROLES).passed is True


def test_only_an_intervention_rules_out() -> None:
    seen = cause("gc", status="refuted", strength="correlated")
    done = cause("pic", status="refuted", strength="intervened")
    told = claims.why("pyo3", (cause("pgo"), seen, done), Unexplained(share=0.01, lo=0.0, hi=0.015))
    assert "ruled out by intervention: pic;" in told
    assert "less than nothing" not in told
    assert "less than nothing" in claims.why("pyo3", (cause("pgo"),), Unexplained(share=-0.1, lo=-0.2, hi=-0.05))


@pytest.mark.parametrize(("cycles", "word"), [(330.0, "unchanged"), (400.0, "lower"), (300.0, "higher")])
def test_fewer_instructions_per_cycle_are_a_lower_ipc(cycles: float, word: str) -> None:
    base, other = {"instructions": 900.0, "cycles": 300.0}, {"instructions": 990.0, "cycles": cycles}
    made = {BASELINE: base, "pyo3": other}
    figures = {name: own | {"ipc": own["instructions"] / own["cycles"]} for name, own in made.items()}
    found = compare(flat(**figures), (BASELINE, "pyo3"))
    assert f"; IPC is {word}." in claims.sentence(found, RUN, (), {})


def test_the_larger_half_of_an_interval_is_told() -> None:
    one = msgspec.structs.replace(compared("wall", [1.0, 1.0], [1.2, 1.2]), ratio=1.2, lo=1.1, hi=1.25)
    assert difference(one) == "20.0 % ± 10.0 %"
    assert difference(msgspec.structs.replace(one, lo=1.15, hi=1.3)) == "20.0 % ± 10.0 %"


@pytest.mark.parametrize(
    ("own", "ratio"), [({"task-clock": 110.0, "cycles": 300.0}, "1.1000"), ({"clock": 2.0}, "1.5000")]
)
def test_less_frequency_is_a_ratio_above_1(own: dict[str, float], ratio: str) -> None:
    base = {"task-clock": 100.0, "cycles": 300.0} if "cycles" in own else {"clock": 3.0}
    made = flat(python3=base, pyo3=own)
    found = frequency(made, make_case(made, launcher("pyo3"), "hardware"))
    assert found is not None
    assert f": {ratio}" in found.evidence


def test_the_twin_is_no_launcher_that_differs() -> None:
    run = msgspec.structs.replace(
        RUN,
        fingerprints={name: {"gc_enabled": name == BASELINE} for name in (BASELINE, AGAIN, "pyo3")},
    )
    assert {who for who, *_ in fingerprint_differences(run)} == {"pyo3"}


def test_what_was_not_tested_is_not_remembered() -> None:
    made = flat(python3={"instructions": 900.0}, pyo3={"instructions": 1080.0})
    case = make_case(made, launcher("pyo3"), "callgrind")
    entry = next(one for one in CAUSES if one.id == "pgo")
    run = msgspec.structs.replace(RUN, known_causes=(cause("pgo", status="not-tested"),))
    assert remembered(run, case, entry) is None
    run = msgspec.structs.replace(RUN, known_causes=(cause("pgo", share_least=0.4),))
    known = remembered(run, case, entry)
    assert known is not None
    assert known.share == 0.5
