"""Our plugin of qemu's code generator (``runner/qemu``), built with cargo and kept in the user's cache.

A build's folder is named by a hash of all that goes into it, and is moved into its place whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from profiler.errors import MachineError
from profiler.launch.cargo import Toolchain, find_cargo, run_cargo
from profiler.model import Noun
from profiler.system.build_environment import for_builders
from profiler.system.home import cache_folder

SOURCES = Path(__file__).with_name("plugin")
"""Links into ``runner/qemu`` in a checkout, files in an installed package."""

_PLUGIN, _KNOWN = "libtax_probe_qemu.so", "known"


class Plugin(Noun, frozen=True, kw_only=True):
    """What was built."""

    path: str
    known: str
    """The program of known cost, for the self-test."""


def built_plugin(cache: Path | None = None) -> Plugin:
    """The plugin for the sources and the compiler of now. ``cache`` is the user's unless given.

    Raises:
        MachineError: cargo is missing, too old or fails; the cache cannot be written.
    """
    toolchain = find_cargo()
    builds = (cache or cache_folder()) / "qemu"
    place = builds / _key(toolchain)
    if not (place / _PLUGIN).is_file():
        try:
            builds.mkdir(parents=True, exist_ok=True)
            _build(toolchain, place)
        except OSError as error:
            hint = "free some space there, or set XDG_CACHE_HOME to another directory"
            raise MachineError(f"cannot write the cache {builds}: {error}", hint=hint) from error
    return Plugin(path=str(place / _PLUGIN), known=str(place / _KNOWN))


def _key(toolchain: Toolchain) -> str:
    sources = {
        str(file.relative_to(SOURCES)): file.read_text(encoding="utf-8")
        for file in sorted(SOURCES.rglob("*"))
        if file.is_file()
    }
    return hashlib.sha256(json.dumps([sources, toolchain.identity]).encode()).hexdigest()[:16]


def _build(toolchain: Toolchain, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as folder:
        scratch = Path(folder)
        shutil.copytree(SOURCES, scratch / "source")
        run_cargo(
            (toolchain.cargo, "build", "--release", "--locked", "--offline", "--target-dir", str(scratch / "target")),
            what="qemu's plugin",
            env=for_builders(
                os.environ,
                CARGO_TERM_COLOR="never",
                CARGO_TERM_PROGRESS_WHEN="never",
                RUSTC=toolchain.rustc,
                RUSTC_WRAPPER="",
            ),
            cwd=scratch / "source",
            log=place.with_name(f"{place.name}.log"),
            on_line=lambda line: None,
        )
        filled = scratch / "filled"
        filled.mkdir()
        for name in (_PLUGIN, _KNOWN):
            shutil.move(scratch / "target" / "release" / name, filled / name)
        try:
            filled.replace(place)
        except OSError:
            # Another process was sooner: its build is of the same.
            if not (place / _PLUGIN).is_file():
                raise
