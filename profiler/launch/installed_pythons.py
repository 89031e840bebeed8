"""Every CPython that this machine has, each once: where one looks, what is a CPython, and what its file says.

A CPython is a file that holds the eval loop: a program, or a libpython with the programs that load it. Nothing that is
found is executed.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from profiler.errors import UsageError
from profiler.launch.binaries.build_marks import compiler_name, is_free_threaded
from profiler.launch.binaries.elf import Elf, is_elf, read_elf
from profiler.launch.binaries.hardening import hardening_of
from profiler.launch.binaries.libpython import names_libpython
from profiler.launch.binaries.python_version import version_in
from profiler.launch.embedders import Progress, path_of_image, scan
from profiler.launch.evidence import describe_elf
from profiler.model import Hardening, Noun
from profiler.model.installed import InstalledPython, Origin, PythonProgram, Pythons
from profiler.system.packages import owners

_PROGRAM = re.compile(r"python(?:3(?:\.\d+)?[a-z]*)?(?:-(?:nopie|dbg))?")
_TREES: Final = ("/usr/lib", "/usr/lib64", "/usr/local", "/opt")
_ENVIRONMENTS: Final = (
    *(".venv", "venv", ".virtualenvs/*", ".local/share/virtualenvs/*"),
    *(".local/pipx/venvs/*", ".local/share/pipx/venvs/*", ".local/share/uv/tools/*"),
)
"""Below the home: where tools keep virtual environments."""
_CONDAS: Final = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", ".conda")
_SCAN_S: Final = 20.0


class Where(Noun, frozen=True, kw_only=True):
    """Where one looks."""

    folders: tuple[Path, ...]
    """In these, and not below them."""
    trees: tuple[Path, ...]
    """In these and below them; links are not followed."""


class Sighting(Noun, frozen=True, kw_only=True):
    """Files that are called like a CPython, and what could not be looked at."""

    files: dict[str, tuple[str, ...]]
    """By real path: the other paths by which it was found."""
    unreadable_folders: int


def usual_places(home: Path, environ: Mapping[str, str]) -> Where:
    """PATH, the system's folders, pyenv, uv, conda, and the bases of virtual environments."""
    on_path = [Path(entry) for entry in environ.get("PATH", "").split(os.pathsep) if entry.startswith("/")]
    uv = Path(environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv")
    prefixes = [
        *(path.parent for path in on_path if path.name == "bin"),
        *sorted(pyenv.glob("versions/*")),
        *sorted(uv.glob("*")),
        *_condas(home),
    ]
    bases = [base for folder in _virtual(home, environ, on_path) if (base := base_of(folder)) is not None]
    folders = [*on_path, Path("/usr/bin"), Path("/bin"), *bases]
    for prefix in (*prefixes, *(base.parent for base in bases)):
        folders += [prefix / "bin", prefix / "lib", prefix / "lib64"]
    trees = tuple(map(Path, _TREES))
    return Where(folders=tuple(dict.fromkeys(folders)), trees=trees)


def base_of(environment: Path) -> Path | None:
    """The folder of the program that a virtual environment was made of; None: it is none, or does not say it."""
    try:
        text = (environment / "pyvenv.cfg").read_text(errors="replace")
    except OSError:
        return None
    found = re.search(r"^home\s*=\s*(/.*?)\s*$", text, re.MULTILINE)
    return Path(found[1]) if found else None


def sightings(where: Where) -> Sighting:
    """All files below ``where`` that are ELF and are called like a python program or a libpython."""
    files: dict[str, dict[str, None]] = {}
    unreadable: set[str] = set()

    def refused(error: OSError) -> None:
        # What is not there was never a folder that one may not read.
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            unreadable.add(str(error.filename))

    for folder, names in _looked_in(where, refused):
        for name in sorted(names):
            if _PROGRAM.fullmatch(name) or names_libpython(name):
                path = f"{folder}/{name}"
                real = os.path.realpath(path)
                if is_elf(real) and not Path(real).name.startswith("python2"):
                    files.setdefault(real, {})[path] = None
    found = {real: tuple(path for path in paths if path != real) for real, paths in files.items()}
    return Sighting(files=found, unreadable_folders=len(unreadable))


def named_files(paths: Sequence[str]) -> Sighting:
    """The files that the user named.

    Raises:
        UsageError: one is no ELF file that can be read.
    """
    files: dict[str, tuple[str, ...]] = {}
    for path in paths:
        real = os.path.realpath(path)
        if not is_elf(real):
            raise UsageError(
                f"{path} is no ELF file that can be read", hint="name python programs or shared libpythons themselves"
            )
        files[real] = (*files.get(real, ()), *((path,) if path != real else ()))
    return Sighting(files=files, unreadable_folders=0)


def installed_pythons(found: Sighting, hosts: tuple[str, ...], progress: Progress) -> Pythons:
    """What was found, each once by build-id (without one, by content); and the libraries that programs below
    the folders ``hosts`` load.

    Raises:
        UsageError: the debug information of a file is damaged.
    """
    unread: list[str] = []
    elves = {path: elf for path in found.files if (elf := _intact(path, unread)) is not None}
    embedded: set[str] = set()
    if hosts:
        for host, _ in scan(progress, roots=hosts, time_limit_s=_SCAN_S).hosts:
            loader = _intact(host, [])
            image = path_of_image(loader) if loader is not None else None
            if image is not None and image not in elves and (elf := _intact(image, unread)) is not None:
                elves[image] = elf
                embedded.add(image)
    loaded: dict[str, list[str]] = {}
    for path, elf in list(elves.items()):
        soname = next(filter(names_libpython, elf.needed), None)
        if elf.eval_loop_at is not None or names_libpython(path):
            continue
        image = path_of_image(elf) if soname is not None else None
        if image is None:
            why = "no symbol shows an eval loop" if soname is None else f"it loads {soname}, which is not found"
            unread.append(f"{path}: {why}")
            continue
        if image not in elves and (library := _intact(image, unread)) is not None:
            elves[image] = library
        loaded.setdefault(image, []).append(path)
    images = {path: elf for path, elf in elves.items() if elf.eval_loop_at is not None}
    packages = owners(list(images))
    copies = _by_identity(images)
    pythons = []
    for same in copies:
        first = same[0]
        programs = [path for image in same for path in loaded.get(image, ())]
        own = {path: elves[path] for path in programs}
        pythons.append(
            _described(
                images[first],
                origin="embedder" if first in embedded else origin_of(first, packages.get(first)),
                package=packages.get(first),
                aliases=_others(same, found),
                programs=tuple(
                    PythonProgram(path=group[0], build_id=own[group[0]].build_id, aliases=_others(group, found))
                    for group in _by_identity(own)
                ),
            )
        )
    return Pythons(
        pythons=tuple(sorted(pythons, key=_order)), unread=tuple(unread), unreadable_folders=found.unreadable_folders
    )


def origin_of(path: str, package: str | None) -> Origin:
    """Where the file at ``path`` is from, by its path and the package that owns it."""
    within: tuple[tuple[str, Origin], ...] = (("/.pyenv/versions/", "pyenv"), ("/uv/python/", "uv"))
    for part, origin in within:
        if part in path:
            return origin
    if any((folder / "conda-meta").is_dir() for folder in Path(path).parents):
        return "conda"
    if package is not None:
        return "distribution"
    if path.startswith("/usr/local/"):
        return "/usr/local"
    return "/opt" if path.startswith("/opt/") else "elsewhere"


def version_key(version: str | None) -> tuple[int, ...]:
    """For sorting: ``(3, 11, 2)``; nothing of an unknown one."""
    return tuple(int(part) for part in re.findall(r"\d+", version or ""))


def _described(
    elf: Elf, *, origin: Origin, package: str | None, aliases: tuple[str, ...], programs: tuple[PythonProgram, ...]
) -> InstalledPython:
    library = elf.soname is not None and names_libpython(elf.soname)
    version = version_in(elf.path, elf.soname)
    return InstalledPython(
        version=version,
        origin=origin,
        kind="library" if library else "program",
        file=describe_elf(elf, role="library" if library else "program", path=elf.path, package=package, loads=None),
        aliases=aliases,
        programs=programs,
        free_threaded=True if is_free_threaded(elf.path) else None if version is None else False,
        hardening=hardened_by(hardening_of(elf.path)) if elf.needed or elf.soname else None,
        compiler=compiler_name(elf.compilers),
    )


def hardened_by(found: Hardening) -> tuple[str, ...]:
    """In the words of ``InstalledPython.hardening``."""
    seen = {
        "stack protector": found.stack_protector,
        "fortify": found.fortified > 0,
        "CET": bool(found.branch_protection),
        "RELRO": found.relro != "none",
        "bind now": found.relro == "full",
    }
    return tuple(name for name, there in seen.items() if there)


def _order(python: InstalledPython) -> tuple[tuple[int, ...], str, str]:
    return version_key(python.version), python.origin, python.file.real_path


def _by_identity(elves: Mapping[str, Elf]) -> list[list[str]]:
    """Paths of the same build, each group with the shortest path first."""
    groups: dict[object, list[str]] = {}
    for path, elf in elves.items():
        groups.setdefault(elf.build_id or _content(path), []).append(path)
    return [sorted(group, key=lambda path: (len(path), path)) for group in groups.values()]


def _content(path: str) -> str:
    """What tells a file without a build-id from others; links and copies are the same build."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _others(same: Sequence[str], found: Sighting) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*same[1:], *(path for real in same for path in found.files.get(real, ())))))


def _intact(path: str, unread: list[str]) -> Elf | None:
    try:
        return read_elf(path)
    except OSError as error:
        unread.append(f"{path}: {error.strerror}")
    except UsageError as error:
        unread.append(error.message)
    return None


def _looked_in(where: Where, refused: Callable[[OSError], None]) -> Iterator[tuple[str, Iterable[str]]]:
    for folder in where.folders:
        try:
            yield str(folder), [path.name for path in folder.iterdir()]
        except OSError as error:
            refused(error)
    for tree in where.trees:
        for below, _, names in os.walk(tree, onerror=refused):
            yield below, names


def _condas(home: Path) -> Iterator[Path]:
    for base in (*(home / name for name in _CONDAS), Path("/opt/conda")):
        yield base
        yield from sorted(base.glob("envs/*"))
    try:
        listed = (home / ".conda/environments.txt").read_text(errors="replace")
    except OSError:
        return
    yield from (Path(line.strip()) for line in listed.splitlines() if line.startswith("/"))


def _virtual(home: Path, environ: Mapping[str, str], on_path: Sequence[Path]) -> Iterator[Path]:
    """Folders that may be virtual environments."""
    yield Path(sys.prefix)
    yield from (Path(environ[name]) for name in ("VIRTUAL_ENV",) if environ.get(name))
    yield from (path.parent for path in on_path)
    yield from (Path.cwd() / name for name in (".venv", "venv"))
    for pattern in _ENVIRONMENTS:
        yield from sorted(home.glob(pattern))
