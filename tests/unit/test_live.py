"""A host that is asked for chunks of work, and says too much, or never comes to an end of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiler.collect import live
from profiler.collect.live import ServedProcess
from profiler.errors import WorkloadError

GENEROUS_S = 60.0


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[tuple[ServedProcess, int]]:
    """A living process, and where what it says goes in."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        requests, answers = os.pipe(), os.pipe()
        (tmp_path / "stderr").touch()
        yield ServedProcess("host", child, requests[1], answers[0], tmp_path / "stderr"), answers[1]
        for fd in (*requests, *answers):
            os.close(fd)
        child.communicate(b"\n")


def test_who_talks_on_and_on_is_late_all_the_same(talking: tuple[ServedProcess, int]) -> None:
    server, says = talking
    os.write(says, b"no end of line")
    with pytest.raises(WorkloadError, match="did not finish a chunk in time"):
        server.run(1, 0.0)


def test_who_says_too_much_is_stopped(talking: tuple[ServedProcess, int], monkeypatch: pytest.MonkeyPatch) -> None:
    server, says = talking
    monkeypatch.setattr(live, "_MOST_HELD", 1 << 20)
    writer = threading.Thread(target=os.write, args=(says, b"x" * ((1 << 20) + 1)))
    writer.start()
    with pytest.raises(WorkloadError, match="more than 1 MiB"):
        server.run(1, GENEROUS_S)
    writer.join()


def test_answers_come_one_by_one(talking: tuple[ServedProcess, int]) -> None:
    server, says = talking
    os.write(says, b"(1, 2, (), 'a\\n', None)\n(3, 4, (), 'b\\n', None)\n")
    assert [server.run(1, GENEROUS_S).wall_ns for _ in range(2)] == [1, 3]
