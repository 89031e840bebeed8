"""What two files of one CPython are built with, as far as it says more than that they are two files.

Files prove no cause. One thing they do settle: where every option is known of both and one alone differs, what the file
of the eval loop costs is that option's, for nothing else is left of the file to differ.
"""

from __future__ import annotations

import msgspec

from profiler.analyze.causes import version
from profiler.analyze.causes.case import Case
from profiler.analyze.causes.files import built_unlike
from profiler.catalogue.causes import IMAGE
from profiler.model import Cause, Run
from profiler.model.installed import BuildDifference


def with_options(run: Run, case: Case, causes: list[Cause]) -> list[Cause]:
    """``causes`` of ``case``, whose eval loop's file is a cause: with what differs in it, and with the option that
    alone does as a cause too. Nothing changes where the two are of different Pythons.
    """
    image = next(one for one in causes if one.cause == IMAGE)
    base = run.plan.roles.baseline
    found = built_unlike(run, case.launcher.name, base)
    if found is None or image.status != "confirmed" or version.another(run, case.launcher.name) is not None:
        return causes
    unlike, not_told = found
    if not unlike:
        return causes
    alone = unlike[0] if len(unlike) == 1 and not not_told else None
    return [_with(one, image, unlike, not_told, alone, base) for one in causes]


def _with(  # noqa: PLR0917 - one call, from one place
    cause: Cause,
    image: Cause,
    unlike: tuple[BuildDifference, ...],
    not_told: tuple[str, ...],
    alone: BuildDifference | None,
    base: str,
) -> Cause:
    if cause is image:
        told = ", ".join(_told(one, base) for one in unlike)
        unknown = f"; not to be seen of both: {', '.join(not_told)}" if not_told else ""
        evidence = f"{image.evidence}; built otherwise: {told}{unknown}"
        return msgspec.structs.replace(image, evidence=evidence)
    if alone is None or cause.cause != alone.cause or cause.strength == "intervened":
        return cause
    return msgspec.structs.replace(
        cause,
        status="confirmed",
        strength="correlated",
        share=image.share,
        lo=image.lo,
        hi=image.hi,
        evidence=f"{_told(alone, base)}: the only build option in which the files differ",
    )


def _told(one: BuildDifference, base: str) -> str:
    """``no PGO (python3's: PGO)``."""
    return f"{one.here} ({base}'s: {one.fastest})"
