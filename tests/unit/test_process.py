"""Running one process: every bound holds, whatever the process does."""

import os
import select
import selectors
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from profiler.errors import MachineError
from profiler.system.process import Command, Completed, helper, run
from profiler.system.process_groups import _running, stop_all

GENEROUS_S = 60.0


def python(code: str, *, timeout_s: float = GENEROUS_S, cpu: int | None = None, limit: int = 1 << 20) -> Command:
    return Command(
        argv=(sys.executable, "-S", "-c", code),
        env=dict(os.environ),
        cwd="/",
        cpu=cpu,
        timeout_s=timeout_s,
        max_output_bytes=limit,
    )


def has_ended(pid: int) -> bool:
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], GENEROUS_S)[0])
    finally:
        os.close(pidfd)


def test_output_and_exit_code() -> None:
    done = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"))
    assert (done.exit, done.stdout, done.stderr_tail) == (7, b"out\n", "err\n")
    assert not done.timed_out
    assert not done.output_exceeded


def test_death_by_signal_is_negative() -> None:
    assert run(python("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")).exit == -signal.SIGTERM


def test_a_timeout_kills_the_whole_tree() -> None:
    code = (
        "import subprocess, sys, signal\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import signal; signal.pause()'])\n"
        "print(child.pid, flush=True)\n"
        "signal.pause()"
    )
    done = run(python(code, timeout_s=3.0))
    assert done.timed_out
    assert done.exit == -signal.SIGKILL
    assert has_ended(int(done.stdout))


def test_a_process_that_ignores_sigterm_is_killed_too() -> None:
    assert run(python("import signal; signal.signal(15, signal.SIG_IGN); signal.pause()", timeout_s=0.5)).timed_out


def test_a_child_left_behind_does_not_hold_us_up() -> None:
    """It keeps the other end of stdout open for ever."""
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import signal; signal.pause()'])\n"
        "print(child.pid)"
    )
    done = run(python(code))
    assert (done.exit, done.timed_out) == (0, False)
    assert has_ended(int(done.stdout))


def test_endless_output_is_cut_off() -> None:
    done = run(python("import os\nwhile True: os.write(1, b'x' * 65536)", limit=1 << 20))
    assert done.output_exceeded
    assert not done.timed_out
    assert done.stdout == b"x" * (1 << 20)


def test_100_megabytes_on_stderr_leave_a_tail() -> None:
    done = run(python("import os\nfor _ in range(1600): os.write(2, b'x' * 65536)\nos.write(2, b'the end')"))
    assert done.exit == 0
    assert done.stderr_tail.endswith("xthe end")
    assert len(done.stderr_tail) == 4096


def test_closed_streams_are_no_end() -> None:
    done = run(python("import os, sys; os.close(1); os.close(2); sys.exit(3)"))
    assert (done.exit, done.stdout) == (3, b"")


def test_stdin_is_empty() -> None:
    assert run(python("import sys; print(repr(sys.stdin.read()))")).stdout == b"''\n"


def test_pinned_to_a_cpu_and_our_own_affinity_restored() -> None:
    before = os.sched_getaffinity(0)
    cpu = max(before)
    done = run(python("import os; print(sorted(os.sched_getaffinity(0)))", cpu=cpu))
    assert done.stdout == f"[{cpu}]\n".encode()
    assert os.sched_getaffinity(0) == before


def test_a_missing_program_raises_and_restores_the_affinity() -> None:
    before = os.sched_getaffinity(0)
    missing = Command(
        argv=("/nonexistent",), env={}, cwd="/", cpu=max(before), timeout_s=GENEROUS_S, max_output_bytes=1
    )
    with pytest.raises(FileNotFoundError):
        run(missing)
    assert os.sched_getaffinity(0) == before


def test_nothing_goes_through_a_shell() -> None:
    argv = (sys.executable, "-S", "-c", "import sys; print(sys.argv[1])", "$HOME; `id` *")
    done = run(Command(argv=argv, env={}, cwd="/", cpu=None, timeout_s=GENEROUS_S, max_output_bytes=100))
    assert done.stdout == b"$HOME; `id` *\n"


def test_resource_usage_covers_waited_children() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', 'bytearray(50_000_000)'])"
    idle, busy = run(python("pass")), run(python(code))
    assert busy.page_faults > idle.page_faults + 10_000
    assert busy.cpu_ns > 0
    assert idle.wall_ns > 0


def test_stop_all_ends_what_other_threads_wait_for() -> None:
    ready, tell = os.pipe()
    path = f"/proc/{os.getpid()}/fd/{tell}"
    code = f"import os, signal; fd = os.open({path!r}, os.O_WRONLY); os.write(fd, b'x'); signal.pause()"
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(run, python(code))
        assert os.read(ready, 1) == b"x"
        stop_all()
        done: Completed = future.result(timeout=GENEROUS_S)
    os.close(ready)
    os.close(tell)
    assert done.exit == -signal.SIGKILL


