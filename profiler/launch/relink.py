"""A shared libpython linked from the very objects of ``libpythonX.Y-pic.a``, as the target's own library is linked.

A program that is linked with these objects and a host on this library run the same machine code but for what the link
makes of it: in a program the linker replaces each call for a thread-local variable by an offset (Drepper, "ELF Handling
For Thread-Local Storage", section 5), in a library it cannot. So the difference of the two is the price of the calls.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

from profiler.errors import MachineError
from profiler.launch.binaries.elf import needed, read_elf
from profiler.launch.interpreters import ask
from profiler.launch.stand_ins import SOURCE as STAND_INS
from profiler.launch.stand_ins import mend
from profiler.model import Target
from profiler.system.build_environment import for_builders
from profiler.system.home import cache_folder
from profiler.system.install import how_to_install
from profiler.system.logged import Failed, run_logged

_TIME_LIMIT_S = 300.0
_LOADER_AND_LIBC = ("libc.so", "ld-linux", "ld64", "ld-musl", "libpython")
"""Beginnings of the names that the compiler links itself."""


def relinked(target: Target, *, cache_dir: Path | None = None) -> Path:
    """The library, linked now or taken from the user's cache; the file has the soname of the target's library.

    Raises:
        MachineError: the target has no such archive or no library, there is no compiler, or the objects cannot be
            linked; one line, the linker's own words are in the log that the hint names.
    """
    if target.pic_library is None or target.shared_library is None:
        missing = "-pic.a" if target.pic_library is None else ".so"
        raise MachineError(f"no libpython{missing} for {target.real_path}", hint=how_to_install("headers"))
    archive = Path(target.pic_library).resolve()
    soname = read_elf(target.shared_library).soname or Path(target.shared_library).name
    command = _command(target, soname)
    place = (cache_dir or cache_folder()) / "relinked"
    try:
        status = archive.stat()
        ingredients = [str(archive), status.st_size, status.st_mtime_ns, command, STAND_INS]
        key = f"{target.version}-{hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:16]}"
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / f"{key}.lock", timeout=2 * _TIME_LIMIT_S):
            library = place / key / soname
            if not library.is_file():
                _link(target, archive, command, library, place / f"{key}.log")
            return library
    except Timeout:
        raise MachineError(f"another process has been linking {key} for long", hint="end it, then try again") from None
    except OSError as error:
        raise MachineError(
            f"cannot write the cache {place}: {error}", hint="set XDG_CACHE_HOME to another directory"
        ) from error


def _command(target: Target, soname: str) -> tuple[str, ...]:
    """The beginning of the link, as sysconfig has it (BLDSHARED).

    Of its words those for the linker are taken: the compiler's own change no machine code of finished objects.
    """
    words = str(ask(target.real_path).sysconfig.get("BLDSHARED") or "").split()
    compiler = next((path for name in (*words[:1], "gcc", "cc") if (path := shutil.which(name)) is not None), None)
    if compiler is None:
        raise MachineError("no compiler to link with", hint=how_to_install("compiler"))
    return (
        *(compiler, "-shared", "-fno-lto", f"-Wl,-soname,{soname}", "-Wl,-z,defs"),
        *(word for word in words if word.startswith("-Wl,")),
    )


def _link(target: Target, archive: Path, command: tuple[str, ...], library: Path, log: Path) -> None:
    assert target.shared_library is not None
    libraries = [name for name in needed(target.shared_library) if not name.startswith(_LOADER_AND_LIBC)]
    with tempfile.TemporaryDirectory(dir=library.parents[1], prefix=f".{library.parent.name}-") as name:
        scratch = Path(name)
        log.write_text(f"# {archive} as {library.name}\n", encoding="utf-8")
        mended = mend(archive, "pic", libraries=libraries, scratch=scratch, log=log)
        filled = scratch / "filled"
        filled.mkdir()
        arguments = (
            *command,
            *("-Wl,--whole-archive", str(archive) if mended is None else mended.archive, "-Wl,--no-whole-archive"),
            *(f"-l:{library}" for library in libraries),
            *("-o", str(filled / library.name)),
        )
        with log.open("a", encoding="utf-8") as file:
            file.write(f"# {' '.join(arguments)}\n")
        try:
            run_logged(arguments, cwd=scratch, log=log, timeout_s=_TIME_LIMIT_S, env=for_builders(os.environ))
        except Failed as error:
            raise _failure(error, log) from None
        shutil.rmtree(library.parent, ignore_errors=True)
        filled.replace(library.parent)


def _failure(error: Failed, log: Path) -> MachineError:
    said = error.said.splitlines()[0]
    return MachineError(f"the objects cannot be linked as a library: {said}", hint=f"all of the linker's words: {log}")
