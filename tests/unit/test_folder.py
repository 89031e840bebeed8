"""The result folder survives what happens to files."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from profiler.errors import MachineError, UsageError
from profiler.folder import ROWS, RUN, RowWriter, compress, done_steps, load_run, new_folder, read_recorded, save_run
from profiler.model import AnyPass, Chunks, Native, Phased, Regions, Row, Step, Whole
from tests.builders import whole_row
from tests.recorded import FOLDERS


def row(position: int, *, value: float | None = 1.5, event: str = "instructions") -> Row:
    reason = None if value is not None else "not counted, because, of, commas"
    return whole_row(position=position, value=value, event=event, reason=reason)


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
    compress(tmp_path)
    packed = (tmp_path / "rows.csv.gz").read_bytes()
    assert not (tmp_path / ROWS).exists()
    assert read_recorded(tmp_path, ROWS) == whole
    assert len(done_steps(tmp_path)) == 1
    RowWriter(tmp_path).append([row(1)])
    assert (tmp_path / ROWS).read_bytes().startswith(whole)
    assert [one.name for one in tmp_path.iterdir()] == [ROWS]
    (tmp_path / ROWS).write_bytes(whole)
    compress(tmp_path)
    assert (tmp_path / "rows.csv.gz").read_bytes() == packed, "equal files give equal files"


def test_a_run_that_an_earlier_version_began_goes_on_with_its_own_columns(tmp_path: Path) -> None:
    writer = RowWriter(tmp_path)
    writer.append([row(0)])
    header, line = ((tmp_path / ROWS).read_text()).splitlines()
    kept = [index for index, name in enumerate(header.split(",")) if name not in {"kind", "placement", "mark"}]
    older = [",".join(cells.split(",")[index] for index in kept) for cells in (header, line)]
    (tmp_path / ROWS).write_text("\n".join(older) + "\n")
    RowWriter(tmp_path).append([row(1)])
    first, second = read(tmp_path)
    assert second == first | {"position": "1"}
    assert "kind" not in first


FLAT = {
    "name": "p",
    "events": ["wall"],
    "m": [1, 2],
    "exclusive": True,
    "repetitions": 3,
    "blocks": [0, None],
    "native": False,
    "phases": False,
    "bare": False,
}
"""As passes were written before there were kinds; ``kind`` came a little later, for three of them."""
SHARED: dict[str, Any] = {"name": "p", "events": ("wall",), "m": (1, 2), "blocks": (0, None)}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, Whole(**SHARED, exclusive=True, repetitions=3)),
        (
            {"kind": "process", "warmups": 2, "serial": True, "among": "whole", "launchers": ["a"]},
            Whole(**SHARED, exclusive=True, repetitions=3, warmups=2, serial=True, among="whole", launchers=("a",)),
        ),
        (
            {"kind": "process", "native": True, "bare": True, "once_from": 2},
            Native(**SHARED, exclusive=True, repetitions=3, bare=True, once_from=2),
        ),
        ({"native": True}, Native(**SHARED, exclusive=True, repetitions=3, bare=False)),
        ({"phases": True}, Phased(**SHARED, exclusive=True, repetitions=3)),
        ({"kind": "regions"}, Regions(**SHARED, phases=3)),
        ({"kind": "chunks"}, Chunks(**SHARED, turns=3)),
    ],
)
def test_passes_of_before_there_were_kinds_are_read(
    tmp_path: Path, flags: dict[str, object], expected: AnyPass
) -> None:
    run = load_run(FOLDERS[0])
    save_run(tmp_path, run)
    document = json.loads((tmp_path / "run.json").read_text())
    document["plan"]["passes"] = [FLAT | flags]
    (tmp_path / "run.json").write_text(json.dumps(document))
    found = load_run(tmp_path)
    assert found.plan.passes == (expected,)
    save_run(tmp_path, found)
    assert load_run(tmp_path) == found
    assert json.loads((tmp_path / "run.json").read_text())["plan"]["passes"][0]["kind"] == expected.kind


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
    (tmp_path / RUN).touch()
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
