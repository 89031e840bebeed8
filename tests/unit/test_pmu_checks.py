"""What ``make test-pmu`` holds against the guest: each planted fault turns its own check red, and no other."""

import copy
from collections.abc import Iterable
from typing import Any

import pytest

from tools.pmu_guest import checks
from tools.pmu_guest.checks import Finding
from tools.pmu_guest.jobs import JOBS, RECORDED
from tools.pmu_guest.judge import reference_of

ITERATIONS = 5_000_000


def region(instructions: int, cycles: int, *, ran: float = 1.0) -> dict[str, Any]:
    return {"values": [instructions, cycles], "enabled_ns": 10_000_000, "running_ns": int(10_000_000 * ran)}


def self_check_at(shift: int) -> dict[str, Any]:
    """What the guest brings back where all is right."""
    n, cycles = 2 * ITERATIONS + 2_254, (2 * ITERATIONS + 2_254) << shift
    slopes = {"instructions": 2.0001, "cycles": 2.0001 * 2**shift}
    return {
        "iterations_of_a_region": ITERATIONS,
        "perf_stat_user": slopes,
        "perf_stat_all": {name: value * 1.001 for name, value in slopes.items()},
        "regions": [region(n, cycles) for _ in range(8)],
        "task_clock_regions": [region(10_020_000 + 900 * at, 0) for at in range(8)],
        "disturbed": {
            "during": [region(0, 0, ran=0.001) for _ in range(4)],
            "after": [region(n, cycles) for _ in range(4)],
        },
        "clock_ns_per_instruction": 1.00005 * 2**shift,
    }


def red(findings: Iterable[Finding]) -> list[str]:
    return [finding.what for finding in findings if not finding.passed]


@pytest.mark.parametrize("shift", [0, 1])
def test_a_pmu_that_counts_right_passes(shift: int) -> None:
    findings = list(checks.self_check(self_check_at(shift), shift, "f"))
    assert red(findings) == []
    assert [one.expected for one in findings if one.what.startswith("IPC")] == [f"{2.0**-shift:g} ± 0.0001"] * 4
    assert len(red(checks.self_check(self_check_at(shift), 1 - shift, "f"))) == 5


def test_regions_that_hold_those_before_them_are_seen() -> None:
    """Reset clears counts, not times: equal regions by task-clock read 10, 20, 30 ms, and one taints the next."""
    said = self_check_at(0)
    said["task_clock_regions"] = [region(10_000_000 * at, 0) for at in range(1, 9)]
    for at in said["disturbed"]["after"]:
        at["running_ns"] = at["enabled_ns"] // 2
    assert red(checks.self_check(said, 0, "f")) == [
        "longest ÷ shortest of equal regions by task-clock",
        "regions that are multiplexed after it has gone",
    ]


def test_a_disturbance_that_disturbs_nothing_proves_nothing() -> None:
    said = self_check_at(0)
    said["disturbed"]["during"] = said["disturbed"]["after"]
    assert red(checks.self_check(said, 0, "f")) == ["regions that were multiplexed beside another session"]


def test_counters_that_count_other_instructions_are_seen() -> None:
    said = self_check_at(0)
    said["regions"][3] = region(2 * ITERATIONS + 30_000, 2 * ITERATIONS + 30_000)
    assert red(checks.self_check(said, 0, "f")) == ["instructions an iteration by own counters"]


def test_a_step_that_did_not_run_or_failed_is_red() -> None:
    findings = list(checks.steps("a\t0\t3\nb\t4\t1\n", ["a", "b", "c"], "steps.tsv"))
    assert red(findings) == ["exit code of b", "exit code of c"]
    assert str(findings[1]) == "FAILED exit code of b: 4, expected 0  (steps.tsv)"


CASE = '<testcase name="test_{0}">{1}</testcase>'


def junit(*bodies: str) -> str:
    cases = "".join(CASE.format(at, body) for at, body in enumerate(bodies))
    return f"<testsuites><testsuite>{cases}</testsuite></testsuites>"


def test_a_test_that_was_skipped_is_no_pass() -> None:
    assert red(checks.perf_tests(junit(*[""] * 16), "x")) == []
    assert red(checks.perf_tests(junit(*[""] * 15, "<skipped/>"), "x")) == ["tests/perf failed or skipped"]
    assert red(checks.perf_tests(junit(*[""] * 15, "<failure/>"), "x")) == ["tests/perf failed or skipped"]
    assert red(checks.perf_tests(junit(*[""] * 15), "x")) == ["tests/perf run"]


