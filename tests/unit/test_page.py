"""report.html holds what the view holds, is well-formed, loads nothing, and takes no name for markup."""

import csv
import hashlib
import io
import random
import re
import shutil
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote_to_bytes

import msgspec
import pytest

from profiler.analyze.points import Points
from profiler.model import AGAIN, BASELINE
from profiler.present import answer, figures, tables
from profiler.present.answer_sections import sections
from profiler.present.attachments import attachments
from profiler.present.cause_tree import CauseRow
from profiler.present.drawing import MOST_POINTS, strokes, thinned
from profiler.present.html_table import html_table
from profiler.present.nested_causes import boxes
from profiler.present.page import page
from profiler.present.table import Axis, Lane, Mark, Table, columns, text_of
from profiler.present.templating import without_folders
from profiler.present.view import view
from tests.page_checks import HOSTILE, analysis, checked, made, renamed
from tests.recorded import RESULTS

NAMES = ("ipc-int_loop", "variants-int_loop", "rebuild/default-int_loop", "rebuild/upstream-int_loop",
         "poc4-amortize", "poc4-eliminate", "survey/sid/ipc")  # fmt: skip
FIGURES = {"ratio", "interval", "share", "figure"}
VERDICTS = {"slower", "faster", "same", "not decided", "holds 1", "proved"}


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ---------------------------------------------------------------- what stands in it


def test_a_page_is_well_formed_and_has_no_script(name: str) -> None:
    found = checked(made(analysis(name)))
    tags = {tag for tag, _ in found.elements}
    assert not tags & {"script", "iframe", "object", "embed", "img", "form", "base"}
    assert not [attrs for _, attrs in found.elements if any(key.startswith("on") for key in attrs)]
    assert {"main", "h1", "h2", "table", "details"} <= tags


def test_a_page_refers_to_nothing_outside(name: str) -> None:
    text = made(analysis(name))
    found = checked(text)
    links = [attrs[key] for tag, attrs in found.elements for key in ("src", "href") if key in attrs]
    assert [link for link in links if not str(link).startswith("data:")] == []
    assert "url(" not in text
    assert "@import" not in text
    assert re.findall(r"https?://", text) == []


def test_every_ratio_and_interval_of_the_view_is_in_the_page(name: str) -> None:
    found = analysis(name)
    text = checked(made(found)).text
    missing = [
        f"{table.title}: {text_of(cell)}"
        for table in view(found).tables
        for row in table.rows
        for column, cell in zip(table.columns, row, strict=True)
        if (column.kind in FIGURES or text_of(cell) in VERDICTS) and text_of(cell) not in text
    ]
    assert missing == []


def test_the_headline_the_facts_and_the_next_command_are_in_the_page(name: str) -> None:
    found = analysis(name)
    text = checked(made(found)).text
    shown = view(found)
    for said in (*shown.headline, *(fact for label, fact in shown.facts if label != "Measured"), *(shown.next or ())):
        assert re.sub(r"\s+", " ", said) in text


def test_all_sections_stand_behind_folds() -> None:
    text = checked(made(analysis("variants-int_loop"))).text
    assert "all other comparisons, per iteration" in text
    assert "ladder: instructions per iteration" in text


def test_the_same_rows_give_the_same_page() -> None:
    found = analysis("ipc-int_loop")
    assert made(found) == made(found)


def test_where_files_lay_is_cut() -> None:
    assert without_folders("eval loop of /home/someone/x/libpython3.so, not /usr/bin/python3.11: 1.2/3") == (
        "eval loop of libpython3.so, not python3.11: 1.2/3"
    )
    assert without_folders("and/or 1/2 https://a.b/c") == "and/or 1/2 https://a.b/c"


def test_of_each_question_the_drawing_is_there() -> None:
    amortize, rebuild, eliminate = (
        checked(made(analysis(name))) for name in ("poc4-amortize", "rebuild/default-int_loop", "poc4-eliminate")
    )
    assert any(tag == "polyline" for tag, _ in amortize.elements)
    assert "By how much work there is" in amortize.text
    assert "with PGO and direct calls" in rebuild.text
    assert "pyo3 on a library, direct calls" in rebuild.text
    assert "without it, whole wall time" in eliminate.text


# ---------------------------------------------------------------- names that come to do harm


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_name_is_words_and_nothing_else(hostile: str) -> None:
    plain = changed = analysis("ipc-int_loop")
    for old in ("pyo3", "int_loop", "runmain", "libpython3.11.so.1.0"):
        changed = renamed(changed, old, hostile + old)
    before, after = checked(made(plain)), checked(made(changed))
    assert [tag for tag, _ in after.elements] == [tag for tag, _ in before.elements]
    names = {key for _, attrs in after.elements for key in attrs}
    assert names == {key for _, attrs in before.elements for key in attrs}
    told = {key: [attrs.get(key) for _, attrs in found.elements] for found in (after,) for key in ("id", "href")}
    assert told == {key: [attrs.get(key) for _, attrs in before.elements] for key in ("id", "href")}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", made(changed))


