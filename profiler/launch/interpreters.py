"""Find the interpreter under test: from what the user named to the real ELF file and the libraries next to it.

A target answers for itself once (``-I -S -c``): its version, its paths and its own ``/proc/self/maps``. What sysconfig
says there is a claim; only files that exist, and what the process really mapped, go into a ``Target``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from profiler.errors import UsageError
from profiler.launch.binaries.elf import build_id, is_elf, machine
from profiler.launch.runtime_maps import eval_loop_image
from profiler.model import Noun, Target
from profiler.system.home import expanded, home_folder
from profiler.system.rooted import HOST, Rooted
from profiler.system.tools import TIME_LIMIT_S, output_of, run_briefly

OLDEST: Final = (3, 8)
"""The oldest CPython that the embedding hosts support (PyO3 0.29), as (major, minor)."""

_PROGRAM = re.compile(r"python3\.(\d+)[td]*")
_DISTRIBUTION = ("/usr/bin/python3", "/usr/local/bin/python3")
_QUESTION = """
import json, os, sys, sysconfig
names = ("ABIFLAGS", "BLDSHARED", "CONFIGURE_CFLAGS_NODIST", "CONFIG_ARGS", "INCLUDEPY", "INSTSONAME", "LDLIBRARY",
         "LIBDIR", "LIBPL", "MULTIARCH", "Py_ENABLE_SHARED")
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": ".".join(map(str, sys.version_info[:3])),
    "base_prefix": sys.base_prefix,
    "executable": os.readlink("/proc/self/exe"),
    "maps": open("/proc/self/maps").read(),
    "sysconfig": {name: str(value) for name, value in sysconfig.get_config_vars().items() if name in names},
}))
"""


class Answer(Noun, frozen=True, kw_only=True):
    """What an interpreter says of itself. ``sysconfig`` holds claims of its build, as strings."""

    implementation: str
    version: str
    base_prefix: str
    executable: str
    maps: str
    sysconfig: dict[str, str]


def resolve_target(path: str | None) -> Target:
    """The interpreter that ``path`` names: a file, a command on PATH, or None for the distribution's ``python3``.

    Raises:
        UsageError: there is no such file, or it is not the ELF program of a CPython ≥ 3.8 for this machine.
    """
    named = path if path is not None else default_python()
    real_path = _real_elf(named)
    answer = ask(real_path)
    if answer.implementation != "cpython":
        raise UsageError(f"{named} is {answer.implementation}, not CPython", hint="name a CPython with --python PATH")
    version = tuple(map(int, answer.version.split(".")))
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(f"{named} is Python {answer.version}", hint=f"the embedding hosts need CPython ≥ {oldest}")
    return msgspec.structs.replace(_target(named, real_path, answer), venv_program=_in_venv(named))


def find_targets() -> list[str]:
    """The CPython programs (≥ 3.8) installed on this machine: real ELF files, each once, the distribution's first.

    Free-threaded and debug builds (``python3.14t``, ``python3.14d``) are programs of their own.
    """
    found: dict[str, None] = {}
    for place in (Path("/usr/bin"), Path("/usr/local/bin"), *sorted(home_folder().glob(".pyenv/versions/*/bin"))):
        for file in sorted(place.glob("python3.[0-9]*")):
            name = _PROGRAM.fullmatch(file.name)
            if name is not None and (3, int(name.group(1))) >= OLDEST and is_elf(str(file)):
                found[str(file.resolve())] = None
    return list(found)


def ask(program: str) -> Answer:
    """Run ``program`` once (``-I -S -c``, at most 10 s) and return what it says of itself.

    Raises:
        UsageError: it does not answer like a Python, or it hands over to another program.
    """
    hint = "name the python3 program itself with --python PATH"
    try:
        done = run_briefly(program, "-I", "-S", "-c", _QUESTION)
    except OSError as error:
        raise UsageError(f"{program} cannot be started: {error.strerror}", hint=hint) from None
    if done.timed_out:
        raise UsageError(f"{program} did not answer within {TIME_LIMIT_S:.0f} s", hint=hint)
    try:
        answer = msgspec.json.decode(done.stdout, type=Answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        said = (done.stderr_tail.strip() or "nothing").splitlines()[-1][:200]
        message = f"{program} runs, but does not answer as Python 3 does (exit {done.exit}, it said: {said})"
        raise UsageError(message, hint=hint) from None
    if answer.executable != program:
        message = f"{program} is only a launcher: the process it becomes is {answer.executable}"
        raise UsageError(message, hint=f"use --python {answer.executable}")
    return answer


def default_python() -> str:
    """The distribution's ``python3``, or else the first on PATH.

    Raises:
        UsageError: there is none.
    """
    named = next((place for place in _DISTRIBUTION if Path(place).exists()), None) or shutil.which("python3")
    if named is None:
        raise UsageError("there is no python3 on this machine", hint="install it, or name one with --python PATH")
    return named


def _real_elf(named: str) -> str:
    """``named`` with PATH and all symbolic links followed, refused unless it is an ELF program for this machine."""
    file = _found(named)
    found = str(file)
    if not file.exists():
        raise UsageError(f"there is no file {found}", hint=installed_here())
    if file.is_dir():
        inside = file / "bin" / "python3"
        raise UsageError(
            f"{found} is a directory", hint=f"use --python {inside}" if inside.exists() else installed_here()
        )
    if not file.is_file():
        raise UsageError(f"{found} is not a regular file", hint=installed_here())
    if not os.access(file, os.R_OK | os.X_OK):
        raise UsageError(f"{found} is not readable and executable for you", hint=f"look at ls -l {found}")
    real = str(file.resolve())
    if not is_elf(real):
        raise _not_elf(found)
    if machine(real) != machine("/proc/self/exe"):
        message = f"{found} is built for {machine(real)}, this machine runs {machine('/proc/self/exe')}"
        raise UsageError(message, hint="name an interpreter of this machine's own architecture")
    return real


def _in_venv(named: str) -> str | None:
    """The absolute path of ``named``, links not followed, where CPython would take it for a virtual environment's: by a
    ``pyvenv.cfg`` beside it or one folder above (Modules/getpath.py, "VENV").
    """
    program = Path(os.path.abspath(_found(named)))  # noqa: PTH100 - resolve() would follow the link out of it
    folders = (program.parent, program.parent.parent)
    return str(program) if any((folder / "pyvenv.cfg").is_file() for folder in folders) else None


def _found(named: str) -> Path:
    """The file that ``named`` is, by its path or on PATH.

    Raises:
        UsageError: there is no such command.
    """
    found = named if os.sep in named else shutil.which(named)
    if found is None:
        raise UsageError(f"there is no command {named} on PATH", hint="name a file with --python /path/to/python3")
    return expanded(found)


def _not_elf(found: str) -> UsageError:
    """Say what a file is that is no ELF program, and how to come to the program behind it."""
    with Path(found).open("rb") as file:
        head = file.read(4096)
    hint = f"if it starts a Python, this names the program behind it: {found} -c 'import sys; print(sys.executable)'"
    if not head.startswith(b"#!"):
        return UsageError(f"{found} is not an ELF program", hint=installed_here())
    if b"PYENV_ROOT" not in head:
        interpreter = head[2:].splitlines()[0].decode(errors="replace").strip()
        return UsageError(f"{found} is a script for {interpreter}, not an ELF program", hint=hint)
    name = Path(found).name
    pyenv = shutil.which("pyenv") or str(Path(found).parent.parent / "bin" / "pyenv")
    real = (output_of(pyenv, "which", name) or "").strip()
    hint = f"use --python {real}" if is_elf(real) else f"`pyenv which {name}` names the file for --python"
    return UsageError(f"{found} is a pyenv shim, a shell script whose own work would be measured too", hint=hint)


def installed_here() -> str:
    """A remedy for a path that is none: which interpreters there are."""
    found = find_targets()
    return f"installed here: {', '.join(found)}" if found else "name an ELF program with --python PATH"


def _target(named: str, real_path: str, answer: Answer) -> Target:
    loads = eval_loop_image(answer.maps, real_path)
    return assembled(
        named,
        real_path,
        version=answer.version,
        prefix=answer.base_prefix,
        says=answer.sysconfig,
        loads=None if loads == real_path else loads,
    )


def assembled(
    named: str,
    real_path: str,
    *,
    version: str,
    prefix: str,
    says: Mapping[str, str],
    loads: str | None,
    at: Rooted = HOST,
) -> Target:
    """A target from what is known of it: the files that ``says``, its sysconfig, claims are taken where they exist.

    ``prefix`` and the claims are paths inside ``at``; ``real_path`` and ``loads`` are real.
    """
    major_minor = ".".join(version.split(".")[:2])
    name = f"python{major_minor}{says.get('ABIFLAGS', '')}"

    def folders(*claims: str | None) -> list[str]:
        return [claim for claim in claims if claim and at.folder(claim) is not None]

    def first_file(places: list[str], file: str) -> str | None:
        found = (f"{place}/{file}" for place in places)
        return next((at.named(path) for path in found if at.file(path) is not None), None)

    # Relocated builds (python-build-standalone) claim the build machine's directories: look under the prefix as well.
    libraries = folders(
        says.get("LIBDIR"), f"{prefix}/lib/{says.get('MULTIARCH', '')}".rstrip("/"), f"{prefix}/lib", f"{prefix}/lib64"
    )
    archives = folders(says.get("LIBPL"), *_config_folders(prefix, major_minor, at))
    headers = folders(says.get("INCLUDEPY"), f"{prefix}/include/{name}")
    sonames = [says.get("INSTSONAME", ""), says.get("LDLIBRARY", ""), f"lib{name}.so.1.0", f"lib{name}.so"]
    found = (at.file(f"{place}/{soname}") for place in libraries for soname in sonames if soname)
    shared = next((path for path in found if path is not None and is_elf(path)), loads)
    shared = shared and at.real(at.inside(shared))
    include = next((place for place in headers if at.file(f"{place}/Python.h") is not None), None)
    return Target(
        path=named,
        real_path=real_path,
        version=version,
        build_id=build_id(real_path),
        program_loads=loads,
        shared_library=shared,
        shared_library_build_id=build_id(shared) if shared else None,
        static_library=first_file(archives, f"lib{name}.a"),
        pic_library=first_file(archives, f"lib{name}-pic.a"),
        include_dir=None if include is None else at.named(include),
        library_dir=next(map(at.named, libraries), None),
        prefix=prefix,
    )


def _config_folders(prefix: str, major_minor: str, at: Rooted) -> list[str]:
    """Where the Makefile and the static library of a build lie, by the folder's name."""
    found = []
    for lib in ("lib", "lib32", "lib64", "libx32"):
        stdlib = f"{prefix}/{lib}/python{major_minor}"
        real = at.folder(stdlib)
        if real is not None:
            names = sorted(path.name for path in Path(real).iterdir() if path.name.startswith(f"config-{major_minor}"))
            found += [f"{stdlib}/{name}" for name in names]
    return found
