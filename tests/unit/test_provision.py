"""Provisioning with an archive that is a stand-in: what fails is told with its remedy, and the next call goes on."""

import errno
import hashlib
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from profiler.catalogue.events import BY_NAME
from profiler.catalogue.targets import TARGETS, NeededFile, PackagesStep, TargetEntry, find_entry, read_targets
from profiler.errors import MachineError, UsageError
from profiler.launch.launchers import ALL
from profiler.model.provisioning import PackageGroup
from profiler.provision import provisioner
from profiler.provision.debian_archive import _GETTING
from profiler.provision.provisioner import begun, provision, provisioned, remove, require_provisioned
from profiler.provision.readiness import state_of
from profiler.system.private_apt import Deb

BODIES = {"a": b"first", "b": b"second", "c": b"third"}


def deb(name: str) -> Deb:
    body = BODIES[name]
    return Deb(file=f"{name}_1_all.deb", size=len(body), sha256=hashlib.sha256(body).hexdigest())


class StandIn:
    """An archive whose packages are files of their own bytes; ``broken`` says what it refuses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: dict[str, Exception] = {}

    def __call__(self, state: Path, architecture: str, entry: TargetEntry) -> "Opened":
        state.mkdir(parents=True, exist_ok=True)
        opened = Opened()
        opened.asked, opened.broken, opened.state = self.asked, self.broken, state
        return opened


class Opened(StandIn):
    """Of one architecture; without its lists it knows no package."""

    state: Path

    def update(self) -> None:
        self.asked.append("update")
        if "update" in self.broken:
            raise self.broken["update"]
        (self.state / "lists").touch()

    def _require_lists(self) -> None:
        if not (self.state / "lists").exists():
            raise MachineError("E: Unable to locate package", hint="update")

    def resolve(self, group: PackageGroup) -> tuple[Deb, ...]:
        self._require_lists()
        self.asked.append(f"resolve {' '.join(group.names)}")
        return tuple(map(deb, group.names))

    def download(self, debs: tuple[Deb, ...], folder: Path) -> int:
        folder.mkdir(exist_ok=True)
        fetched = 0
        for one in debs:
            if (folder / one.file).exists():
                continue
            self._require_lists()
            self.asked.append(f"fetch {one.name}")
            if one.name in self.broken:
                raise self.broken[one.name]
            (folder / one.file).write_bytes(BODIES[one.name])
            fetched += one.size
        return fetched


ENTRY = TargetEntry(
    name="planted",
    title="a planted target",
    counts="aarch64-instructions",
    commands=("sh",),
    steps=(
        PackagesStep(folder="tools", groups=(PackageGroup(architecture="amd64", names=("a",)),)),
        PackagesStep(folder="root", groups=(PackageGroup(architecture="arm64", names=("b", "c")),)),
    ),
    parts=(NeededFile(name="linker", file="tools/a"), NeededFile(name="libpython", file="root/c")),
)


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    def laid(debs: list[Path], root: Path) -> None:
        for file in debs:
            shutil.copyfile(file, root / file.name.partition("_")[0])

    monkeypatch.setattr(provisioner, "unpack", laid)
    return StandIn()


def lines() -> list[str]:
    return []


def test_each_step_is_done_once_and_then_nothing_is_asked(archive: StandIn, tmp_path: Path) -> None:
    said = lines()
    found = provision(ENTRY, archive, said.append, cache=tmp_path)
    assert archive.asked == ["update", "update", "resolve a", "resolve b c", "fetch a", "fetch b", "fetch c"]
    assert (Path(found.folders["root"]) / "c").read_bytes() == b"third"
    assert any("root: 2 packages" in line for line in said)
    assert not list((tmp_path / "targets/planted").glob("apt-*"))
    assert not (tmp_path / "targets/planted/debs").exists()
    archive.asked.clear()
    archive.broken["update"] = MachineError("no network", hint="connect")
    assert provision(ENTRY, archive, said.append, cache=tmp_path) == found == require_provisioned(ENTRY, tmp_path)
    assert archive.asked == []


def test_without_a_network_nothing_is_recorded_and_the_next_call_begins(archive: StandIn, tmp_path: Path) -> None:
    archive.broken["update"] = MachineError("apt-get … failed: Err:1", hint="connect this machine")
    with pytest.raises(MachineError, match="Err:1"):
        provision(ENTRY, archive, print, cache=tmp_path)
    assert provisioned(ENTRY, tmp_path) is None
    archive.broken.clear()
    assert provision(ENTRY, archive, print, cache=tmp_path).folders.keys() == {"tools", "root"}


def test_a_missing_package_keeps_what_was_fetched_and_done(archive: StandIn, tmp_path: Path) -> None:
    archive.broken["c"] = MachineError("c: 404 Not Found", hint="try again with --update")
    with pytest.raises(MachineError, match="404"):
        provision(ENTRY, archive, print, cache=tmp_path)
    assert begun(ENTRY, tmp_path)
    assert state_of(ENTRY, tmp_path).state == "half-finished"
    with pytest.raises(MachineError, match="half provisioned") as told:
        require_provisioned(ENTRY, tmp_path)
    assert told.value.hint == "tax-probe provision planted"
    archive.broken.clear()
    archive.asked.clear()
    provision(ENTRY, archive, print, cache=tmp_path)
    assert archive.asked == ["fetch c"]


def test_a_full_disk_is_told_with_its_remedy_and_leaves_no_half_of_a_step(
    archive: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(debs: list[Path], root: Path) -> None:
        (root / "half").touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(provisioner, "unpack", full)
        with pytest.raises(MachineError, match="No space left") as told:
            provision(ENTRY, archive, print, cache=tmp_path)
    assert "XDG_CACHE_HOME" in told.value.hint
    assert not list((tmp_path / "targets/planted").glob("tools-*"))
    archive.asked.clear()
    provision(ENTRY, archive, print, cache=tmp_path)
    assert archive.asked == ["fetch b", "fetch c"]


def test_too_little_room_is_told_before_anything_is_fetched(
    archive: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(MachineError, match="MB free"):
        provision(ENTRY, archive, print, cache=tmp_path)
    assert not [asked for asked in archive.asked if asked.startswith("fetch")]


def test_a_changed_entry_or_a_lost_folder_is_not_whole(archive: StandIn, tmp_path: Path) -> None:
    found = provision(ENTRY, archive, print, cache=tmp_path)
    other = msgspec.structs.replace(ENTRY, suite="other")
    assert provisioned(other, tmp_path) is None
    shutil.rmtree(found.folders["tools"])
    assert provisioned(ENTRY, tmp_path) is None
    archive.asked.clear()
    provision(ENTRY, archive, print, cache=tmp_path)
    assert archive.asked == ["update", "fetch a"]


def test_time_is_of_the_calls_since_it_was_whole(archive: StandIn, tmp_path: Path) -> None:
    archive.broken["c"] = MachineError("c: 404 Not Found", hint="try again with --update")
    with pytest.raises(MachineError, match="404"):
        provision(ENTRY, archive, print, cache=tmp_path)
    spent = tmp_path / "targets/planted/seconds"
    spent.write_text("1000.0")
    archive.broken.clear()
    assert provision(ENTRY, archive, print, cache=tmp_path).seconds >= 1000
    assert provision(ENTRY, archive, print, cache=tmp_path, update=True).seconds < 1000


def test_an_error_of_something_else_is_not_one_of_writing(archive: StandIn, tmp_path: Path) -> None:
    archive.broken["a"] = FileNotFoundError(errno.ENOENT, "No such file or directory", "dpkg-deb")
    with pytest.raises(FileNotFoundError):
        provision(ENTRY, archive, print, cache=tmp_path)
    archive.broken["a"] = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "targets/planted/debs"))
    with pytest.raises(MachineError, match="cannot write to"):
        provision(ENTRY, archive, print, cache=tmp_path)


def test_what_is_removed_is_gone_and_counted(archive: StandIn, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing of these"):
        remove((ENTRY,), tmp_path)
    provision(ENTRY, archive, print, cache=tmp_path)
    assert remove((ENTRY,), tmp_path) > sum(map(len, BODIES.values()))
    assert not list((tmp_path / "targets").iterdir())


def test_a_target_without_a_recipe_says_why_everywhere(archive: StandIn, tmp_path: Path) -> None:
    entry = TargetEntry(name="moon", title="the moon", reason="no recipe yet: nobody was there")
    with pytest.raises(MachineError, match="nobody was there"):
        provision(entry, archive, print, cache=tmp_path)
    with pytest.raises(MachineError, match="nobody was there"):
        require_provisioned(entry, tmp_path)
    assert state_of(entry, tmp_path).state == "no recipe"


# ---------------------------------------------------------------- the table


def test_every_entry_has_a_recipe_or_a_reason() -> None:
    assert {"aarch64-linux-gnu", "x86_64-linux-musl", "wasm32-wasip1", "rustpython"} <= {one.name for one in TARGETS}
    for entry in TARGETS:
        assert (entry.reason is None) == bool(entry.steps)
        if entry.reason is None:
            assert entry.counts in BY_NAME
            assert set(entry.launchers) <= set(ALL)
            folders = {step.folder for step in entry.steps}
            assert {part.file.partition("/")[0] for part in entry.parts} <= folders
            assert not re.search(r"\{\w+\}", str(msgspec.to_builtins((entry.steps, entry.parts))))


def test_an_unknown_target_is_told_which_there_are() -> None:
    with pytest.raises(UsageError) as told:
        find_entry("vax")
    assert "aarch64-linux-gnu" in told.value.hint


def test_the_words_of_an_entry_stand_in_its_recipe_and_its_own_fields_go_over_it(tmp_path: Path) -> None:
    table = tmp_path / "targets.toml"
    table.write_text(
        '[recipe.r]\nsuite = "s"\n[[recipe.r.step]]\nkind = "packages"\nfolder = "f"\n'
        'groups = [{architecture = "{deb}", names = ["x-{multi}"]}]\n'
        '[[recipe.r.part]]\nname = "p"\nfile = "f/{multi}"\n'
        '[[target]]\nname = "t"\ntitle = "T"\nrecipe = "r"\nwith = {deb = "arm", multi = "arm-x"}\ndownload_mb = 3\n'
    )
    (entry,) = read_targets(table)
    assert (entry.suite, entry.download_mb, entry.parts[0].file) == ("s", 3, "f/arm-x")
    assert entry.steps[0].groups == (PackageGroup(architecture="arm", names=("x-arm-x",)),)


def test_what_apt_is_fetching_is_told_without_the_archives_address() -> None:
    line = "Get:7 http://mirror.example/debian bookworm/main arm64 libffi8 arm64 3.4.4-1 [20.5 kB]"
    found = _GETTING.match(line)
    assert found is not None
    assert found.groupdict() == {"name": "libffi8", "version": "3.4.4-1", "size": "20.5 kB"}
