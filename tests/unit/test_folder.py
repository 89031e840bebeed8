"""The result folder survives what happens to files."""

import csv
from pathlib import Path

import pytest

from profiler.errors import MachineError, UsageError
from profiler.folder import ROWS, RowWriter, done_steps, keep, load_run, new_folder, open_recorded
from profiler.model import Row, Step


def row(position: int, *, value: float | None = 1.5, event: str = "instructions") -> Row:
    return Row(
        block=0,
        position=position,
        pass_name="p",
        launcher="python3",
        workload="w",
        m=10,
        repetition=0,
        event=event,
        value=value,
        unit="instructions",
        enabled_ns=None,
        running_ns=None,
        exit=0,
        output_sha256="00",
        source="callgrind",
        raw_name="Ir",
        reason=None if value is not None else "not counted, because, of, commas",
    )


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / ROWS).open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_rows_come_back_as_written(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path)
    writer.append([row(0, value=123456789012.0), row(0, value=None, event="cycles")])
    one, other = read(tmp_path)
    assert (one["value"], one["pass"], one["enabled_ns"]) == ("123456789012", "p", "")
    assert (other["value"], other["reason"]) == ("", "not counted, because, of, commas")


def test_a_kept_folder_is_read_and_continued_as_it_was(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path)
    writer.append([row(0)])
    whole = (tmp_path / ROWS).read_bytes()
    keep(tmp_path)
    packed = (tmp_path / "rows.csv.gz").read_bytes()
    assert not (tmp_path / ROWS).exists()
    with open_recorded(tmp_path, ROWS) as file:
        assert file.read() == whole
    assert len(done_steps(tmp_path)) == 1
    RowWriter(tmp_path).append([row(1)])
    assert (tmp_path / ROWS).read_bytes().startswith(whole)
    assert [one.name for one in tmp_path.iterdir()] == [ROWS]
    (tmp_path / ROWS).write_bytes(whole)
    keep(tmp_path)
    assert (tmp_path / "rows.csv.gz").read_bytes() == packed, "equal files give equal files"


def test_a_torn_last_line_is_cut_off_and_its_process_runs_again(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path)
    writer.append([row(0)])
    whole = (tmp_path / ROWS).read_bytes()
    writer.append([row(1)])
    torn = (tmp_path / ROWS).read_bytes()[: len(whole) + 7]
    (tmp_path / ROWS).write_bytes(torn)
    RowWriter(tmp_path)
    assert (tmp_path / ROWS).read_bytes() == whole
    assert done_steps(tmp_path) == {
        Step(block=0, position=0, pass_name="p", launcher="python3", m=10, repetition=0),
    }


def test_folders_of_one_second_do_not_collide(tmp_path: Path) -> None:
    assert len({new_folder(tmp_path, "ipc") for _ in range(3)}) == 3


def test_an_unusable_place_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError) as raised:
        new_folder(tmp_path / "file", "ipc")
    assert raised.value.hint is not None
    assert "--out" in raised.value.hint


def test_a_full_disk_says_how_to_go_on(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path)
    (tmp_path / ROWS).unlink()
    (tmp_path / ROWS).symlink_to("/dev/full")
    with pytest.raises(MachineError) as raised:
        writer.append([row(0)])
    assert raised.value.hint is not None
    assert "--resume" in raised.value.hint


def test_a_folder_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(UsageError):
        load_run(tmp_path)
