"""Waiting for quiet minutes, by a clock and a load that are told."""

from collections.abc import Iterator

from profiler.system.quiet import SAMPLE_S, Quiet


def looks(parts: list[float]) -> tuple[Iterator[float], list[float]]:
    seen: list[float] = []

    def each() -> Iterator[float]:
        for part in parts:
            seen.append(part)
            yield part

    return each(), seen


def test_it_returns_at_the_first_calm_moment() -> None:
    parts, seen = looks([0.9, 0.5, 0.05, 0.9])
    quiet = Quiet(60, look=lambda: next(parts), clock=lambda: 0.0)
    quiet.wait()
    assert seen == [0.9, 0.5, 0.05]
    assert (quiet.waits, quiet.disturbed) == (1, [])


def test_it_waits_no_longer_than_it_may_in_all_and_says_how_busy_it_was() -> None:
    parts, seen = looks([0.9] * 100)
    quiet = Quiet(3 * SAMPLE_S, look=lambda: next(parts), clock=lambda: 0.0)
    quiet.wait()
    quiet.wait()
    assert len(seen) == 5
    assert (quiet.waits, quiet.disturbed) == (2, [0.9, 0.9])
