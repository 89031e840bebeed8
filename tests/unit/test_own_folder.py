"""The folder of a run has the same name again and again, is nobody else's, and is empty."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from profiler.collect.workplace import Workplace
from profiler.errors import MachineError
from profiler.model import Step
from profiler.system.own_folder import own_folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_every_run_has_the_same_name_and_leaves_nothing(place: Path) -> None:
    seen = []
    for _ in range(3):
        with own_folder() as folder:
            (folder / "inside").mkdir()
            (folder / "inside" / "file").touch()
            assert folder.stat().st_mode & 0o077 == 0
            seen.append(folder)
        assert list(place.iterdir()) == []
    assert len(set(seen)) == 1


def test_runs_at_once_have_names_of_one_length(place: Path) -> None:
    with own_folder() as one, own_folder() as other:
        assert one != other
        assert len(str(one)) == len(str(other))
    assert list(place.iterdir()) == []


def test_what_a_killed_run_left_is_swept(place: Path) -> None:
    with own_folder() as folder:
        name = folder
    name.mkdir(0o700)
    (name / "block-00000.py").write_text("left")
    (name / "process").mkdir()
    (name / "elsewhere").symlink_to("/")
    with own_folder() as folder:
        assert folder == name
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("planted", ["link", "file", "open to others"])
def test_what_is_not_ours_alone_is_left_alone(place: Path, planted: str) -> None:
    with own_folder() as folder:
        name = folder
    victim = place / "victim"
    victim.mkdir()
    (victim / "kept").touch()
    match planted:
        case "link":
            name.symlink_to(victim)
        case "file":
            name.touch()
        case _:
            name.mkdir()
            name.chmod(0o777)
    with own_folder() as folder:
        assert folder != name
    assert (victim / "kept").exists()
    assert os.path.lexists(name)


def test_without_a_temporary_folder_there_is_a_remedy(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(place / "gone"))
    with pytest.raises(MachineError) as raised, own_folder():
        pass
    assert "TMPDIR" in raised.value.hint


def test_a_process_has_the_same_folder_whenever_its_step_is_repeated(place: Path) -> None:
    def step(position: int) -> Step:
        return Step(block=1, position=position, pass_name="p", launcher="python3", m=1, repetition=0)

    names = []
    for chosen in (step(3), step(3), step(12), None):
        with Workplace(place, 1.0).scratch(chosen) as scratch:
            names.append(scratch)
    assert names[0] == names[1] != names[2]
    assert len({len(str(name)) for name in names}) == 1
    assert list(place.iterdir()) == []
