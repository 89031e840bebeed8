"""A stranger's folder is only read: nothing outside is written, nothing is waited for, what is too large is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from profiler.analyze.rows import read_all
from profiler.errors import MachineError, UsageError
from profiler.folder import ROWS, RUN, load_run, regular_files, save_run, write_atomically, write_result
from tests.recorded import FOLDERS


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    folder = tmp_path / "folder"
    folder.mkdir()
    for planted in ("verdict.json.part", "verdict.json"):
        (folder / planted).symlink_to(victim)
        write_result(folder, "verdict.json", b"{}")
        assert (folder / "verdict.json").read_bytes() == b"{}"
        assert not (folder / "verdict.json").is_symlink()
        assert victim.read_text() == "untouched"
        (folder / "verdict.json").unlink()


def test_a_folder_inside_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "figures").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineError, match="a link to another folder"):
        write_result(folder, "figures/forest.svg", b"<svg/>")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_folder_that_the_user_names_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to(tmp_path / "real")
    write_result(tmp_path / "named", "verdict.json", b"{}")
    assert (tmp_path / "real" / "verdict.json").exists()


@pytest.mark.parametrize("name", [ROWS, RUN])
@pytest.mark.parametrize("planted", ["fifo", "link", "device", "folder"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, name: str, planted: str) -> None:
    save_run(tmp_path, load_run(FOLDERS[0]))
    path = tmp_path / name
    path.unlink(missing_ok=True)
    match planted:
        case "fifo":
            os.mkfifo(path)
        case "link":
            path.symlink_to("/etc/passwd")
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.mkdir()
    with pytest.raises(UsageError, match=str(tmp_path)):
        (read_all if name == ROWS else load_run)(tmp_path)


def test_what_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regular_files, "MOST_BYTES", 10)
    (tmp_path / RUN).write_bytes(b" " * 11)
    with pytest.raises(UsageError, match="too large"):
        load_run(tmp_path)


def test_a_write_that_fails_leaves_no_part_behind(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").mkdir()
    (tmp_path / "verdict.json" / "inside").touch()
    with pytest.raises(OSError, match=r"verdict\.json"):
        write_atomically(tmp_path / "verdict.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.json"]
