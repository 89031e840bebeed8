"""A stranger's counter, cause and change: one entry each, written into a copy of the package, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.launch.cargo import find_cargo
from profiler.launch.interpreters import resolve_target
from tests.commandline import GENEROUS_S
from tests.conftest import SCRIPT, needs_extension

pytestmark = [pytest.mark.integration, needs_extension]

ROOT = Path(__file__).parents[2]
COUNTER = """
    Event(
        name="moon-crossings",
        unit="crossings",
        title="moon crossings",
        margin=0.01,
        perf=(PerfEvent(spec="moon-crossings:u"),),
    ),
"""
CAUSE = """
    CauseEntry(id="moon", title="phase of the moon", shows="instructions", observable="the sky"),
"""
CHANGE = """
    Intervention(
        id="new-moon",
        cause="moon",
        title="new moon",
        change=Given(env={"MOON": "new"}),
        ends=("baseline", "embedder"),
        where="the light of the moon (the same on both ends)",
    ),
"""
TRUTH = {"python3": {"instructions": (50e6, 900)}, "/pyo3": {"instructions": (60e6, 1080)}}
RUN = """
from profiler.plan import lineup
from profiler.sources import hardware
# Only what this is about: neither the archives' links nor the other changes.
lineup.ALL, lineup.INTERVENTIONS = ("python3", "pyo3", "runmain"), lineup.INTERVENTIONS[-1:]
hardware.in_process = lambda: ()
from profiler.cli import entry
entry()
"""


def add(file: Path, table: str, entry: str) -> None:
    """``entry`` as the last of ``table``, a tuple of the module that stands alone in its lines."""
    text = file.read_text()
    start = text.index(f"\n{table}: ")
    end = text.index("\n)\n", start)
    file.write_text(text[:end] + entry.rstrip() + text[end:])


@pytest.mark.once
def test_a_counter_a_cause_and_a_change_are_one_entry_each(tmp_path: Path) -> None:
    try:
        find_cargo()
    except MachineError as error:
        pytest.skip(error.message)
    if resolve_target(None).include_dir is None:
        pytest.skip("the target has no headers")
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "profiler", copy / "profiler", ignore=shutil.ignore_patterns("__pycache__"))
    perf = copy / "tests" / "fake_perf" / "perf"
    perf.parent.mkdir(parents=True)
    perf.write_text(f"#!{sys.executable} -IS\n" + SCRIPT.read_text())
    perf.chmod(0o755)
    catalogue = copy / "profiler" / "catalogue"
    add(catalogue / "events.py", "EVENTS", COUNTER)
    add(catalogue / "causes.py", "CAUSES", CAUSE)
    add(catalogue / "interventions.py", "INTERVENTIONS", CHANGE)
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(TRUTH))
    command = ("variants", "--source", "hardware", "--blocks", "2", "--m", "10,30", "--seed", "7", "--format", "json")
    done = subprocess.run(
        [sys.executable, "-c", RUN, *command, "--out", str(tmp_path / "out")],
        cwd=copy,
        env=os.environ
        | {"PATH": f"{perf.parent}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
        | {"TAX_PROBE_FAKE_PERF": "normal", "TAX_PROBE_FAKE_SLOTS": "6", "TAX_PROBE_FAKE_TRUTH": str(truth)},
        capture_output=True,
        text=True,
        timeout=2 * GENEROUS_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    assert {"python3+new-moon", "pyo3+new-moon"} <= {one["name"] for one in verdict["launchers"]}
    assert "moon-crossings" in {one["metric"] for one in verdict["comparisons"] if one["value"] is not None}
    (moon,) = (one for one in verdict["causes"] if (one["cause"], one["launcher"]) == ("moon", "pyo3"))
    assert moon["role"] == "place"
    assert "new moon on both ends" in moon["evidence"]
    (folder,) = (tmp_path / "out").iterdir()
    shown = subprocess.run(
        [sys.executable, "-c", RUN, "report", "-v", str(folder)],
        cwd=copy, capture_output=True, text=True, timeout=GENEROUS_S, check=True,
    ).stdout  # fmt: skip
    assert "moon crossings" in shown
