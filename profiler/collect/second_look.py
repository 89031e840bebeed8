"""Figures that cannot be, or that no process like this one had: measured once more before they are believed.

What is impossible (a counter that something else held, instructions of Python that are none) is refused if it comes
twice. What is odd (other instructions than in the same block before, seconds spent neither working nor waiting for a
CPU) is kept if it comes twice: then the work is like that, and is not doubted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from profiler.catalogue.events import QUEUED
from profiler.collect.checker import Checker
from profiler.collect.live import Chunk
from profiler.collect.recording import Measured
from profiler.model import Launcher, Row, Step

ANCHOR = 0.02
"""Instructions of one block, launcher and M agree between passes to some 0.001: same script, heap and hash seed."""
STOPPED_NS = 5e8
"""A process that does not sleep is off its CPU and out of the run queue for page faults only."""

_NEVER_ZERO = ("instructions", "cycles")
_HELD = "lost their counters to another user of the PMU"
_DEAD = "had a counter that counted nothing"
_OTHER = "counted other instructions than the same work before"
_STOPPED = "stood still for half a second or longer"
_REFUSED, _REPEATED = "refused", "measured again"
_IMPOSSIBLE = (_HELD, _DEAD)
_OFTEN_ENOUGH = 3
"""What came twice so often is not asked for a second time: it would double the run."""


class SecondLook:
    """What was believed so far in one session; and, as caveats of ``checker``, what was not."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._instructions: dict[tuple[str, str, int, int], float] = {}
        self._uneven: set[str] = set()
        self._off_ns: dict[tuple[str, str, int], float] = {}
        self._told: dict[str, Counter[tuple[str, str]]] = {}

    def process(self, launcher: Launcher, step: Step, measure: Callable[[], Measured]) -> Measured:
        """What ``measure`` measured of ``step``, or what it did the second time, without what is impossible.

        Raises:
            Whatever ``measure`` does.
        """
        first = measure()
        why = self._why(step, first.rows)
        if why is None:
            self._believe(step, first.rows)
            return first
        in_vain = sum(count for (_, done), count in self._told.get(launcher.name, {}).items() if done == _REFUSED)
        second = first if why in _IMPOSSIBLE and in_vain >= _OFTEN_ENOUGH else measure()
        again = self._why(step, second.rows)
        kept, still = min((first, why), (second, again), key=lambda one: (_badness(one[1]), _lost(one[0].rows)))
        if still in _IMPOSSIBLE:
            self._tell(launcher, still, _REFUSED)
            kept = msgspec.structs.replace(kept, rows=tuple(_refused(row) for row in kept.rows))
        elif still is None:
            self._tell(launcher, why, _REPEATED)
        self._believe(step, kept.rows)
        return kept

    def chunk(self, launcher: Launcher, workload: str, m: int, run: Callable[[], Chunk]) -> Chunk:
        """As ``process``, of a chunk; one that lost its counters is refused where its rows are made."""
        first = run()
        key = (launcher.name, workload, m)
        off_ns = float(first.wall_ns - first.cpu_ns)
        if off_ns <= self._usual_ns(key):
            return first
        second = run()
        second_ns = float(second.wall_ns - second.cpu_ns)
        if second_ns <= off_ns / 2:
            self._tell(launcher, _STOPPED, _REPEATED)
            return second
        self._off_ns[key] = off_ns
        return first

    def _why(self, step: Step, rows: Sequence[Row]) -> str | None:
        """What is wrong with the figures of one process; None: nothing."""
        if _lost(rows):
            return _HELD
        if any(_is_dead(row) for row in rows):
            return _DEAD
        if self._is_other(step, rows):
            return _OTHER
        off_ns = _off_ns(rows)
        return _STOPPED if off_ns is not None and off_ns > self._usual_ns(_key(step, rows)) else None

    def _is_other(self, step: Step, rows: Sequence[Row]) -> bool:
        counted = _value(rows, "instructions")
        before = self._instructions.get((*_key(step, rows), step.block))
        if counted is None or before is None or step.launcher in self._uneven:
            return False
        return abs(counted / before - 1) > ANCHOR

    def _believe(self, step: Step, rows: Sequence[Row]) -> None:
        if self._is_other(step, rows):
            self._uneven.add(step.launcher)
        counted, off_ns = _value(rows, "instructions"), _off_ns(rows)
        if counted:
            self._instructions.setdefault((*_key(step, rows), step.block), counted)
        if off_ns is not None and off_ns > self._usual_ns(_key(step, rows)):
            self._off_ns[_key(step, rows)] = off_ns

    def _usual_ns(self, key: tuple[str, str, int]) -> float:
        """How long a process may be off its CPU before it is odd: twice what was believed of its like."""
        return max(STOPPED_NS, 2 * self._off_ns.get(key, 0.0))

    def _tell(self, launcher: Launcher, why: str, done: str) -> None:
        told = self._told.setdefault(launcher.name, Counter())
        told[why, done] += 1
        self._checker.learn_doubted(
            launcher, ", ".join(f"{count} {why} and {_were(count)} {done}" for (why, done), count in told.items())
        )


def _badness(why: str | None) -> int:
    return 0 if why is None else 2 if why in _IMPOSSIBLE else 1


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _key(step: Step, rows: Sequence[Row]) -> tuple[str, str, int]:
    return step.launcher, rows[0].workload, step.m


def _value(rows: Sequence[Row], event: str) -> float | None:
    return next((row.value for row in rows if row.event == event), None)


def _lost(rows: Sequence[Row]) -> int:
    """How many figures there are not, though their counters were opened and ran for some of the time."""
    return sum(row.value is None and row.running_ns is not None for row in rows)


def _is_dead(row: Row) -> bool:
    return row.event in _NEVER_ZERO and row.value == 0


def _refused(row: Row) -> Row:
    if not _is_dead(row):
        return row
    return msgspec.structs.replace(
        row, value=None, reason=f"0 {row.event} of a process that ran: a dead counter; rejected"
    )


def _off_ns(rows: Sequence[Row]) -> float | None:
    """How long a process was neither on a CPU nor waiting for one; None: not known."""
    wall, busy = _value(rows, "wall"), _value(rows, "task-clock")
    return None if wall is None or busy is None else wall - busy - (_value(rows, QUEUED) or 0.0)
