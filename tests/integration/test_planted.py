"""Hosts with a planted cause, run for real: each is named by ``variants``, and a host without one gets none."""

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

PLANTED = {
    "tracing": "import sys\nsys.setprofile(lambda *a: None)\nsys.settrace(lambda *a: None)\n",
    "none": "",
}
RUN = "import sys\nexec(compile(open(sys.argv[1]).read(), sys.argv[1], 'exec'))\n"


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("hosts")
    hosts = []
    for name, planted in PLANTED.items():
        (folder / f"{name}.py").write_text(planted + RUN)
        hosts += ["--host", f"{name}={PYTHON} {folder / name}.py {{script}} {{m}}"]
    hosts += ["--host", f"malloc=env PYTHONMALLOC=malloc {PYTHON} {{script}} {{m}}"]
    hosts += ["--host", f"dev={PYTHON} -X dev {{script}} {{m}}"]
    with pytest.MonkeyPatch.context() as monkeypatch:
        probe = TaxProbe(monkeypatch, folder)
        asked = ("--source", "callgrind", "--blocks", "2", "--m", "2000,5000", "--format", "json")
        done = probe("variants", *asked, "--out", str(probe.out), *hosts)
    assert done.code == 0, done.err
    document: dict[str, Any] = done.document
    return document


@pytest.mark.parametrize(
    ("host", "causes"),
    [
        ("tracing", {"tracing"}),
        ("malloc", {"allocator"}),
        ("dev", {"dev-mode"}),
        ("none", set()),
        ("pyo3", {"eval-loop-image"}),
    ],
)
def test_the_planted_cause_is_named_and_no_other(verdict: dict[str, Any], host: str, causes: set[str]) -> None:
    named = {
        cause["cause"] for cause in verdict["causes"] if cause["launcher"] == host and cause["status"] == "confirmed"
    }
    assert named == causes


def test_nothing_of_the_embedders_tax_is_left(verdict: dict[str, Any]) -> None:
    assert abs(verdict["unexplained"]["share"]) <= 0.02
    assert max(abs(verdict["unexplained"]["lo"]), abs(verdict["unexplained"]["hi"])) <= 0.02
