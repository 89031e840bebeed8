"""The hosts and the extension for the guest, built outside it: cargo of this machine, rustc and linker from packages.

Each host is built with the very recipe that tax-probe makes in the guest (``profiler.launch.link.recipe``), and kept
under a hash of it: what stands for cargo in the guest hands out that one and no other.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from profiler.launch.cargo import Toolchain
from profiler.launch.host_builds import BINARIES, SOURCES
from profiler.launch.link import LinkRecipe, recipe
from profiler.model import LinkMode, Target
from profiler.provision.cross_tools import cross_toolchain
from profiler.system.build_environment import for_builders
from profiler.system.logged import Failed, run_logged
from tools.pmu_guest.console import say
from tools.pmu_guest.errors import GuestFailed

TRIPLE = "aarch64-unknown-linux-gnu"
_MULTIARCH = "aarch64-linux-gnu"
_TIMEOUT_S = 900.0
_LINKS: tuple[LinkMode, ...] = ("shared", "static", "pic")


def guest_target(root: Path, python: str) -> Target:
    """The guest's Debian Python ``python`` (``"3.11"``) as its files lie below ``root``."""
    library = root / "usr/lib" / _MULTIARCH / f"libpython{python}.so.1.0"
    archives = root / "usr/lib" / f"python{python}" / f"config-{python}-{_MULTIARCH}"
    return Target(
        path=str(root / "usr/bin/python3"),
        real_path=str(root / f"usr/bin/python{python}"),
        version=f"{python}.0",
        build_id=None,
        program_loads=None,
        shared_library=str(library),
        shared_library_build_id=None,
        static_library=str(archives / f"libpython{python}.a"),
        pic_library=str(archives / f"libpython{python}-pic.a"),
        include_dir=str(root / f"usr/include/python{python}"),
        library_dir=str(library.parent),
        prefix=str(root / "usr"),
    )


def key_in_guest(how: LinkRecipe, root: Path) -> str:
    """The key that ``inside/cargo`` computes of what tax-probe asks for in the guest, where ``root`` is /."""
    features = "".join(f"{feature} " for feature in how.features)
    asked = f"{how.config.rstrip()}\n{chr(0x1F).join(how.rustflags)}\nfeatures: {features}.".replace(str(root), "")
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def build_for_guest(into: Path, tools: Path, root: Path, python: str, log: Path) -> None:
    """Fill ``into`` with ``hosts-KEY/``, ``empty``, ``rustc-version``, ``cargo-version`` and ``_counters.abi3.so``.

    Raises:
        GuestFailed: cargo does not build it.
    """
    scratch = into / "scratch"
    scratch.mkdir()
    using = cross_toolchain(tools, root, scratch, triple=TRIPLE, multiarch=_MULTIARCH)
    top = Path(__file__).resolve().parents[2]
    target = guest_target(root, python)
    for link in _LINKS:
        how = recipe(target, link)
        say(f"building the {link} hosts for the guest")
        config = scratch / "pyo3.config"
        config.write_text(how.config, encoding="utf-8")
        flags = tuple(flag.replace(str(root), "") for flag in how.rustflags)
        _cargo(
            using, SOURCES.resolve(), scratch, log,
            flags=flags, features=how.features, PYO3_CONFIG_FILE=str(config),
        )  # fmt: skip
        filled = into / f"hosts-{key_in_guest(how, root)}"
        filled.mkdir()
        for name in BINARIES:
            shutil.copy2(scratch / "target" / TRIPLE / "release" / name, filled)
    say("building the extension for the guest")
    _cargo(using, top / "runner/counters", scratch, log, PYO3_NO_PYTHON="1", PYO3_BUILD_EXTENSION_MODULE="1")
    built = scratch / "target" / TRIPLE / "release" / "lib_counters.so"
    shutil.copy2(built, into / "_counters.abi3.so")
    empty = scratch / "empty.rs"
    empty.write_text("fn main() {}\n", encoding="utf-8")
    words = (using.rustc, "--target", TRIPLE, "-C", f"linker={using.linker}", "-o", str(into / "empty"), str(empty))
    _logged(words, scratch, log, os.environ)
    (into / "rustc-version").write_text(_version(using), encoding="utf-8")
    cargo = subprocess.run((using.cargo, "-V"), capture_output=True, text=True, check=True).stdout
    (into / "cargo-version").write_text(cargo, encoding="utf-8")
    shutil.rmtree(scratch)


def _version(using: Toolchain) -> str:
    """What ``rustc -vV`` answers, for the guest's own machine."""
    said = subprocess.run((using.rustc, "-vV"), capture_output=True, text=True, check=True).stdout
    return "".join(f"host: {TRIPLE}\n" if line.startswith("host: ") else f"{line}\n" for line in said.splitlines())


def _cargo(
    using: Toolchain,
    crate: Path,
    scratch: Path,
    log: Path,
    *,
    flags: tuple[str, ...] = (),
    features: tuple[str, ...] = (),
    **added: str,
) -> None:
    command = (
        *(using.cargo, "build", "--release", "--locked", "--target", TRIPLE, "--target-dir", str(scratch / "target")),
        *(part for feature in features for part in ("--features", feature)),
    )
    env = for_builders(
        os.environ,
        CARGO_ENCODED_RUSTFLAGS=chr(0x1F).join(flags),
        CARGO_TERM_COLOR="never",
        CARGO_TERM_PROGRESS_WHEN="never",
        RUSTC=using.rustc,
        RUSTC_WRAPPER="",
        **using.cross,
        **added,
    )
    _logged(command, crate, log, env)


def _logged(command: tuple[str, ...], cwd: Path, log: Path, env: object) -> None:
    try:
        run_logged(command, cwd=cwd, log=log, timeout_s=_TIMEOUT_S, env=dict(env))  # type: ignore[call-overload]
    except Failed as error:
        raise GuestFailed(f"{Path(command[0]).name} failed (all of its output is in {log})", error.said) from error
