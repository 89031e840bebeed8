"""The probe in every CPython ≥ 3.8 of this machine: it answers, and it sees what was planted."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from profiler import guest
from profiler.catalogue.properties import CONFIG_PROPERTIES, PROPERTIES
from profiler.launch.interpreters import find_targets

PROGRAMS = list(dict.fromkeys([str(Path(sys.executable).resolve()), *find_targets()]))
ADDED_LATER = {"malloc_libraries"}
"""Properties that are found from outside, in the files that the process maps."""


def ask(program: str, *options: str, before: str = "", env: dict[str, str] | None = None) -> dict[str, Any]:
    """The probe's answer after the statements ``before``; a warning of the probe's would be an error."""
    script = "\n".join(
        (
            "import json, sys, warnings",
            "names = {}",
            "with open(sys.argv[1]) as probe:",
            "    code = compile(probe.read(), 'probe', 'exec')",
            before,
            "warnings.simplefilter('error')",
            "exec(code, names)",
            "answer = names['fingerprint']()",
            "print(json.dumps(answer, default=str))",
        )
    )
    command = (program, *options, "-c", script, str(Path(guest.__file__).with_name("probe.py")))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, env=inherited | (env or {}), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def version_of(answer: dict[str, Any]) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", answer["python"])
    assert match
    return int(match.group(1)), int(match.group(2))


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda path: "-".join(Path(path).parts[-3:]))
def program(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def plain(program: str) -> dict[str, Any]:
    return ask(program, "-I")


def test_every_property_is_answered(plain: dict[str, Any]) -> None:
    assert PROPERTIES.keys() - plain.keys() == ADDED_LATER
    fields = {name for group in plain["config"].values() for name in group}
    # What a version does not have yet, none of its processes can differ in.
    assert CONFIG_PROPERTIES.keys() - fields <= {"perf_profiling", "pymalloc_hugepages"}


def test_a_plain_process_has_nothing_planted(program: str, plain: dict[str, Any]) -> None:
    version = version_of(plain)
    assert plain["exe"] == program
    free_threaded = plain["free_threaded"]
    assert plain["allocator"] == ("mimalloc" if free_threaded else "pymalloc")
    assert (plain["dev_mode"], plain["memory_debug"], plain["tracemalloc"]) == (False, False, False)
    assert (plain["trace"], plain["profile"], plain["monitoring"]) == ("None", "None", [])
    # PEP 523's question came with 3.9.
    assert plain["eval_frame"] == (None if version == (3, 8) else "default")
    assert plain["replaced_builtins"] == []
    assert plain["timers"] == {"ITIMER_REAL": False, "ITIMER_VIRTUAL": False, "ITIMER_PROF": False, "posix": 0}
    # A version without the question has a GIL, and no JIT.
    assert plain["gil_enabled"] or version >= (3, 13)
    assert plain["jit_enabled"] is False
    assert plain["flags"]["isolated"] == 1


def test_what_is_planted_is_seen(program: str, plain: dict[str, Any]) -> None:
    before = "\n".join(
        (
            "import gc, signal, tracemalloc",
            "sys.settrace(lambda *event: None)",
            "sys.setprofile(lambda *event: None)",
            "sys.setswitchinterval(0.25)",
            "sys.setrecursionlimit(1234)",
            "tracemalloc.start()",
            "gc.set_threshold(123, 4, 5)",
            "gc.freeze()",
            "signal.signal(signal.SIGPROF, lambda *caught: None)",
            "signal.setitimer(signal.ITIMER_PROF, 1000)",
            "import builtins; builtins.len = lambda one: one.__len__()",
        )
    )
    found = ask(program, before=before, env={"PYTHONMALLOC": "malloc_debug"})
    assert (found["trace"], found["profile"], found["tracemalloc"]) == ("'function'", "'function'", True)
    assert (found["switch_interval"], found["recursion_limit"]) == (0.25, 1234)
    assert (found["gc_threshold"], found["gc_frozen"]) == ([123, 4, 5], True)
    assert found["timers"]["ITIMER_PROF"] is True
    assert 27 in found["signals_caught"]
    assert found["replaced_builtins"] == ["len"]
    assert (found["allocator"], found["memory_debug"]) == ("malloc", True)


def test_options_are_seen(program: str, plain: dict[str, Any]) -> None:
    found = ask(program, "-X", "dev", "-B", "-O")
    assert (found["dev_mode"], found["memory_debug"]) == (True, True)
    assert (found["flags"]["optimize"], found["flags"]["dont_write_bytecode"]) == (1, 1)
    fields = {name: value for group in found["config"].values() for name, value in group.items()}
    assert (fields["dev_mode"], fields["optimization_level"]) == (1, 1)


def test_tools_of_monitoring_are_seen(program: str, plain: dict[str, Any]) -> None:
    if version_of(plain) < (3, 12):
        pytest.skip("sys.monitoring came with 3.12")
    events = "sys.monitoring.use_tool_id(3, 'planted'); sys.monitoring.set_events(3, sys.monitoring.events.LINE)"
    assert ask(program, before=events)["monitoring"] == [3]


@pytest.mark.parametrize("missing", ["ctypes", "resource"])
def test_a_python_without_an_extension_module_is_still_told(program: str, missing: str) -> None:
    """As one is that was built without what the module needs, or is still in its build folder."""
    answer = ask(program, "-I", before=f"sys.modules[{missing!r}] = None")
    assert answer["version"]
    assert answer["allocator"] == "pymalloc"
    assert (answer["rlimits"] is None) == (missing == "resource")
