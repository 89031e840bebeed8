"""Fixtures that several test files share."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from profiler.sources import hardware
from tests.commandline import TaxProbe

HERE = Path(__file__).parent
SCRIPT = HERE / "fake_perf" / "perf"

needs_extension = pytest.mark.skipif(
    find_spec("profiler._counters") is None, reason="profiler._counters is not built (make setup)"
)

Truth = Mapping[str, Mapping[str, tuple[float, float]]]
"""Part of argv[0] → event of the catalogue → (start-up, per iteration)."""


class FakePerf:
    """A perf on PATH whose counters are known; see ``tests/fake_perf/perf``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self._monkeypatch = monkeypatch
        self._folder = tmp_path
        perf = tmp_path / "fake_perf" / "perf"
        perf.parent.mkdir()
        # This interpreter runs it: a python3 on PATH may be old, or a shim that takes longer than the measurement.
        perf.write_text(f"#!{sys.executable} -IS\nimport runpy\nrunpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n")
        perf.chmod(0o755)
        monkeypatch.setenv("PATH", f"{perf.parent}{os.pathsep}{os.environ['PATH']}")
        self("normal")

    def __call__(
        self,
        scenario: str,
        *,
        slots: int = 6,
        own: tuple[str, ...] = (),
        waiting: tuple[str, ...] = (),
        unknown: tuple[str, ...] = (),
        truth: Truth | None = None,
    ) -> None:
        """Choose what perf does from now on."""
        setenv = self._monkeypatch.setenv
        setenv("TAX_PROBE_FAKE_PERF", scenario)
        setenv("TAX_PROBE_FAKE_SLOTS", str(slots))
        setenv("TAX_PROBE_FAKE_OWN", " ".join(own))
        setenv("TAX_PROBE_FAKE_WAITING", " ".join(waiting))
        setenv("TAX_PROBE_FAKE_UNKNOWN", " ".join(unknown))
        if truth is not None:
            file = self._folder / "truth.json"
            file.write_text(json.dumps(truth))
            setenv("TAX_PROBE_FAKE_TRUTH", str(file))


@pytest.fixture(autouse=True, scope="session")
def lock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Test processes run side by side: each has a lock of its own, of which fixtures of whole modules know too."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TAX_PROBE_LOCK_DIR", str(tmp_path_factory.mktemp("lock")))
        yield


@pytest.fixture
def fake_perf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakePerf:
    """perf is a fake for this test and right until it is told otherwise; a process has no counters of its own."""
    monkeypatch.setattr(hardware, "in_process", lambda: ())
    return FakePerf(monkeypatch, tmp_path)


@pytest.fixture
def no_perf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PATH leads to no perf (and to nothing else)."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def tax_probe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TaxProbe:
    """The command line, with results and temporary files below ``tmp_path``."""
    return TaxProbe(monkeypatch, tmp_path)
