"""Carry a target's recipe out: step by step into the user's cache, each step's folder whole or absent.

What was resolved is recorded before anything is fetched, packages stay until the step that unpacks them is done, and a
finished step stays: whatever ends a call, the next one goes on. When all is there, nothing asks a network any more.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
from filelock import FileLock, Timeout

from profiler.catalogue.targets import PackagesStep, RecipeStep, TargetEntry
from profiler.errors import MachineError, UsageError
from profiler.model import Noun
from profiler.model.provisioning import PackageGroup
from profiler.provision.bytecode import compile_below
from profiler.provision.laid_out import unpack
from profiler.provision.made_once import is_made, key_of, made
from profiler.system.home import cache_folder
from profiler.system.private_apt import Deb
from profiler.system.writing import writing

RESOLVED, RECORD, DEBS, _SPENT = "resolved.json", "provisioned.json", "debs", "seconds"
_UNPACKED_TIMES = 5
"""So many times the size of its packages a target takes on the disk at most, with these."""
_ELSE = ", or set XDG_CACHE_HOME to another disk; what was fetched is kept, and the next call goes on"
_LISTED = "listed"
"""A file of an apt's state that has all its lists."""


class PackageArchive(Protocol):
    """Where packages of one architecture come from (``private_apt.PrivateApt``)."""

    def update(self) -> None:
        """Fetch the indexes."""

    def resolve(self, group: PackageGroup) -> tuple[Deb, ...]:
        """The group's packages and what they depend on."""

    def download(self, debs: tuple[Deb, ...], folder: Path) -> int:
        """Fetch what is not in the folder; gives the bytes that were fetched."""


Archives = Callable[[Path, str, TargetEntry], PackageArchive]
"""The archive of an architecture, with its state in a folder."""
Say = Callable[[str], None]


class ResolvedSteps(Noun, frozen=True, kw_only=True):
    """Which packages a target is made of: kept until ``--update``, or until its entry changes."""

    entry: str
    """Hash of the entry's steps."""
    packages: dict[str, tuple[tuple[Deb, ...], ...]]
    """By the folder of a step: one element a group."""


class Provisioned(Noun, frozen=True, kw_only=True):
    """A target that is there."""

    entry: str
    """Hash of the entry's steps."""
    folders: dict[str, str]
    """By the name of a step's folder: where it is."""
    download_mb: int
    """Of all its packages."""
    disk_mb: int
    seconds: float
    """Of all calls that it took since it was whole last."""


def target_folder(entry: TargetEntry, cache: Path | None = None) -> Path:
    """Where a target is kept. ``cache`` is the user's unless given."""
    return (cache or cache_folder()) / "targets" / entry.name


def provisioned(entry: TargetEntry, cache: Path | None = None) -> Provisioned | None:
    """What is there of a target, where it is whole and of the entry of now; nothing is fetched."""
    try:
        record = msgspec.json.decode((target_folder(entry, cache) / RECORD).read_bytes(), type=Provisioned)
    except (OSError, msgspec.DecodeError):
        return None
    whole = record.entry == _key(entry) and all(is_made(Path(folder)) for folder in record.folders.values())
    return record if whole else None


def begun(entry: TargetEntry, cache: Path | None = None) -> bool:
    """Whether something of a target is there that is not whole."""
    folder = target_folder(entry, cache)
    return folder.is_dir() and any(folder.iterdir()) and provisioned(entry, cache) is None


def require_provisioned(entry: TargetEntry, cache: Path | None = None) -> Provisioned:
    """The same.

    Raises:
        MachineError: it is not there, or there is no recipe for it.
    """
    if entry.reason is not None:
        raise MachineError(f"{entry.name} cannot be measured here: {entry.reason}", hint="tax-probe targets")
    found = provisioned(entry, cache)
    if found is None:
        half = "only half provisioned" if begun(entry, cache) else "not provisioned"
        raise MachineError(f"{entry.name} is {half}", hint=f"tax-probe provision {entry.name}")
    return found


def provision(
    entry: TargetEntry, archives: Archives, say: Say, *, cache: Path | None = None, update: bool = False
) -> Provisioned:
    """Bring what is not there of a target.

    Raises:
        MachineError: there is no recipe for it; packages cannot be had; the disk is full; another call is at it.
    """
    if entry.reason is not None:
        raise MachineError(f"{entry.name} cannot be provisioned: {entry.reason}", hint="tax-probe targets")
    folder = target_folder(entry, cache)
    with _alone(folder):
        found = provisioned(entry, cache)
        if found is not None and not update:
            return found
        for left in folder.glob(".making-*"):
            shutil.rmtree(left, ignore_errors=True)
        return _Provisioning(entry, folder, archives, say).carried_out(update=update)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with writing(folder, f"free some space there{_ELSE}", f"look whether it is writable{_ELSE}"):
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f"{folder.name}.lock"), timeout=0):
                yield
    except Timeout:
        raise MachineError(
            f"another call is provisioning {folder.name}", hint="wait for it to end, then try again"
        ) from None


