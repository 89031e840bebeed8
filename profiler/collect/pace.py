"""How long what is still to do will take, from how long each pass took so far."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from profiler.model import Step


class Pace:
    """Wall time by pass: of processes side by side each has its part."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = self._last = clock()
        self._steps: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @property
    def spent(self) -> float:
        """Seconds since the first block began."""
        return self._clock() - self._started

    def step(self, step: Step) -> None:
        """One process ended."""
        now = self._clock()
        self._steps[step.pass_name] += 1
        self._seconds[step.pass_name] += now - self._last
        self._last = now

    def expected(self, todo: Iterable[Step]) -> float:
        """Seconds that ``todo`` will probably take; a pass that never ran counts as the mean of the others."""
        mean = sum(self._seconds.values()) / max(1, sum(self._steps.values()))
        return sum(
            self._seconds[step.pass_name] / self._steps[step.pass_name] if self._steps[step.pass_name] else mean
            for step in todo
        )
