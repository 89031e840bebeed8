"""Causes beneath the cause that they are a part of, and what adds up: pure bookkeeping on verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from profiler.model import Cause


def beneath(causes: Iterable[Cause]) -> Iterator[tuple[int, Cause]]:
    """(depth, cause) with each part right after its whole, in the order given; a part whose whole is not there is one
    in its own right.
    """
    every = list(causes)
    for whole in every:
        if not _has_whole(whole, every):
            yield from _with_parts(whole, every, 0)


def _with_parts(whole: Cause, every: list[Cause], depth: int) -> Iterator[tuple[int, Cause]]:
    yield depth, whole
    for part in parts(every, whole):
        yield from _with_parts(part, every, depth + 1)


def parts(causes: Iterable[Cause], whole: Cause) -> tuple[Cause, ...]:
    """The causes that are a part of ``whole`` in the same launcher."""
    return tuple(cause for cause in causes if cause.part_of == whole.cause and cause.launcher == whole.launcher)


def adding_up(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """The confirmed causes that are a part of none: in one metric they and what is unexplained are the tax."""
    return tuple(
        cause for cause in causes if cause.status == "confirmed" and cause.role == "cause" and cause.part_of is None
    )


def untold(causes: Iterable[Cause], whole: Cause) -> float | None:
    """What the confirmed parts of ``whole`` leave of its share: not told apart, or below 0 where they overlap. None
    where nothing is known of its parts.
    """
    found = [part.share for part in parts(causes, whole) if part.status == "confirmed" and part.share is not None]
    return None if whole.share is None or not found else whole.share - sum(found)


def _has_whole(part: Cause, every: list[Cause]) -> bool:
    return any(cause.cause == part.part_of and cause.launcher == part.launcher for cause in every)
