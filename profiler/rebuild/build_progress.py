"""How much building is left, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

WEIGHT = {"train": 4.0, "lto": 1.6, "plain": 1.0}
"""Work of an artifact against a plain build; used for the time that is left, never for a figure."""


class BuildListener(Protocol):
    """Who is told how building goes."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def builds(self, done: float, total: float, doing: str) -> None:
        """How much of the work is done, in the units of ``WEIGHT``."""


class BuildProgress:
    """The work that is left, told to a watch."""

    def __init__(self, weights: Mapping[str, float], watch: BuildListener) -> None:
        self._weights = dict(weights)
        self._total = sum(weights.values())
        self._watch = watch
        self._lines: dict[str, int] = {}
        watch.builds(0.0, self._total, "")

    def begin(self, key: str) -> None:
        self._lines[key] = 0

    def end(self, key: str) -> None:
        self._weights.pop(key, None)
        self._lines.pop(key, None)
        self._tell()

    def doing(self, key: str) -> Callable[[str], None]:
        def line(text: str) -> None:
            self._lines[key] = self._lines.get(key, 0) + 1
            self._tell()

        return line

    def _tell(self) -> None:
        now = ", ".join(f"{key.rpartition('-')[0]} ({lines} steps)" for key, lines in sorted(self._lines.items()))
        self._watch.builds(self._total - sum(self._weights.values()), self._total, now)
