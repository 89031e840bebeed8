"""The time that a run may take, where it was given one."""

from __future__ import annotations

from tools.pmu_guest.console import elapsed_s
from tools.pmu_guest.errors import CannotRun

_ADVICE = "give a larger --budget, or run make test-pmu by hand: what is fetched and built so far is kept"


class Limit:
    """``budget_s`` from the start; None: none."""

    def __init__(self, budget_s: float | None) -> None:
        self._budget_s = budget_s

    def require(self, what: str) -> None:
        """Before a stage that takes minutes.

        Raises:
            CannotRun: the time is over.
        """
        if self.left_s() <= 0:
            raise CannotRun(f"the budget of {self._budget_s:.0f} s is over before {what}", _ADVICE)

    def require_room_for(self, taken_s: float | None, what: str) -> None:
        """Before a stage of which it is known what it took here last.

        Raises:
            CannotRun: it would not end in time.
        """
        self.require(what)
        if taken_s is not None and taken_s > self.left_s():
            raise CannotRun(
                f"{what} took {taken_s:.0f} s here last time, and {self.left_s():.0f} s of the budget are left", _ADVICE
            )

    def left_s(self) -> float:
        """Seconds that are left."""
        return float("inf") if self._budget_s is None else self._budget_s - elapsed_s()
