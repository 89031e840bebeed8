"""Stand-ins for built-in modules whose objects a static libpython lacks.

From 3.13 on, Debian's archives hold ``sha2module.o`` and, since 3.14, four more of its kind, but not the objects of the
HACL* library that these call: a program that takes all of the archive cannot be linked. The linker itself says what is
missing, the archive which modules need it. In a copy of the archive the initialisation of these raises ImportError
instead, for which Python's own library is prepared (``hashlib`` and ``random`` then ask OpenSSL).
"""

from __future__ import annotations

import io
import mmap
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from profiler.errors import MachineError
from profiler.launch.binaries.archive import members
from profiler.launch.binaries.elf import MAGIC
from profiler.model import LinkMode, Noun
from profiler.system.build_environment import for_builders
from profiler.system.install import how_to_install
from profiler.system.logged import Failed, run_logged

SOURCE = """\
extern void *PyExc_ImportError;
extern void PyErr_SetString(void *, const char *);
#define STAND_IN(name) \\
    void *PyInit_##name(void) \\
    { \\
        PyErr_SetString(PyExc_ImportError, "libpython was packaged without the objects of " #name); \\
        return 0; \\
    }
"""
"""What the stand-ins are made of, followed by a ``STAND_IN(name)`` for each."""
MISSING = re.compile(r"undefined (?:reference to|symbol:) [`'\"]?([\w.@$]+)")
"""How GNU's linkers, lld and mold name a symbol that nothing defines."""

_INIT = "PyInit_"
_BASE_LIBRARIES = ("-lutil", "-lrt", "-lpthread", "-lm", "-ldl")
"""What rustc links into every program beside its own library."""
_TIMEOUT_S = 300.0


class Needy(Noun, frozen=True, kw_only=True):
    """One object of an archive that needs a symbol which is nowhere to be had."""

    name: str
    modules: tuple[str, ...]
    """The Python modules of which it holds the initialisation."""


class Mended(Noun, frozen=True, kw_only=True):
    """A copy of an archive that links, and the modules that stand-ins took the place of."""

    archive: str
    modules: tuple[str, ...]


def mend(
    archive: Path,
    link: LinkMode,
    *,
    libraries: Sequence[str],
    scratch: Path,
    log: Path,
    tools: tuple[str | None, str | None] = (None, None),
) -> Mended | None:
    """A copy of ``archive`` in ``scratch`` with stand-ins for the modules that cannot be linked.

    ``libraries`` are the names (``libz.so.1``) that the archive's objects need, ``tools`` the C compiler that links and
    the ``ar`` where these are another machine's. What the linker says goes to the file ``log`` (appended).

    Returns:
        None where nothing is missing, or what is missing is needed by more than modules: then no copy would help.

    Raises:
        MachineError: the archive is damaged, or a tool that makes the copy is missing or fails.
    """
    compiler, ar = tools[0] or _tool("cc", "gcc"), tools[1] or _tool("ar", "gcc-ar")
    missing = _missing(_whole(compiler, archive, link, libraries), scratch, log)
    broken = needing(archive, missing) if missing else ()
    modules = tuple(sorted(module for member in broken for module in member.modules))
    if not modules or not all(member.modules for member in broken):
        return None
    with log.open("a", encoding="utf-8") as file:
        file.write(f"# stand-ins take the place of {', '.join(modules)}\n")
    source = scratch / "stand_ins.c"
    source.write_text(SOURCE + "".join(f"STAND_IN({module})\n" for module in modules), encoding="utf-8")
    copy = scratch / "linked" / archive.name
    copy.parent.mkdir()
    shutil.copyfile(archive, copy)
    position = "-fno-pie" if link == "static" else "-fPIC"
    _make((compiler, "-O2", position, "-c", "stand_ins.c", "-o", "stand_ins.o"), scratch, log)
    _make((ar, "d", str(copy), *(member.name for member in broken)), scratch, log)
    _make((ar, "rs", str(copy), "stand_ins.o"), scratch, log)
    return Mended(archive=str(copy), modules=modules)


def needing(archive: Path, missing: frozenset[str]) -> tuple[Needy, ...]:
    """The ELF objects of ``archive`` that need a symbol of ``missing``, in their order.

    Raises:
        MachineError: the archive is thin or damaged.
    """
    names = [symbol.encode() + b"\0" for symbol in missing]
    found = []
    try:
        with archive.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            for name, body in members(held):
                # Reading every symbol of an archive takes seconds, looking for a few strings does not.
                if body.startswith(MAGIC) and any(symbol in body for symbol in names):
                    defined, undefined = _symbols(body)
                    if undefined & missing:
                        found.append(Needy(name=name, modules=_modules(defined)))
    except (ELFError, ValueError) as error:
        raise MachineError(f"{archive} is a damaged archive: {error}", hint="install the package again") from error
    return tuple(found)


def _symbols(body: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """The global symbols that an object defines, and those that it needs; weak ones may stay undefined."""
    section = ELFFile(io.BytesIO(body)).get_section_by_name(".symtab")
    defined, undefined = set(), set()
    for symbol in section.iter_symbols() if isinstance(section, SymbolTableSection) else ():
        binding = symbol["st_info"]["bind"]
        if symbol["st_shndx"] != "SHN_UNDEF" and binding != "STB_LOCAL":
            defined.add(symbol.name)
        elif symbol["st_shndx"] == "SHN_UNDEF" and binding == "STB_GLOBAL":
            undefined.add(symbol.name)
    return frozenset(defined), frozenset(undefined)


def _modules(defined: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(name.removeprefix(_INIT) for name in defined if name.startswith(_INIT)))


def _whole(compiler: str, archive: Path, link: LinkMode, libraries: Sequence[str]) -> tuple[str, ...]:
    """The command that links an empty program with all of ``archive``, as rustc will link a host."""
    return (
        *(compiler, "empty.c", "-o", "empty"),
        "-no-pie" if link == "static" else "-pie",
        *("-Wl,--export-dynamic", "-Wl,--whole-archive", str(archive), "-Wl,--no-whole-archive"),
        *(f"-l:{name}" for name in libraries),
        *_BASE_LIBRARIES,
    )


def _missing(command: Sequence[str], scratch: Path, log: Path) -> frozenset[str]:
    """The symbols that the linked program would lack, as the linker says."""
    (scratch / "empty.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    try:
        _run(command, scratch, log)
    except Failed as error:
        found = (MISSING.search(line) for line in error.lines)
        return frozenset(match.group(1) for match in found if match)
    return frozenset()


def _make(command: Sequence[str], scratch: Path, log: Path) -> None:
    try:
        _run(command, scratch, log)
    except Failed as error:
        message = f"stand-ins for modules that cannot be linked: {Path(command[0]).name} failed (exit {error.exit})"
        raise MachineError(message, hint=f"what it said is in {log}") from error


def _run(command: Sequence[str], scratch: Path, log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"# {' '.join(command)}\n")
    run_logged(command, cwd=scratch, log=log, timeout_s=_TIMEOUT_S, env=for_builders(os.environ))


def _tool(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise MachineError(f"no {names[0]}, by which programs are linked", hint=how_to_install("compiler"))
    return found
