"""The PMU self-test: how many counters of this machine can be trusted at once, found out on a loop of known length.

Counters are counted, not looked up: a hypervisor may hide or break one (it reads nearly nothing while perf says that it
ran all the time), a watchdog or another session may hold one, and neither shows in any table.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from profiler.errors import MachineError
from profiler.model import Noun, Reading
from profiler.sources.perf_output import Asked
from profiler.system.process import Command, helper

INSTRUCTIONS_PER_ITERATION = 2
"""``_counters.count_down``: a decrement and a branch."""
MOST_COPIES = 6
"""General counters of the common CPUs: AMD has 6 per core, Arm 6 and Intel 4 or 8 beside those of single events."""
TOLERANCE = 0.001
SHORT, LONG = 1_000_000, 51_000_000
"""Iterations of the two runs; the difference takes some 10 to 50 ms, longer than the kernel's counter rotation."""

_TIMEOUT_S = 20.0
_LOOP = "import sys; sys.path.append(sys.argv[1]); import _counters; _counters.count_down(int(sys.argv[2]))"
_INSTRUCTIONS = Asked(event="instructions", spec="instructions:u", unit="instructions")
_CYCLES = Asked(event="cycles", spec="cycles:u", unit="cycles")
_LEAST_CYCLES = 0.1
"""Per iteration of the known loop: no core takes ten taken branches in a cycle, and a dead slot reads nothing."""


class Count(Protocol):
    """Counts events over a start of Python that runs the known loop."""

    def __call__(self, asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        """One reading per event asked; without ``iterations`` over the start alone.

        Raises:
            MachineError: perf failed.
        """


class Trial(Noun, frozen=True, kw_only=True):
    """``copies`` counters at once, all counting instructions of the known loop."""

    copies: int
    per_iteration: tuple[float | None, ...]
    """What each copy found; 2 is the truth; None where perf gave no figure."""
    incomplete: bool
    """At least one copy gave no figure because it did not run all the time: fewer counters are free than copies."""
    wrong: tuple[int, ...]
    """Copies (from 1) that ran all the time and yet miss the truth by more than 0.1 %."""

    @property
    def passed(self) -> bool:
        """All copies ran all the time and found the truth."""
        return not self.incomplete and not self.wrong


class PmuSelfTest(Noun, frozen=True, kw_only=True):
    """How many events may be counted at once."""

    slots: int
    """General counters, as far as copies of one event tell: one that counts instructions alone is in it."""
    cycles_beside: bool
    """Cycles count beside ``slots`` others: they have a counter of their own (fixed on Intel, PMCCNTR on Arm)."""
    tried: tuple[Trial, ...]
    """From many copies down to the first trial that passed."""
    dead: tuple[int, ...]
    """Copies that ran all the time and counted wrong, of the largest trial that was complete."""
    reason: str | None
    """Why no slot can be trusted."""
    remedy: str | None

    def sentence(self) -> str:
        """What was found, in words."""
        if self.slots == 0:
            return self.reason or "no counter passed the self-test"
        passed = f"{self.slots} counters at once" if self.slots > 1 else "1 counter"
        parts = [f"{passed} passed the self-test{', and cycles beside' if self.cycles_beside else ''}"]
        if self.dead:
            named = ", ".join(map(str, self.dead))
            copies = next(trial.copies for trial in self.tried if trial.wrong)
            parts.append(
                f"of {copies}, number {named} counted wrong although perf says it ran all the time (dead slot)"
            )
        incomplete = [trial.copies for trial in self.tried if trial.incomplete]
        if incomplete:
            parts.append(f"{min(incomplete)} at once would be multiplexed")
        return "; ".join(parts)


def self_test(count: Count) -> PmuSelfTest:
    """Count the known loop with ever fewer copies of one event until all of them are right.

    Raises:
        MachineError: perf failed.
    """
    tried: list[Trial] = []
    for copies in range(MOST_COPIES, 0, -1):
        asked = [_INSTRUCTIONS] * copies
        trial = judge(count(asked, SHORT), count(asked, LONG))
        tried.append(trial)
        if trial.passed:
            break
    slots = tried[-1].copies if tried[-1].passed else 0
    return PmuSelfTest(
        slots=slots,
        cycles_beside=slots > 0 and _cycles_beside(slots, count),
        tried=tuple(tried),
        dead=next((trial.wrong for trial in tried if not trial.incomplete), ()),
        reason=None if slots else _why_none(tried[-1]),
        remedy=None if slots else "end other perf sessions and virtual machines that use the PMU, then try again",
    )


def _cycles_beside(slots: int, count: Count) -> bool:
    asked = [_CYCLES, *[_INSTRUCTIONS] * slots]
    (least, *short), (most, *long) = count(asked, SHORT), count(asked, LONG)
    if least.value is None or most.value is None:
        return False
    return judge(short, long).passed and (most.value - least.value) / (LONG - SHORT) >= _LEAST_CYCLES


def judge(short: Sequence[Reading], long: Sequence[Reading]) -> Trial:
    """Compare the slope between two runs of the known loop with the truth; start-up cancels."""
    slopes = tuple(
        None if lo.value is None or hi.value is None else (hi.value - lo.value) / (LONG - SHORT)
        for lo, hi in zip(short, long, strict=True)
    )
    return Trial(
        copies=len(slopes),
        per_iteration=slopes,
        incomplete=None in slopes,
        wrong=tuple(
            number
            for number, slope in enumerate(slopes, start=1)
            if slope is not None and not abs(slope / INSTRUCTIONS_PER_ITERATION - 1) <= TOLERANCE
        ),
    )


def program(iterations: int | None, cpu: int | None) -> Command:
    """A start of Python that takes the same instructions each time, then ``iterations`` times two (None: no loop).

    Raises:
        MachineError: the extension module that holds the loop is not built.
    """
    # The start-up must cost the same in both runs: no site, no PYTHON*, and a fixed hash seed (-I would discard it).
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | {"PYTHONHASHSEED": "0"}
    code = ("pass",) if iterations is None else (_LOOP, _extension_folder(), str(iterations))
    return helper((sys.executable, "-S", "-s", "-P", "-c", *code), env=env, cpu=cpu, timeout_s=_TIMEOUT_S)


def _extension_folder() -> str:
    spec = find_spec("profiler._counters")
    if spec is None or spec.origin is None:
        raise MachineError(
            "the extension module profiler._counters is not built, so counters cannot be checked",
            hint="make setup, or install the tax-probe wheel again",
        )
    return str(Path(spec.origin).parent)


def _why_none(single: Trial) -> str:
    if single.incomplete:
        return "not even one hardware counter is free all the time: something else holds them"
    return (
        f"instructions are counted wrong: {single.per_iteration[0]:.3f} per iteration of a loop that takes "
        f"{INSTRUCTIONS_PER_ITERATION}"
    )
