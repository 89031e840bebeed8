"""Folders of the cache that are named by what goes into them: whole or absent, and no older one beside them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

_COMPLETE = ".complete"
_DIGITS = 16


def key_of(*ingredients: object) -> str:
    """A short hash of whatever JSON can say."""
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def digest_of_files(top: Path, files: Iterable[Path]) -> str:
    """A hash of names, modes and contents."""
    digest = hashlib.sha256()
    for file in sorted(files):
        body = file.read_bytes()
        digest.update(f"{file.relative_to(top)}\0{file.stat().st_mode & 0o111}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()[:_DIGITS]


def is_made(place: Path) -> bool:
    """Whether it is whole."""
    return (place / _COMPLETE).is_file()


def made(place: Path, fill: Callable[[Path], None]) -> Path:
    """``place``, filled beside and moved there whole unless it is there; older ones of its name go afterwards.

    ``place`` is called ``NAME-KEY``.
    """
    if not is_made(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".making-") as scratch:
            inside = Path(scratch) / "filled"
            inside.mkdir()
            fill(inside)
            (inside / _COMPLETE).touch()
            inside.replace(place)
    name = place.name.rpartition("-")[0]
    for other in place.parent.glob(f"{name}-*"):
        if other != place and other.name.rpartition("-")[0] == name:
            shutil.rmtree(other, ignore_errors=True)
    return place
