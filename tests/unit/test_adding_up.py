"""What is confirmed of a launcher at the top, and what is unexplained, are its tax: over planted pairs of causes."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.analyze.causes.nested import adding_up, beneath, parts, untold
from profiler.model import BASELINE, Cause, Launcher, Unexplained
from tests.builders import launcher
from tests.unit.test_verdicts import CLEAN, COST, LIBRARY, OTHER, OWN, PROGRAM, judged

TOLERANCE = 2e-3
"""The planted blocks scatter by some 1e-5 of a cost, the least tax is 5 %."""

PLANTS: dict[str, tuple[dict[str, Any], bool]] = {
    "tracing": ({"trace": "'function'"}, True),
    "gc": ({"gc_threshold": [5, 2, 2]}, True),
    "threads": ({"switch_interval": 1e-6}, True),
    "allocator": ({"allocator": "malloc"}, True),
    "dev-mode": ({"dev_mode": True, "memory_debug": True}, False),
    "modules": ({"extension_modules": ["_x"]}, False),
}
"""Treatment → what the host's fingerprint has, and whether the host is relieved of it or its twin given it."""

CAUSE_OF = {"modules": "extension-modules"}

factors = st.floats(min_value=1.05, max_value=3.0)
interactions = st.floats(min_value=0.7, max_value=1.4)


def planted(
    pair: tuple[str, ...], cost: dict[str, float], together: float, image: str
) -> tuple[dict[str, float], tuple[Launcher, ...], dict[str, dict[str, Any]]]:
    """Figures and launchers of a host that has ``pair``: each makes the work ``cost`` times as dear, both ``together``
    times more than their product.
    """
    own_library = image == OTHER
    twin = "bare@mine" if own_library else BASELINE
    base = 900.0 * (cost["image"] if own_library else 1.0)
    dear = base * math.prod(cost[one] for one in pair) * together
    figures = {"mine": dear, twin: base}
    made = [launcher("mine", link=None, image=image)]
    if own_library:
        made.append(launcher(twin, image=image, base="runmain"))
    relieved = [one for one in pair if PLANTS[one][1]]
    for one in pair:
        if one in relieved:
            # The other one is still there, alone: what both make of each other goes with the first that is taken.
            figures[f"mine~{one}"] = dear / cost[one] / together
            made.append(launcher(f"mine~{one}", link=None, image=image, base="mine"))
        else:
            figures[f"{twin}+{one}@mine"] = base * cost[one]
            made.append(launcher(f"{twin}+{one}@mine", image=image, base=twin))
    if len(relieved) == 2:
        figures["mine~all"] = base
        made.append(launcher("mine~all", link=None, image=image, base="mine"))
    if not relieved:
        figures[f"{twin}+everything@mine"] = dear
        made.append(launcher(f"{twin}+everything@mine", image=image, base=twin))
    seen = CLEAN | {key: value for one in pair for key, value in PLANTS[one][0].items()}
    return figures, tuple(made), {"mine": seen}


def assert_adds_up(found: dict[tuple[str | None, str], Cause], left: dict[str, Unexplained], name: str) -> list[Cause]:
    top = [one for one in adding_up(found.values()) if one.launcher == name]
    assert all(one.share is not None for one in top)
    assert left[name].share is not None
    assert sum(one.share or 0.0 for one in top) + (left[name].share or 0.0) == pytest.approx(1.0, abs=TOLERANCE)
    for whole in top:
        rest = untold(found.values(), whole)
        below = [one.share or 0.0 for one in parts(found.values(), whole) if one.status == "confirmed"]
        assert (rest is None) == (not below)
        assert whole.share == pytest.approx(sum(below) + (rest or 0.0) if below else whole.share)
    return top


@settings(max_examples=15, deadline=None)
@given(data=st.data(), together=interactions, image=st.sampled_from([PROGRAM, OTHER]))
def test_two_causes_and_what_is_left_are_the_tax(data: st.DataObject, together: float, image: str) -> None:
    pair = tuple(data.draw(st.lists(st.sampled_from(sorted(PLANTS)), min_size=2, max_size=2, unique=True)))
    cost = {one: data.draw(factors) for one in (*pair, "image")}
    figures, made, fingerprints = planted(pair, cost, together, image)
    tax = math.log(figures["mine"] / 900.0)
    if tax < math.log(1.05):
        return  # the two undo each other: there is no tax to explain
    found, left = judged(COST | figures, (*OWN, *made), {one.name: CLEAN for one in OWN} | fingerprints)
    top = assert_adds_up(found, left, "mine")
    joint = math.log(together) / tax
    shares = {one.cause: one.share for one in top}
    if "eval-loop-image" in shares:
        assert shares["eval-loop-image"] == pytest.approx(math.log(cost["image"]) / tax, abs=TOLERANCE)
    relieved = [one for one in pair if PLANTS[one][1]]
    for one in pair:
        alone = math.log(cost[one]) / tax + (joint if one in relieved else 0.0)
        cause = CAUSE_OF.get(one, one)
        # What one makes less than nothing or next to nothing of, as the other is there, is confirmed of neither sign.
        if abs(alone) > 0.03:
            whole = "dev-mode" if cause == "allocator" and "dev-mode" in pair else None
            assert found["mine", cause].part_of == whole
            assert found["mine", cause].share == pytest.approx(alone, abs=TOLERANCE)
    if set(pair) != {"allocator", "dev-mode"} and all(
        abs(math.log(cost[one]) / tax + joint) > 0.03 for one in relieved
    ):
        assert left["mine"].share == pytest.approx(joint * (1 - len(relieved)), abs=TOLERANCE)
    assert left["mine"].all_met == pytest.approx(0.0, abs=TOLERANCE), "whatever they make of each other is met too"


@settings(max_examples=10, deadline=None)
@given(library=factors, start=factors, signals=st.floats(min_value=1.03, max_value=1.5))
def test_the_embedders_library_and_start_up_path_are_its_tax(library: float, start: float, signals: float) -> None:
    """Signal handlers are a part of how Python was started, as PGO is one of the library; neither counts twice."""
    with_signals = launcher("pyo3+signals", image=LIBRARY, base="pyo3")
    cost = COST | {"runmain": 900 * library, "pyo3": 900 * library * start}
    cost["pyo3+signals"] = cost["pyo3"] / signals
    known = Cause(
        launcher="pyo3", cause="pgo", status="confirmed", strength="intervened", share=0.3, lo=0.3, hi=0.3, evidence="",
    )  # fmt: skip
    found, left = judged(cost, (*OWN, with_signals), known=(known,))
    top = assert_adds_up(found, left, "pyo3")
    assert {one.cause for one in top} == {"eval-loop-image", "init-path"}
    assert found["pyo3", "signals"].part_of == "init-path"
    assert found["pyo3", "pgo"].part_of == "eval-loop-image"
    assert left["pyo3"].share == pytest.approx(0.0, abs=TOLERANCE)
    depths = {cause.cause: depth for depth, cause in beneath(found.values())}
    assert (depths["eval-loop-image"], depths["pgo"], depths["signals"], depths["gc"]) == (0, 1, 1, 0)
