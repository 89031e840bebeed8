"""What comes from outside reaches no terminal and no document as more than text."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from profiler.cli import main
from profiler.errors import UsageError
from profiler.folder import load_run, read_recorded
from profiler.present.markdown import escaped
from profiler.present.tables import _cell
from profiler.present.visible import visible
from tests.recorded import RESULTS

MADE = {".md", ".html", ".svg", ".csv"}
EVIL = "py\x1b]0;OWNED\x07\x9b31m\u202eo3\r"


def test_what_is_not_seen_has_a_mark() -> None:
    assert visible(EVIL) == "py\ufffd]0;OWNED\ufffd\ufffd31m\ufffdo3\ufffd"
    assert visible("a\tb\n± ÷ …") == "a\tb\n± ÷ …"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "![x](http://x.example/)", "a\n# Heading"])
def test_markdown_has_it_as_text(text: str) -> None:
    found = escaped(text)
    assert "<" not in found
    assert "\n" not in found
    assert "![" not in found


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    assert str(_cell(text)).startswith("'")


def strangers(folder: Path) -> Path:
    """The folder of somebody who calls a launcher, a host's arguments and a caveat what moves a terminal's cursor."""
    source = RESULTS / "ipc-int_loop"
    run = json.loads(msgspec.json.encode(load_run(source)))
    text = json.dumps(run).replace('"pyo3"', json.dumps(EVIL))
    run = json.loads(text)
    run["warnings"].append({"code": EVIL, "message": EVIL, "title": EVIL, "remedy": EVIL})
    run["argv"] = ["ipc", f"--host={EVIL}"]
    run["source_sentence"] = EVIL
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(run))
    rows = read_recorded(source, "rows.csv").decode().replace(",pyo3,", f',"{EVIL}",')
    (folder / "rows.csv").write_text(rows, newline="")
    return folder


@pytest.mark.parametrize("verbose", [False, True])
def test_a_strangers_folder_moves_no_cursor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, verbose: bool
) -> None:
    folder = strangers(tmp_path / "folder")
    assert main(["report", str(folder), *(["-v"] if verbose else [])]) == 0
    said = capsys.readouterr()
    made = [path.read_text() for path in folder.rglob("*") if path.suffix in MADE and path.name != "rows.csv"]
    for text in (said.out, said.err, *made):
        assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert "OWNED" in said.out


def test_an_error_moves_no_cursor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(arguments: list[str]) -> int:
        raise UsageError(EVIL, hint=EVIL)

    monkeypatch.setattr("profiler.cli._run", refused)
    assert main([]) == 2
    assert "\x1b" not in capsys.readouterr().err
