"""``opcodes`` of whatever CPythons there are on this machine: each gives a table that adds up, or says why not."""

import os
import re
import shutil
from pathlib import Path

import pytest

from profiler.catalogue.caveats import NESTED_LOOPS, NO_OPCODES
from tests.commandline import TaxProbe, comparison

_NAME = re.compile(r"python3\.(\d+)")
_FIRST, _INLINED_CALLS = 8, 11
"""The oldest CPython that is measured, and the first whose Python functions run in their caller's eval loop."""


def pythons() -> dict[int, Path]:
    """One of each minor version: on PATH, of pyenv, or named by TAX_PROBE_PYTHONS, which come first."""
    named = [Path(word) for word in os.environ.get("TAX_PROBE_PYTHONS", "").split(os.pathsep) if word]
    folders = [Path(folder) for folder in ("/usr/bin", "/usr/local/bin")]
    folders += sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin"))
    places = [*named, *(path for folder in folders for path in sorted(folder.glob("python3.*")))]
    found: dict[int, Path] = {}
    for path in places:
        match = _NAME.fullmatch(path.name)
        if match is not None and int(match[1]) >= _FIRST and path.exists():
            found.setdefault(int(match[1]), path)
    return found


pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind"),
]


@pytest.mark.parametrize("minor", sorted(pythons()))
def test_it_gives_a_table_or_says_why_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, minor: int) -> None:
    """The dynamic work, whose descriptor runs in an eval loop inside another one's call."""
    probe = TaxProbe(monkeypatch, tmp_path)
    options = (
        "--workload",
        "dynamic",
        "--m",
        "300,900",
        "--seed",
        "7",
        "--blocks",
        "1",
        "--format",
        "json",
        "--out",
        str(probe.out),
    )
    ran = probe("opcodes", "--python", str(pythons()[minor]), "--launcher", "python3", *options)
    assert ran.code == 0, ran.err
    document = ran.document
    rows = [row for row in document["opcodes"] if row["launcher"] == "python3-again"]
    tax = comparison(document, "python3-again", "instructions")
    assert sum(row["difference"] for row in rows) == pytest.approx(tax["value"] - tax["baseline_value"], abs=0.01)
    said = {warning["code"]: warning["message"] for warning in document["warnings"]}
    (claim,) = [one for one in document["claims"] if one["launcher"] == "python3-again"]
    if NO_OPCODES.code in said:
        assert re.search("switch|tail calls|JIT|no module opcode", said[NO_OPCODES.code])
        assert claim["opcodes"] == 0
        return
    assert claim["opcodes"] >= 15
    executed = sum(row["baseline_value"] * row["baseline_per_iteration"] for row in rows if row["baseline_value"])
    assert executed == pytest.approx(tax["baseline_value"], rel=0.02), "but for what hardly ever runs"
    assert (NESTED_LOOPS.code in said) or minor >= _INLINED_CALLS, "the descriptor's __get__, and every function before"
