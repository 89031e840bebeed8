"""``report``: the same answer from the files alone, and a clear word on files that cannot give one."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from profiler.analyze.rows import read_all
from tests.builders import unmarked
from tests.commandline import SMALL, TaxProbe, assert_refused, comparison, in_a_process, rows


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two blocks of the target against itself, measured once."""
    out = tmp_path_factory.mktemp("original")
    before = f"import tempfile; tempfile.tempdir = {str(out)!r}"
    ran = in_a_process("ipc", *SMALL, "--source", "software", "--blocks", "2", "--out", str(out / "r"), before=before)
    assert ran.code == 0, ran.err
    (folder,) = (out / "r").iterdir()
    return folder


@pytest.fixture
def measured(original: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(original, tmp_path / original.name)


def without_marks(folder: Path) -> None:
    """As an earlier version wrote the rows, so that they may be edited."""
    text = (folder / "rows.csv").read_text()
    if text.partition("\n")[0].endswith(",mark"):
        (folder / "rows.csv").write_text(unmarked(text))


def keep(folder: Path, wanted: Callable[[dict[str, str]], bool]) -> None:
    """Keep the rows that are ``wanted``."""
    without_marks(folder)
    kept = [row for row in rows(folder) if wanted(row)]
    with (folder / "rows.csv").open(newline="") as file:
        names = next(csv.reader(file))
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


def test_the_folder_alone_gives_the_same_document(tax_probe: TaxProbe, measured: Path, tmp_path: Path) -> None:
    """Elsewhere, with nothing but the two files of record."""
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("rows.csv", "run.json"):
        shutil.copy(measured / name, bare)
    ran = tax_probe("report", str(bare), "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.err == ""
    assert ran.out == (measured / "verdict.json").read_text() == (bare / "verdict.json").read_text()
    # Everything but finding.md's own place is made again, byte for byte.
    for name in ("summary.csv", "causes.csv", "finding.md"):
        assert (bare / name).read_bytes() == (measured / name).read_bytes(), name


def test_damaged_lines_are_counted_and_told(tax_probe: TaxProbe, measured: Path) -> None:
    without_marks(measured)
    lines = (measured / "rows.csv").read_text().splitlines()
    torn = [number for number in (3, 5) if lines[number]]
    (measured / "rows.csv").write_text(
        "\n".join(f"{line},,oops" if number in torn else line for number, line in enumerate(lines)) + "\n"
    )
    document = tax_probe("report", str(measured), "--format", "json").document
    (told,) = (one["message"] for one in document["warnings"] if one["code"] == "damaged-rows")
    assert told.startswith("2 lines of rows.csv are damaged and left out")


def test_an_empty_folder(tax_probe: TaxProbe, tmp_path: Path) -> None:
    assert_refused(tax_probe("report", str(tmp_path)), 2, "is not a result folder", "run.json")


def test_a_folder_that_is_not_there(tax_probe: TaxProbe) -> None:
    assert_refused(tax_probe("report", "/nonexistent"), 2, "/nonexistent is not a result folder")


def test_rows_are_missing(tax_probe: TaxProbe, measured: Path) -> None:
    (measured / "rows.csv").unlink()
    assert_refused(tax_probe("report", str(measured)), 2, "rows.csv", "measure again")


@pytest.mark.parametrize("text", ["", "block,m\n1,2\n", "\0\1\2\n", "no rows at all"])
def test_rows_are_something_else(tax_probe: TaxProbe, measured: Path, text: str) -> None:
    (measured / "rows.csv").write_text(text)
    assert_refused(tax_probe("report", str(measured)), 2, "rows.csv", "measure again")


def respelled(folder: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """Write every row anew."""
    without_marks(folder)
    changed = [change(row) for row in rows(folder)]
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, changed[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(changed)


@pytest.mark.parametrize(
    "column", ["block", "position", "pass", "launcher", "workload", "event", "value", "unit", "source", "output_sha256"]
)
def test_a_column_is_missing(tax_probe: TaxProbe, measured: Path, column: str) -> None:
    respelled(measured, lambda row: {name: cell for name, cell in row.items() if name != column})
    assert_refused(tax_probe("report", str(measured)), 2, f"rows.csv lacks the columns {column}", "measure again")


@pytest.mark.parametrize("column", ["block", "m", "repetition", "value", "running_ns", "exit", "placement"])
def test_text_stands_where_a_figure_belongs(tax_probe: TaxProbe, measured: Path, column: str) -> None:
    respelled(measured, lambda row: row | ({column: "oops"} if row["event"] == "wall" else {}))
    assert_refused(
        tax_probe("report", str(measured)), 2, f"rows.csv: {column} holds 'oops', which is no figure", "measure again"
    )


def test_rows_of_before_they_held_the_kind_of_their_pass(tax_probe: TaxProbe, measured: Path) -> None:
    """The plan knows it; where the plan is silent too, passes called chunks and regions are of these kinds."""
    expected = (measured / "verdict.json").read_text()
    respelled(measured, lambda row: {name: cell for name, cell in row.items() if name != "kind"})
    ran = tax_probe("report", str(measured), "--format", "json")
    assert (ran.code, ran.out) == (0, expected), ran.err
    assert set(read_all(measured)["kind"]) == {"whole"}
    (measured / "run.json").unlink()
    respelled(measured, lambda row: row | {"pass": "chunks" if row["m"] == "5" else row["pass"]})
    by_m = read_all(measured).groupby("m")["kind"].agg(set)
    assert by_m.to_dict() == {5: {"chunks"}, 10: {"whole"}}


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "tax-probe/1"', "[]"])
def test_run_json_is_something_else(tax_probe: TaxProbe, measured: Path, text: str) -> None:
    (measured / "run.json").write_text(text)
    assert_refused(tax_probe("report", str(measured)), 2, "not a result folder")


@pytest.mark.parametrize("left", ["nothing", "one M of the first block"])
def test_no_complete_block_is_no_answer_and_no_crash(tax_probe: TaxProbe, measured: Path, left: str) -> None:
    """Every figure is null with the reason; nothing is claimed."""
    keep(measured, lambda row: left != "nothing" and (row["block"], row["m"]) == ("0", "5"))
    ran = tax_probe("report", str(measured), "--format", "json")
    assert ran.code == 0, ran.err
    assert {one["verdict"] for one in ran.document["comparisons"]} == {"unresolved"}
    for one in ran.document["comparisons"]:
        assert (one["value"], one["ratio"], one["lo"], one["hi"], one["blocks"]) == (None, None, None, None, 0)
        assert one["reason"]
    assert tax_probe("report", str(measured)).code == 0


def test_one_block_has_no_interval(tax_probe: TaxProbe, measured: Path) -> None:
    keep(measured, lambda row: row["block"] == "0")
    ran = tax_probe("report", str(measured), "--format", "json")
    assert ran.code == 0, ran.err
    wall = comparison(ran.document, "python3-again", "startup-wall")
    assert wall["ratio"] is not None
    assert (wall["lo"], wall["hi"], wall["smallest_effect"], wall["verdict"]) == (None, None, None, "unresolved")
    assert wall["reason"] == "measured once (no interval: --blocks 3)"
    assert tax_probe("report", str(measured)).code == 0


def test_a_row_torn_in_its_value_is_not_read(tax_probe: TaxProbe, measured: Path) -> None:
    """``71234567`` cut to ``7123`` would be a valid figure, and a wrong one."""
    without_marks(measured)
    header, *all_rows = (measured / "rows.csv").read_text().splitlines()
    end = max(number for number, line in enumerate(all_rows) if ",wall," in line)
    lines, last = [header, *all_rows[:end]], all_rows[end]
    row = dict(zip(header.split(","), last.split(","), strict=True))
    (measured / "rows.csv").write_text("\n".join(lines) + "\n")
    expected = tax_probe("report", str(measured), "--format", "json")
    torn = ",".join(list(row.values())[: list(row).index("value")]) + ",7"
    (measured / "rows.csv").write_text("\n".join([*lines, torn]))
    found = tax_probe("report", str(measured), "--format", "json")
    assert (found.code, found.out) == (expected.code, expected.out) == (0, expected.out)


def test_a_folder_that_cannot_be_written_to(tax_probe: TaxProbe, measured: Path) -> None:
    (measured / "verdict.json.part").mkdir()
    assert_refused(tax_probe("report", str(measured)), 3, f"cannot write to {measured}")
