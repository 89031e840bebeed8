"""The perf of this machine, over software events alone, which need no PMU: what it says of a workload's end."""

import os
import signal
import sys
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.sources.perf_output import Asked
from profiler.sources.perf_stat import Counted, stat
from profiler.system.perf import Perf, find_perf
from profiler.system.process import Command

pytestmark = pytest.mark.integration

ASKED = (
    Asked(event="task-clock", spec="task-clock", unit="ns"),
    Asked(event="wall", spec="duration_time", unit="ns"),
    Asked(event="page-faults", spec="page-faults", unit="faults"),
)


@pytest.fixture(scope="module")
def perf(tmp_path_factory: pytest.TempPathFactory) -> Perf:
    try:
        found = find_perf()
        run(found, "pass", tmp_path_factory.mktemp("perf"))
    except MachineError as error:
        pytest.skip(f"{error.message} ({error.hint})")
    return found


def run(perf: Perf, code: str, scratch: Path, *, env: dict[str, str] | None = None) -> Counted:
    command = Command(
        argv=(sys.executable, "-S", "-c", code),
        env=dict(os.environ) | (env or {}),
        cwd="/",
        cpu=None,
        timeout_s=60.0,
        max_output_bytes=1 << 16,
    )
    return stat(perf, ASKED, command, scratch)


def test_figures_and_exit_code(perf: Perf, tmp_path: Path) -> None:
    counted = run(perf, "import sys; print(1); print(2, file=sys.stderr); sys.exit(7)", tmp_path)
    assert (counted.completed.exit, counted.completed.stdout, counted.completed.stderr_tail) == (7, b"1\n", "2\n")
    assert all(one.value is not None and one.value > 0 for one in counted.readings)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_death_by_signal_is_seen_although_perf_exits_with_0(perf: Perf, tmp_path: Path, number: signal.Signals) -> None:
    counted = run(perf, f"import os; os.kill(os.getpid(), {int(number)})", tmp_path)
    assert counted.completed.exit == -number


def test_any_locale_can_be_read(perf: Perf, tmp_path: Path) -> None:
    counted = run(perf, "import os; print(os.environ['LC_ALL'])", tmp_path, env={"LC_ALL": "de_DE.UTF-8"})
    assert counted.completed.stdout == b"de_DE.UTF-8\n"
    assert all(one.value is not None for one in counted.readings)


def test_a_program_that_does_not_exist(perf: Perf, tmp_path: Path) -> None:
    command = Command(
        argv=("/nonexistent",), env=dict(os.environ), cwd="/", cpu=None, timeout_s=60.0, max_output_bytes=1
    )
    with pytest.raises(OSError, match="No such file"):
        stat(perf, ASKED, command, tmp_path)


def test_an_event_that_perf_does_not_know(perf: Perf, tmp_path: Path) -> None:
    command = Command(argv=("/bin/true",), env=dict(os.environ), cwd="/", cpu=None, timeout_s=60.0, max_output_bytes=1)
    asked = (Asked(event="x", spec="no-such-event", unit=""),)
    with pytest.raises(MachineError, match="no-such-event"):
        stat(perf, asked, command, tmp_path)