def test_output_that_is_found_only_at_the_end_is_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a grandchild writes it after the process itself has ended."""
    select_all = selectors.DefaultSelector.select

    def only_the_end(
        self: selectors.DefaultSelector, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        while True:
            ended = [one for one in select_all(self, timeout) if one[0].data is None]
            if ended:
                return ended

    monkeypatch.setattr(selectors.DefaultSelector, "select", only_the_end)
    done = run(python("import os; os.write(1, b'x' * 5000)", limit=4999))
    assert (done.exit, done.output_exceeded, len(done.stdout)) == (0, True, 4999)


def test_an_interruption_leaves_no_file_open_and_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def interrupt(self: selectors.DefaultSelector, timeout: float | None = None) -> None:
        started.extend(_running)
        raise KeyboardInterrupt

    run(python("pass"))  # The first opens what all others use.
    monkeypatch.setattr(selectors.DefaultSelector, "select", interrupt)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(KeyboardInterrupt):
        run(python("import signal; signal.pause()"))
    monkeypatch.undo()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert [has_ended(pid) for pid in started] == [True]


def test_a_helper_gets_our_environment_or_the_one_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAX_PROBE_TEST", "ours")
    code = (sys.executable, "-c", "import os; print(os.environ.get('TAX_PROBE_TEST'), os.getcwd())")
    assert run(helper(code, timeout_s=GENEROUS_S)).stdout == b"ours /\n"
    assert run(helper(code, env={}, timeout_s=GENEROUS_S)).stdout == b"None /\n"
    asked = helper(["true"], cwd=".", cpu=0, timeout_s=3)
    assert (asked.argv, asked.cwd, asked.cpu, asked.timeout_s) == (("true",), ".", 0, 3)


# ---------------------------------------------------------------- input, a pipe for the output, what it started


def test_a_file_is_read_from_its_beginning_by_every_process(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"\0words\xff")
    command = msgspec.structs.replace(
        python("import os; os.write(1, os.read(0, 99)[::-1])"), stdin=str(tmp_path / "in")
    )
    assert [run(command).stdout for _ in range(2)] == [b"\xffsdrow\0"] * 2


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"cannot read .*/gone for stdin"):
        run(msgspec.structs.replace(python("pass"), stdin=str(tmp_path / "gone")))


PRINTS = "import os; os.write(1, b'own'); fd = os.open({path!r}, os.O_RDWR); os.write(fd, {text}); os.write(1, b'more')"


def printing(tmp_path: Path, text: str) -> Command:
    path = str(tmp_path / "pipe")
    return msgspec.structs.replace(python(PRINTS.format(path=path, text=text), limit=100_000), printed=path)


def test_what_comes_through_the_pipe_is_the_output_and_stdout_the_programs_own(tmp_path: Path) -> None:
    done = run(printing(tmp_path, "b'\\nwork'"))
    assert (done.stdout, done.beside) == (b"work", b"ownmore")
    done = run(printing(tmp_path, "b'\\n'"))
    assert (done.stdout, done.beside) == (b"", b"ownmore")
    done = run(printing(tmp_path, "b''"))
    assert (done.stdout, done.beside) == (b"ownmore", b"")
    assert not list(tmp_path.iterdir())


def test_the_limit_holds_for_the_pipe_too(tmp_path: Path) -> None:
    """A pipe holds 64 kB: whoever writes more waits for us, and is stopped."""
    done = run(printing(tmp_path, "b'x' * 1_000_000"))
    assert done.output_exceeded
    assert len(done.stdout) == 100_000
    assert not run(printing(tmp_path, "b'x' * 100_000")).output_exceeded


ORPHAN = (
    "import os, sys\n"
    "read, write = os.pipe()\n"
    "if os.fork() == 0:\n"
    "    {keeps}os.close(write)\n"
    "    os.read(read, 1)\n"
    "    open({path!r}, 'w').close()\n"
)
"""A child that goes on as soon as its parent has ended, or never, where it keeps the other end itself."""


@pytest.mark.parametrize(("keeps", "limit_s", "written"), [("", GENEROUS_S, True), ("0 and ", 0.05, False)])
def test_what_it_started_may_end_too(tmp_path: Path, keeps: str, limit_s: float, written: bool) -> None:
    path = tmp_path / "written"
    code = ORPHAN.format(path=str(path), keeps=keeps)
    assert run(msgspec.structs.replace(python(code), settles_s=limit_s)).exit == 0
    assert path.exists() == written
