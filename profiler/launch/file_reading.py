"""What any named file is, or what lies below a root: read, and never run."""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from pathlib import Path
from typing import Final, Literal

import msgspec

from profiler.errors import UsageError
from profiler.launch.binaries.archive import ARCHIVE_MAGIC, read_archive
from profiler.launch.binaries.dwarf import gcc_producers
from profiler.launch.binaries.elf import MAGIC, Elf, file_type, machine, read_elf
from profiler.launch.binaries.exports import exported
from profiler.launch.binaries.frozen import FrozenArchive, read_frozen
from profiler.launch.binaries.hardening import hardening_of
from profiler.launch.binaries.libpython import names_libpython
from profiler.launch.evidence import describe_archive, describe_elf
from profiler.launch.file_claims import Claim, lto_claim, optimisation_level, pgo_claim
from profiler.launch.file_inspection import debug_root, inspection_of, together
from profiler.launch.installation import Image, image_of, looks_like_python, read_installed
from profiler.launch.interpreters import default_python, installed_here
from profiler.model import Hardening, Inspection, Program
from profiler.system.home import expanded
from profiler.system.packages import owners
from profiler.system.rooted import HOST, Rooted

TIME_LIMIT_S: Final = 60.0
_BEHIND_A_ROOT = ("proc", "sys", "dev", "run")
"""Of a living container: they hold no files of the image's, and ``proc`` has no end."""
_PLACES = ("/usr/local/bin", "/usr/bin", "/bin")
_PYTHON = re.compile(r"python3(\.\d+)?[td]*")
_ARCHIVE = re.compile(r"libpython3[\w.]*(-pic)?\.a")
_INIT = re.compile(r"PyInit_(\w+)")
_KINDS = {"ET_REL": "an object file that was not linked yet", "ET_CORE": "a core dump"}
_EXPECTED = "expected is an ELF program or library, or a static archive"


def inspect_file(named: str | None, at: Rooted = HOST) -> Inspection:
    """What the file ``named`` is: an interpreter, a libpython, an extension module, a frozen program, any other ELF
    program or library, or a static archive. ``named`` is a path inside ``at``, or a command; None: ``python3``.

    Raises:
        UsageError: there is no such file, it is none of these, or it is damaged.
    """
    told, real = _found(_default(at) if named is None else named, at)
    try:
        if _head(real).startswith(ARCHIVE_MAGIC):
            return _of_archive(told, real, at)
        return _of_elf(told, real, at)
    except OSError as error:
        raise UsageError(f"{told} cannot be read: {error.strerror}", hint=f"look at ls -l {real}") from error


def inspect_root(at: Rooted) -> Inspection:
    """The interpreters below ``at``, each with its libraries, and the libpythons that belong to none of them.

    Damaged files are left out, as are those that are not reached within a minute.

    Raises:
        UsageError: there is none.
    """
    if not Path(at.directory).is_dir():
        raise UsageError(f"--root: there is no directory {at.directory}", hint="give the folder that is the other root")
    inspections: list[Inspection] = []
    seen: set[str] = set()
    found, complete = _pythons(at)
    for path in sorted(found, key=lambda path: (not looks_like_python(path), path)):
        if path in seen:
            continue
        try:
            inspection = inspect_file(at.inside(path), at)
        except UsageError:
            continue
        inspections.append(inspection)
        seen |= {program.real_path for program in inspection.programs}
    if not inspections:
        raise UsageError(
            f"there is no python3 and no libpython below {at.directory}",
            hint="give another --root, or the file inside it: tax-probe inspect --root DIR FILE",
        )
    all_ = together(inspections)
    if complete:
        return all_
    bound = f"Not all files below {at.directory} were reached in the {TIME_LIMIT_S:.0f} s allowed."
    return msgspec.structs.replace(all_, expectation=f"{all_.expectation}\n{bound}")


