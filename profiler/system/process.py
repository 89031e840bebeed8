"""The one impure edge that starts processes: bounded in time and output, pinned, with its resource usage."""

from __future__ import annotations

import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from profiler.model import Noun

_STDERR_TAIL_BYTES = 4096
_HELPER_OUTPUT_BYTES = 1 << 20

_running: set[int] = set()
"""Process groups that ``stop_all`` must reach from another thread."""


class Command(Noun, frozen=True, kw_only=True):
    """One process to run: everything is literal, nothing goes through a shell."""

    argv: tuple[str, ...]
    env: dict[str, str]
    """The whole environment."""
    cwd: str
    cpu: int | None
    """Pin to this CPU; None: leave the affinity alone."""
    timeout_s: float
    max_output_bytes: int


def helper(
    argv: Sequence[str],
    *,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    cwd: str = "/",
    cpu: int | None = None,
) -> Command:
    """A program that is asked something and not measured; ``env`` is the whole environment, None: ours."""
    return Command(
        argv=tuple(argv),
        env=dict(os.environ if env is None else env),
        cwd=cwd,
        cpu=cpu,
        timeout_s=timeout_s,
        max_output_bytes=_HELPER_OUTPUT_BYTES,
    )


class Completed(Noun, frozen=True, kw_only=True):
    """A finished process. Times in ns; ``cpu_ns`` is user + system from wait4 (children waited for included)."""

    pid: int
    exit: int
    stdout: bytes
    stderr_tail: str
    wall_ns: int
    cpu_ns: int
    page_faults: int
    context_switches: int
    timed_out: bool
    output_exceeded: bool


def run(command: Command) -> Completed:
    """Run ``command`` to its end, its time limit, or its output limit, and reap it.

    The process gets its own session, so that a hanging tree can be killed whole and a Ctrl-C reaches only us.
    The CPU affinity is set on the calling thread, inherited by the child, and restored.

    Raises:
        OSError: the program could not be started at all.
    """
    started = time.monotonic_ns()
    child = _spawn(command, subprocess.PIPE, subprocess.PIPE)
    try:
        with within_reach(child.pid):
            return _follow(child, command, started)
    except BaseException:
        kill_group(child.pid)
        with suppress(ChildProcessError):
            os.waitpid(child.pid, 0)
        raise
    finally:
        child.returncode = child.returncode if child.returncode is not None else -signal.SIGKILL
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def within_reach(pid: int) -> Iterator[None]:
    """While this lasts, ``stop_all`` kills the process group ``pid`` too."""
    _running.add(pid)
    try:
        yield
    finally:
        _running.discard(pid)


@contextmanager
def live(command: Command, stdout: IO[bytes], stderr: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``command`` with its output in files, for a dialog through other channels; it is killed at the end.

    Raises:
        OSError: the program could not be started at all.
    """
    child = _spawn(command, stdout, stderr)
    try:
        with within_reach(child.pid):
            yield child
    finally:
        kill_group(child.pid)
        child.wait()


def _spawn(command: Command, stdout: int | IO[bytes], stderr: int | IO[bytes]) -> subprocess.Popen[bytes]:
    restore = os.sched_getaffinity(0)
    if command.cpu is not None:
        os.sched_setaffinity(0, {command.cpu})
    try:
        return subprocess.Popen(
            command.argv,
            env=command.env,
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    finally:
        os.sched_setaffinity(0, restore)


def stop_all() -> None:
    """Kill every process that is waited for in any thread; those calls then return or raise."""
    for pid in tuple(_running):
        kill_group(pid)


def _follow(child: subprocess.Popen[bytes], command: Command, started_ns: int) -> Completed:
    deadline = started_ns + int(command.timeout_s * 1e9)
    assert child.stdout is not None
    assert child.stderr is not None
    stdout = bytearray()
    stderr = bytearray()
    timed_out = output_exceeded = False
    with ExitStack() as opened:
        pidfd = os.pidfd_open(child.pid)
        opened.callback(os.close, pidfd)
        selector = opened.enter_context(selectors.DefaultSelector())
        selector.register(child.stdout, selectors.EVENT_READ, stdout)
        selector.register(child.stderr, selectors.EVENT_READ, stderr)
        selector.register(pidfd, selectors.EVENT_READ, None)
        alive = True
        while alive:
            ready = selector.select(max(0.0, (deadline - time.monotonic_ns()) / 1e9))
            if not ready:
                timed_out = True
                break
            for key, _ in ready:
                if key.data is None:
                    alive = False
                else:
                    chunk = os.read(key.fd, 1 << 16)
                    if not chunk:
                        selector.unregister(key.fileobj)
                        continue
                    held: bytearray = key.data
                    held.extend(chunk)
                    if held is stderr:
                        del stderr[:-_STDERR_TAIL_BYTES]
            if len(stdout) > command.max_output_bytes:
                output_exceeded = True
                break
    ended = time.monotonic_ns()
    if timed_out or output_exceeded:
        kill_group(child.pid)
    _, status, usage = os.wait4(child.pid, 0)
    kill_group(child.pid)
    _drain(child.stdout.fileno(), stdout, command.max_output_bytes)
    _drain(child.stderr.fileno(), stderr, _STDERR_TAIL_BYTES)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Completed(
        pid=child.pid,
        exit=child.returncode,
        stdout=bytes(stdout[: command.max_output_bytes]),
        stderr_tail=bytes(stderr[-_STDERR_TAIL_BYTES:]).decode(errors="replace"),
        wall_ns=ended - started_ns,
        cpu_ns=_cpu_ns(usage),
        page_faults=usage.ru_minflt + usage.ru_majflt,
        context_switches=usage.ru_nvcsw + usage.ru_nivcsw,
        timed_out=timed_out,
        output_exceeded=output_exceeded or len(stdout) > command.max_output_bytes,
    )


def _cpu_ns(usage: resource.struct_rusage) -> int:
    return round((usage.ru_utime + usage.ru_stime) * 1e9)


def _drain(fd: int, into: bytearray, limit: int) -> None:
    """Take what the pipe still holds, without waiting: a grandchild may keep the other end open."""
    os.set_blocking(fd, False)
    while len(into) <= limit:
        try:
            chunk = os.read(fd, 1 << 16)
        except BlockingIOError:
            return
        if not chunk:
            return
        into += chunk


def kill_group(pid: int) -> None:
    """Kill a process group that may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
