"""What was started ends with us, whatever way we end, and leaves nothing behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from profiler.system.guardian import Guardian
from profiler.system.process import helper, run
from profiler.system.process_groups import has_ended, sweep

GENEROUS_S = 60
TREE = Path(__file__).parents[2]
TELLING = """
import os, signal, sys
os.write(os.open(sys.argv[1], os.O_WRONLY), str(os.getpid()).encode())
signal.pause()
"""
"""A process that says who it is, and goes on for ever."""


def gone(pid: int) -> bool:
    """Wait for its end, as long as that may take on a busy machine."""
    try:
        opened = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([opened], [], [], GENEROUS_S)
    os.close(opened)
    return bool(ready)


DRIVERS = {
    "measured": """
from profiler.system.process import helper, run
run(helper((sys.executable, *sys.argv[1:]), timeout_s=1000))
""",
    "built": """
from pathlib import Path
from profiler.system.logged import run_logged
run_logged((sys.executable, *sys.argv[1:]), cwd=Path("/"), log=Path("/dev/null"), timeout_s=1000)
""",
    "with a grandchild": """
from profiler.system.process import helper, run
code = "import subprocess, sys, signal; subprocess.Popen((sys.executable, *sys.argv[1:])); signal.pause()"
run(helper((sys.executable, "-c", code, *sys.argv[1:]), timeout_s=1000))
""",
}


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[tuple[tuple[str, str], Callable[[], int]]]:
    """The arguments of a Python that says who it is, and how to hear it."""
    script, told = tmp_path / "telling.py", tmp_path / "told"
    script.write_text(TELLING)
    os.mkfifo(told)
    hears = os.open(told, os.O_RDWR)

    def heard() -> int:
        assert select.select([hears], [], [], GENEROUS_S)[0], "it never began"
        return int(os.read(hears, 100))

    yield (str(script), str(told)), heard
    os.close(hears)


@pytest.mark.parametrize("how", DRIVERS)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_ends_with_the_driver_that_is_killed(
    telling: tuple[tuple[str, str], Callable[[], int]], how: str, number: int
) -> None:
    arguments, heard = telling
    code = f"import sys\n{DRIVERS[how]}"
    with subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=TREE, start_new_session=True) as driver:
        pid = heard()
        assert not has_ended(pid)
        os.killpg(driver.pid, number)
    assert gone(pid)


def test_a_daemon_ends_with_the_measurement_that_left_it(
    telling: tuple[tuple[str, str], Callable[[], int]],
) -> None:
    arguments, heard = telling
    code = f"""
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, (sys.executable, *{arguments!r}))
    os._exit(0)
os.wait()
"""
    done = run(helper((sys.executable, "-c", code), timeout_s=GENEROUS_S))
    assert done.exit == 0, done.stderr_tail
    pid = heard()
    assert not has_ended(pid)
    sweep()
    assert has_ended(pid)


def test_what_is_no_daemon_of_a_measurement_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as own:
        sweep()
        assert own.poll() is None
        own.communicate(b"\n", timeout=GENEROUS_S)
    assert own.returncode == 0


def test_a_guardian_that_died_is_no_reason_to_end() -> None:
    guardian = Guardian()
    os.kill(guardian._child.pid, signal.SIGKILL)
    guardian._child.wait()
    for group in (1, 2):
        guardian.begun(group)
        guardian.ended(group)
    assert not guardian.is_it(guardian._child.pid)


def test_a_guardian_that_cannot_be_started_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    before = len(list(Path("/proc/self/fd").iterdir()))
    guardian = Guardian()
    guardian.begun(1)
    guardian.ended(1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_where_we_end_in_order_nothing_is_left_and_nothing_said() -> None:
    code = "from profiler.system.process import helper, run; run(helper(('true',), timeout_s=60))"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code],
        cwd=TREE,
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