def doctor_says(**changed: object) -> dict[str, Any]:
    events = [{"event": name, "hardware": f"{name}:u", "why_not": None} for name in checks.COUNTED]
    finding = "perf 6.1: 6 counters at once passed the self-test, and cycles beside; 1 pass"
    said: dict[str, Any] = {
        "checks": [{"topic": "hardware", "status": "ok", "finding": finding}],
        "events": [*events, {"event": "branches", "hardware": None, "why_not": "not supported"}],
    }
    said["checks"][0] |= {name: value for name, value in changed.items() if name in said["checks"][0]}
    said["events"][-1] |= {name: value for name, value in changed.items() if name in said["events"][-1]}
    return said


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({}, []),
        ({"status": "problem"}, ["doctor on hardware"]),
        ({"finding": "5 counters at once passed the self-test"}, ["doctor's counters"]),
        ({"hardware": "branches:u"}, ["doctor's events"]),
        ({"why_not": ""}, ["events without a reason"]),
    ],
)
def test_doctor_is_held_against_the_pmu_as_it_is(changed: dict[str, object], what: list[str]) -> None:
    assert red(checks.doctor(doctor_says(**changed), "d")) == what


def verdict_at(ipc: float) -> dict[str, Any]:
    def compared(metric: str, launcher: str, base: float, value: float) -> dict[str, Any]:
        return {
            "metric": metric, "baseline": "python3", "launcher": launcher, "baseline_value": base, "value": value,
            "ratio": value / base,
        }  # fmt: skip

    return {
        "target": {"build_id": "b"},
        "comparisons": [
            *(compared("ipc", name, ipc, ipc) for name in ("python3-again", "pyo3", "runmain")),
            *(compared("instructions", name, 900.0, 1080.0) for name in ("pyo3", "runmain")),
        ],
        "decomposition": [
            {"terms": [{"term": "instructions", "ratio": 1.2}, {"term": "cpi", "ratio": 1.0}]},
        ],
        "causes": [{"cause": "pgo", "status": "confirmed"}],
    }


def test_an_ipc_of_two_estimators_is_seen() -> None:
    """Instructions as a slope and cycles as a mean: 1.01 where each chunk has as many of the one as of the other."""
    assert red(checks.verdict(verdict_at(0.5), 1, "v")) == []
    wrong = verdict_at(1.0)
    wrong["comparisons"][1]["value"], wrong["comparisons"][1]["ratio"] = 1.01, 1.01
    wrong["decomposition"][0]["terms"][1]["ratio"] = 0.9993
    assert red(checks.verdict(wrong, 0, "v")) == [
        "IPC of pyo3 in the verdict",
        "IPC ÷ IPC in the verdict",
        "cycles per instruction in the split",
    ]


def test_a_verdict_without_an_ipc_is_red() -> None:
    none = verdict_at(1.0) | {"comparisons": [], "decomposition": []}
    assert len(red(checks.verdict(none, 0, "v"))) == 5


def readings(kind: str, instructions: str, cycles: str, repetition: int = 0) -> list[dict[str, str]]:
    run = {"block": "0", "position": "0", "pass": kind, "kind": kind, "launcher": "pyo3", "m": "5000"}
    values = {"instructions": instructions, "cycles": cycles, "wall": ""}
    return [run | {"repetition": str(repetition), "event": event, "value": value} for event, value in values.items()]


def test_every_row_has_the_machines_ipc_and_none_is_lost() -> None:
    right = readings("whole", "1000000", "2000000") + readings("chunks", "5000", "10000")
    assert red(checks.rows(right, 1, "r")) == []
    assert red(checks.kinds_measured(right, ("chunks", "whole"), "r")) == []
    assert red(checks.kinds_measured(right, ("whole",), "r")) == ["kinds of passes that count instructions"]
    (lost,) = red(checks.rows(right + readings("chunks", "", "", 1), 1, "r"))
    assert lost == "readings of instructions and cycles without a value (4 of chunks, 2 of whole)"
    assert red(checks.rows(right + readings("chunks", "5000", "9900", 1), 1, "r")) == [
        "IPC of the row that is farthest off"
    ]


def test_the_causes_are_those_that_this_interpreter_has() -> None:
    said = verdict_at(1.0)
    assert red(checks.causes(said, {"pgo": "confirmed"}, "v")) == []
    assert red(checks.causes(said, {"pgo": "refuted", "pic": "confirmed"}, "v")) == ["cause pgo", "cause pic"]


def test_figures_are_held_against_the_reference_of_the_same_interpreter() -> None:
    reference, said = verdict_at(1.0), verdict_at(1.0)
    assert red(checks.as_recorded(said, reference, "v", 0.01)) == []
    said["comparisons"][3]["value"] = 1100.0
    assert red(checks.as_recorded(said, reference, "v", 0.01)) == ["instructions an iteration of pyo3 ÷ reference"]
    other = copy.deepcopy(reference) | {"target": {"build_id": "another"}}
    assert list(checks.as_recorded(said, other, "v", 0.01)) == []


def test_only_the_very_plan_that_gave_a_reference_is_held_against_it() -> None:
    """Other blocks and M have other heap placements, which move an interpreter's instructions by more than a fault."""
    held = {(job.name, step.name) for job in JOBS for step in job.steps if reference_of(job, step.name) is not None}
    assert held == set(RECORDED)
