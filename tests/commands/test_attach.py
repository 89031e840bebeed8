"""A result in somebody's own finding: blocks are refreshed, every other byte stays, and what does not fit is told."""

import shutil
from pathlib import Path

import pytest

from profiler.present.attached import PARTS, attachment, blocks
from tests.commandline import TaxProbe
from tests.recorded import RESULTS

IPC, VARIANTS = RESULTS / "ipc-int_loop", RESULTS / "variants-int_loop"
MINE = (
    b"# Mine\r\n\r\nW\xfcrde \xe2\x80\x94 every byte\x0c stays.  \r\n\r\n"
    b"<!-- tax-probe headline -->\r\nold\r\n<!-- /tax-probe -->\r\n\r\nend"
)


@pytest.fixture
def finding(tmp_path: Path) -> Path:
    path = tmp_path / "F.md"
    path.write_bytes(MINE)
    return path


def test_what_is_between_the_markers_is_refreshed_and_nothing_else(tax_probe: TaxProbe, finding: Path) -> None:
    assert tax_probe("attach", str(IPC), str(finding)).code == 0
    now = finding.read_bytes()
    before, _, _ = MINE.partition(b"-->\r\n")
    assert now.startswith(before + b"-->\r\n")
    assert now.endswith(b"<!-- /tax-probe -->\r\n\r\nend")
    assert b"old" not in now
    assert b"pyo3 takes 1.194 \xc2\xb1 0.046 times as long as python3 on int_loop" in now
    assert b"\n" not in now.replace(b"\r\n", b"")


def test_twice_changes_nothing(tax_probe: TaxProbe, finding: Path) -> None:
    first = tax_probe("attach", str(IPC), str(finding))
    state = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in finding.parent.rglob("*") if path.is_file()}
    assert first.out.splitlines()[0] == str(finding)
    again = tax_probe("attach", str(IPC), str(finding))
    assert (again.code, again.out) == (0, "")
    assert state == {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in finding.parent.rglob("*") if path.is_file()
    }
    assert tax_probe("attach", "--check", str(IPC), str(finding)).code == 0


@pytest.mark.parametrize("changed", ["1.194", "0.046"])
def test_a_changed_digit_is_noticed(tax_probe: TaxProbe, finding: Path, changed: str) -> None:
    tax_probe("attach", str(IPC), str(finding))
    text = finding.read_text(encoding="latin-1")
    wrong = text.replace(changed, changed[:-1] + str((int(changed[-1]) + 1) % 10), 1)
    finding.write_text(wrong, encoding="latin-1", newline="")
    ran = tax_probe("attach", "--check", str(IPC), str(finding))
    assert ran.code == 6
    assert "F.md does not fit" in ran.err
    assert finding.read_text(encoding="latin-1") == wrong.replace("\r\n", "\n"), "checking writes nothing"


def test_changed_data_beside_it_is_noticed(tax_probe: TaxProbe, finding: Path) -> None:
    tax_probe("attach", str(IPC), str(finding))
    data = finding.parent / "F-data" / "ipc-int_loop-summary.csv"
    data.write_bytes(data.read_bytes().replace(b"1.2046", b"1.2047", 1))
    ran = tax_probe("attach", "--check", str(IPC), str(finding))
    assert (ran.code, "ipc-int_loop-summary.csv" in ran.err) == (6, True)


def test_a_finding_without_a_block_gets_one_at_its_end(tax_probe: TaxProbe, tmp_path: Path) -> None:
    path = tmp_path / "plain.md"
    path.write_text("# A\n\nB without an end")
    assert tax_probe("attach", str(VARIANTS), str(path)).code == 0
    text = path.read_text()
    assert text.startswith("# A\n\nB without an end\n\n<!-- tax-probe all variants-int_loop -->\n\n")
    assert text.endswith("\n<!-- /tax-probe -->\n")
    for name in (line.split("](")[1].split(")")[0] for line in text.splitlines() if "](plain-data/" in line):
        assert (tmp_path / name).is_file()


def test_blocks_of_several_results_stand_side_by_side(tax_probe: TaxProbe, tmp_path: Path) -> None:
    path = tmp_path / "both.md"
    path.write_text(
        "".join(f"<!-- tax-probe headline {one.name} -->\n<!-- /tax-probe -->\n" for one in (IPC, VARIANTS))
    )
    for one in (IPC, VARIANTS):
        assert tax_probe("attach", str(one), str(path)).code == 0
    text = path.read_text()
    assert "1.194 ± 0.046" in text
    assert "1.159 ± 0.070" in text
    ran = tax_probe("attach", str(RESULTS / "ipc-dynamic"), str(path))
    assert ran.code == 2
    assert "blocks of ipc-int_loop, variants-int_loop alone" in ran.err


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_something_to_say(part: str, tmp_path: Path) -> None:
    made = attachment(VARIANTS, f"<!-- tax-probe {part} -->\n<!-- /tax-probe -->\n", tmp_path / "x.md")
    assert len(made.text.splitlines()) > 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!-- tax-probe all -->\n", "line 1: <!-- tax-probe all --> has no end"),
        ("<!-- /tax-probe -->\n", "line 1: <!-- /tax-probe --> stands without a beginning"),
        ("<!-- tax-probe all -->\n" * 2, "line 2: <!-- tax-probe all --> stands inside"),
        ("<!-- tax-probe everything -->\n<!-- /tax-probe -->\n", "line 1: no part 'everything'"),
    ],
)  # fmt: skip
def test_wrong_markers_are_told_with_their_line(tax_probe: TaxProbe, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "wrong.md"
    path.write_text(text)
    ran = tax_probe("attach", str(IPC), str(path))
    assert (ran.code, words in ran.err, path.read_text()) == (2, True, text)


def test_markers_in_fenced_code_are_text() -> None:
    assert blocks("```\n<!-- tax-probe all -->\n```\n") == []
    assert len(blocks("~~~\n```\n~~~\n<!-- tax-probe all -->\n<!-- /tax-probe -->\n")) == 1


def test_a_folder_of_any_name_is_linked(tax_probe: TaxProbe, tmp_path: Path) -> None:
    folder = tmp_path / "a result (of mine) <b>"
    shutil.copytree(IPC, folder)
    path = tmp_path / "F.md"
    path.write_text("")
    assert tax_probe("attach", str(folder), str(path)).code == 0
    assert tax_probe("attach", "--check", str(folder), str(path)).code == 0
    assert "<b>" not in path.read_text().replace("<!--", "").partition("\n")[2]
    assert "(F-data/a-result-%28of-mine%29-%3Cb%3E-summary.csv)" in path.read_text()


def test_a_finding_that_is_not_there_is_an_error(tax_probe: TaxProbe, tmp_path: Path) -> None:
    ran = tax_probe("attach", str(IPC), str(tmp_path / "none.md"))
    assert (ran.code, "cannot read" in ran.err) == (2, True)