class _Provisioning:
    def __init__(self, entry: TargetEntry, folder: Path, archives: Archives, say: Say) -> None:
        self._entry, self._folder, self._say = entry, folder, say
        self._archive_of = archives
        self._archives: dict[str, PackageArchive] = {}
        self._began = time.monotonic()

    def carried_out(self, *, update: bool) -> Provisioned:
        resolved = self._resolved(update=update)
        debs = [deb for groups in resolved.packages.values() for group in groups for deb in group]
        size = sum(deb.size for deb in debs)
        spent = self._spent_before()
        try:
            folders = {step.folder: str(self._step(step, resolved)) for step in self._entry.steps}
        finally:
            self._note_spent(spent)
        done = Provisioned(
            entry=_key(self._entry),
            folders=folders,
            download_mb=round(size / 1e6),
            disk_mb=round(sum(_size_of(Path(folder)) for folder in folders.values()) / 1e6),
            seconds=round(spent + time.monotonic() - self._began, 1),
        )
        _written(self._folder / RECORD, msgspec.json.format(msgspec.json.encode(done)))
        shutil.rmtree(self._folder / DEBS, ignore_errors=True)
        for state in self._folder.glob("apt-*"):
            shutil.rmtree(state, ignore_errors=True)
        (self._folder / _SPENT).unlink(missing_ok=True)
        return done

    def _spent_before(self) -> float:
        try:
            return float((self._folder / _SPENT).read_text())
        except (OSError, ValueError):
            return 0.0

    def _note_spent(self, before: float) -> None:
        (self._folder / _SPENT).write_text(f"{before + time.monotonic() - self._began:.1f}\n")

    def _archive(self, architecture: str, *, anew: bool = False) -> PackageArchive:
        """With its lists, fetched where there are none, or ``anew``."""
        if architecture not in self._archives:
            state = self._folder / f"apt-{architecture}"
            archive = self._archive_of(state, architecture, self._entry)
            if anew or not (state / _LISTED).is_file():
                self._say(f"fetching the package lists for {architecture}")
                archive.update()
                (state / _LISTED).touch()
            self._archives[architecture] = archive
        return self._archives[architecture]

    def _resolved(self, *, update: bool) -> ResolvedSteps:
        """What was resolved before, or is now."""
        record = self._folder / RESOLVED
        try:
            kept = msgspec.json.decode(record.read_bytes(), type=ResolvedSteps)
        except (OSError, msgspec.DecodeError):
            kept = None
        if kept is not None and kept.entry == _key(self._entry) and not update:
            return kept
        packages = {
            step.folder: tuple(
                msgspec.structs.replace(group, name=f"{step.folder} of {self._entry.name}") for group in step.groups
            )
            for step in self._entry.steps
        }
        for architecture in dict.fromkeys(group.architecture for groups in packages.values() for group in groups):
            self._archive(architecture, anew=True)
        found = ResolvedSteps(
            entry=_key(self._entry),
            packages={
                name: tuple(self._archive(group.architecture).resolve(group) for group in groups)
                for name, groups in packages.items()
            },
        )
        _written(record, msgspec.json.format(msgspec.json.encode(found)))
        return found

    def _step(self, step: RecipeStep, resolved: ResolvedSteps) -> Path:
        packages = resolved.packages[step.folder]
        hashes = [[deb.sha256 for deb in group] for group in packages]
        place = self._folder / f"{step.folder}-{key_of(msgspec.to_builtins(step), hashes)}"
        if not is_made(place):
            self._fetch(step, packages)
            self._say(f"{step.folder}: unpacking")
            made(place, lambda into: self._fill(step, packages, into))
        return place

    def _fetch(self, step: PackagesStep, packages: tuple[tuple[Deb, ...], ...]) -> None:
        debs = self._folder / DEBS
        size = sum(deb.size for group in packages for deb in group)
        free = shutil.disk_usage(self._folder).free
        if free < size * _UNPACKED_TIMES:
            raise MachineError(
                f"{self._folder} has {free / 1e6:.0f} MB free, and the {step.folder} of {self._entry.name} may take "
                f"{size * _UNPACKED_TIMES / 1e6:.0f}",
                hint="free some space there, or set XDG_CACHE_HOME to another disk",
            )
        self._say(f"{step.folder}: {sum(map(len, packages))} packages, {size / 1e6:.0f} MB")
        for group, wanted in zip(step.groups, packages, strict=True):
            fetched = self._archive(group.architecture).download(wanted, debs)
            self._say(f"{step.folder}: fetched {fetched / 1e6:.0f} MB for {group.architecture}, all have their hashes")

    def _fill(self, step: PackagesStep, packages: tuple[tuple[Deb, ...], ...], into: Path) -> None:
        try:
            unpack([self._folder / DEBS / deb.file for group in packages for deb in group], into)
        except ValueError as error:
            raise MachineError(str(error), hint=f"tax-probe provision {self._entry.name} --update") from error
        if step.bytecode is not None:
            self._say(f"{step.folder}: compiling the target's Python files")
            compile_below(into / step.bytecode, into, self._entry.words["qemu"])


def remove(entries: tuple[TargetEntry, ...], cache: Path | None = None) -> int:
    """Remove all that is kept of targets, whole or not; gives the bytes.

    Raises:
        UsageError: nothing is kept of any.
        MachineError: one is being provisioned.
    """
    folders = [folder for entry in entries if (folder := target_folder(entry, cache)).is_dir()]
    if not folders:
        raise UsageError("nothing of these targets is in the cache", hint="tax-probe targets says what is there")
    freed = 0
    for folder in folders:
        with _alone(folder):
            freed += _size_of(folder)
            shutil.rmtree(folder)
        folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)
    return freed


def _size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def _key(entry: TargetEntry) -> str:
    return key_of(msgspec.to_builtins(entry.steps), entry.suite)


def _written(path: Path, body: bytes) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(body)
    beside.replace(path)
