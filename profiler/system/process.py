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
from pathlib import Path
from typing import IO

from profiler.errors import MachineError
from profiler.model import Noun
from profiler.system.process_groups import kill_group, settle, started

_STDERR_TAIL_BYTES = 4096
_HELPER_OUTPUT_BYTES = 1 << 20


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
    stdin: str | None = None
    """A file to read; None: nothing."""
    printed: str | None = None
    """Where to make a pipe for its output, beside its stdout. Whoever uses it writes an empty line first; what comes
    after that is the output then, and what is on stdout is the program's own."""
    settles_s: float = 0.0
    """How long what it started may go on when it has ended, before that is killed."""


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
    """Its output: what came through the pipe for it, or else what it wrote on stdout."""
    stderr_tail: str
    wall_ns: int
    cpu_ns: int
    page_faults: int
    context_switches: int
    timed_out: bool
    output_exceeded: bool
    beside: bytes = b""
    """What it wrote on stdout where its output came through the pipe."""

    @property
    def succeeded(self) -> bool:
        """It ended by itself, in time, and well."""
        return self.exit == 0 and not self.timed_out and not self.output_exceeded


def run(command: Command) -> Completed:
    """Run ``command`` to its end, its time limit, or its output limit, and reap it.

    The process gets its own session, so that a hanging tree can be killed whole and a Ctrl-C reaches only us.
    The CPU affinity is set on the calling thread, inherited by the child, and restored.

    Raises:
        OSError: the program could not be started at all.
    """
    with ExitStack() as opened:
        pipe = None if command.printed is None else opened.enter_context(_pipe_at(Path(command.printed)))
        return _run(command, pipe)


def _run(command: Command, pipe: int | None) -> Completed:
    began = time.monotonic_ns()
    with started(lambda: _spawn(command, subprocess.PIPE, subprocess.PIPE)) as child:
        try:
            return _follow(child, command, began, pipe)
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
def _pipe_at(path: Path) -> Iterator[int]:
    """A pipe with a name, open at both ends: whoever opens it need not wait for us."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)


@contextmanager
def live(command: Command, stdout: IO[bytes], stderr: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``command`` with its output in files, for a dialog through other channels; it is killed at the end.

    Raises:
        OSError: the program could not be started at all.
    """
    with started(lambda: _spawn(command, stdout, stderr)) as child:
        try:
            yield child
        finally:
            kill_group(child.pid)
            child.wait()


def _spawn(command: Command, stdout: int | IO[bytes], stderr: int | IO[bytes]) -> subprocess.Popen[bytes]:
    restore = os.sched_getaffinity(0)
    with input_of(command) as stdin:
        if command.cpu is not None:
            os.sched_setaffinity(0, {command.cpu})
        try:
            return subprocess.Popen(
                command.argv,
                env=command.env,
                cwd=command.cwd,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        finally:
            os.sched_setaffinity(0, restore)


def input_of(command: Command) -> IO[bytes]:
    """What the process finds on stdin, from its beginning.

    Raises:
        MachineError: the file is gone, or cannot be read any more.
    """
    path = os.devnull if command.stdin is None else command.stdin
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise MachineError(
            f"cannot read {path} for stdin: {error.strerror}", hint="leave the file where it is while it is measured"
        ) from error


def _follow(child: subprocess.Popen[bytes], command: Command, started_ns: int, pipe: int | None) -> Completed:
    deadline = started_ns + int(command.timeout_s * 1e9)
    assert child.stdout is not None
    assert child.stderr is not None
    stdout = bytearray()
    stderr = bytearray()
    printed = bytearray()
    timed_out = output_exceeded = False
    with ExitStack() as opened:
        pidfd = os.pidfd_open(child.pid)
        opened.callback(os.close, pidfd)
        selector = opened.enter_context(selectors.DefaultSelector())
        selector.register(child.stdout, selectors.EVENT_READ, stdout)
        selector.register(child.stderr, selectors.EVENT_READ, stderr)
        selector.register(pidfd, selectors.EVENT_READ, None)
        if pipe is not None:
            selector.register(pipe, selectors.EVENT_READ, printed)
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
            if max(len(stdout), len(printed)) > command.max_output_bytes:
                output_exceeded = True
                break
    ended = time.monotonic_ns()
    if timed_out or output_exceeded:
        kill_group(child.pid)
    _, status, usage = os.wait4(child.pid, 0)
    if not (timed_out or output_exceeded):
        settle(child.pid, command.settles_s)
    kill_group(child.pid)
    _drain(child.stdout.fileno(), stdout, command.max_output_bytes)
    _drain(child.stderr.fileno(), stderr, _STDERR_TAIL_BYTES)
    if pipe is not None:
        _drain(pipe, printed, command.max_output_bytes)
    # The empty line says that the pipe was used.
    own, beside = (printed[1:], stdout) if printed else (stdout, bytearray())
    child.returncode = os.waitstatus_to_exitcode(status)
    return Completed(
        pid=child.pid,
        exit=child.returncode,
        stdout=bytes(own[: command.max_output_bytes]),
        stderr_tail=bytes(stderr[-_STDERR_TAIL_BYTES:]).decode(errors="replace"),
        wall_ns=ended - started_ns,
        cpu_ns=_cpu_ns(usage),
        page_faults=usage.ru_minflt + usage.ru_majflt,
        context_switches=usage.ru_nvcsw + usage.ru_nivcsw,
        timed_out=timed_out,
        output_exceeded=output_exceeded or len(own) > command.max_output_bytes,
        beside=bytes(beside[: command.max_output_bytes]),
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
