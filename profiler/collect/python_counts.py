"""Instructions of many CPythons on the same work: whole processes under callgrind, all in one block.

Each program runs the placed script at both M of a workload, with one hash seed, environment, heap phase and arena
offset for all; the slope is the cost per iteration. A program that cannot be counted has its reason, and the rest goes
on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from profiler.collect.calibration_runs import calibrated
from profiler.collect.checker import Checker
from profiler.collect.runners import RUNNERS
from profiler.collect.second_look import SecondLook
from profiler.collect.setting import Setting
from profiler.collect.workplace import Workplace
from profiler.errors import MachineError, WorkloadError
from profiler.model import Block, Caveat, Launcher, Noun, Plan, Step, Whole, Workload
from profiler.model.installed import InstalledPython, PythonCount
from profiler.plan.schedule import draw_blocks
from profiler.sources.source import Source
from profiler.system.own_folder import own_folder

OLDEST = (3, 8)
"""The script that places the heap runs from here on."""


class PythonCounts(Noun, frozen=True, kw_only=True):
    """Counts by path of the file that holds the eval loop."""

    counts: dict[str, tuple[PythonCount, ...]]
    caveats: tuple[Caveat, ...]


def program_of(python: InstalledPython) -> str | None:
    """The program that runs this eval loop; None: no python program loads the library."""
    if python.kind == "program":
        return python.file.real_path
    return python.programs[0].path if python.programs else None


def count_pythons(
    pythons: Sequence[InstalledPython],
    workloads: Sequence[Workload],
    source: Source,
    *,
    seed: int,
    timeout_s: float,
    say: Callable[[str], None],
) -> PythonCounts:
    """Run every program of ``pythons`` and count it; ``timeout_s`` is the limit of one process at native speed.

    Raises:
        WorkloadError: the M of a workload cannot be calibrated.
        MachineError: the temporary folder cannot be written to.
    """
    refused = {python.file.real_path: reason for python in pythons if (reason := _refusal(python)) is not None}
    able = [python for python in pythons if python.file.real_path not in refused]
    launchers = tuple(
        _launcher(program, first=at == 0) for at, python in enumerate(able) if (program := program_of(python))
    )
    works = [calibrated(work, launchers[0], timeout_s) if launchers else work for work in workloads]
    block = draw_blocks(seed, 1)[0]
    counts: dict[str, list[PythonCount]] = {python.file.real_path: [] for python in pythons}
    checker = Checker(timeout_s, launchers[0] if launchers else None)
    with own_folder() as folder:
        for work in works:
            place = Workplace(folder, timeout_s)
            plan = _plan(seed, block, work, launchers, source)
            look = SecondLook(checker)
            setting = Setting(plan=plan, source=source, place=place, checker=checker, second_look=look)
            for python in pythons:
                path = python.file.real_path
                if path in refused:
                    counts[path].append(PythonCount(workload=work.name, instructions=None, reason=refused[path]))
                    continue
                program = program_of(python)
                assert program is not None
                say(f"counting {work.name} in {program}")
                counts[path].append(_count(setting, block, program, work))
    return PythonCounts(
        counts={path: tuple(found) for path, found in counts.items()}, caveats=tuple(checker.caveats.values())
    )


def _refusal(python: InstalledPython) -> str | None:
    if program_of(python) is None:
        return "no python program loads it"
    if python.version is not None and tuple(map(int, python.version.split(".")[:2])) < OLDEST:
        return "older than 3.8, which the script needs"
    return None


def _launcher(program: str, *, first: bool) -> Launcher:
    return Launcher(
        name=program,
        kind="program",
        argv=(program, "{script}", "{m}"),
        env={},
        image=None,
        build_id=None,
        link=None,
        init=None,
        allocator=None,
        variant=None,
        role="baseline" if first else None,
    )


def _plan(seed: int, block: Block, work: Workload, launchers: tuple[Launcher, ...], source: Source) -> Plan:
    assert work.counts_m is not None
    pass_ = Whole(
        name=work.name, events=("instructions",), m=work.counts_m, blocks=(0, 1), exclusive=False, repetitions=1
    )
    return Plan(seed=seed, source=source.name, workload=work, launchers=launchers, passes=(pass_,), blocks=(block,))


def _count(setting: Setting, block: Block, program: str, work: Workload) -> PythonCount:
    pass_ = setting.plan.passes[0]
    steps = [
        Step(block=0, position=at, pass_name=pass_.name, launcher=program, m=m, repetition=0)
        for at, m in enumerate(pass_.m)
    ]
    found: dict[int, float] = {}
    try:
        for measured in RUNNERS["whole"](setting, block, steps):
            found |= {row.m: row.value for row in measured.rows if row.value is not None}
    except (WorkloadError, MachineError) as error:
        return PythonCount(workload=work.name, instructions=None, reason=_shortly(error.message, program))
    if len(found) < len(pass_.m):
        return PythonCount(workload=work.name, instructions=None, reason=f"{setting.source.name} counted nothing")
    lo, hi = min(found), max(found)
    return PythonCount(workload=work.name, instructions=(found[hi] - found[lo]) / (hi - lo))


def _shortly(message: str, program: str) -> str:
    """What went wrong, without the name that the row has and without M, as both run at once and either may be the first
    to fail; of what the program said its last line.
    """
    first, *rest = re.sub(r" with M = \d+", "", message.removeprefix(f"{program}: ")).splitlines()
    return f"{first}: {rest[-1].strip()}" if rest else first
