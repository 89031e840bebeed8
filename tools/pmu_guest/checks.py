"""The guests' results against what is known of that machine beforehand: pure functions of what they brought back.

Known are: the instructions of the loop ``count_down``, two an iteration; that a cycle is a nanosecond of the guest's
clock (QEMU's PMU has 1 GHz) and an instruction ``2**shift`` of them (``-icount``), so that IPC is ``2**-shift``; that
six counters can be programmed and cycles have one of their own; and that nothing stalls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from profiler.model import Noun

IPC_TOLERANCE = 1e-4
LOOP_INSTRUCTIONS = 2.0
LOOP_TOLERANCE = 1e-3
"""Of a loop of known length; reading the counters takes some 2,000 instructions beside its 10 million."""
ALL_TOLERANCE = 1e-2
"""With the kernel's own work, its timer above all."""
TIMES_TOLERANCE = 0.05
PERF_TESTS = 16
REMARKABLE = ("instructions", "cycles")
LAUNCHERS = ("python3", "pyo3", "runmain")


class Finding(Noun, frozen=True, kw_only=True):
    """One figure, what it had to be, and where it stands."""

    what: str
    found: str
    expected: str
    file: str
    passed: bool

    def __str__(self) -> str:
        word = "ok" if self.passed else "FAILED"
        return f"{word:6} {self.what}: {self.found}, expected {self.expected}  ({self.file})"


def near(what: str, found: float | None, expected: float, tolerance: float, file: str) -> Finding:
    """``found`` is ``expected`` ± ``tolerance``; a missing figure is wrong."""
    return Finding(
        what=what,
        found="missing" if found is None else f"{found:.6f}",
        expected=f"{expected:g} ± {tolerance:g}",
        file=file,
        passed=found is not None and abs(found - expected) <= tolerance,
    )


def equal(what: str, found: object, expected: object, file: str) -> Finding:
    """``found`` is ``expected``."""
    return Finding(what=what, found=str(found), expected=str(expected), file=file, passed=found == expected)


def worst(figures: Iterable[float], expected: float) -> float | None:
    """The one that is farthest from ``expected``; None of none."""
    return max(figures, key=lambda figure: abs(figure - expected), default=None)


def true_ipc(shift: int) -> float:
    """Instructions per cycle of a guest whose instructions take ``2**shift`` ns."""
    return 2.0**-shift


def steps(tsv: str, names: Sequence[str], file: str) -> Iterator[Finding]:
    """Every step ran and ended with 0."""
    codes = {name: code for name, code, _ in (line.split("\t") for line in tsv.splitlines())}
    for name in names:
        yield equal(f"exit code of {name}", codes.get(name, "none: it did not run"), "0", file)


def self_check(said: Mapping[str, Any], shift: int, file: str) -> Iterator[Finding]:
    """What the counters say of the known loop, by perf and by our own, alone and with others beside."""
    ipc, iterations = true_ipc(shift), said["iterations_of_a_region"]
    for name, of, tolerance in (("user", "user mode", LOOP_TOLERANCE), ("all", "both modes", ALL_TOLERANCE)):
        slopes = said[f"perf_stat_{name}"]
        found = slopes["instructions"]
        yield near(f"instructions an iteration by perf stat, {of}", found, LOOP_INSTRUCTIONS, 2 * tolerance, file)
        yield near(f"IPC by perf stat, {of}", found / slopes["cycles"], ipc, IPC_TOLERANCE, file)
    yield from _regions(said["regions"], iterations, ipc, "own counters", file)
    yield near("ns of the clock per instruction", said["clock_ns_per_instruction"], 1 / ipc, LOOP_TOLERANCE / ipc, file)
    times = [region["values"][0] for region in said["task_clock_regions"]]
    yield near("longest ÷ shortest of equal regions by task-clock", max(times) / min(times), 1, TIMES_TOLERANCE, file)
    during, after = (said["disturbed"][when] for when in ("during", "after"))
    multiplexed = sum(region["running_ns"] < region["enabled_ns"] for region in during)
    yield equal("regions that were multiplexed beside another session", multiplexed, len(during), file)
    tainted = sum(region["running_ns"] < region["enabled_ns"] for region in after)
    yield equal("regions that are multiplexed after it has gone", tainted, 0, file)
    yield from _regions(after, iterations, ipc, "own counters after a multiplexed region", file)


def _regions(
    regions: Sequence[Mapping[str, Any]], iterations: int, ipc: float, by: str, file: str
) -> Iterator[Finding]:
    each = [region["values"][0] / iterations for region in regions]
    quotients = [region["values"][0] / max(1, region["values"][1]) for region in regions]
    found = worst(each, LOOP_INSTRUCTIONS)
    yield near(f"instructions an iteration by {by}", found, LOOP_INSTRUCTIONS, 2 * LOOP_TOLERANCE, file)
    yield near(f"IPC by {by}", worst(quotients, ipc), ipc, IPC_TOLERANCE, file)


def perf_tests(junit: str, file: str) -> Iterator[Finding]:
    """tests/perf ran whole: none failed, none was skipped."""
    cases = list(ElementTree.fromstring(junit).iter("testcase"))  # noqa: S314 - pytest's own, from our own guest
    bad = [str(case.get("name")) for case in cases if any(child.tag in _BAD for child in case)]
    yield equal("tests/perf failed or skipped", ", ".join(bad) or "none", "none", file)
    yield Finding(
        what="tests/perf run", found=str(len(cases)), expected=f"at least {PERF_TESTS}", file=file,
        passed=len(cases) >= PERF_TESTS,
    )  # fmt: skip


