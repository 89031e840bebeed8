"""The folders in ``results/`` are goldens: analysed again they give the verdict and the texts that are committed.

``make record`` writes them again; whoever changes a verdict sees it in the difference.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profiler.analyze.conclude import conclude
from profiler.folder import load_run
from profiler.model import Verdict
from profiler.present import finding, terminal
from profiler.present.answer import keep
from tests.recorded import FOLDERS, RESULTS

PRINTED = Path(__file__).parent / "results"
_NOTHING = 1e-12


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: str(folder.relative_to(RESULTS)))
def concluded(request: pytest.FixtureRequest) -> tuple[Path, Verdict]:
    folder: Path = request.param
    return folder, conclude(folder)


def test_the_verdict_is_the_committed_one(concluded: tuple[Path, Verdict]) -> None:
    folder, verdict = concluded
    if os.environ.get("TAX_PROBE_RECORD"):
        keep(folder)
    assert stable(json.loads(msgspec.json.encode(verdict))) == stable(
        json.loads((folder / "verdict.json").read_text())
    ), "read the difference that make record writes"


def test_the_finding_is_the_committed_one_and_names_its_files(concluded: tuple[Path, Verdict]) -> None:
    folder, verdict = concluded
    committed = (folder / "finding.md").read_text()
    pictures = tuple(re.findall(r"^!\[\w+\]\((.*)\)$", committed, re.MULTILINE))
    assert finding.render(folder, verdict, load_run(folder), pictures) == committed


def test_the_terminal_shows_what_it_showed(
    concluded: tuple[Path, Verdict], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, verdict = concluded
    name = folder.relative_to(RESULTS)
    # Rich takes the width of an output that is no terminal from the environment.
    monkeypatch.delenv("COLUMNS", raising=False)
    terminal.print_verdict(verdict, load_run(folder), Path("results") / name)
    shown = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines()) + "\n"
    golden = PRINTED / f"{str(name).replace('/', '-')}.txt"
    if os.environ.get("TAX_PROBE_RECORD"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown)
    assert shown == golden.read_text()


def stable(value: Any) -> Any:
    """Figures to the ten digits that do not depend on the order in which a CPU adds; what it leaves of 0 is 0."""
    if isinstance(value, dict):
        return {name: stable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [stable(one) for one in value]
    return float(f"{value:.10g}") * (abs(value) > _NOTHING) if isinstance(value, float) else value


def test_results_stay_small() -> None:
    assert sum(path.stat().st_size for path in RESULTS.rglob("*") if path.is_file()) <= 4e6
