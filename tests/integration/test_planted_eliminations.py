"""Hosts with a planted dependence on scope or place, run for real: each is found, and in a clean host nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import TaxProbe

PYTHON = Path("/usr/bin/python3.11")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="no /usr/bin/python3.11"),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind"),
]

HOST = """\
import builtins, os, sys
class Names(dict):
    "Not the exact type: LOAD_NAME and STORE_NAME take their long way, the fast locals of a function do not."
kind = {kind}
names = kind(__name__="__main__", __builtins__=builtins, __file__=sys.argv[1])
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), names)
"""
EXPERIMENT = """\
title = "planted"
command = "eliminate"
[options]
workload = "int_loop_global"
launcher = []
blocks = 3
seed = 4
[[elimination]]
name = "scope"
hypothesis = "names at module level make the host slower"
intervention = "the same loop in a function"
before = { workload = "int_loop_global" }
after = { workload = "int_loop" }
metrics = ["instructions"]
part = 0.5
[[elimination]]
name = "place"
cause = "program-location"
hypothesis = "the place of the program makes the host slower"
intervention = "copied to another place"
before = { workload = "int_loop_global" }
after = { workload = "int_loop_global", toggle = "copied" }
metrics = ["task-clock"]
part = 0.5
"""


@pytest.mark.parametrize(
    ("kind", "confirmed"),
    [
        ("Names", {"scope"}),
        (f"Names if os.path.realpath('/proc/self/exe') == {str(PYTHON)!r} else dict", {"scope", "place"}),
        ("dict", set()),
    ],
)
def test_what_is_planted_is_found_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, confirmed: set[str]
) -> None:
    host, experiment = tmp_path / "host.py", tmp_path / "planted.toml"
    host.write_text(HOST.format(kind=kind))
    experiment.write_text(EXPERIMENT)
    tax_probe = TaxProbe(monkeypatch, tmp_path)
    ran = tax_probe(
        "eliminate", "--experiment", str(experiment), "--python", str(PYTHON), "--source", "callgrind",
        "--host", f"mine={PYTHON} {host} {{script}} {{m}}", "--out", str(tax_probe.out), "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    found: list[Any] = [one for one in ran.document["eliminations"] if one["launcher"] == "mine"]
    assert {one["elimination"] for one in found} == {"scope", "place"}
    assert {one["elimination"] for one in found if one["status"] == "confirmed"} == confirmed, found
