"""Where builds are kept: artifacts named by a hash of what goes into them, whole or absent, continued when cut off.

An artifact is a training or a build. It is made in a work folder of its own that outlives an interruption, so that
``make`` goes on where it stopped; what counts is copied beside its final place and moved there whole.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from filelock import FileLock, Timeout

from profiler.errors import MachineError
from profiler.model import Noun
from profiler.rebuild.recipe import BuildRecipe
from profiler.system.home import cache_folder

RECORD = "piece.json"

Facts = dict[str, str | int | None]


class WorkFolders(NamedTuple):
    """Where an artifact is made."""

    work: Path
    """Empty, or what an interrupted attempt left of it."""
    filled: Path
    """Becomes the artifact's folder."""
    log: Path


Make = Callable[[WorkFolders], Facts]
"""Makes an artifact and returns what is worth remembering of it."""

_UNFINISHED_S = 5.0
"""A process that is killed leaves torn files; they are among the last that were written."""

_LEAST_FREE_BYTES = 1 << 30


def default_cache() -> BuildCache:
    """The user's cache, ready to be filled.

    Raises:
        MachineError: it cannot be written to.
    """
    build_cache = BuildCache(cache_folder() / "rebuild")
    build_cache.open()
    return build_cache


class Artifact(Noun, frozen=True, kw_only=True):
    """A training or a build that is complete."""

    key: str
    path: str
    """Its folder."""
    seconds: float
    """How long it took, since the last interruption."""
    log: str
    """Output of configure and make."""
    facts: Facts


class BuildCache:
    """One cache folder with a log, a lock, and a work folder per artifact."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> None:
        """Make the folders.

        Raises:
            MachineError: they cannot be made.
        """
        try:
            for name in ("work", "trained", "built", "tested", "logs", "configure"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MachineError(
                f"cannot write the cache {self.folder}: {error.strerror}",
                hint="set XDG_CACHE_HOME to another directory",
            ) from error

    def free_bytes(self) -> int:
        """Space left for builds."""
        return shutil.disk_usage(self.folder).free

    def find(self, kind: str, key: str) -> Artifact | None:
        """The complete artifact of that name."""
        folder = self.folder / kind / key
        try:
            found = msgspec.json.decode((folder / RECORD).read_bytes(), type=Artifact)
        except (OSError, msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        # The cache may have been moved since.
        return msgspec.structs.replace(found, path=str(folder), log=str(self.folder / "logs" / f"{key}.log"))

    def get(self, kind: str, key: str, make: Make) -> Artifact:
        """The artifact, made by ``make`` unless it is there.

        Raises:
            MachineError: no space, or whatever ``make`` raises; its work folder is kept for the next attempt only when
                it was interrupted.
        """
        try:
            with FileLock(self.folder / "work" / f"{key}.lock", timeout=0):
                return self.find(kind, key) or self._make(kind, key, make)
        except Timeout:
            raise MachineError(
                f"another tax-probe is building {key}", hint="wait for it to end, or end it; then try again"
            ) from None

    def _make(self, kind: str, key: str, make: Make) -> Artifact:
        if self.free_bytes() < _LEAST_FREE_BYTES:
            raise MachineError(
                f"{self.folder} has {self.free_bytes() / 1e9:.1f} GB left; a build needs about 1 GB while it runs",
                hint="make room there, or set XDG_CACHE_HOME to a larger disk; what is built is kept",
            )
        work = self.folder / "work" / key
        log = self.folder / "logs" / f"{key}.log"
        interrupted = work.exists()
        if interrupted:
            drop_unfinished(work)
        work.mkdir(exist_ok=True)
        try:
            return self._fill(kind, key, make, work, log)
        except MachineError:
            shutil.rmtree(work, ignore_errors=True)
            if not interrupted:
                raise
        # What an interruption left may be torn in a way that no time shows: once more, from nothing.
        work.mkdir()
        try:
            return self._fill(kind, key, make, work, log)
        except MachineError:
            shutil.rmtree(work, ignore_errors=True)
            raise

    def _fill(self, kind: str, key: str, make: Make, work: Path, log: Path) -> Artifact:
        final = self.folder / kind / key
        shutil.rmtree(final, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self.folder / kind, prefix=f".{key}-") as scratch:
            filled = Path(scratch) / "filled"
            filled.mkdir()
            try:
                started = time.monotonic()
                facts = make(WorkFolders(work, filled, log))
                spent = time.monotonic() - started
                artifact = Artifact(key=key, path=str(final), seconds=spent, log=str(log), facts=facts)
                (filled / RECORD).write_bytes(msgspec.json.encode(artifact))
                filled.replace(final)
            except OSError as error:
                raise MachineError(
                    f"cannot build in {self.folder}: {error.strerror or error}",
                    hint="make room there, or set XDG_CACHE_HOME to a larger disk; what is built is kept",
                ) from error
        shutil.rmtree(work, ignore_errors=True)
        return artifact


def key_of(prefix: str, source: str, recipe: BuildRecipe, *more: str) -> str:
    """A name for what ``recipe`` makes: readable in front, then a hash of everything that goes into it.

    What a plan calls its levels does not: the same flags make the same file, whichever plan asks for it.
    """
    parts = [source, msgspec.to_builtins(msgspec.structs.replace(recipe, levels={})), *more]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
    return f"{prefix}-{digest}"


def drop_unfinished(work: Path) -> None:
    """Remove what was being written when the work was cut off, so that ``make`` makes it again."""
    files = [(path.stat().st_mtime, path) for path in work.rglob("*") if path.is_file() and not path.is_symlink()]
    newest = max((written for written, _ in files), default=0.0)
    for written, path in files:
        if written >= newest - _UNFINISHED_S and path.suffix not in (".h", ".c", ".in", ".py", ".pyc"):
            with suppress(OSError):
                path.unlink()
