"""Cutting real processes into phases, and the split of planted ones."""

import math
import os
import platform
import shutil
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.conclude import conclude
from profiler.guest.script import render_marked
from profiler.launch.interpreters import resolve_target
from profiler.model import PHASES, Launcher, Step, Workload
from profiler.model.amortization import Amortization
from profiler.model.verdict import part
from profiler.plan.schedule import make_plan
from profiler.plan.sweep import STARTUP_WHOLE, intervened, startup_passes, sweep_passes
from profiler.sources.phased import COUNTS, TIMES, WHOLE, count_phases, measure, time_phases
from profiler.system.process import Command
from tests.builders import launcher
from tests.unit.simulated import folder_of

needs_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="breakpoints are known for x86-64 only")
needs_valgrind = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
WORKLOAD = Workload(name="w", path="/w.py", counts_m=(3_000, 6_000), timed_m=(20_000, 150_000))


def command(folder: Path, text: str, *, m: int = 1) -> Command:
    load = folder / "load.py"
    load.write_text(text)
    marked = folder / "marked.py"
    marked.write_text(render_marked(Workload(name="load", path=str(load), counts_m=None, timed_m=None)))
    return Command(
        argv=(resolve_target(None).real_path, str(marked), str(m)),
        env={"PATH": os.environ["PATH"], "TAX_PROBE_M": str(m), "PYTHONHASHSEED": "1"},
        cwd="/",
        cpu=max(os.sched_getaffinity(0)),
        timeout_s=60,
        max_output_bytes=1000,
    )


def image() -> str:
    target = resolve_target(None)
    return target.program_loads or target.real_path


SPIN = "import sys\nn = 0\nfor i in range(int(sys.argv[1])):\n    n += i\nprint(n)\n"


@needs_x86
def test_work_falls_into_the_run_phase_alone(tmp_path: Path) -> None:
    """Two million turns take longer than the whole start; the other phases hardly change."""
    short, long = (
        {one.event: one.value for one in time_phases(command(tmp_path, SPIN, m=m), image()).readings}
        for m in (1, 2_000_000)
    )
    # One turn takes no longer than the stop at its end, whose estimated cost is taken off: its figure may be below 0.
    assert all(value is not None and (value > 0 or name == "run-time") for name, value in short.items())
    assert all(value is not None and value > 0 for value in long.values())
    spent = {name: (long[name] or 0) - (short[name] or 0) for name in short}
    assert max(spent, key=lambda name: spent[name]) == "run-time"
    assert spent["run-time"] > 10 * abs(spent["core-time"])


@needs_x86
def test_the_traced_process_prints_and_ends_as_ever(tmp_path: Path) -> None:
    outcome = time_phases(command(tmp_path, "import sys\nprint(sys.argv[1])\nsys.stderr.write('x')\n", m=7), image())
    assert (outcome.exit, outcome.stdout, outcome.stderr_tail) == (0, b"7\n", "x")
    assert tuple(one.event for one in outcome.readings) == TIMES


@needs_x86
def test_a_process_that_never_comes_there_is_unknown_with_the_reason(tmp_path: Path) -> None:
    outcome = time_phases(command(tmp_path, "print(1)\nraise SystemExit(0)\n"), image())
    assert (outcome.exit, outcome.stdout) == (0, b"1\n")
    assert {one.value for one in outcome.readings} == {None}
    assert {one.reason for one in outcome.readings} == {"the process ended before it came there"}


@needs_x86
def test_a_process_that_does_not_end_is_ended(tmp_path: Path) -> None:
    endless = msgspec.structs.replace(command(tmp_path, "while True:\n    pass\n"), timeout_s=1)
    outcome = time_phases(endless, image())
    assert {one.reason for one in outcome.readings} == {"the process did not end in time"}
    assert outcome.timed_out


@needs_x86
def test_a_process_that_is_not_cut_is_timed_from_exec_to_its_end(tmp_path: Path) -> None:
    short, long = (measure(WHOLE, command(tmp_path, SPIN, m=m), image(), tmp_path) for m in (1, 2_000_000))
    assert (long.exit, long.stdout) == (0, b"1999999000000\n")
    assert [one.event for one in long.readings] == list(WHOLE)
    assert (long.readings[0].value or 0) > 2 * (short.readings[0].value or math.inf)