def _pythons(at: Rooted) -> tuple[list[str], bool]:
    """The real paths of regular files below ``at`` that are called as interpreters and libpythons are.

    Links are not followed: what they lead to inside is met in its own place. False: the time ran out.
    """
    deadline = time.monotonic() + TIME_LIMIT_S
    found: list[str] = []
    for directory, folders, names in os.walk(at.real("/") or "/"):
        if time.monotonic() > deadline:
            return found, False
        if directory == (at.real("/") or "/"):
            folders[:] = [folder for folder in folders if folder not in _BEHIND_A_ROOT]
        for name in names:
            if not (_PYTHON.fullmatch(name) or names_libpython(name) or _ARCHIVE.fullmatch(name)):
                continue
            path = f"{directory.rstrip('/')}/{name}"
            if not Path(path).is_symlink() and Path(path).is_file() and os.access(path, os.R_OK):
                found += [path] if _head(path).startswith((MAGIC, ARCHIVE_MAGIC)) else []
    return found, True


# ---------------------------------------------------------------- from a name to a file that can be read


def _default(at: Rooted) -> str:
    if at.whole:
        return default_python()
    return "python3"


def _found(named: str, at: Rooted) -> tuple[str, str]:
    """``named`` as it is to be told, and its real path; refused unless it is an ELF file or an archive."""
    told = _looked_up(named, at)
    real = at.real(str(Path(told).absolute()) if at.whole else told)
    try:
        mode = Path(real).stat().st_mode if real is not None else None
    except OSError:
        mode = None
    if real is None or mode is None:
        where = "" if at.whole else f" below {at.directory}"
        raise UsageError(f"there is no file {told}{where}", hint=installed_here() if at.whole else _EXPECTED)
    if stat.S_ISDIR(mode):
        inside = f"{told.rstrip('/')}/bin/python3"
        here = at.file(str(Path(inside).absolute())) is not None
        hint = (
            f"tax-probe inspect {inside}" if here else f"tax-probe inspect --root {real} reads all that lies below it"
        )
        raise UsageError(f"{told} is a directory", hint=hint)
    if not stat.S_ISREG(mode):
        what = "a named pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise UsageError(f"{told} is {what}, not a regular file", hint=_EXPECTED)
    if not os.access(real, os.R_OK):
        raise UsageError(f"{told} is not readable for you", hint=f"look at ls -l {real}")
    head = _head(real)
    if not head.startswith((MAGIC, ARCHIVE_MAGIC)):
        raise _neither(told, head)
    return told, real


def _looked_up(named: str, at: Rooted) -> str:
    if not at.whole:
        if os.sep in named:
            # Whoever completes a path in a shell gives it with the root in front.
            return at.inside(str(Path(named).absolute())) if Path(named).exists() else named
        places = (f"{place}/{named}" for place in _PLACES)
        found = next((place for place in places if at.file(place) is not None), None)
        if found is None:
            raise UsageError(f"there is no command {named} below {at.directory}", hint="give its path inside")
        return found
    if os.sep in named:
        return str(expanded(named))
    found = shutil.which(named) or (named if Path(named).exists() else None)
    if found is None:
        raise UsageError(f"there is no command {named} on PATH", hint=installed_here())
    return found


def _neither(told: str, head: bytes) -> UsageError:
    if not head.startswith(b"#!"):
        return UsageError(f"{told} is neither an ELF file nor a static archive", hint=_EXPECTED)
    interpreter = head[2:].partition(b"\n")[0].decode(errors="replace").strip()
    if b"PYENV_ROOT" in head:
        name = Path(told).name
        return UsageError(
            f"{told} is a pyenv shim, a shell script", hint=f"`pyenv which {name}` names the program behind"
        )
    return UsageError(
        f"{told} is a script for {interpreter}, not an ELF file", hint="name the program that it starts in the end"
    )


def _head(real: str) -> bytes:
    with Path(real).open("rb") as file:
        return file.read(4096)


# ---------------------------------------------------------------- what the file is


