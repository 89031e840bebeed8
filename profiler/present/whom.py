"""About which launchers an answer speaks, and in which metrics."""

from __future__ import annotations

from profiler.catalogue.events import work_counted
from profiler.model import AGAIN, BASELINE, Comparison, LauncherResult, Verdict

_USED, _PASSED = ("cycles", "task-clock"), "wall"


def subjects(verdict: Verdict) -> tuple[str, ...]:
    """Launchers in their own right, other than the baseline, the one that was asked about first: the user's hosts and
    other interpreters, then ours as they were planned; links with an archive, which only explain, are none where there
    is another.
    """
    own = [launcher for launcher in verdict.launchers if launcher.variant is None and launcher.name != BASELINE]
    users = [launcher for launcher in own if launcher.kind != "bundled"]
    ours = [launcher for launcher in own if launcher.kind == "bundled"]
    as_shipped = [launcher for launcher in ours if not _explains(launcher)]
    return tuple(user.name for user in (*users, *(as_shipped or ours)))


def drilled(verdict: Verdict) -> tuple[str, ...]:
    """The same of a drill-down, which tells of the baseline alone what each opcode or statement of it costs: by its
    second run, against itself.
    """
    return subjects(verdict) or (AGAIN,)


def _explains(launcher: LauncherResult) -> bool:
    return launcher.link in ("static", "pic")


def against_baseline(verdict: Verdict, launcher: str) -> dict[str, Comparison]:
    """By metric: the comparisons of a launcher with the baseline that have a ratio."""
    return {
        comparison.metric: comparison
        for comparison in verdict.comparisons
        if comparison.baseline == BASELINE and comparison.launcher == launcher and comparison.ratio is not None
    }


def itself(verdict: Verdict) -> dict[str, Comparison]:
    """By metric: the baseline against itself (A/A), of the metrics that it leaves standing."""
    withdrawn = {doubt.metric for doubt in verdict.withdrawn}
    return {
        metric: comparison for metric, comparison in against_baseline(verdict, AGAIN).items() if metric not in withdrawn
    }


def telling(known: dict[str, Comparison]) -> tuple[Comparison, ...]:
    """The few that answer the question: the count of the work, cycles or else CPU time, and wall time."""
    used = next((metric for metric in _USED if metric in known), None)
    return tuple(known[metric] for metric in (work_counted(known), used, _PASSED) if metric in known)
