"""Wait, within bounds, until other work leaves the CPUs alone: the minutes in which times are worth taking."""

from __future__ import annotations

import time
from collections.abc import Callable

SAMPLE_S = 1.0
CALM = 0.1
"""A part of all CPUs' time that the system's own housekeeping takes; more is somebody's work."""


def busy() -> float:
    """Which part of all CPUs' time is taken, by others or by the hypervisor, while we sleep ``SAMPLE_S`` seconds."""
    import psutil

    return float(psutil.cpu_percent(interval=SAMPLE_S)) / 100


class Quiet:
    """Waits for calm, in all no longer than ``most_s`` seconds, and remembers how it went."""

    def __init__(
        self, most_s: float, *, look: Callable[[], float] = busy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left_s = most_s
        self._look = look
        self._clock = clock
        self.waits = 0
        self.disturbed: list[float] = []
        """How busy it still was where waiting came to its end, one figure per wait."""

    def wait(self) -> None:
        """Return when it is calm, or when the time for waiting is used up."""
        self.waits += 1
        while (part := self._look()) > CALM:
            began = self._clock()
            if self._left_s <= 0:
                self.disturbed.append(part)
                return
            self._left_s -= SAMPLE_S + self._clock() - began
