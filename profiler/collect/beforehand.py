"""What can be known of a request before the machine's lock is taken, and before anything is built or measured.

A typo is told at once, and not after minutes of waiting for another run, of builds, or of calibration.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from profiler.collect.request import Request
from profiler.errors import MachineError, UsageError, WorkloadError
from profiler.launch.interpreters import resolve_target
from profiler.launch.launchers import names_measured, names_to_own
from profiler.launch.link import recipe
from profiler.launch.second_pythons import second_pythons
from profiler.model import Caveat, Launcher, LinkMode, Noun, Target, Workload
from profiler.plan.arms import default_eliminations, require_known
from profiler.plan.lineup import require_swappable, user_hosts
from profiler.plan.studies import Study
from profiler.rebuild.plans import load_plan
from profiler.rebuild.source_tree import require_source
from profiler.system.cgroup import cgroup
from profiler.system.environment import environment_caveats, preload_caveats, quota_caveats
from profiler.system.home import expanded
from profiler.system.tools import run_briefly
from profiler.workloads import BUILT_IN, find_workload

_COMPILES = "import sys; compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec')"


class Foreseen(Noun, frozen=True, kw_only=True):
    """What was found while looking."""

    target: Target
    workload: Workload
    own: tuple[str, ...]
    """Names of the launchers of ours that are measured, where these are a matter of choice."""
    named: tuple[Launcher, ...]
    """The user's hosts, and the interpreters that the target is compared with."""
    interpreters_alone: bool
    """Nothing but interpreters was named: no host of ours has a part in what was asked."""
    builds: bool
    """Hosts are built, or taken from the cache, before the first process is measured."""
    inherited: tuple[Caveat, ...]
    """Of the user's variables, the system and the control group: they apply to every launcher."""


def foresee(request: Request, study: Study) -> Foreseen:
    """Check names, paths, files and versions of ``request``. The target is asked for its version and for whether the
    workload is Python to it; no workload runs.

    Raises:
        UsageError: something that is named does not exist, cannot be read, or does not fit.
        MachineError: results cannot be written, or a host cannot be linked.
        WorkloadError: the workload cannot be read, or is no Python.
    """
    alone = bool(request.against) and not request.host
    usual = study.beside_interpreters if alone else study.launchers
    names = usual if request.launcher is None else request.launcher
    own = names_to_own(names) if study.lineup == "chosen" else ()
    hosts = user_hosts(request.host)
    if alone and request.libpython is not None:
        raise UsageError(
            "--libpython is for our pyo3 host, which --against leaves out", hint="give one of the two, not both"
        )
    require_writable(Path(request.out))
    if request.plan is not None:
        load_plan(Path(request.plan))
    works = [find_workload(request.workload or study.workload, request.workload_args, request.stdin)]
    if study.passes == "arms":
        specs = default_eliminations() if request.elimination is None else request.elimination
        require_known(specs, (*names_measured(own), *(host.name for host in hosts)))
        told = (side.workload for spec in specs for side in (spec.before, spec.after))
        works += [find_workload(name) for name in dict.fromkeys(told) if name is not None]
    target = resolve_target(request.python)
    if request.source_tree is not None:
        require_source(target, request.source_tree)
    if request.libpython is not None and target.shared_library is not None:
        require_swappable(target, request.libpython)
    links: tuple[LinkMode, ...] = tuple(dict.fromkeys(launcher.link for launcher in own))
    linked = links if study.lineup == "chosen" else () if alone else ("shared",)
    for link in linked:
        recipe(target, link)
    seconds = second_pythons(request.against, target, tuple(host.name for host in hosts))
    built_in = {workload.path for workload in BUILT_IN}
    for workload in works:
        if workload.path not in built_in:
            _require_python(workload, target)
    return Foreseen(
        target=target,
        workload=works[0],
        own=names,
        named=(*hosts, *seconds),
        interpreters_alone=alone,
        builds=bool(linked),
        inherited=inherited(),
    )


def inherited() -> tuple[Caveat, ...]:
    """What every process that is started here inherits, and that changes what is counted or timed."""
    return (*environment_caveats(os.environ), *preload_caveats(), *quota_caveats(cgroup()))


def require_writable(out: Path) -> None:
    """A folder can be made at ``out``: a file can be written into what there is of it now. Nothing is left there.

    Raises:
        MachineError: it cannot.
    """
    above = expanded(str(out)).absolute()
    while not above.exists() and above != above.parent:
        above = above.parent
    try:
        with tempfile.TemporaryFile(dir=above) as file:
            file.write(b"x")
    except OSError as error:
        raise MachineError(
            f"cannot write results to {out}: {error.strerror}", hint="choose another folder with --out DIR"
        ) from error


def _require_python(workload: Workload, target: Target) -> None:
    """By the target itself, whose version has its own syntax; whoever cannot even say so is told by its first run."""
    if not os.access(workload.path, os.R_OK):
        raise UsageError(f"the workload {workload.path} is not readable for you", hint=f"look at ls -l {workload.path}")
    done = run_briefly(target.real_path, "-I", "-S", "-c", _COMPILES, workload.path)
    said = (done.stderr_tail.strip() or "nothing").splitlines()
    if done.exit != 0 and not done.timed_out and said[-1].startswith(("SyntaxError", "IndentationError", "TabError")):
        raise WorkloadError(
            f"the workload {workload.path} is no Python {target.version}: " + "\n".join(said[-4:]).strip(),
            hint="nothing was measured; --python PATH names another interpreter",
        )