def _of_archive(told: str, real: str, at: Rooted) -> Inspection:
    archive = read_archive(real)
    package = owners([real], at).get(real)
    holds = archive.defines_eval_loop
    program = describe_archive(archive, package=package)
    if holds:
        said = f"{told} is a static libpython: a program linked with it holds the eval loop itself."
    else:
        said = f"{told} is a static archive without an eval loop: no CPython is in it."
        program = msgspec.structs.replace(
            program,
            static_libpython=False,
            pgo=None,
            evidence=("a static library in which no member defines an eval loop", *program.evidence[2:]),
        )
    program = msgspec.structs.replace(
        program, kind="archive", path=told, machine=None if archive.machine is None else _machine(archive.machine)
    )
    return Inspection(programs=(program,), contradictions=(), expectation=said)


def _machine(name: str) -> str:
    return name.removeprefix("EM_").lower()


def _of_elf(told: str, real: str, at: Rooted) -> Inspection:
    kind = file_type(real)
    if kind in _KINDS:
        raise UsageError(f"{told} is {_KINDS[kind]}, no program or library", hint=_EXPECTED)
    elf = read_elf(real)
    is_program = elf.pie or elf.fixed_address
    frozen = read_frozen(real) if is_program else None
    if frozen is not None:
        return _of_frozen(told, elf, frozen, at)
    if is_program and (looks_like_python(real) or looks_like_python(told)):
        installed = read_installed(told, elf, at)
        if installed is not None:
            found = inspection_of(
                msgspec.structs.replace(installed.target, path=told),
                elf,
                installed.sysconfig,
                _proof(elf, image_of(elf, at), installed.sysconfig_file),
                at,
            )
            return msgspec.structs.replace(found, programs=tuple(_completed(program) for program in found.programs))
    return _of_other(told, elf, at)


def _proof(elf: Elf, image: Image | None, claims: str | None) -> tuple[str, ...]:
    """How it is known whose eval loop a program runs, where it was not run."""
    if elf.eval_loop_at is not None:
        said = "read, not run: symbols are looked up in the program first, so it runs its own eval loop"
    elif image is not None:
        said = f"read, not run: it runs the eval loop of {image.path} ({image.how})"
    else:
        said = "read, not run"
    return (said, *((f"sysconfig's claims are read from {claims}",) if claims is not None else ()))


def _of_frozen(told: str, elf: Elf, frozen: FrozenArchive, at: Rooted) -> Inspection:
    program = _described(told, elf, "host", None, at)
    names = frozen.libraries or ((frozen.names_library,) if frozen.names_library else ())
    version = f" {frozen.version}" if frozen.version else ""
    holds = f"{told} is a program frozen by PyInstaller: it brings its own CPython{version}"
    if names:
        said = f"{holds}, {' and '.join(names)}, which it unpacks and loads when it starts."
        inside = f"names {' and '.join(names)}"
    else:
        said = f"{holds}; its table of contents names no libpython."
        inside = "names no libpython"
    evidence = (
        f"a frozen one-file program: PyInstaller's archive with {frozen.entries} entries is appended, and its table of"
        f" contents {inside}",
        "read, not unpacked: how that libpython was built is told by `tax-probe inspect` of the unpacked file",
        *program.evidence[1:],
    )
    program = msgspec.structs.replace(
        program, kind="frozen-program", loads_libpython=bool(names) or None, evidence=evidence
    )
    return Inspection(programs=(_completed(program),), contradictions=(), expectation=said)