_BAD = {"failure", "error", "skipped"}


def doctor(said: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """doctor found the PMU as it is: its counters, its events, and that the others are not there."""
    (hardware,) = [check for check in said["checks"] if check["topic"] == "hardware"]
    yield equal("doctor on hardware", hardware["status"], "ok", file)
    expected = "6 counters at once passed the self-test, and cycles beside"
    yield Finding(
        what="doctor's counters", found=hardware["finding"], expected=f"… {expected} …", file=file,
        passed=expected in hardware["finding"],
    )  # fmt: skip
    counted = sorted(event["event"] for event in said["events"] if event["hardware"] is not None)
    yield equal("doctor's events", ", ".join(counted), ", ".join(COUNTED), file)
    silent = [event["event"] for event in said["events"] if event["hardware"] is None and not event["why_not"]]
    yield equal("events without a reason", ", ".join(silent) or "none", "none", file)


COUNTED = ("context-switches", "cycles", "instructions", "page-faults", "task-clock", "wall")


def verdict(said: Mapping[str, Any], shift: int, file: str) -> Iterator[Finding]:
    """IPC in every comparison is the machine's, and so CPI explains nothing."""
    ipc = true_ipc(shift)
    compared = [one for one in said["comparisons"] if one["metric"] == "ipc"]
    for launcher in LAUNCHERS:
        values = [
            one[field]
            for one in compared
            for who, field in (("baseline", "baseline_value"), ("launcher", "value"))
            if one[who] == launcher and one[field] is not None
        ]
        yield near(f"IPC of {launcher} in the verdict", worst(values, ipc), ipc, IPC_TOLERANCE, file)
    ratios = [one["ratio"] for one in compared if one["ratio"] is not None]
    yield near("IPC ÷ IPC in the verdict", worst(ratios, 1), 1, IPC_TOLERANCE, file)
    cpi = [
        term["ratio"]
        for split in said["decomposition"]
        for term in split["terms"]
        if term["term"] == "cpi" and term["ratio"] is not None
    ]
    yield near("cycles per instruction in the split", worst(cpi, 1), 1, IPC_TOLERANCE, file)


def rows(readings: Iterable[Mapping[str, str]], shift: int, file: str) -> Iterator[Finding]:
    """Every process and chunk was counted, and has the machine's IPC by itself."""
    ipc = true_ipc(shift)
    by_run: dict[tuple[str, ...], dict[str, str]] = {}
    kinds: dict[str, int] = {}
    for row in readings:
        if row["event"] in REMARKABLE:
            run = tuple(row[name] for name in ("block", "position", "pass", "launcher", "m", "repetition"))
            by_run.setdefault(run, {})[row["event"]] = row["value"]
            kinds[row["kind"]] = kinds.get(row["kind"], 0) + 1
    lost = sum(value == "" for run in by_run.values() for value in run.values())
    told = ", ".join(f"{number} of {kind}" for kind, number in sorted(kinds.items()))
    yield equal(f"readings of instructions and cycles without a value ({told})", lost, 0, file)
    quotients = [
        float(run["instructions"]) / float(run["cycles"])
        for run in by_run.values()
        if all(run.get(e) for e in REMARKABLE)
    ]
    yield near("IPC of the row that is farthest off", worst(quotients, ipc), ipc, 10 * IPC_TOLERANCE, file)


def kinds_measured(readings: Iterable[Mapping[str, str]], expected: Sequence[str], file: str) -> Iterator[Finding]:
    """Both ways of counting were used: whole processes under perf, and chunks under the process's own counters."""
    found = sorted({row["kind"] for row in readings if row["event"] == "instructions"})
    yield equal("kinds of passes that count instructions", ", ".join(found), ", ".join(expected), file)


def causes(said: Mapping[str, Any], expected: Mapping[str, str], file: str) -> Iterator[Finding]:
    """The verdict on each cause that this interpreter is known to have."""
    status = {one["cause"]: one["status"] for one in said["causes"]}
    for cause, word in expected.items():
        yield equal(f"cause {cause}", status.get(cause, "not told"), word, file)


def as_recorded(
    said: Mapping[str, Any], reference: Mapping[str, Any], file: str, tolerance: float
) -> Iterator[Finding]:
    """Instructions an iteration and ratios are those of the reference results, where the interpreter is the same."""
    if said["target"]["build_id"] != reference["target"]["build_id"]:
        return
    then = _instructions(reference)
    for launcher, (value, ratio) in sorted(_instructions(said).items()):
        if launcher in then:
            before, ratio_before = then[launcher]
            yield near(f"instructions an iteration of {launcher} ÷ reference", value / before, 1, tolerance, file)
            yield near(f"ratio of {launcher} ÷ reference", ratio / ratio_before, 1, tolerance, file)


def _instructions(said: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    return {
        one["launcher"]: (one["value"], one["ratio"])
        for one in said["comparisons"]
        if one["metric"] == "instructions" and one["baseline"] == "python3" and one["launcher"] in LAUNCHERS
    }
