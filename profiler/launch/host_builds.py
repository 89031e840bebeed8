"""Our hosts, built with cargo for one target and one link mode, and kept in the user's cache.

A build's directory is named by a hash of everything that goes into it, is filled beside its final place and moved
there whole, so that targets never share or overwrite a build and an interrupted build leaves none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from profiler.errors import MachineError
from profiler.launch.cargo import Toolchain, find_cargo, run_cargo
from profiler.launch.link import LinkRecipe, recipe
from profiler.launch.proof import check_host
from profiler.launch.stand_ins import SOURCE, mend
from profiler.model import Emulator, LinkMode, Noun, Target
from profiler.system.build_environment import for_builders
from profiler.system.home import cache_folder

SOURCES = Path(__file__).with_name("host")
"""The hosts' crate: links into ``runner/host`` in a checkout, files in an installed package."""

BINARIES = ("pyo3", "runmain")

_LOCK_TIMEOUT_S = 1900.0
_RECORD = "build.json"
_PROFILE = {
    "CODEGEN_UNITS": "16",
    "DEBUG": "false",
    "DEBUG_ASSERTIONS": "false",
    "INCREMENTAL": "false",
    "LTO": "false",
    "OPT_LEVEL": "3",
    "OVERFLOW_CHECKS": "false",
    "PANIC": "unwind",
    "STRIP": "none",
}
"""Cargo's own for a release, said aloud: a [profile.release] of the user's ~/.cargo/config.toml goes over a crate's."""


class HostBuild(Noun, frozen=True, kw_only=True):
    """Both hosts of one target and link mode."""

    pyo3: str
    runmain: str
    link: LinkMode
    rustc: str
    """Version."""
    key: str
    command: tuple[str, ...]
    """The cargo command, run beside a copy of the sources; the log shows its environment too."""
    log: str
    """The file with cargo's output."""
    seconds: float | None
    """How long the build took; None when it came from the cache."""
    replaced: tuple[str, ...] = ()
    """Built-in modules that raise ImportError, since the archive lacks objects of theirs."""


def build_hosts(
    target: Target,
    link: LinkMode,
    *,
    on_line: Callable[[str], None],
    cache_dir: Path | None = None,
    toolchain: Toolchain | None = None,
    emulator: Emulator | None = None,
) -> HostBuild:
    """Build both hosts for ``target``, or take them from the cache.

    ``on_line`` gets each line that cargo prints. ``cache_dir`` is the user's cache unless given. For a target of
    another machine ``toolchain`` builds, and ``emulator`` runs what was built.

    Raises:
        MachineError: cargo is missing, too old or fails; the target has no headers or no such libpython; the hosts
            that came out are not what was asked for; the cache cannot be written. The hint says what to do.
    """
    how = recipe(target, link)
    toolchain = toolchain or find_cargo()
    key = build_key(target, link, how, toolchain)
    builds = (cache_dir or cache_folder()) / "hosts"
    try:
        builds.mkdir(parents=True, exist_ok=True)
        with _only_builder(builds / f"{key}.lock", on_line):
            return _cached(builds / key) or _build(
                target, link, how=how, toolchain=toolchain, emulator=emulator, place=builds / key, on_line=on_line
            )
    except Timeout:
        raise MachineError(
            f"another process has been building {key} for {_LOCK_TIMEOUT_S:.0f} s", hint="end it, then try again"
        ) from None
    except OSError as error:
        hint = "free some space there (a build needs 200 MB), or set XDG_CACHE_HOME to another directory"
        raise MachineError(f"cannot write the cache {builds}: {error}", hint=hint) from error


