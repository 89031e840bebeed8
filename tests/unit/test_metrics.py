"""One table of metrics: every compared event is in it, quotients name their terms, and Rust knows no other names."""

import re
from pathlib import Path

import pytest

from profiler.catalogue.events import ABROAD, BY_NAME, COUNTS, EVENTS, work_counted
from profiler.catalogue.metrics import HEADLINE, METRIC, METRICS, PER_LAUNCH, QUOTIENTS, is_simulated, meaning, title
from profiler.sources.chunking import CLOCKS, COUNTED

REGION = Path(__file__).parents[2] / "runner" / "counters" / "src" / "region.rs"
ZEN5, INTEL = ("AuthenticAMD", "26"), ("GenuineIntel", "6")


def test_every_event_that_is_compared_is_a_metric_once() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert names[: len(names) - 4] == [event.name for event in (*EVENTS, *ABROAD) if not event.overhead]
    assert names[-4:] == ["ipc", "startup-wall", "startup-instructions", "startup-aarch64-instructions"]
    assert {metric.event for metric in METRICS} <= set(BY_NAME)


def test_quotients_and_what_is_paid_once() -> None:
    assert [(metric.name, *terms) for metric, *terms in QUOTIENTS] == [("ipc", "instructions", "cycles")]
    assert [(metric.name, metric.margin) for metric in PER_LAUNCH] == [
        ("startup-wall", 0.02), ("startup-instructions", 0.02), ("startup-aarch64-instructions", 0.02),
    ]  # fmt: skip
    assert HEADLINE == ("instructions", "cycles", "task-clock", "wall", "aarch64-instructions")


def test_equivalence_margins() -> None:
    """As figures, since a margin decides what is called the same; that docs/method.md has them is test_readme's."""
    assert {metric.name: metric.margin for metric in METRICS} == {
        "instructions": 0.002, "aarch64-instructions": 0.002,
        "branches": 0.005, "indirect-branches": 0.005,
        "cycles": 0.01, "task-clock": 0.01, "wall": 0.01, "ipc": 0.01,
        "branch-misses": 0.02, "l1d-misses": 0.02, "l1i-misses": 0.02, "cache-misses": 0.02, "dtlb-misses": 0.02,
        "l2-misses": 0.02, "stlb-misses": 0.02,
        "itlb-misses": 0.02, "frontend-bound": 0.02, "backend-bound": 0.02, "page-faults": 0.02,
        "startup-wall": 0.02, "startup-instructions": 0.02, "startup-aarch64-instructions": 0.02,
    }  # fmt: skip


def test_what_counts_the_work_of_another_target_has_a_name_of_its_own() -> None:
    assert ("instructions", *(event.name for event in ABROAD)) == COUNTS
    assert work_counted({"wall", "aarch64-instructions"}) == "aarch64-instructions"
    assert work_counted({"wall", "cycles"}) is None
    for event in ABROAD:
        assert METRIC[event.name].exact_by == {"emulated"}
        assert not event.perf
        assert not event.callgrind
        assert not event.qemu
    assert "emulated" not in METRIC["instructions"].exact_by


def test_no_title_holds_a_unit() -> None:
    assert not [metric.title for metric in METRICS if re.search(r", (ns|ms|M)\b", metric.title)]
    assert not [event.title for event in EVENTS if re.search(r", (ns|ms|M)\b", event.title)]


@pytest.mark.parametrize(
    ("metric", "exact", "simulated"),
    [
        ("instructions", True, False), ("branches", True, False), ("startup-instructions", True, False),
        ("branch-misses", False, True), ("l1d-misses", False, True), ("wall", False, False), ("cycles", False, False),
        ("ipc", False, False), ("startup-wall", False, False),
    ],
)  # fmt: skip
def test_what_callgrind_knows(metric: str, exact: bool, simulated: bool) -> None:
    assert ("callgrind" in METRIC[metric].exact_by) == exact
    assert is_simulated(metric, "callgrind") == simulated
    assert not is_simulated(metric, "hardware")


def test_slower_is_said_of_time_cycles_and_instructions_alone() -> None:
    assert {metric.name for metric in METRICS if metric.words == "speed"} == {
        "instructions", "cycles", "task-clock", "wall", "startup-wall", "startup-instructions",
        "aarch64-instructions", "startup-aarch64-instructions",
    }  # fmt: skip
    assert [metric.name for metric in METRICS if metric.words == "level"] == ["ipc"]


def test_what_a_cpu_counts_under_another_name_is_told() -> None:
    assert meaning("cache-misses", *ZEN5) == "on AMD the generic event counts L2 misses"
    assert meaning("cache-misses", *INTEL) is None
    assert "family 17h" in (meaning("l1i-misses", *ZEN5) or "")
    assert "slots" in (meaning("frontend-bound", *ZEN5) or "")
    assert "cycles" in (meaning("frontend-bound", *INTEL) or "")
    assert "cycles" in (meaning("frontend-bound", *ZEN5, "stalled-cycles-frontend:u") or "")
    assert meaning("ipc", *ZEN5) is None
    assert meaning("cache-misses", None, None) is None
    # Arm, whose /proc/cpuinfo has neither, counts the generic event as well.
    assert "cycles" in (meaning("frontend-bound", None, None) or "")
    assert meaning("l1i-misses", None, None) is None


def test_what_has_no_metric_keeps_its_name() -> None:
    assert title("clock") == "core clock (estimated)"
    assert title("of-the-future") == "of-the-future"


def test_the_extension_knows_events_by_the_catalogues_names() -> None:
    (body,) = re.findall(r"^fn add\(.*?^}", REGION.read_text(), re.MULTILINE | re.DOTALL)
    names = set(re.findall(r'^\s*"([^"]+)" =>', body, re.MULTILINE))
    assert len(names) == 8
    assert names <= set(BY_NAME)
    assert {*COUNTED, *CLOCKS} - {"wall"} <= names, "and has those that chunks are asked for"
