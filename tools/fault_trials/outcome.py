"""What came of one kind of fault, and how often it is to be tried."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Result(NamedTuple):
    """One line of the table."""

    fault: str
    tries: int
    outcome: str
    lost: str

    @property
    def is_well(self) -> bool:
        """Nothing was lost, and nothing went wrong."""
        return self.lost == NOTHING


NOTHING = "nothing"


class Tries:
    """So many, as far as the time reaches; at least one. ``made`` counts them."""

    def __init__(self, most: int, budget_s: float) -> None:
        self.most, self.budget_s = most, budget_s
        self.made = 0
        self._deadline = time.monotonic() + budget_s

    def __iter__(self) -> Iterator[int]:
        while self.more():
            self.made += 1
            yield self.made - 1

    def more(self) -> bool:
        """Whether there is to be another one."""
        return self.made < self.most and (self.made == 0 or time.monotonic() < self._deadline)


Fault = Callable[[Tries, Path, random.Random], Iterator[Result]]
"""Tries it below a folder of its own; yields the lines of the table."""


def lost(losses: Counter[str]) -> str:
    """In words what went wrong, how often."""
    return ", ".join(f"{count} {what}" for what, count in losses.items() if count) or NOTHING


def counted(outcomes: Counter[str]) -> str:
    """In words what happened, how often."""
    return ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items()) if count)
