"""What the reader must know: each kind of caveat with its messages, and its remedy once."""

from __future__ import annotations

from collections.abc import Iterable

from profiler.catalogue.caveats import BY_CODE
from profiler.model import Caveat, Noun


class Reservation(Noun, frozen=True, kw_only=True):
    """All caveats of one code."""

    code: str
    title: str
    messages: tuple[str, ...]
    """Each once, without what ``remedy`` says."""
    remedy: str | None
    """None: a code that another version gave."""


def reservations(caveats: Iterable[Caveat]) -> tuple[Reservation, ...]:
    """``caveats`` by code, in the order in which they come."""
    by_code: dict[str, dict[str, None]] = {}
    for caveat in caveats:
        by_code.setdefault(caveat.code, {})[caveat.message] = None
    return tuple(_reservation(code, messages) for code, messages in by_code.items())


def _reservation(code: str, messages: Iterable[str]) -> Reservation:
    entry = BY_CODE.get(code)
    if entry is None:
        return Reservation(code=code, title=code, messages=tuple(messages), remedy=None)
    said = tuple(message.removesuffix(f"; {entry.remedy}") for message in messages)
    return Reservation(code=code, title=entry.title, messages=said, remedy=entry.remedy)
