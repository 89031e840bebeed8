"""The machine's lock: whatever TMPDIR is, one run at a time; and no other user can keep ours waiting for ever."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.system import run_lock
from profiler.system.run_lock import CHOSEN, only_one_run


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place of the machine's."""
    monkeypatch.delenv(CHOSEN)
    monkeypatch.setattr(run_lock, "PLACES", (str(tmp_path),))
    return tmp_path


@contextmanager
def held(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def own(place: Path, number: int) -> Path:
    return place / f"tax-probe-{os.geteuid()}-{number:02d}.lock"


def test_two_temporary_folders_are_one_machine(
    place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMPDIR", "TMP"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp("one")))
    with only_one_run():
        monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("two")))
        monkeypatch.setattr("tempfile.tempdir", None)
        with pytest.raises(MachineError, match="another tax-probe is measuring"), only_one_run():
            pass
    with only_one_run() as beside:
        assert beside is None


def test_nobody_else_can_open_it(place: Path) -> None:
    with only_one_run():
        assert own(place, 0).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("taken", ["link", "folder", "fifo", "open to others", "with a second name"])
def test_a_name_that_others_can_hold_is_left_alone(place: Path, taken: str) -> None:
    """Planted before our first run; each run takes the same next name."""
    victim = place / "victim"
    victim.write_text("kept")
    victim.chmod(0o600)
    path = own(place, 0)
    if taken == "link":
        path.symlink_to(victim)
    elif taken == "folder":
        path.mkdir()
    elif taken == "fifo":
        os.mkfifo(path, 0o666)
        path.chmod(0o666)
    elif taken == "open to others":
        path.touch()
        path.chmod(0o666)
    else:
        path.hardlink_to(victim)
    with only_one_run():
        assert own(place, 1).exists()
        with pytest.raises(MachineError), only_one_run():
            pass
    assert victim.read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another's file")
def test_a_file_of_another_user_holds_nobody(place: Path) -> None:
    path = own(place, 0)
    with held(path):
        os.chown(path, 65534, 65534)
        with only_one_run() as beside:
            assert beside is None
        assert own(place, 1).exists()


@pytest.mark.parametrize("wait_s", [0.0, 0.2])
def test_another_users_run_is_told_and_never_waited_for_for_ever(place: Path, wait_s: float) -> None:
    other = place / f"tax-probe-{os.geteuid() + 1}-00.lock"
    said: list[str] = []
    with held(other), only_one_run(wait_s, said.append) as beside:
        if Path("/proc/locks").read_text().find(f" {os.getpid()} ") < 0:
            pytest.skip("this kernel does not say who holds a lock")
        assert beside is not None
        assert f"pid {os.getpid()}" in beside
    assert len(said) == bool(wait_s)
    with only_one_run() as beside:
        assert beside is None, "the file alone is no run"


def test_a_file_elsewhere_of_the_same_number_is_no_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inodes of two file systems may have one number, and a lock's file stays when its run has ended."""
    other = place / f"tax-probe-{os.geteuid() + 1}-00.lock"
    other.touch()
    elsewhere = f"1: FLOCK  ADVISORY  WRITE {os.getpid()} ff:ff:{other.stat().st_ino} 0 EOF\n"
    monkeypatch.setattr(run_lock, "_held_here", lambda: elsewhere)
    with only_one_run(0.0) as beside:
        assert beside is None


def test_where_nothing_can_be_written_the_next_place_is_taken(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, "PLACES", ("/proc/none", str(place)))
    with only_one_run():
        assert own(place, 0).exists()
    monkeypatch.setattr(run_lock, "PLACES", ("/proc/none",))
    with pytest.raises(MachineError) as raised, only_one_run():
        pass
    assert CHOSEN in raised.value.hint


def test_a_place_can_be_chosen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "shared").mkdir()
    monkeypatch.setenv(CHOSEN, str(place / "shared"))
    with only_one_run():
        assert own(place / "shared", 0).exists()
