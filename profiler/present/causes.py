"""Causes and the ladder as a reader sees them, for a terminal and for Markdown alike."""

from __future__ import annotations

from profiler.analyze.causes.nested import beneath
from profiler.model import Cause, Rung, Verdict
from profiler.present.words import interval, ratio


def nested(verdict: Verdict) -> tuple[tuple[str, Cause], ...]:
    """(name, verdict) of each cause, parts indented beneath their whole."""
    return tuple((f"{'└ ' if depth else ''}{cause.cause}", cause) for depth, cause in beneath(verdict.causes))


def verdict_of(cause: Cause) -> str:
    """``confirmed``; ``place``, with what the setting is as a cause."""
    return cause.status if cause.role == "cause" else f"place ({cause.status} as a cause)"


def share_of(cause: Cause) -> str:
    """The share with its interval, or with its range over orders and what stays without the cause."""
    if cause.share is None:
        return ""
    if cause.role == "place":
        return f"{cause.share:.1%} of the difference"
    if cause.share_least is None or cause.share_most is None:
        return f"{cause.share:.1%} {interval(cause.lo, cause.hi, 3)}"
    return f"{cause.share:.1%}, mean over orders, {cause.share_least:.1%} to {cause.share_most:.1%}" + (
        "" if cause.without is None else f"; without it alone {cause.without:.4f}"
    )


def ratio_of(rung: Rung) -> str:
    """The ratio of a step, and of what it is a mean."""
    told = ratio(rung.ratio, rung.lo, rung.hi)
    if rung.orders is None or rung.least is None or rung.most is None:
        return told
    return f"{told} (mean over {rung.orders} orders, {rung.least:.4f} to {rung.most:.4f})"


def linked_with_archives(verdict: Verdict) -> frozenset[str]:
    """Launchers whose link has no LTO across the modules of the archive."""
    return frozenset(one.name for one in verdict.launchers if one.link in ("static", "pic"))


def about_ladder(path: list[Rung], archives: frozenset[str]) -> str:
    """What a reader of these steps must know; empty where nothing is."""
    said = []
    drops = [at for at, rung in enumerate(path, 1) if rung.from_ not in archives and rung.to in archives]
    restores = [at for at, rung in enumerate(path, 1) if rung.from_ in archives and rung.to not in archives]
    if drops and restores:
        said.append(
            "the link with an archive (.a, -pic.a) has no LTO across its modules and the shared library has it again, "
            f"so steps {drops[0]} and {restores[0]} contain it both ways"
        )
    orders = next((rung.orders for rung in path if rung.orders is not None), None)
    if orders is not None:
        said.append(
            f"the ratio of a build option is a mean over {orders} orders in which the options can be met: no two "
            "builds have it, and the range is that of measured pairs"
        )
    return "; ".join(said)
