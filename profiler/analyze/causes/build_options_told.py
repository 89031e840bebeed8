"""What two files of one CPython are built with, as far as it says more than that they are two files.

Files prove no cause. One thing they do settle: where every option is seen of both and one alone differs, what the one
file costs more than the other is that option's, for nothing else is left of them to differ. The other need not be the
baseline's: any launcher of the run will do.
"""

from __future__ import annotations

import msgspec

from profiler.analyze.causes import version
from profiler.analyze.causes.case import Case, fingerprint, with_share
from profiler.analyze.causes.files import built_unlike
from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, logs, ratio, share_of
from profiler.analyze.wording import told
from profiler.catalogue.causes import IMAGE
from profiler.catalogue.properties import PROPERTIES, differences
from profiler.model import Cause, Noun, Run
from profiler.model.installed import BuildDifference


class _Alone(Noun, frozen=True, kw_only=True):
    """The one option in which the file of another launcher is not like this one's."""

    other: str
    option: BuildDifference


def with_options(costs: Costs, run: Run, case: Case, causes: list[Cause]) -> list[Cause]:
    """``causes`` of ``case``, whose eval loop's file is a cause: with what differs in it, and with each option that
    alone differs from a file of the same Python as a cause too. Nothing changes where the baseline is of another one.
    """
    image = next(cause for cause in causes if cause.cause == IMAGE)
    base = run.plan.roles.baseline
    found = built_unlike(run, case.launcher.name, base)
    if found is None or image.status != "confirmed" or version.another(run, case.launcher.name) is not None:
        return causes
    unlike, not_told = found
    alone = _alone(run, case)
    return [
        _image(cause, unlike, not_told, base)
        if cause is image
        else _option(costs, case, cause, image, alone[cause.cause], base)
        if cause.cause in alone and cause.strength != "intervened"
        else cause
        for cause in causes
    ]


def _alone(run: Run, case: Case) -> dict[str, _Alone]:
    """By cause; of several launchers that show one, the baseline or else the first."""
    name = case.launcher.name
    found: dict[str, _Alone] = {}
    for launcher in run.plan.launchers:
        known = built_unlike(run, name, launcher.name)
        if launcher.variant is not None or launcher.role == "twin" or launcher.name == name or known is None:
            continue
        # Against the baseline what differs inside is taken away before the files are compared; here it is not, and a
        # version differs inside too.
        if launcher.role != "baseline" and _unlike_inside(run, name, launcher.name):
            continue
        unlike, not_told = known
        if len(unlike) == 1 and not not_told and unlike[0].cause not in (None, IMAGE):
            found.setdefault(unlike[0].cause or "", _Alone(other=launcher.name, option=unlike[0]))
    return found


def _unlike_inside(run: Run, name: str, other: str) -> bool:
    """Anything that can cost differs between the processes of two launchers."""
    return bool(PROPERTIES.keys() & differences(fingerprint(run, other), fingerprint(run, name)).keys())


def _image(image: Cause, unlike: tuple[BuildDifference, ...], not_told: tuple[str, ...], base: str) -> Cause:
    if not unlike:
        return image
    options = ", ".join(_told(difference, base) for difference in unlike)
    unseen = f"; not to be seen of both: {', '.join(not_told)}" if not_told else ""
    return msgspec.structs.replace(image, evidence=f"{image.evidence}; built otherwise: {options}{unseen}")


def _option(  # noqa: PLR0917 - one call, from one place
    costs: Costs, case: Case, cause: Cause, image: Cause, alone: _Alone, base: str
) -> Cause:
    evidence = f"{_told(alone.option, alone.other)}: the only build option in which the files differ"
    if alone.other == base:
        share = Share(share=image.share, lo=image.lo, hi=image.hi, blocks=0)
    else:
        effect = logs(costs, alone.other, case.launcher.name, case.main.metric)
        share = share_of(effect, case.main.logs) if len(effect) else UNKNOWN
        evidence += f"; against {alone.other} {told(ratio(effect))} in {case.main.metric}"
    return with_share(cause, share, "correlated", evidence)


def _told(difference: BuildDifference, other: str) -> str:
    """``no PGO (python3's: PGO)``."""
    return f"{difference.here} ({other}'s: {difference.fastest})"
