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

from profiler.analyze.conclude import Analysis, analyse
from profiler.present import finding
from profiler.present.answer import keep
from profiler.present.layout import ASCII, UNICODE
from profiler.present.table import text_of
from profiler.present.terminal import lines
from profiler.present.view import view
from tests.recorded import FOLDERS, RESULTS

PRINTED = Path(__file__).parent / "results"
TWO_PAGES = 110
"""Lines of Markdown."""
_NOTHING = 1e-12


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: str(folder.relative_to(RESULTS)))
def analysed(request: pytest.FixtureRequest) -> tuple[Path, Analysis]:
    folder: Path = request.param
    return folder, analyse(folder)


def test_the_verdict_is_the_committed_one(analysed: tuple[Path, Analysis]) -> None:
    folder, found = analysed
    if os.environ.get("TAX_PROBE_RECORD"):
        keep(folder)
    assert stable(json.loads(msgspec.json.encode(found.verdict))) == stable(
        json.loads((folder / "verdict.json").read_text())
    ), "read the difference that make record writes"


def test_the_finding_is_the_committed_one_and_has_two_pages(analysed: tuple[Path, Analysis]) -> None:
    folder, found = analysed
    committed = (folder / "finding.md").read_text()
    pictures = tuple(re.findall(r"^!\[\w+\]\((.*)\)$", committed, re.MULTILINE))
    assert finding.render(folder, found, view(found), pictures) == committed
    assert committed.count("\n") <= TWO_PAGES


def test_the_terminal_shows_what_it_showed(analysed: tuple[Path, Analysis]) -> None:
    folder, found = analysed
    name = folder.relative_to(RESULTS)
    shown = printed(found, Path("results") / name, 80)
    golden = PRINTED / f"{str(name).replace('/', '-')}.txt"
    if os.environ.get("TAX_PROBE_RECORD"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown)
    assert shown == golden.read_text()
    assert shown.count("\n") <= 40


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_ratios_and_intervals_stand_whole_at_any_width(analysed: tuple[Path, Analysis], width: int) -> None:
    folder, found = analysed
    shown = printed(found, folder, width)
    lines = [line for line in shown.splitlines() if not line.startswith(("Report", "Next"))]
    assert max(map(len, lines)) <= width
    words = {" ".join(line.split()) for line in lines}
    for table in view(found).tables:
        for row in table.rows:
            for (column, cell), following in zip(
                zip(table.columns, row, strict=True), [*zip(table.columns[1:], row[1:], strict=True), None], strict=True
            ):
                if column.kind == "ratio" and text_of(cell):
                    both = text_of(cell)
                    if following is not None and following[0].kind == "interval":
                        both = f"{both} {text_of(following[1])}".strip()
                    assert any(both in line for line in words), (table.title, both)


def test_without_unicode_everything_is_still_told(analysed: tuple[Path, Analysis]) -> None:
    shown = lines(view(analysed[1]), Path("results"), 80, ASCII, verbose=False)
    drawn = "".join(line.plain for line in shown)
    assert drawn.isascii()


def printed(found: Analysis, folder: Path, width: int) -> str:
    shown = lines(view(found), folder, width, UNICODE, verbose=False)
    return "".join(f"{line.plain.rstrip()}\n" for line in shown)


def stable(value: Any) -> Any:
    """Figures to the ten digits that do not depend on the order in which a CPU adds; what it leaves of 0 is 0."""
    if isinstance(value, dict):
        return {name: stable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [stable(one) for one in value]
    return float(f"{value:.10g}") * (abs(value) > _NOTHING) if isinstance(value, float) else value


def test_results_stay_small() -> None:
    assert sum(path.stat().st_size for path in RESULTS.rglob("*") if path.is_file()) <= 5e6