@pytest.mark.once
@needs_valgrind
def test_counted_phases_are_exact(tmp_path: Path) -> None:
    valgrind = shutil.which("valgrind")
    assert valgrind is not None
    found = []
    for name, m in (("a", 1), ("b", 1), ("c", 20_001)):
        (tmp_path / name).mkdir()
        outcome = count_phases(command(tmp_path, SPIN, m=m), valgrind, tmp_path / name)
        assert tuple(one.event for one in outcome.readings) == COUNTS
        found.append([one.value or 0 for one in outcome.readings])
    first, again, longer = found
    assert first == pytest.approx(again, rel=1e-3)
    assert longer[PHASES.index("run")] - first[PHASES.index("run")] > 20_000 * 20
    assert longer[PHASES.index("core")] == pytest.approx(first[PHASES.index("core")], rel=1e-3)


def test_planted_phases_and_interventions(tmp_path: Path) -> None:
    """Site is what the core has less without it; an intervention's change is told per phase and in all.

    All runs but the first are disturbed, and count for nothing.
    """
    base = Launcher(
        **{name: getattr(launcher("python3"), name) for name in Launcher.__struct_fields__} | {"init": "Py_BytesMain"}
    )
    host = Launcher(
        **{name: getattr(launcher("pyo3"), name) for name in Launcher.__struct_fields__} | {"init": "Py_InitializeEx"}
    )
    more = intervened((base, host))
    assert {one.name for one in more} == {
        "python3+no-site", "python3+isolated", "python3+command", "python3+bind-now",
        "pyo3+no-site", "pyo3+bind-now", "pyo3+finalize",
    }  # fmt: skip
    by_name = {one.name: one for one in more}
    assert by_name["python3+no-site"].argv == ("/bin/true", "-S", "{script}", "{m}")
    assert by_name["python3+command"].argv == ("/bin/true", "-c", "{text}", "{m}")
    made = make_plan(
        seed=1,
        source="callgrind",
        workload=WORKLOAD,
        launchers=(base, host, *more),
        passes=(*sweep_passes(WORKLOAD, (1, 10), (), (base, host)), *startup_passes((base, host), counted=True)),
        blocks=1,
    )
    costs = dict(zip(PHASES, (1.0, 10.0, 2.0, 0.5, 4.0), strict=True))

    def truth(step: Step, workload: str, before: int) -> dict[str, float]:
        if step.pass_name == made.passes[0].name:
            return {"wall": 20e6, "task-clock": 18e6}
        disturbed = 1.5 if step.repetition > 0 else 1.0
        if step.pass_name == STARTUP_WHOLE:
            return {"whole-time": 18e6 * disturbed}
        own = dict(costs)
        if step.launcher.endswith("no-site"):
            own["core"] -= 3
        if step.launcher.startswith("pyo3") and not step.launcher.endswith("finalize"):
            own["finalisation"] = 0.1
        unit = "time" if "counted" not in step.pass_name else "instructions"
        return {f"{phase}-{unit}": 1e6 * cost * disturbed for phase, cost in own.items()}

    found = part(conclude(folder_of(tmp_path, made, "amortize", truth)), Amortization)
    assert found is not None
    phases = {(one.launcher, one.phase): one for one in found.startup.phases}
    assert phases["python3", "site"].cpu_ms == pytest.approx(3)
    assert phases["python3", "core"].cpu_ms == pytest.approx(7)
    assert phases["pyo3", "finalisation"].instructions == pytest.approx(0.1e6)
    sums = {one.launcher: one for one in found.startup.sums}
    assert sums["python3"].cpu_ms == pytest.approx(17.5)
    assert sums["python3"].cpu_ms_uncut == pytest.approx(18)
    assert sums["python3"].missing == pytest.approx(17.5 / 18 - 1)
    changed = {(one.launcher, one.intervention, one.phase): one for one in found.startup.interventions}
    assert changed["pyo3", "finalize", "whole"].cpu_ms == pytest.approx(3.9)
    assert changed["python3", "bind-now", "whole"].instructions == 0
