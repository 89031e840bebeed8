"""Targets beside this machine's own, each one entry of ``targets.toml``: of what it is made, and what counts there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from profiler.errors import UsageError
from profiler.model import Noun
from profiler.model.provisioning import PackageGroup

TABLE = Path(__file__).with_name("targets.toml")


class PackagesStep(Noun, frozen=True, kw_only=True, tag_field="kind", tag="packages"):
    """Packages laid out in one folder."""

    folder: str
    groups: tuple[PackageGroup, ...]
    bytecode: str | None = None
    """A folder below it whose Python files are compiled; None: there is nothing to compile."""


RecipeStep = PackagesStep


class NeededFile(Noun, frozen=True, kw_only=True):
    """Something that a build for the target needs, known by a file."""

    name: str
    file: str
    """``FOLDER/…`` of a step, or a folder there."""


class TargetEntry(Noun, frozen=True, kw_only=True):
    """One target."""

    name: str
    title: str
    reason: str | None = None
    """Why it cannot be provisioned; None: it can."""
    counts: str | None = None
    """The event of the catalogue that counts its work."""
    commands: tuple[str, ...] = ()
    """Programs of this machine that it takes."""
    launchers: tuple[str, ...] = ()
    """Our hosts that are built for it, by name."""
    words: dict[str, str] = msgspec.field(default_factory=dict)
    """What is its own in a recipe that several share."""
    suite: str = ""
    keyring: str = ""
    steps: tuple[RecipeStep, ...] = ()
    parts: tuple[NeededFile, ...] = ()
    download_mb: int | None = None
    disk_mb: int | None = None
    seconds: int | None = None


def read_targets(path: Path = TABLE) -> tuple[TargetEntry, ...]:
    """The entries of a table, with the words of each in the places of its recipe."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    recipes = document.get("recipe", {})
    return tuple(_entry(dict(raw), recipes) for raw in document["target"])


def _entry(raw: dict[str, Any], recipes: dict[str, Any]) -> TargetEntry:
    words = raw.pop("with", {})
    recipe = _filled(recipes[raw.pop("recipe")], words) if "recipe" in raw else {}
    made = {"steps" if name == "step" else "parts" if name == "part" else name: of for name, of in recipe.items()}
    return msgspec.convert(made | raw | {"words": words}, TargetEntry)


def _filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace(f"{{{name}}}", word)
        return value
    if isinstance(value, dict):
        return {name: _filled(inner, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, words) for inner in value]
    return value


TARGETS: tuple[TargetEntry, ...] = read_targets()


def find_entry(name: str) -> TargetEntry:
    """The entry called ``name``.

    Raises:
        UsageError: there is none.
    """
    for entry in TARGETS:
        if entry.name == name:
            return entry
    raise UsageError(f"no target {name!r}", hint=f"there are {', '.join(entry.name for entry in TARGETS)}")
