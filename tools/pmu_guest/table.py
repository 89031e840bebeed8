"""``packages.toml`` as nouns."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from profiler.model import Noun
from profiler.model.provisioning import PackageGroup

TABLE = Path(__file__).with_name("packages.toml")


class Wheels(Noun, frozen=True, kw_only=True):
    """Which wheels fit the guest."""

    python: str
    abis: tuple[str, ...]
    platforms: tuple[str, ...]
    left_out: tuple[str, ...]
    tests: tuple[str, ...]
    """What the tests need beside what the tool needs."""


class Table(Noun, frozen=True, kw_only=True):
    """All of it."""

    suite: str
    keyring: str
    groups: dict[str, PackageGroup]
    wheels: Wheels
    modules: tuple[str, ...]


def read_table(path: Path = TABLE) -> Table:
    """The table."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return Table(
        suite=document["suite"],
        keyring=document["keyring"],
        groups={
            name: msgspec.convert(document[name] | {"name": name}, PackageGroup) for name in ("tools", "guest", "rust")
        },
        wheels=msgspec.convert(document["wheels"], Wheels),
        modules=tuple(document["kernel"]["modules"]),
    )
