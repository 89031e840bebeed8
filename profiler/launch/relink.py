"""A shared libpython linked from the very objects of ``libpythonX.Y-pic.a``, as the target's own library is linked.

A program that is linked with these objects and a host on this library run the same machine code but for what the link
makes of it: in a program the linker replaces each call for a thread-local variable by an offset (Drepper, "ELF Handling
For Thread-Local Storage", section 5), in a library it cannot. So the difference of the two is the price of the calls.
"""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from profiler.errors import MachineError
from profiler.launch.archive import bodies
from profiler.launch.elf import needed, read_elf
from profiler.launch.interpreters import ask
from profiler.launch.logged import Failed, run_logged
from profiler.model import Noun, Target

_TIME_LIMIT_S = 300.0
_LOADER_AND_LIBC = ("libc.so", "ld-linux", "ld64", "ld-musl", "libpython")
"""Beginnings of the names that the compiler links itself."""
_UNDEFINED = re.compile(r"undefined (?:reference to|symbol:?) [`'\"]?([A-Za-z_][\w.$]*)")
"""As GNU ld, gold, mold and lld say it."""
_MODULE = "PyInit_"
_ROUNDS = 3
"""Leaving members out leaves others without what these define; Debian's archives need two links."""

_STUB = """\
extern void *PyExc_ImportError;
extern void PyErr_SetString(void *, const char *);
void *{name}(void)
{{
    PyErr_SetString(PyExc_ImportError, "{module} is not in the archive that this library was linked from");
    return 0;
}}
"""


class Member(Noun, frozen=True, kw_only=True):
    """The symbols of one object of an archive."""

    defines: frozenset[str]
    needs: frozenset[str]


def relinked(target: Target, *, cache_dir: Path | None = None) -> Path:
    """The library, linked now or taken from the user's cache; the file has the soname of the target's library.

    Raises:
        MachineError: the target has no such archive or no library, there is no compiler, or the objects cannot be
            linked; one line, the linker's own words are in the log that the hint names.
    """
    if target.pic_library is None or target.shared_library is None:
        missing = "-pic.a" if target.pic_library is None else ".so"
        raise MachineError(f"no libpython{missing} for {target.real_path}")
    archive = Path(target.pic_library).resolve()
    soname = read_elf(target.shared_library).soname or Path(target.shared_library).name
    command = _command(target, soname)
    place = (cache_dir or user_cache_path("tax-probe")) / "relinked"
    try:
        status = archive.stat()
        ingredients = [str(archive), status.st_size, status.st_mtime_ns, command, _STUB]
        key = f"{target.version}-{hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:16]}"
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / f"{key}.lock", timeout=2 * _TIME_LIMIT_S):
            library = place / key / soname
            if not library.is_file():
                _link(archive, command, library, place / f"{key}.log")
            return library
    except Timeout:
        raise MachineError(f"another process has been linking {key} for long", hint="end it, then try again") from None
    except OSError as error:
        raise MachineError(
            f"cannot write the cache {place}: {error}", hint="set XDG_CACHE_HOME to another directory"
        ) from error


def _command(target: Target, soname: str) -> tuple[str, ...]:
    """The link as sysconfig has it (BLDSHARED), with the libraries that the target's own library names.

    Of its words those for the linker are taken: the compiler's own change no machine code of finished objects.
    """
    assert target.shared_library is not None
    words = str(ask(target.real_path).sysconfig.get("BLDSHARED") or "").split()
    compiler = next((path for name in (*words[:1], "gcc", "cc") if (path := shutil.which(name)) is not None), None)
    if compiler is None:
        raise MachineError("no compiler to link with", hint="Debian, Ubuntu: apt-get install gcc")
    libraries = [name for name in needed(target.shared_library) if not name.startswith(_LOADER_AND_LIBC)]
    return (
        *(compiler, "-shared", "-fno-lto", f"-Wl,-soname,{soname}", "-Wl,-z,defs"),
        *(word for word in words if word.startswith("-Wl,")),
        "@objects",
        *(f"-l:{name}" for name in libraries),
    )


def _link(archive: Path, command: tuple[str, ...], library: Path, log: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parents[1], prefix=f".{library.parent.name}-") as name:
        scratch = Path(name)
        members = _extract(archive, scratch)
        log.write_text(f"# {archive}: {len(members)} objects\n", encoding="utf-8")
        absent: set[str] = set()
        for _ in range(_ROUNDS):
            out = [name for name, member in members.items() if member.needs & absent]
            kept = [name for name in members if name not in out]
            stubs = stubbed(members, out)
            sources = "".join(_STUB.format(name=stub, module=stub.removeprefix(_MODULE)) for stub in sorted(stubs))
            (scratch / "stubs.c").write_text(sources, encoding="utf-8")
            objects = [*kept, *(["stubs.c"] if stubs else [])]
            (scratch / "objects").write_text("\n".join(objects) + "\n", encoding="utf-8")
            arguments = (*command, "-fPIC", "-o", "linked")
            with log.open("a", encoding="utf-8") as file:
                file.write(
                    f"# {' '.join(arguments)}\n# left out: {len(out)}; import fails: {', '.join(sorted(stubs))}\n"
                )
            try:
                environment = os.environ | {"LC_ALL": "C"}
                run_logged(arguments, cwd=scratch, log=log, timeout_s=_TIME_LIMIT_S, env=environment)
            except Failed as error:
                found = set(_UNDEFINED.findall("\n".join(error.lines)))
                if not found - absent:
                    raise _failure(error, log) from None
                absent |= found
                continue
            (scratch / "filled").mkdir()
            (scratch / "linked").replace(scratch / "filled" / library.name)
            shutil.rmtree(library.parent, ignore_errors=True)
            (scratch / "filled").replace(library.parent)
            return
    raise MachineError(f"the objects of {archive} need symbols that are nowhere", hint=f"the linker's words: {log}")


def stubbed(members: dict[str, Member], out: Iterable[str]) -> frozenset[str]:
    """Which ``PyInit_…`` of the members left ``out`` the others refer to: their import must fail, not the link."""
    gone = frozenset(out)
    wanted = {symbol for name, member in members.items() if name not in gone for symbol in member.needs}
    lost = {symbol for name in gone for symbol in members[name].defines}
    return frozenset(symbol for symbol in wanted & lost if symbol.startswith(_MODULE))


def _extract(archive: Path, folder: Path) -> dict[str, Member]:
    """Write the objects of ``archive`` as ``0001.o``, … and read their global symbols."""
    found = {}
    try:
        with archive.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            for number, body in enumerate(bodies(held), 1):
                name = f"{number:04d}.o"
                (folder / name).write_bytes(body)
                found[name] = _symbols(body)
    except (ELFError, ValueError) as error:
        raise MachineError(f"{archive} is a damaged archive: {error}", hint="install the package again") from error
    return found


def _symbols(body: bytes) -> Member:
    table = ELFFile(io.BytesIO(body)).get_section_by_name(".symtab")
    symbols = list(table.iter_symbols()) if isinstance(table, SymbolTableSection) else []
    outward = [symbol for symbol in symbols if symbol["st_info"]["bind"] != "STB_LOCAL" and symbol.name]
    return Member(
        defines=frozenset(one.name for one in outward if one["st_shndx"] != "SHN_UNDEF"),
        needs=frozenset(one.name for one in outward if one["st_shndx"] == "SHN_UNDEF"),
    )


def _failure(error: Failed, log: Path) -> MachineError:
    said = error.said.splitlines()[0]
    return MachineError(f"the objects cannot be linked as a library: {said}", hint=f"all of the linker's words: {log}")