@contextmanager
def _only_builder(path: Path, on_line: Callable[[str], None]) -> Iterator[None]:
    """While another process builds the same, wait for it, and say so.

    Raises:
        Timeout: it does not end.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_line(f"waiting up to {_LOCK_TIMEOUT_S:.0f} s for another process that builds the same")
        lock.acquire(timeout=_LOCK_TIMEOUT_S)
    try:
        yield
    finally:
        lock.release()


def build_key(target: Target, link: LinkMode, how: LinkRecipe, toolchain: Toolchain) -> str:
    """The name of a build: readable in front, then a hash of everything that goes into it.

    Raises:
        OSError: the target's files have gone.
    """
    sources = {
        str(file.relative_to(SOURCES)): file.read_text(encoding="utf-8")
        for file in sorted(SOURCES.rglob("*"))
        if file.is_file()
    }
    library = Path(how.library)
    ingredients = [
        sources,
        [target.real_path, target.version, target.prefix, target.build_id or _stamp(Path(target.real_path))],
        [how.library, (link == "shared" and target.shared_library_build_id) or _stamp(library)],
        [link, how.config, how.rustflags, how.features, "" if link == "shared" else SOURCE],
        toolchain.identity,
    ]
    digest = hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:16]
    return f"{target.version}-{link}-{digest}"


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]


def _cached(place: Path) -> HostBuild | None:
    try:
        build = msgspec.json.decode((place / _RECORD).read_bytes(), type=HostBuild)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not all(Path(path).is_file() and Path(path).parent == place for path in (build.pyo3, build.runmain)):
        return None
    return msgspec.structs.replace(build, seconds=None)


def _build(
    target: Target,
    link: LinkMode,
    *,
    how: LinkRecipe,
    toolchain: Toolchain,
    emulator: Emulator | None,
    place: Path,
    on_line: Callable[[str], None],
) -> HostBuild:
    # The lock is ours, so whatever else lies here was left by a process that was killed.
    for left in (place, *place.parent.glob(f".{place.name}-*")):
        shutil.rmtree(left, ignore_errors=True)
    started = time.monotonic()
    log = place.with_name(f"{place.name}.log")
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as scratch:
        log.write_text(_head(how, toolchain, _command(toolchain, how)), encoding="utf-8")
        replaced: tuple[str, ...] = ()
        if link != "shared":
            mended = mend(
                Path(how.library),
                link,
                libraries=how.libraries,
                scratch=Path(scratch),
                log=log,
                tools=(toolchain.linker, toolchain.ar),
            )
            if mended is not None:
                how, replaced = recipe(target, link, archive=mended.archive), mended.modules
        source = Path(scratch) / "source"
        shutil.copytree(SOURCES, source)
        config = Path(scratch) / "pyo3.config"
        config.write_text(how.config, encoding="utf-8")
        command = _command(toolchain, how)
        added = {
            "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(how.rustflags),
            "CARGO_TERM_COLOR": "never",
            "CARGO_TERM_PROGRESS_WHEN": "never",
            "PYO3_CONFIG_FILE": str(config),
            "RUSTC": toolchain.rustc,
            "RUSTC_WRAPPER": "",
            **toolchain.cross,
            **{f"CARGO_PROFILE_RELEASE_{name}": value for name, value in _PROFILE.items()},
        }
        environment = for_builders(os.environ, **added)
        run_cargo(command, what="the hosts", env=environment, cwd=source, log=log, on_line=on_line)

        filled = Path(scratch) / "filled"
        filled.mkdir()
        for name in BINARIES:
            built = Path(scratch) / "target" / toolchain.triple / "release" / name
            check_host(built, target, link, log=log, emulator=emulator)
            shutil.move(built, filled / name)
        build = HostBuild(
            pyo3=str(place / "pyo3"),
            runmain=str(place / "runmain"),
            link=link,
            rustc=toolchain.version,
            key=place.name,
            command=command,
            log=str(log),
            seconds=time.monotonic() - started,
            replaced=replaced,
        )
        (filled / _RECORD).write_bytes(msgspec.json.encode(build))
        filled.replace(place)
    return build


def _command(toolchain: Toolchain, how: LinkRecipe) -> tuple[str, ...]:
    # With --target the flags reach the hosts only; without it a static build would break build scripts and macros.
    return (
        toolchain.cargo,
        "build",
        "--release",
        "--locked",
        *("--target", toolchain.triple),
        *("--target-dir", "../target"),
        *(part for feature in how.features for part in ("--features", feature)),
    )


def _head(how: LinkRecipe, toolchain: Toolchain, command: tuple[str, ...]) -> str:
    """What a reader of the log needs to repeat the build by hand."""
    return "\n".join(
        (
            f"# {' '.join(command)}",
            f"# RUSTFLAGS={' '.join(how.rustflags)}",
            *(f"# PYO3_CONFIG_FILE: {line}" for line in how.config.splitlines()),
            *(f"# {line}" for line in toolchain.identity.splitlines()),
            "",
        )
    )
