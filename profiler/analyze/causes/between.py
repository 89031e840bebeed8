"""Another version told apart from how it is built, by a launcher between: of the version of one, built like the other.

From the baseline to it one of the two changes, and from it to the launcher the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.causes.case import Case, fingerprint, with_share
from profiler.analyze.causes.files import built_unlike
from profiler.analyze.causes.version import CAUSE, Python, another, python_of
from profiler.analyze.compare import Costs
from profiler.analyze.effects import logs, ratio, share_of
from profiler.analyze.siblings import VERSION
from profiler.analyze.wording import told
from profiler.catalogue.causes import IMAGE
from profiler.model import Cause, Noun, Run

_OF_THE_SOURCE = frozenset({VERSION, "compiler"})
"""Differences that are no option: what is asked here, and what compiled it."""


class _Between(Noun, frozen=True, kw_only=True):
    launcher: str
    python: Python
    version_first: bool
    """From the baseline to it the version changes; False: how it is built."""
    exact: bool
    """It is of the very version; else of the same minor one."""


def told_apart(costs: Costs, run: Run, case: Case, causes: list[Cause]) -> list[Cause]:
    """``causes`` of ``case`` with a share for the version and one for the build, where a launcher lies in between."""
    if another(run, case.launcher.name) is None or case.main.logs.empty:
        return causes
    found = sorted(_candidates(run, case), key=lambda candidate: not candidate.exact)
    if not found:
        return causes
    between, base, name, metric = found[0], costs.roles.baseline, case.launcher.name, case.main.metric
    ends = {between.version_first: (base, between.launcher), not between.version_first: (between.launcher, name)}
    return [
        _measured(costs, case, cause, ends[cause.cause == CAUSE], between, metric)
        if cause.cause in (CAUSE, IMAGE)
        else cause
        for cause in causes
    ]


def _measured(  # noqa: PLR0917 - one call, from one place
    costs: Costs, case: Case, cause: Cause, ends: tuple[str, str], between: _Between, metric: str
) -> Cause:
    effect = logs(costs, *ends, metric)
    if effect.empty or (cause.status == "refuted" and cause.strength is None):
        return cause
    share = share_of(effect, case.main.logs)
    like = costs.roles.baseline if between.version_first else case.launcher.name
    rest = "" if between.exact else ", another patch level of it"
    what = "version" if cause.cause == CAUSE else "build"
    said = cause.evidence.partition("; ")[0] if cause.cause == CAUSE else "the same minor version, built otherwise"
    evidence = (
        f"{said}; the {what} alone, by {between.launcher} ({between.python}{rest}, built like {like}): "
        f"{ends[1]} against {ends[0]} {told(ratio(effect))} in {metric}"
    )
    return with_share(cause, share, "intervened", evidence)


def _candidates(run: Run, case: Case) -> Iterator[_Between]:
    base, name = run.plan.roles.baseline, case.launcher.name
    reference, own = python_of(fingerprint(run, base)), python_of(fingerprint(run, name))
    assert reference is not None
    assert own is not None
    for launcher in run.plan.launchers:
        python = python_of(fingerprint(run, launcher.name))
        if launcher.variant is not None or launcher.role is not None or launcher.name == name or python is None:
            continue
        for version_of, built_like, first in ((reference, name, False), (own, base, True)):
            if _kind(python) == _kind(version_of) and _alike(run, launcher.name, built_like):
                yield _Between(launcher=launcher.name, python=python, version_first=first, exact=python == version_of)


def _kind(python: Python) -> tuple[str, list[str], bool, bool, bool]:
    minor = python.version.split(".")[:2]
    return python.implementation, minor, python.free_threaded, python.debug, python.jit


def _alike(run: Run, name: str, other: str) -> bool:
    """Every option is known of both and equal. That one source has thread-local variables at all is its version's."""
    found = built_unlike(run, name, other)
    if found is None or found[1]:
        return False
    return all(
        difference.option in _OF_THE_SOURCE
        or (difference.option == "tls" and "TLS none" in (difference.here, difference.fastest))
        for difference in found[0]
    )
