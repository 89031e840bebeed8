"""Hosts as they are found: what each does around the script decides neither its output nor what it is blamed for."""

import sys
from pathlib import Path

import msgspec
import pytest

from profiler.collect.checker import Checker
from profiler.collect.fingerprint import gone_library
from profiler.errors import WorkloadError
from profiler.folder import RowWriter
from profiler.model import Launcher
from profiler.sources.source import Outcome
from tests.builders import launcher
from tests.unit.test_collect import FakeSource, bench, plan

RUN = "import os, sys\nsys.argv = sys.argv[1:]\nwith open(sys.argv[0]) as script: text = script.read()\n"
AGAIN = "os.execve(sys.executable, [sys.executable, *sys.argv], {})"


def host(tmp_path: Path, does: str, *arguments: str) -> Launcher:
    program = tmp_path / "host.py"
    program.write_text(f"{RUN}{does}\n")
    return launcher("host", sys.executable, str(program), "{script}", *arguments, link=None)


def measured(tmp_path: Path, found: Launcher) -> set[str]:
    """Codes of what is said of the host, whose output is that of python3."""
    source = FakeSource()
    made = plan(tmp_path, source, found)
    said: set[str] = set()
    for opened in bench(made, source):
        opened.check()
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
        said = {code for code, who in opened.caveats if who == "host"}
    return said


@pytest.mark.parametrize(
    "does",
    [
        pytest.param("print('\\33[2Jhello', flush=True); exec(text); print('\\33[0mended')", id="draws"),
        pytest.param("os.close(1); exec(text)", id="descriptor-1-closed"),
        pytest.param("[os.close(n) for n in range(3)]; exec(text)", id="all-closed"),
        pytest.param("sys.stdout = None; exec(text)", id="no-stdout"),
        pytest.param("import io; sys.stdout = io.StringIO(); exec(text)", id="stdout-is-no-file"),
        pytest.param("del sys.argv; exec(text)", id="no-argv"),
        pytest.param("exec(text, {'__name__': 'plugin'})", id="globals-of-its-own"),
        pytest.param("import threading as t; one = t.Thread(target=exec, args=(text, {})); one.start(); one.join()",
                     id="thread"),
        pytest.param("child = os.fork()\nif child: sys.exit(os.waitpid(child, 0)[1])\nexec(text)", id="forks"),
        pytest.param("os.chdir('/'); exec(text)", id="elsewhere"),
        pytest.param("[os.environ.pop(n, 0) for n in ('HOME', 'PATH', 'LANG')]; os.execv(sys.executable, "
                     "[sys.executable, sys.argv[0]])", id="no-home"),
    ],
)  # fmt: skip
def test_an_odd_host_prints_what_python3_prints(tmp_path: Path, does: str) -> None:
    assert not measured(tmp_path, host(tmp_path, does))


def test_a_library_that_a_program_removes_at_its_end_is_named(tmp_path: Path) -> None:
    line = "7f00-7f01 r-xp 00000000 fe:01 7 {}\n"
    kept, unpacked = tmp_path / "libpython3.11.so.1.0", tmp_path / "_MEI7" / "libpython3.12.so.1.0"
    kept.write_bytes(b"")
    maps = line.format(kept) + line.format(tmp_path / "gone.so")
    assert gone_library({"maps": maps}) is None
    assert gone_library({"maps": maps + line.format(unpacked)}) == str(unpacked)
    assert gone_library({"maps": maps + line.format(f"{unpacked} (deleted)")}) == str(unpacked)


def test_where_the_environment_is_cleared_m_is_the_last_argument(tmp_path: Path) -> None:
    assert measured(tmp_path, host(tmp_path, AGAIN, "{m}")) == {"not-verified"}


@pytest.mark.parametrize(
    ("does", "said"),
    [
        pytest.param(AGAIN, "M does not reach the script in host", id="neither"),
        pytest.param("exec(text); sys.argv = sys.argv[:1]; exec(text)", "runs the script more than once", id="twice"),
        pytest.param("pass", "not end before that does", id="ignores-it"),
    ],
)
def test_a_host_that_does_not_work_is_blamed_for_what_it_does(tmp_path: Path, does: str, said: str) -> None:
    with pytest.raises(WorkloadError) as raised:
        measured(tmp_path, host(tmp_path, does))
    assert said in raised.value.message + str(raised.value.hint)
    assert "depend on M only" not in str(raised.value.hint)


def test_a_host_that_does_not_end_after_the_work_needs_no_more_time(tmp_path: Path) -> None:
    python, waits = launcher("python3", link=None), launcher("waits", link=None)
    workload = plan(tmp_path, FakeSource()).workload
    done = Outcome(
        readings=(), exit=-9, stdout=b"m 5\n", stderr_tail="", timed_out=True, output_exceeded=False, uncounted=0
    )
    checker = Checker(1.0, python)
    checker.compare_output(python, workload, 5, done.stdout)
    with pytest.raises(WorkloadError) as raised:
        checker.require_success(waits, workload, 5, done)
    assert "did its work, and waits did not end after it" in raised.value.message
    assert "--timeout" not in str(raised.value.hint)
    with pytest.raises(WorkloadError, match="did not end in time"):
        checker.require_success(waits, workload, 5, msgspec.structs.replace(done, stdout=b""))