def _of_other(told: str, elf: Elf, at: Rooted) -> Inspection:
    """A libpython, an extension module, a host, or what has nothing of Python's to be seen."""
    image = image_of(elf, at)
    loads = None if image is None or elf.eval_loop_at is not None else image.path
    is_program = elf.pie or elf.fixed_address
    named = next(filter(names_libpython, elf.needed), None)
    modules = [] if is_program else sorted(m.group(1) for name in exported(elf.path) if (m := _INIT.fullmatch(name)))
    program = _described(told, elf, "host" if is_program else "library", loads, at)
    own: tuple[str, ...] = ()
    kind: Literal["libpython", "extension-module", "host", "library", "program"]
    if not is_program and elf.eval_loop_at is not None:
        kind, said = "libpython", f"{told} is a libpython: programs that load it run its eval loop."
    elif modules and elf.eval_loop_at is None:
        kind = "extension-module"
        said, own = _of_module(told, elf, named, image, modules)
        program = msgspec.structs.replace(program, static_libpython=False, loads_libpython=named is not None)
    elif elf.eval_loop_at is not None:
        kind, said = "host", f"{told} is a program that holds its own eval loop."
    elif named is not None:
        kind = "host" if is_program else "library"
        runs = f"it runs the eval loop of {image.path}" if image is not None else f"{named} is not found here"
        said = f"{told} needs {named}: {runs}."
    else:
        kind = "program" if is_program else "library"
        said = (
            f"{told} shows nothing of a CPython: it defines no eval loop and names no libpython. It may open one itself"
            " (dlopen), which only its process would show."
        )
    proof = _proof(elf, image, None) if kind == "host" else ("read, not run",)
    program = msgspec.structs.replace(
        program,
        role="program" if kind == "program" else program.role,
        kind=kind,
        evidence=(program.evidence[0], *own, *proof, *program.evidence[1:]),
    )
    programs = [program]
    if loads is not None:
        library = read_elf(loads)
        described = _described(at.inside(loads), library, "library", None, at)
        programs.append(msgspec.structs.replace(described, kind="libpython"))
    return Inspection(programs=tuple(map(_completed, programs)), contradictions=(), expectation=said)


def _of_module(
    told: str, elf: Elf, named: str | None, image: Image | None, modules: list[str]
) -> tuple[str, tuple[str, ...]]:
    """What an extension module runs on."""
    called = f"{told} is an extension module ({', '.join(modules[:3])}{', …' if len(modules) > 3 else ''})"
    exports = f"it exports {', '.join(f'PyInit_{name}' for name in modules[:3])}"
    if named is None:
        return (
            f"{called}: it names no libpython and takes the C API from the program or library that loads it, whose eval"
            " loop runs.",
            (f"{exports} and needs no libpython: its symbols are resolved from its host",),
        )
    where = f"found at {image.path} ({image.how})" if image is not None else "not found here"
    return (
        f"{called} that needs {named}: in a program with an eval loop of its own that library is loaded in vain, and"
        " the program's symbols come first.",
        (f"{exports} and needs {named}, {where}",),
    )


def _described(told: str, elf: Elf, role: Literal["host", "library"], loads: str | None, at: Rooted) -> Program:
    package = owners([elf.path], at).get(elf.path)
    root = debug_root(elf, at)
    program = describe_elf(elf, role=role, path=told, package=package, loads=loads, debug_root=root)
    if elf.eval_loop_at is not None:
        return program
    # Of files that hold no eval loop debug information alone is asked: shares of cold code are known of CPythons.
    producers = gcc_producers(elf, root)
    pgo = (
        pgo_claim(elf, producers)
        if producers is not None
        else Claim(value=None, because="PGO unknown: no debug information of gcc's")
    )
    lto = lto_claim(elf, producers, package)
    level, because = optimisation_level(producers)
    return msgspec.structs.replace(
        program,
        pgo=pgo.value,
        lto=lto.value,
        optimisation_level=level,
        evidence=(*program.evidence, pgo.because, lto.because, because),
    )


def _completed(program: Program) -> Program:
    """With what it is built for and what hardens it."""
    if program.kind == "archive":
        return program
    built_for, hardening = machine(program.real_path), hardening_of(program.real_path)
    ours = machine("/proc/self/exe")
    foreign = () if built_for == ours else (f"built for {built_for}; this machine runs {ours}",)
    return msgspec.structs.replace(
        program, machine=built_for, hardening=hardening, evidence=(*program.evidence, *foreign, _hardened(hardening))
    )


def _hardened(seen: Hardening) -> str:
    words = [f"RELRO {seen.relro}"]
    words.append("stack protector" if seen.stack_protector else "no call of a stack protector")
    words.append(f"checked functions (_FORTIFY_SOURCE): {seen.fortified}")
    words += seen.branch_protection
    if seen.executable_stack:
        words.append("an executable stack")
    return f"hardening: {', '.join(words)}"
