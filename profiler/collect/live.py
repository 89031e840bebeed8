"""A launcher kept alive: it does chunks of work on request and answers what each took (``guest.server``)."""

from __future__ import annotations

import ast
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from profiler.errors import WorkloadError
from profiler.guest import script, server
from profiler.model import Noun
from profiler.system import process
from profiler.system.process import Command

CLOCK = "clock"
_TAIL_BYTES = 2000
_READ_BYTES = 1 << 16
_MOST_HELD = 8 << 20
"""Of one answer, which holds what the work printed (``workplace.MAX_OUTPUT_BYTES``), spelled out."""


class Chunk(Noun, frozen=True, kw_only=True):
    """What one chunk took, by the clocks and counters of the process itself, and what it printed."""

    wall_ns: int
    cpu_ns: int
    counts: tuple[int, ...]
    """In the order in which events were asked for."""
    enabled_ns: int | None
    running_ns: int | None
    text: str
    placement: int | None
    """Where in its MiB a fresh object lay before it (``script.ProcessFingerprint.placement``)."""

    @property
    def output(self) -> bytes:
        """What it printed, byte for byte."""
        return as_printed(self.text)


class FirstAnswer(Noun, frozen=True, kw_only=True):
    """First words of a served process."""

    how: str
    """``run``: chunks are calls of the workload's ``run(m)``; ``script``: the whole text is executed again."""
    text: str
    """What the script printed when it ran as a whole."""
    runs: tuple[Chunk, ...]
    """The process's first runs of the work, before any chunk was asked for: the whole script, then ``run(m)``."""

    @property
    def output(self) -> bytes:
        """What it printed, byte for byte."""
        return as_printed(self.text)


def as_printed(text: str) -> bytes:
    """The bytes that the server read as ``text``."""
    return text.encode(errors="surrogateescape")


def counters_file() -> str | None:
    """The extension module's file, or None when it is not built."""
    spec = find_spec("profiler._counters")
    return None if spec is None else spec.origin


def served(command: Command, *, count: str, requests: Path, answers: Path) -> Command:
    """``command``, whose script is one of ours, as a server of chunks."""
    service = {
        script.ENV_SERVER: server.__file__,
        script.ENV_COUNT: count,
        script.ENV_COUNTERS: counters_file() or "",
        script.ENV_REQUESTS: str(requests),
        script.ENV_ANSWERS: str(answers),
    }
    return msgspec.structs.replace(command, env=command.env | service)


def parse_first_answer(line: bytes) -> FirstAnswer:
    """The first line of the answers.

    Raises:
        WorkloadError: it is none of the server's.
    """
    with _ours():
        how, text, runs = ast.literal_eval(line.decode())
        as_printed(text)
        return msgspec.convert({"how": how, "text": text, "runs": tuple(map(_chunk, runs))}, FirstAnswer)


def parse_chunk(line: bytes) -> Chunk:
    """Any other line of the answers.

    Raises:
        WorkloadError: it is none of the server's.
    """
    with _ours():
        return _chunk(ast.literal_eval(line.decode()))


@contextmanager
def _ours() -> Iterator[None]:
    """Whatever runs in the process can write there as well."""
    try:
        yield
    except (
        ValueError,
        TypeError,
        AttributeError,
        SyntaxError,
        MemoryError,
        RecursionError,
        msgspec.MsgspecError,
    ) as error:
        raise WorkloadError(
            "what came back for a chunk of work is no answer of ours",
            hint="the workload must leave descriptors alone that are not its own; without --precision whole processes "
            "are run",
        ) from error


def _chunk(answer: tuple[Any, ...]) -> Chunk:
    wall_ns, cpu_ns, counted, text, placement = answer
    counts, enabled_ns, running_ns = counted or ((), None, None)
    as_printed(text)
    found = {
        "wall_ns": wall_ns,
        "cpu_ns": cpu_ns,
        "counts": tuple(counts),
        "enabled_ns": enabled_ns,
        "running_ns": running_ns,
        "text": text,
        "placement": placement,
    }
    return msgspec.convert(found, Chunk)


class ServedProcess:
    """The other end of a living process."""

    def __init__(self, name: str, child: subprocess.Popen[bytes], requests: int, answers: int, stderr: Path) -> None:
        self._name = name
        self._child = child
        self._requests = requests
        self._answers = answers
        self._stderr = stderr
        self._held = bytearray()

    def first_answer(self, timeout_s: float) -> FirstAnswer:
        """Wait until the process is ready.

        Raises:
            WorkloadError: it ended or did not answer in time.
        """
        return parse_first_answer(self._line(timeout_s))

    def run(self, m: int, timeout_s: float) -> Chunk:
        """Have one chunk done.

        Raises:
            WorkloadError: the process ended or did not answer in time.
        """
        os.write(self._requests, b"run %d\n" % m)
        return parse_chunk(self._line(timeout_s))

    def _line(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._held:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, min(0.1, deadline - time.monotonic())))
            data = os.read(self._answers, _READ_BYTES) if ready else b""
            self._held += data
            if len(self._held) > _MOST_HELD:
                raise WorkloadError(
                    f"{self._name} printed more than {_MOST_HELD >> 20} MiB in one chunk of work",
                    hint="a workload prints one line",
                )
            if not data and self._child.poll() is not None:
                tail = self._stderr.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
                raise WorkloadError(
                    f"{self._name} ended with exit code {self._child.returncode} instead of doing chunks of work\n"
                    f"{tail or '(nothing on stderr)'}",
                    hint="without --precision the launcher runs whole processes only",
                )
            if time.monotonic() >= deadline:
                raise WorkloadError(
                    f"{self._name} did not finish a chunk in time ({timeout_s:g} s)",
                    hint="give it more with --timeout SECONDS, or less work with --m LO,HI",
                )
        line, _, self._held = self._held.partition(b"\n")
        return bytes(line)


@contextmanager
def serving(name: str, command: Command, *, count: str, scratch: Path) -> Iterator[ServedProcess]:
    """Start ``command`` as a server; it ends with the context. ``scratch`` is a directory of this process alone.

    Raises:
        OSError: the program could not be started.
    """
    requests, answers = scratch / "requests", scratch / "answers"
    with ExitStack() as opened:
        fds = []
        for path in (requests, answers):
            os.mkfifo(path)
            # Open at both ends: neither side waits for the other, and only the process's death ends the dialog.
            fds.append(os.open(path, os.O_RDWR | os.O_CLOEXEC))
            opened.callback(os.close, fds[-1])
        out, err = (opened.enter_context((scratch / part).open("wb")) for part in ("stdout", "stderr"))
        command = served(command, count=count, requests=requests, answers=answers)
        child = opened.enter_context(process.live(command, out, err))
        yield ServedProcess(name, child, fds[0], fds[1], scratch / "stderr")
