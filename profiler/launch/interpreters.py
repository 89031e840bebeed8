"""Find the interpreter under test: from what the user named to the real ELF file and the libraries next to it.

A target answers for itself once (``-I -S -c``): its version, its paths and its own ``/proc/self/maps``. What sysconfig
says there is a claim; only files that exist, and what the process really mapped, go into a ``Target``.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

import msgspec

from profiler.errors import UsageError
from profiler.launch.binaries.elf import build_id, is_elf, machine
from profiler.launch.runtime_maps import eval_loop_image
from profiler.model import Noun, Target
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
    named = path if path is not None else _default()
    real_path = _real_elf(named)
    answer = ask(real_path)
    if answer.implementation != "cpython":
        raise UsageError(f"{named} is {answer.implementation}, not CPython", hint="name a CPython with --python PATH")
    version = tuple(map(int, answer.version.split(".")))
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(f"{named} is Python {answer.version}", hint=f"the embedding hosts need CPython ≥ {oldest}")
    return _target(named, real_path, answer)


def find_targets() -> list[str]:
    """The CPython programs (≥ 3.8) installed on this machine: real ELF files, each once, the distribution's first.

    Free-threaded and debug builds (``python3.14t``, ``python3.14d``) are programs of their own.
    """
    found: dict[str, None] = {}
    for place in (Path("/usr/bin"), Path("/usr/local/bin"), *sorted(Path.home().glob(".pyenv/versions/*/bin"))):
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
    except msgspec.DecodeError:
        said = (done.stderr_tail.strip() or "nothing").splitlines()[-1][:200]
        message = f"{program} runs, but does not answer as Python 3 does (exit {done.exit}, it said: {said})"
        raise UsageError(message, hint=hint) from None
    if answer.executable != program:
        message = f"{program} is only a launcher: the process it becomes is {answer.executable}"
        raise UsageError(message, hint=f"use --python {answer.executable}")
    return answer


def _default() -> str:
    named = next((place for place in _DISTRIBUTION if Path(place).exists()), None) or shutil.which("python3")
    if named is None:
        raise UsageError("there is no python3 on this machine", hint="install it, or name one with --python PATH")
    return named


def _real_elf(named: str) -> str:
    """``named`` with PATH and all symbolic links followed, refused unless it is an ELF program for this machine."""
    found = named if os.sep in named else shutil.which(named)
    if found is None:
        raise UsageError(f"there is no command {named} on PATH", hint="name a file with --python /path/to/python3")
    file = Path(found).expanduser()
    if not file.exists():
        raise UsageError(f"there is no file {found}", hint=_installed())
    if file.is_dir():
        inside = file / "bin" / "python3"
        raise UsageError(f"{found} is a directory", hint=f"use --python {inside}" if inside.exists() else _installed())
    if not file.is_file():
        raise UsageError(f"{found} is not a regular file", hint=_installed())
    if not os.access(file, os.R_OK | os.X_OK):
        raise UsageError(f"{found} is not readable and executable for you", hint=f"look at ls -l {found}")
    real = str(file.resolve())
    if not is_elf(real):
        raise _not_elf(found)
    if machine(real) != machine("/proc/self/exe"):
        message = f"{found} is built for {machine(real)}, this machine runs {machine('/proc/self/exe')}"
        raise UsageError(message, hint="name an interpreter of this machine's own architecture")
    return real


def _not_elf(found: str) -> UsageError:
    """Say what a file is that is no ELF program, and how to come to the program behind it."""
    with Path(found).open("rb") as file:
        head = file.read(4096)
    hint = f"if it starts a Python, this names the program behind it: {found} -c 'import sys; print(sys.executable)'"
    if not head.startswith(b"#!"):
        return UsageError(f"{found} is not an ELF program", hint=_installed())
    if b"PYENV_ROOT" not in head:
        interpreter = head[2:].splitlines()[0].decode(errors="replace").strip()
        return UsageError(f"{found} is a script for {interpreter}, not an ELF program", hint=hint)
    name = Path(found).name
    pyenv = shutil.which("pyenv") or str(Path(found).parent.parent / "bin" / "pyenv")
    real = (output_of(pyenv, "which", name) or "").strip()
    hint = f"use --python {real}" if is_elf(real) else f"`pyenv which {name}` names the file for --python"
    return UsageError(f"{found} is a pyenv shim, a shell script whose own work would be measured too", hint=hint)


def _installed() -> str:
    found = find_targets()
    return f"installed here: {', '.join(found)}" if found else "name an ELF program with --python PATH"


def _target(named: str, real_path: str, answer: Answer) -> Target:
    says = answer.sysconfig
    major_minor = ".".join(answer.version.split(".")[:2])
    name = f"python{major_minor}{says.get('ABIFLAGS', '')}"
    # Relocated builds (python-build-standalone) claim the build machine's directories: look under the prefix as well.
    prefix = Path(answer.base_prefix)
    libraries = [
        *_directories(says.get("LIBDIR")),
        *_directories(prefix / "lib" / says.get("MULTIARCH", ""), prefix / "lib", prefix / "lib64"),
    ]
    archives = [
        *_directories(says.get("LIBPL")),
        *sorted(prefix.glob(f"lib*/python{major_minor}/config-{major_minor}*")),
    ]
    headers = _directories(says.get("INCLUDEPY"), prefix / "include" / name)
    loads = eval_loop_image(answer.maps, real_path)
    loads = None if loads == real_path else loads
    sonames = [says.get("INSTSONAME", ""), says.get("LDLIBRARY", ""), f"lib{name}.so.1.0", f"lib{name}.so"]
    shared = next((f"{place}/{so}" for place in libraries for so in sonames if is_elf(f"{place}/{so}")), loads)
    shared = shared and str(Path(shared).resolve())
    return Target(
        path=named,
        real_path=real_path,
        version=answer.version,
        build_id=build_id(real_path),
        program_loads=loads,
        shared_library=shared,
        shared_library_build_id=build_id(shared) if shared else None,
        static_library=_first_file(archives, f"lib{name}.a"),
        pic_library=_first_file(archives, f"lib{name}-pic.a"),
        include_dir=next((str(place) for place in headers if (place / "Python.h").is_file()), None),
        library_dir=next((str(place) for place in libraries), None),
        prefix=answer.base_prefix,
    )


def _directories(*claims: Path | str | None) -> list[Path]:
    return [Path(claim) for claim in claims if claim and Path(claim).is_dir()]


def _first_file(places: list[Path], name: str) -> str | None:
    return next((str(place / name) for place in places if (place / name).is_file()), None)
