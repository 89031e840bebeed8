"""What an installed CPython is, read from its files: nothing of it is run or imported.

Running it would answer the same (``interpreters.ask``), and would run whatever lies under its name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from profiler.errors import UsageError
from profiler.launch.binaries.elf import Elf, read_elf
from profiler.launch.binaries.libpython import names_libpython
from profiler.launch.binaries.python_version import folders_in, version_in
from profiler.launch.interpreters import assembled
from profiler.launch.loader import Located, locate
from profiler.model import Noun, Target
from profiler.system.rooted import HOST, Rooted

_PROGRAM = re.compile(r"python[\d.]*([a-z]*)\d*")
_DATA = re.compile(r"_sysconfigdata_([a-z]*)_.*\.py")
_LIBS = ("lib", "lib64")
_MOST_BYTES: Final = 4 << 20
"""CPython's own are some 50 kB."""
_VARIABLE = re.compile(r"^([a-zA-Z]\w*)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
_REFERENCE = re.compile(r"\$[({](\w+)[)}]")
_DEEPEST = 8
_LONGEST_VALUE = 20_000
"""Variables that name each other many times would grow without end."""


class Installed(Noun, frozen=True, kw_only=True):
    """An interpreter with what belongs to it."""

    target: Target
    sysconfig: dict[str, str]
    """Claims of its build; empty where no file holds them."""
    sysconfig_file: str | None
    """Where they were read."""


class Image(Noun, frozen=True, kw_only=True):
    """The libpython whose eval loop a program or library would run."""

    path: str
    how: str


def looks_like_python(path: str) -> bool:
    """Whether a file is called as interpreters are: ``python3``, ``python3.13t``, ``python3.11-dbg``."""
    return _PROGRAM.fullmatch(Path(path).name.partition("-")[0]) is not None


def image_of(elf: Elf, at: Rooted = HOST) -> Image | None:
    """The libpython that the loader would give to ``elf``, or what the stable-ABI stub ``libpython3.so`` forwards to;
    None where it names none, or none of its kind is found.
    """
    wanted = next(filter(names_libpython, elf.needed), None)
    found = locate(wanted, elf, at) if wanted is not None else None
    if wanted is None or found is None:
        return None
    how = _told(wanted, found)
    library = _intact(found.path)
    if library is None or library.eval_loop_at is not None:
        return Image(path=found.path, how=how)
    forwards = next(filter(names_libpython, library.needed), None)
    behind = locate(forwards, library, at) if forwards is not None else None
    if forwards is None or behind is None:
        return None
    return Image(path=behind.path, how=f"{how}, a stub; {_told(forwards, behind)}")


def read_installed(named: str, elf: Elf, at: Rooted = HOST) -> Installed | None:
    """The interpreter that ``elf`` is, a file below ``at`` that was named ``named``.

    None where it shows no version, or no standard library of that version is found: beside it, by a ``pyvenv.cfg``, or
    by a path that is compiled in.

    Raises:
        UsageError: a file is damaged.
        OSError: it cannot be read.
    """
    image = image_of(elf, at)
    held = elf.path if elf.eval_loop_at is not None else image.path if image is not None else None
    version = None if held is None else version_in(held)
    if held is None or version is None:
        return None
    minor = ".".join(version.split(".")[:2])
    match = _PROGRAM.fullmatch(Path(elf.path).name.partition("-")[0])
    flags = match.group(1) if match is not None else ""
    begins = (_venv_home(named, at), str(Path(at.inside(elf.path)).parent))
    prefixes = [str(folder) for begin in begins if begin for folder in (Path(begin), *Path(begin).parents)]
    found = _standard_library((*prefixes, *folders_in(held)), (f"python{minor}{flags}", f"python{minor}"), at)
    if found is None:
        return None
    prefix, stdlib = found
    says, file = _sysconfig(stdlib, flags or ("d" if elf.debug_build else ""), at)
    target = assembled(
        named,
        elf.path,
        version=version,
        prefix=prefix,
        says=says,
        loads=None if elf.eval_loop_at is not None or image is None else image.path,
        at=at,
    )
    return Installed(target=target, sysconfig=says, sysconfig_file=file)


def _told(name: str, found: Located) -> str:
    return f"the loader finds {name} by {found.how}" if "/" not in name else f"it names {name}, a path"


def _standard_library(prefixes: Sequence[str], names: Sequence[str], at: Rooted) -> tuple[str, str] | None:
    """The prefix, and the folder of ``os.py``: the landmark by which getpath finds it, too."""
    for prefix in dict.fromkeys(prefixes):
        for lib in _LIBS:
            for name in dict.fromkeys(names):
                place = f"{prefix.rstrip('/')}/{lib}/{name}"
                if at.file(f"{place}/os.py") is not None:
                    return prefix, place
    return None


def _venv_home(named: str, at: Rooted) -> str | None:
    """``home`` of a ``pyvenv.cfg`` beside the named file, or one folder above: the interpreter may be a copy there."""
    begin = Path(at.inside(str(Path(named).absolute()) if at.whole else named)).parent
    for folder in (begin, begin.parent):
        file = at.file(f"{folder}/pyvenv.cfg")
        for line in _text(file).splitlines() if file is not None else ():
            key, equals, value = line.partition("=")
            if equals and key.strip().lower() == "home":
                return value.strip()
    return None


def _sysconfig(stdlib: str, flags: str, at: Rooted) -> tuple[dict[str, str], str | None]:
    """The claims of the build in ``stdlib`` with these ABI flags, as strings, and their file."""
    real = at.folder(stdlib)
    names = sorted(file.name for file in Path(real).iterdir()) if real is not None else []
    by_flags: dict[str, str] = {}
    for name in names:
        match = _DATA.fullmatch(name)
        if match is not None:
            by_flags.setdefault(match.group(1), name)
    own = by_flags.get(flags) or (next(iter(by_flags.values())) if len(by_flags) == 1 else by_flags.get(""))
    file = at.file(f"{stdlib}/{own}") if own is not None else None
    if file is not None and (said := build_time_vars(_text(file))):
        return said, file
    for name in names:
        file = at.file(f"{stdlib}/{name}/Makefile") if name.startswith("config") else None
        if file is not None and (said := makefile_vars(_text(file))):
            return said, file
    return {}, None


def build_time_vars(text: str) -> dict[str, str]:
    """``build_time_vars`` in the text of a ``_sysconfigdata`` module; nothing where it is no dictionary of literals."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and [getattr(to, "id", None) for to in node.targets] == ["build_time_vars"]:
            try:
                said = ast.literal_eval(node.value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                return {}
            if isinstance(said, dict):
                return {str(name): str(value) for name, value in said.items()}
    return {}


def makefile_vars(text: str) -> dict[str, str]:
    """The variables of a build's Makefile, with those that they name filled in, as sysconfig reads it."""
    raw = {match.group(1): match.group(2).strip() for match in _VARIABLE.finditer(text.replace("\\\n", " "))}

    def filled(value: str) -> str:
        for _ in range(_DEEPEST):
            if "$" not in value or len(value) > _LONGEST_VALUE:
                break
            value = _REFERENCE.sub(lambda match: raw.get(match.group(1), ""), value)
        return value

    return {name: filled(value) for name, value in raw.items() if len(value) <= _LONGEST_VALUE}


def _text(file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            return opened.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _intact(path: str) -> Elf | None:
    try:
        return read_elf(path)
    except (OSError, UsageError):
        return None
