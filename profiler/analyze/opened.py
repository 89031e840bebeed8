"""A result folder as changes are made from it, and whether two are of the same work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from profiler.analyze.compare import Costs
from profiler.analyze.conclude import compared_costs
from profiler.analyze.rows import measured, read_all
from profiler.analyze.run_differences import own_right
from profiler.catalogue.caveats import WORKLOAD_UNSURE, caveat
from profiler.errors import UsageError
from profiler.folder import load_run
from profiler.model import Caveat, Run


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A result folder as changes are made from it."""

    path: Path
    run: Run
    costs: Costs
    names: tuple[str, ...]
    """Launchers that are compared, without the baseline's second run; the baseline first."""
    outputs: dict[int, str]
    """M → hash of what the workload printed."""

    @property
    def baseline(self) -> str:
        """Every ratio of the run is to it."""
        return self.run.plan.launchers[0].name


def opened(path: Path) -> Opened:
    """Read a result folder.

    Raises:
        UsageError: it is none, or a file of it cannot be read.
    """
    run = load_run(path)
    frame = measured(read_all(path))
    costs, _, names = compared_costs(run, frame)
    known = {*own_right(run), *(launcher.name for launcher in run.plan.launchers if launcher.variant is not None)}
    own = frame[frame["workload"].astype(str) == run.plan.workload.name]
    printed = own.drop_duplicates("m")
    return Opened(
        path=path,
        run=run,
        costs=costs,
        names=tuple(name for name in names if name in known),
        outputs=dict(zip(printed["m"].tolist(), map(str, printed["output_sha256"]), strict=True)),
    )


def require_same_work(reference: Opened, other: Run, outputs: dict[int, str]) -> Caveat | None:
    """``other`` ran what the reference ran; ``outputs``: M → hash of what its workload printed, empty before it ran.

    Returns:
        A caveat where neither the text nor an output of both can say so.

    Raises:
        UsageError: it is another workload.
    """
    workload, another = reference.run.plan.workload, other.plan.workload
    hint = "compare runs of the same script: the cost of other work says nothing of a change"
    if workload.name != another.name:
        raise UsageError(
            f"{reference.path} is of the workload {workload.name}, and the other of {another.name}", hint=hint
        )
    if workload.work[2:] != another.work[2:]:
        raise UsageError(
            f"{reference.path} is of {workload.name} with other arguments, or another file on stdin", hint=hint
        )
    if workload.sha256 is not None and another.sha256 is not None:
        if workload.sha256 != another.sha256:
            raise UsageError(f"{reference.path} is of another text of {workload.name} (its SHA-256 differs)", hint=hint)
        return None
    both = reference.outputs.keys() & outputs.keys()
    if any(reference.outputs[m] != outputs[m] for m in both):
        raise UsageError(f"{reference.path} is of another {workload.name}: it printed something else", hint=hint)
    if both:
        return None
    return caveat(WORKLOAD_UNSURE, f"whether the text of {workload.name} is the same in all runs is not recorded")