@pytest.mark.parametrize("hostile", [one for one in HOSTILE if one.isprintable() or "\x1b" in one])
def test_a_hostile_name_is_inert_in_drawings_and_tables(hostile: str, tmp_path: Path) -> None:
    found = renamed(analysis("ipc-int_loop"), "pyo3", hostile)
    drawn = figures.write(tmp_path, found.verdict, view(found))
    assert sorted(drawn) == ["figures/forest.svg", "figures/series.svg"]
    for path in drawn:
        root = ET.fromstring((tmp_path / path).read_text())  # noqa: S314
        assert not {one.tag.rpartition("}")[2] for one in root.iter()} & {"script", "a", "image", "foreignObject"}
    tables.write(tmp_path, found.verdict)
    tables.write_points(tmp_path, found.points)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "causes.csv", "figures", "points.csv", "summary.csv", "verdict.json",
    ]  # fmt: skip
    for table in ("summary.csv", "points.csv"):
        cells = [cell for row in csv.reader(io.StringIO((tmp_path / table).read_text())) for cell in row]
        formulas = [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell and not _is_number(cell)]
        assert formulas == []


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell))


def test_numbers_below_zero_stay_numbers(tmp_path: Path) -> None:
    point = Points(baseline=BASELINE, launcher="-x", metric="wall", blocks=(0,), base=(1.0,), here=(-2.0,))
    tables.write_points(tmp_path, (point,))
    assert (tmp_path / "points.csv").read_text().splitlines()[1] == "0,python3,'-x,wall,1.0,-2.0,-2.0"


# ---------------------------------------------------------------- files


def test_small_tables_stand_inside_and_large_ones_beside(tmp_path: Path) -> None:
    (tmp_path / "causes.csv").write_text("a,b\n1,é%#\n")
    (tmp_path / "summary.csv").write_text("x" * 100_001)
    (tmp_path / "rows.csv").write_text("1\n")
    found = {one.name: one for one in attachments(tmp_path)}
    assert set(found) == {"rows.csv", "summary.csv", "causes.csv"}
    uri = found["causes.csv"].uri
    assert uri is not None
    assert unquote_to_bytes(uri.partition(",")[2]) == (tmp_path / "causes.csv").read_bytes()
    assert found["summary.csv"].uri is None
    assert found["rows.csv"].uri is None
    text = checked(made(analysis("ipc-int_loop"), tuple(found.values()))).text
    for one in found.values():
        assert hashlib.sha256((tmp_path / one.name).read_bytes()).hexdigest() == one.sha256
        assert one.sha256 in text


def test_drawings_are_those_of_the_answer(tmp_path: Path) -> None:
    drawn = {
        name: set(figures.write(tmp_path, analysis(name).verdict, view(analysis(name))))
        for name in ("variants-int_loop", "poc4-amortize", "rebuild/default-int_loop", "poc4-eliminate")
    }
    assert drawn == {
        "variants-int_loop": {"figures/causes.svg", "figures/forest.svg"},
        "poc4-amortize": {"figures/amortize.svg"},
        "rebuild/default-int_loop": {"figures/causes.svg", "figures/forest.svg"},
        "poc4-eliminate": {"figures/forest.svg"},
    }


def test_a_drawing_has_text_a_plate_and_the_same_bytes_again(tmp_path: Path) -> None:
    found = analysis("variants-int_loop")
    paths = figures.write(tmp_path, found.verdict, view(found))
    before = {path: (tmp_path / path).read_bytes() for path in paths}
    assert figures.write(tmp_path, found.verdict, view(found)) == paths
    assert {path: (tmp_path / path).read_bytes() for path in paths} == before
    svg = "{http://www.w3.org/2000/svg}"
    for data in before.values():
        root = ET.fromstring(data)  # noqa: S314
        assert root.find(f"{svg}rect").attrib["fill"] == "#ffffff"  # type: ignore[union-attr]
        assert len(root.findall(f".//{svg}text")) > 5
        width = float(root.attrib["width"])
        for text in root.findall(f".//{svg}text"):
            assert 0 <= float(text.attrib["x"]) <= width


# ---------------------------------------------------------------- pieces


AXIS = Axis(lo=0.9, hi=1.3, ticks=((1.0, "1.0"), (1.2, "1.2")), one=1.0)


def test_a_lane_stays_in_its_frame() -> None:
    lane = Lane(value=1.1, lo=0.5, hi=2.0, tone="open", points=(0.1, 1.1, 9.0))
    found = strokes(lane, AXIS)
    assert all(0 <= one.at <= 100 and one.at + one.width <= 100 for one in found)
    assert [one.kind for one in found if one.kind in ("below", "above")] == ["below", "above"]
    assert sum(one.kind == "raw" for one in found) == 1
    assert [one.kind for one in found][-1] == "hollow"


