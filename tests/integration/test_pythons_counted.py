"""``pythons --measure`` on real programs: counts that repeat, and that are those of the machine's own Python."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from profiler.cli import main

PROGRAM = Path(sys.executable).resolve()

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed"),
]


def counted(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert main(["pythons", "--measure", "--workload", "int_loop", "--format", "json", str(PROGRAM), *argv]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.once
def test_a_count_is_repeated_to_the_digit(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = counted(capsys, "--seed", "3"), counted(capsys, "--seed", "3")
    (one,), (again,) = first["pythons"], second["pythons"]
    (count,) = one["counts"]
    assert one["version"] == ".".join(map(str, sys.version_info[:3]))
    assert one["counts"] == again["counts"]
    assert 100 < count["instructions"] < 20_000
    assert (count["ratio"], count["reason"], one["differences"]) == (1.0, None, [])
    assert first["measured_s"] > 0
