"""The source of exactly the target's version: from the distribution's source package, or a tree that the user names."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from profiler.errors import MachineError, UsageError
from profiler.model import Noun, Target
from profiler.rebuild.unpacking import unpack
from profiler.system.home import expanded
from profiler.system.install import how_to_install
from profiler.system.logged import Failed, run_logged
from profiler.system.packages import owners
from profiler.system.tools import output_of

Say = Callable[[str], None]

_COMPLETE = ".complete"
_APT_LISTS = "/etc/apt/sources.list.d"
_TIMEOUT_S = 900.0
_VERSION_LINES = re.compile(r'^#define\s+PY_VERSION\s+"([0-9]+\.[0-9]+\.[0-9]+)', re.MULTILINE)
_OWN_TREE = (
    "or download the tarball of this version from https://www.python.org/ftp/python/ and give it with --source-tree"
)


class SourceTree(Noun, frozen=True, kw_only=True):
    """An unpacked CPython source with everything applied."""

    path: str
    version: str
    """``PY_VERSION`` of ``Include/patchlevel.h`` without a suffix."""
    origin: str
    """For people: which package revision or file it came from."""
    digest: str
    """Tells sources apart: part of the name of everything that is built from it."""
    training_task: tuple[str, ...] | None
    """The distribution's own run for PGO, as arguments of the interpreter; a path begins with ``{source}``."""


def find_source(target: Target, named: str | None, cache: Path, say: Say) -> SourceTree:
    """The user's tree, or the distribution's source package with its patches, kept in ``cache``.

    Raises:
        UsageError: ``named`` is no CPython source, or one of another version.
        MachineError: there is no source package to be had here; the hint says how to go on.
    """
    tree = _from_user(named, cache) if named is not None else _from_distribution(target, cache, say)
    _require_version(tree.origin, tree.version, target)
    return tree


def require_source(target: Target, named: str) -> None:
    """``named`` is there, and a folder is the target's version; a tarball is not opened yet.

    Raises:
        UsageError: it is not.
    """
    path = expanded(named).resolve()
    if path.is_dir():
        _require_version(str(path), _version(path), target)
    elif not path.is_file():
        raise _no_source(named)


def _require_version(origin: str, version: str, target: Target) -> None:
    if version != target.version:
        raise UsageError(
            f"{origin} is CPython {version}, {target.real_path} is {target.version}",
            hint="give the source of the target's own version with --source-tree DIR|TARBALL",
        )


def _no_source(named: str) -> UsageError:
    return UsageError(f"--source-tree: no file or folder {named}", hint="give a CPython source tree or tarball")


def _from_user(named: str, cache: Path) -> SourceTree:
    path = expanded(named).resolve()
    if path.is_dir():
        digest = _digest(file for file in sorted(path.rglob("*.[ch]")))
        return _tree(path, str(path), digest)
    if not path.is_file():
        raise _no_source(named)
    digest = _digest([path])
    place = cache / f"source-{digest}"
    if not (place / _COMPLETE).exists():
        _fill(place, lambda scratch: unpack(path, scratch))
    return _tree(_only_folder(place), path.name, digest)


def _tree(path: Path, origin: str, digest: str) -> SourceTree:
    return SourceTree(
        path=str(path), version=_version(path), origin=origin, digest=digest, training_task=_training_task(path)
    )


def _from_distribution(target: Target, cache: Path, say: Say) -> SourceTree:
    package = owners([target.real_path]).get(target.real_path)
    if package is None:
        raise MachineError(
            f"no package of the distribution owns {target.real_path}, so there is no source package of it",
            hint="give its source with --source-tree DIR|TARBALL",
        )
    if shutil.which("apt-get") is None or shutil.which("dpkg-source") is None:
        raise MachineError(
            "source packages are fetched with apt-get and unpacked with dpkg-source, which this machine lacks",
            hint=f"{how_to_install('dpkg-dev')}, {_OWN_TREE}"
            if shutil.which("apt-get")
            else _OWN_TREE.removeprefix("or "),
        )
    # The upstream part of the version: revisions of one upstream version share the tarball and differ in patches.
    binary, _, revision = package.partition(" ")
    name = source_name(binary)
    kept = sorted(cache.glob(f"source-{name}-{target.version}-*/{_COMPLETE}"))
    exact = [path for path in kept if path.parent.name.endswith(f"-{revision}")]
    for complete in exact or kept:
        return _packaged(complete.parent, name, revision)
    return _packaged(_fetch(name, revision, target.version, cache, say), name, revision)


def source_name(binary: str) -> str:
    """The source package that ``binary`` is built from."""
    said = (output_of("dpkg-query", "-W", "-f", "${source:Package}", binary) or "").strip()
    return said or binary


def _packaged(place: Path, name: str, installed: str) -> SourceTree:
    revision = (place / _COMPLETE).read_text()
    note = "" if revision == installed else f" (installed is {installed}, whose source is no longer offered)"
    digest = hashlib.sha256(f"{name} {revision}".encode()).hexdigest()[:12]
    return _tree(_only_folder(place), f"source package {name} {revision}{note}", digest)


def _training_task(folder: Path) -> tuple[str, ...] | None:
    """What Debian's rules give ``make profile-opt``, run in a build folder inside the tree; asked of make itself."""
    if not (folder / "debian" / "rules").is_file():
        return None
    ask = 'tax-probe-task:;@echo "$(PROFILE_TASK)"'
    said = output_of("make", "-s", "-C", str(folder), "-f", "debian/rules", f"--eval={ask}", "tax-probe-task") or ""
    words = (said.splitlines() or [""])[-1].split()
    return tuple(re.sub(r"^\.\./", "{source}/", word) for word in words) or None


