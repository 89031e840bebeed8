"""What samples print in each launcher, against what they print in the reference."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun

SAMPLES_SCHEMA = "tax-probe/samples/1"

Outcome = Literal["equal", "differs", "fails", "not reached"]
"""Bit for bit; another text; an exception; the process ended before it began."""


class SampleRun(Noun, frozen=True, kw_only=True):
    """One sample in one launcher."""

    sample: str
    launcher: str
    outcome: Outcome
    reason: str | None
    """Why it is not equal, in a line."""


class SampleTable(Noun, frozen=True, kw_only=True):
    """All samples in all launchers of a target."""

    schema: str
    target: str
    reference: str
    """The interpreter whose output is the measure, and its version."""
    launchers: tuple[str, ...]
    samples: tuple[str, ...]
    runs: tuple[SampleRun, ...]

    def equal_in(self, launcher: str) -> int:
        """How many are equal there."""
        return sum(run.outcome == "equal" for run in self.runs if run.launcher == launcher)
