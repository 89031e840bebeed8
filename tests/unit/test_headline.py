"""The sentence that is read first: what it says for each kind of figure."""

from functools import cache

import msgspec
import pytest

from profiler.analyze.conclude import Analysis, analyse
from profiler.model import Comparison, Doubt, Verdict
from profiler.present.headline import sentences
from tests.recorded import RESULTS


@cache
def recorded(name: str) -> Analysis:
    return analyse(RESULTS / name)


def told(name: str = "ipc-int_loop", **metrics: dict[str, object] | None) -> str:
    """The headline of a folder with other figures for pyo3; None: the metric was not measured."""
    found = recorded(name)

    def changed(one: Comparison) -> Comparison:
        key = one.metric.replace("-", "_")
        if one.launcher != "pyo3" or one.baseline != "python3" or key not in metrics:
            return one
        change = metrics[key]
        return msgspec.structs.replace(one, **({"ratio": None, "lo": None, "hi": None} if change is None else change))

    verdict: Verdict = msgspec.structs.replace(
        found.verdict, comparisons=tuple(map(changed, found.verdict.comparisons)), decomposition=()
    )
    return " ".join(sentences(verdict, found.run))


SLOWER = {"ratio": 1.19, "lo": 1.15, "hi": 1.23, "verdict": "slower"}
EXACT = {"ratio": 1.205, "lo": 1.205, "hi": 1.205, "verdict": "slower"}
SAME = {"ratio": 1.0, "lo": 1.0, "hi": 1.0, "verdict": "same"}
OPEN = {"ratio": 1.05, "lo": 0.95, "hi": 1.16, "verdict": "unresolved"}


@pytest.mark.parametrize(
    ("wall", "instructions", "said"),
    [
        (SLOWER, EXACT, "takes 1.190 ± 0.040 times as long as python3 on int_loop, because it executes "),
        (SLOWER, SAME, "takes 1.190 ± 0.040 times as long as python3 on int_loop and executes the same instructions."),
        (SAME, SAME, "takes as long as python3 on int_loop (1.000 equal) and executes the same instructions."),
        (OPEN, EXACT, "executes 1.205 times the instructions of python3 on int_loop (exact); its wall time is not"),
        (OPEN, SAME, "executes the same instructions as python3 on int_loop (1.000 exact); its wall time is not"),
        (OPEN, None, "Whether pyo3 takes longer than python3 on int_loop is not decided (1.05 ± 0.10)."),
    ],
)  # fmt: skip
def test_time_and_instructions(
    wall: dict[str, object] | None, instructions: dict[str, object] | None, said: str
) -> None:
    assert said in told(wall=wall, instructions=instructions)


def test_without_wall_time_it_is_cpu_time_and_that_is_said() -> None:
    assert "times as long as python3 on int_loop in CPU time" in told(wall=None, task_clock=SLOWER, instructions=EXACT)


def test_where_nothing_is_known_the_reason_is() -> None:
    said = told(wall=None, task_clock=None, instructions=None)
    assert said.startswith("pyo3 could not be compared with python3: ")


def test_what_was_withdrawn_is_the_reason_before_what_is_never_counted() -> None:
    found = recorded("ipc-int_loop")
    doubt = Doubt(metric="wall", kind="useless", ratio=-2.0, lo=None, hi=None, proven=False, reason="A/A says so")
    comparisons = tuple(
        msgspec.structs.replace(
            one, ratio=None, lo=None, hi=None, reason="A/A says so" if one.metric == "wall" else "is never counted"
        )
        for one in found.verdict.comparisons
    )
    verdict = msgspec.structs.replace(found.verdict, comparisons=comparisons, decomposition=(), withdrawn=(doubt,))
    assert "could not be compared with python3: A/A says so." in " ".join(sentences(verdict, found.run))


def test_the_cause_is_proved_by_removal_and_else_seen() -> None:
    assert "Proved: all of that is the eval loop of libpython3.11.so.1.0" in told("variants-int_loop")
    assert "Seen, not proved: its eval loop is that of libpython3.11.so.1.0, built without PGO" in told()
    assert "Seen" not in told(wall=SAME, instructions=SAME, startup_instructions=SAME, branches=SAME,
                              indirect_branches=SAME, branch_misses=SAME, task_clock=SAME)  # fmt: skip


def test_a_term_that_is_no_instructions_is_named() -> None:
    """Planted: the same instructions, a third more cycles each."""
    found = recorded("ipc-int_loop")
    terms = {"instructions": (1.0, 0.0), "cpi": (1.3, 1.0), "frequency": (1.0, 0.0), "off-cpu": (1.0, 0.0)}

    def planted(one: Comparison) -> Comparison:
        change = {"wall": SLOWER | {"ratio": 1.3, "lo": 1.28, "hi": 1.32}, "instructions": SAME}.get(one.metric)
        return one if one.launcher != "pyo3" or change is None else msgspec.structs.replace(one, **change)

    splits = [
        msgspec.structs.replace(
            split,
            terms=tuple(
                msgspec.structs.replace(term, ratio=terms[term.term][0], lo=terms[term.term][0] - 0.01,
                                        hi=terms[term.term][0] + 0.01, share=terms[term.term][1])
                for term in split.terms
            ),
        )
        for split in found.verdict.decomposition
        if split.of == "wall"
    ]  # fmt: skip
    verdict = msgspec.structs.replace(
        found.verdict, comparisons=tuple(map(planted, found.verdict.comparisons)), decomposition=tuple(splits)
    )
    said = sentences(verdict, found.run)[0]
    assert "because of the cycles per instruction (1.300 ± 0.010); it executes the same instructions" in said


def test_options_overlap_and_the_best_library_is_named() -> None:
    said = told("rebuild/default-int_loop")
    assert "Of it: calls stay interposable 42.6 %, built without PGO 35.6 %, position-independent code 20.6 %." in said
    assert "On a library built with PGO, LTO, shared, direct calls the unchanged pyo3 executes 1.040 times" in said