def _fetch(name: str, installed: str, version: str, cache: Path, say: Say) -> Path:
    """Fetch and unpack with source lists of this run only: the system's own lists stay as they are."""
    with tempfile.TemporaryDirectory(dir=cache, prefix=".apt-") as scratch:
        lists = Path(scratch) / "lists"
        (lists / "partial").mkdir(parents=True)
        wanted = Path(scratch) / "sources.list"
        wanted.write_text(deb_src_lines(Path("/etc/apt/sources.list"), Path(_APT_LISTS)))
        options = [
            part
            for option in (
                f"Dir::Etc::sourcelist={wanted}",
                "Dir::Etc::sourceparts=/dev/null",
                f"Dir::State::Lists={lists}",
                "Dir::Cache::pkgcache=",
                "Dir::Cache::srcpkgcache=",
                "APT::Sandbox::User=root",
            )
            for part in ("-o", option)
        ]
        log = cache / "source.log"
        log.write_text("")
        say(f"CPython's code: looking for {name} {installed}")
        _apt(("apt-get", *options, "update"), scratch, log)
        offered = _revisions(output_of("apt-cache", *options, "showsrc", name) or "", name, version)
        # The installed revision first; then the others, newest last in the archive's list.
        for revision in sorted(offered, key=lambda offer: (offer != installed, offered.index(offer))):
            place = cache / f"source-{name}-{version}-{revision}"

            def fill(into: Path, revision: str = revision) -> None:
                _apt(("apt-get", *options, "source", "--download-only", f"{name}={revision}"), str(into), log)
                (dsc,) = into.glob("*.dsc")
                _apt(("dpkg-source", "--no-check", "-x", dsc.name, "tree"), str(into), log)

            try:
                say(f"CPython's code: fetching {name} {revision}")
                _fill(place, fill, note=revision)
            except MachineError as error:
                say(f"CPython's code: {name} {revision} could not be fetched: {error.message.splitlines()[-1]}")
                continue
            return place
        raise MachineError(
            f"no source package {name} {version} can be fetched"
            + (f" (offered: {', '.join(offered)})" if offered else " (the archive offers none)"),
            hint=f"connect this machine to its package archive, {_OWN_TREE}; the log is {log}",
        )


def _apt(command: tuple[str, ...], cwd: str, log: Path) -> None:
    try:
        run_logged(command, cwd=Path(cwd), log=log, timeout_s=_TIMEOUT_S)
    except Failed as error:
        raise MachineError(f"{command[0]} failed: {error.said}", hint=f"all of its output is in {log}") from error


def deb_src_lines(main: Path, parts: Path) -> str:
    """``deb-src`` lines for every ``deb`` source of the system, from both formats of sources.list(5)."""
    lines = []
    files = [main, *sorted(parts.glob("*.list"))]
    for file in files:
        for line in file.read_text(errors="replace").splitlines() if file.is_file() else ():
            found = re.match(r"\s*deb\s+(.*)", line)
            if found:
                lines.append(f"deb-src {found[1]}")
    for file in sorted(parts.glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text(errors="replace")):
            lines.extend(_from_deb822(stanza))
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _from_deb822(stanza: str) -> list[str]:
    kept = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
    fields = {
        key.lower(): value.split() for key, value in re.findall(r"^([\w-]+):((?:.*(?:\n[ \t].*)*))", kept, re.MULTILINE)
    }
    if "deb" not in fields.get("types", ()) or fields.get("enabled", ["yes"]) == ["no"]:
        return []
    signed = fields.get("signed-by", [])
    # An inline key cannot stand in a one-line source; the file that apt trusts anyway may do.
    options = f"[signed-by={signed[0]}] " if len(signed) == 1 and signed[0].startswith("/") else ""
    return [
        f"deb-src {options}{uri} {suite} {' '.join(fields.get('components', []))}"
        for uri in fields.get("uris", ())
        for suite in fields.get("suites", ())
    ]


def _revisions(showsrc: str, name: str, version: str) -> list[str]:
    found = []
    for stanza in showsrc.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
        revision = fields.get("Version", "")
        upstream = revision.split(":")[-1].split("-")[0]
        if fields.get("Package") == name and upstream == version:
            found.append(revision)
    return list(dict.fromkeys(reversed(found)))


def _fill(place: Path, fill: Callable[[Path], None], note: str = "") -> None:
    """Fill a folder beside ``place`` and move it there whole."""
    shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as scratch:
        inside = Path(scratch) / "filled"
        inside.mkdir()
        fill(inside)
        (inside / _COMPLETE).write_text(note)
        inside.replace(place)


def _only_folder(place: Path) -> Path:
    """The folder that holds ``configure``: archives have one folder at their top."""
    found = [path.parent for path in (*place.glob("configure"), *place.glob("*/configure"))]
    if not found:
        raise UsageError(f"{place} holds no CPython source: no configure", hint="give a CPython source tree or tarball")
    return found[0]


def _version(tree: Path) -> str:
    try:
        found = _VERSION_LINES.search((tree / "Include" / "patchlevel.h").read_text(errors="replace"))
    except OSError:
        found = None
    if found is None:
        raise UsageError(
            f"{tree} is no CPython source: no PY_VERSION in Include/patchlevel.h",
            hint="give a CPython source tree or tarball with --source-tree",
        )
    return found[1]


def _digest(files: object) -> str:
    digest = hashlib.sha256()
    for file in files:  # type: ignore[attr-defined]
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