def test_of_many_points_the_least_and_the_largest_stay() -> None:
    values = [float(one) for one in range(10_000)]
    random.Random(1).shuffle(values)
    found = thinned(values)
    assert len(found) == MOST_POINTS
    assert (found[0], found[-1]) == (0.0, 9_999.0)


def test_a_thinned_lane_says_so() -> None:
    lane = Lane(value=1.1, lo=1.0, hi=1.2, tone="worse", points=tuple(1 + one / 1e4 for one in range(1000)))
    table = Table(title="t", columns=(*columns("name", "x"), *columns("lane", "")), rows=(("a", lane),))
    assert html_table(table).notes == ("Of 1,000 blocks a lane shows 200, by rank from the least to the largest.",)


def test_an_interval_stands_in_the_cell_of_its_ratio() -> None:
    head = (*columns("name", "who", ""), *columns("ratio", "r"), *columns("interval", ""), *columns("verdict", "v"))
    rows = (("a", "m", "1.2", "± 0.1", Mark(text="slower", tone="worse")), ("", "n", "", "0.5 to 2.0", ""))
    found = html_table(Table(title="", columns=head, rows=rows, groups=True))
    assert [column.title for column in found.columns] == ["who", "r", "v"]
    (name, ratio, verdict), (again, open_, _) = found.rows
    assert (name.text, name.beside, name.again) == ("a", "m", False)
    assert (again.text, again.beside, again.again) == ("a", "n", True)
    assert (ratio.text, ratio.beside, open_.text, open_.beside) == ("1.2", "± 0.1", "", "0.5 to 2.0")
    assert verdict.tone == "worse"


def cause(name: str, depth: int, start: float, share: float | None) -> CauseRow:
    return CauseRow(
        kind="cause", depth=depth, last=False, name=name, cause=name, share=share, start=start, least=None, most=None,
        without=None, proved=True, evidence="",
    )  # fmt: skip


def test_boxes_lie_in_one_another_and_in_the_frame() -> None:
    tree = (cause("whole", 0, 0.0, 0.9), cause("a", 1, 0.0, 0.5), cause("b", 1, 0.5, 0.4), cause("c", 0, 0.9, 0.3))
    upper, lower = boxes(tree)
    assert [one.name for one in upper] == ["whole", "c"]
    assert sum(one.width for one in upper) == pytest.approx(100)
    assert sum(one.width for one in lower) == pytest.approx(upper[0].width)
    assert boxes((cause("none", 0, 0.0, None), cause("less", 0, 0.0, -0.2))) == ()


# ---------------------------------------------------------------- size


def test_of_a_million_readings_the_page_stays_small_and_quick() -> None:
    """Blocks are what a run has many of: 10 launchers, 3 metrics, 33,000 blocks."""
    found = analysis("ipc-int_loop")
    draw = random.Random(1)
    blocks = tuple(range(33_000))
    base = tuple(draw.gauss(100, 5) for _ in blocks)
    here = tuple(draw.gauss(120, 5) for _ in blocks)
    points = tuple(
        Points(baseline=BASELINE, launcher=one.launcher, metric=one.metric, blocks=blocks, base=base, here=here)
        for one in found.verdict.comparisons
        if one.baseline == BASELINE and one.metric in ("instructions", "task-clock", "wall")
    )
    assert any(one.launcher == AGAIN for one in points)
    large = type(found)(verdict=found.verdict, run=found.run, points=points)
    begun = time.monotonic()
    text = made(large)
    assert time.monotonic() - begun < 10
    assert len(text) < 1e6
    assert "Of 33,000 blocks a lane shows 200" in text
    assert "24 of 33,000 blocks" in text


def test_a_page_is_data_up_to_its_template() -> None:
    """Nothing in it is markup."""
    found = analysis("ipc-int_loop")
    assert b"</" not in msgspec.json.encode(page(found, view(found), sections(found.verdict, found.run)))


def test_a_folder_that_is_kept_has_no_page(tmp_path: Path) -> None:
    """It is made of the rest at any time; a repository that keeps many folders would keep all of them twice."""
    folder = tmp_path / "kept"
    shutil.copytree(RESULTS / "survey" / "sid" / "ipc", folder)
    answer.show(folder, format_="json")
    assert {"report.html", "points.csv", "summary.csv"} <= {path.name for path in folder.iterdir()}
    found = hashlib.sha256((folder / "report.html").read_bytes()).hexdigest()
    assert found in (folder / "finding.md").read_text()
    answer.keep(folder)
    kept = {path.name for path in folder.iterdir()}
    assert kept & {"report.html", "points.csv", "summary.csv", "causes.csv"} == set()
    assert {"finding.md", "verdict.json", "rows.csv.gz", "run.json.gz"} <= kept


def test_pictures_in_the_documentation_are_small() -> None:
    found = sorted((Path(__file__).parents[2] / "docs").glob("*.png"))
    assert [picture.name for picture in found] == ["report-dark.png", "report-light.png"]
    assert [picture.name for picture in found if picture.stat().st_size > 150_000] == []
