"""Reading one ELF file: facts as they stand in the file, no claims about them (``evidence`` makes those).

Nothing is executed, and no section is trusted to exist: distributions strip symbols and debug information.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct.core import ConstructError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section
from elftools.elf.segments import NoteSegment

from profiler.errors import UsageError
from profiler.launch.binaries.eh_frame import ENTRY_RULES, Frames, count_frames
from profiler.launch.binaries.elf_sections import contents, section
from profiler.launch.binaries.relocations import TLS_CALLS, for_the_loader
from profiler.launch.binaries.symbols import DEBUG_BUILD, defined_at, eval_loop_at, exported_at, own_api, python_probes
from profiler.model import Noun

MAGIC = b"\x7fELF"

_COMPILER = re.compile(rb"\[(GCC|Clang) [^\]\n\0]{1,80}\]")
"""What ``sys.version`` ends with (Python/getcompiler.c)."""
_DF_SYMBOLIC = 0x2
_DF_1_PIE = 0x08000000

DAMAGE = (
    *(ELFError, DWARFError, ConstructError),
    *(ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError),
    *(struct.error, MemoryError, OSError),
)
"""What pyelftools raises, besides its own errors, on files that are cut short or have bytes flipped."""


class Elf(Noun, frozen=True, kw_only=True):
    """What one ELF file says of itself."""

    path: str
    machine: str
    """``e_machine``, e.g. ``EM_X86_64``."""
    build_id: str | None
    fixed_address: bool
    """``ET_EXEC``: linked for one address."""
    pie: bool
    """A program (not a library) that runs at any address: ``ET_DYN`` with DF_1_PIE or an interpreter."""
    needed: tuple[str, ...]
    soname: str | None
    rpath: tuple[str, ...]
    """Directories of DT_RPATH as written; the loader ignores them where DT_RUNPATH exists (ld.so(8))."""
    runpath: tuple[str, ...]
    symbolic: bool
    """DT_SYMBOLIC or DF_SYMBOLIC: the file binds its own symbols to its own definitions."""
    text_relocations: bool
    own_api_slots: int | None
    """C API functions that the file itself defines and calls through the PLT (a JUMP_SLOT relocation names them).
    None: the machine's relocations are not known, or the file has no section headers."""
    own_api_addresses: int | None
    """Those whose address the loader puts into the GOT (GLOB_DAT): taken as a value, or called so (``-fno-plt``)."""
    tls_segment: bool
    tls_relocations: tuple[str, ...] | None
    """Roles (``relocations.Role``) of the TLS relocations left for the loader; None as above."""
    tls_get_addr: bool
    """Imports ``__tls_get_addr`` or its like, the call of the dynamic TLS models."""
    debug_build: bool | None
    """Exports what only a debug build has; None when its C API is not exported."""
    eval_loop_at: int | None
    """Address of the eval loop that the file defines; None when no symbol shows one."""
    python_probes: tuple[tuple[str, int], ...]
    """Name and number of sites of each USDT probe of provider ``python`` in ``.note.stapsdt``, by name."""
    frames: Frames | None
    """None: the file has no ``.eh_frame``."""
    landing_pads: bool
    """Has ``.gcc_except_table`` (C++, Rust): clean-up code is cold too, with or without a profile."""
    compilers: tuple[str, ...]
    """Strings of ``.comment``, or else CPython's own compiler string."""
    lists_eval_source: bool
    """``.symtab`` names ``ceval.c`` as a source file; link-time optimisation leaves no such names."""
    lto_names: bool
    """``.symtab`` has symbols that link-time optimisation renamed."""
    bolt: bool
    """Rewritten by BOLT after linking."""


def is_elf(path: str) -> bool:
    """Whether ``path`` is a readable file that begins with the ELF magic; a pipe is not opened, which would wait."""
    try:
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def machine(path: str) -> str:
    """The file's architecture, class and byte order, e.g. ``"x86_64 64-bit little-endian"``.

    This and the functions below raise UsageError when the file is damaged, and OSError when it cannot be opened.
    """
    with opened(path) as elf:
        order = "little" if elf.little_endian else "big"
        return f"{str(elf['e_machine']).removeprefix('EM_').lower()} {elf.elfclass}-bit {order}-endian"


def file_type(path: str) -> str:
    """``e_type``, e.g. ``"ET_DYN"``."""
    with opened(path) as elf:
        return str(elf["e_type"])


def build_id(path: str) -> str | None:
    """The GNU build-id in hex; None when the file has none or is not ELF."""
    if not is_elf(path):
        return None
    with opened(path) as elf:
        return _build_id(elf)


def holds_eval_loop(path: str) -> bool:
    """Whether a symbol of the file shows that it defines the eval loop; False when it is not ELF."""
    if not is_elf(path):
        return False
    with opened(path) as elf:
        return eval_loop_at(elf) is not None


def defines(path: str, symbol: str) -> bool:
    """Whether the file defines ``symbol`` for others (in its dynamic symbols)."""
    with opened(path) as elf:
        return exported_at(elf, symbol) is not None


def needed(path: str) -> tuple[str, ...]:
    """The libraries that the file names (DT_NEEDED); none when it is not ELF."""
    if not is_elf(path):
        return ()
    with opened(path) as elf:
        return tuple(dynamic_tags(elf).get("DT_NEEDED", ()))


@cache
def symbol_address(path: str, name: str) -> int | None:
    """Address of an exported symbol as the file has it; None when the file does not define it, or is not ELF."""
    if not is_elf(path):
        return None
    with opened(path) as elf:
        return exported_at(elf, name)


def load_bias(path: str, start: int) -> int:
    """What to add to the file's addresses when its first page is mapped at ``start``; 0 for a fixed program."""
    return start - _first_page(path)


@cache
def _first_page(path: str) -> int:
    with opened(path) as elf:
        first = min(segment["p_vaddr"] for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD")
        return int(first // mmap.PAGESIZE * mmap.PAGESIZE)


def read_elf(path: str) -> Elf:
    """Read all facts of one file (some 50 ms for a CPython)."""
    with opened(path) as elf:
        return _facts(elf, path)


@contextmanager
def opened(path: str) -> Iterator[ELFFile]:
    """One file, read as ELF.

    Raises:
        UsageError: it is damaged.
    """
    with Path(path).open("rb") as file:
        try:
            elf = ELFFile(file)
            _check_tables(elf)
            yield elf
        except DAMAGE as error:
            said = str(error) or type(error).__name__
            raise UsageError(f"{path} is a damaged ELF file: {said}", hint="name an intact file") from error


def _check_tables(elf: ELFFile) -> None:
    """Refuse tables of headers that end behind the file's end: their sizes are loop bounds."""
    for table, count, at in (("section", elf.num_sections(), "e_shoff"), ("program", elf.num_segments(), "e_phoff")):
        size = int(elf["e_shentsize" if table == "section" else "e_phentsize"])
        if count and (size == 0 or elf[at] + count * size > elf.stream_len):
            raise ValueError(f"its {count} {table} headers do not end within the file")


def _facts(elf: ELFFile, path: str) -> Elf:
    dynamic = dynamic_tags(elf)
    flags = dynamic.get("DT_FLAGS", [0])[0]
    is_program = bool(dynamic.get("DT_FLAGS_1", [0])[0] & _DF_1_PIE) or _has_segment(elf, "PT_INTERP")
    loaders = for_the_loader(elf) if elf.num_sections() else None
    names = section(elf, ".strtab")
    frames = elf.get_section_by_name(".eh_frame")
    held_at = eval_loop_at(elf)
    return Elf(
        path=path,
        machine=str(elf["e_machine"]),
        build_id=_build_id(elf),
        fixed_address=elf["e_type"] == "ET_EXEC",
        pie=elf["e_type"] == "ET_DYN" and is_program and "DT_SONAME" not in dynamic,
        needed=tuple(dynamic.get("DT_NEEDED", ())),
        soname=dynamic.get("DT_SONAME", [None])[0],
        rpath=_directories(dynamic.get("DT_RPATH")),
        runpath=_directories(dynamic.get("DT_RUNPATH")),
        symbolic="DT_SYMBOLIC" in dynamic or bool(flags & _DF_SYMBOLIC),
        text_relocations="DT_TEXTREL" in dynamic,
        own_api_slots=None if loaders is None else own_api(elf, loaders.get("jump-slot", [])),
        own_api_addresses=None if loaders is None else own_api(elf, loaders.get("glob-dat", [])),
        tls_segment=_has_segment(elf, "PT_TLS"),
        tls_relocations=None if loaders is None else tuple(sorted(set(loaders) - {"jump-slot", "glob-dat"})),
        tls_get_addr=any(b"\0%s\0" % name in section(elf, ".dynstr") for name in TLS_CALLS),
        debug_build=None if held_at is None else any(defined_at(elf, name) is not None for name in DEBUG_BUILD),
        eval_loop_at=held_at,
        python_probes=python_probes(elf),
        frames=eh_frames(elf, frames) if frames is not None else None,
        landing_pads=elf.get_section_by_name(".gcc_except_table") is not None,
        compilers=_compilers(elf),
        lists_eval_source=b"\0ceval.c\0" in names,
        lto_names=re.search(rb"\.lto_priv\.|\.llvm\.\d", names) is not None,
        bolt=elf.get_section_by_name(".bolt.org.text") is not None,
    )


def eh_frames(elf: ELFFile, section: Section) -> Frames | None:
    """The counted entries of ``elf``'s section ``.eh_frame``; None: it is not known how the machine enters a function.

    Raises:
        ValueError: the section is damaged.
    """
    entry = ENTRY_RULES.get(str(elf["e_machine"]))
    if entry is None:
        return None
    return count_frames(contents(section), address_size=elf.elfclass // 8, little_endian=elf.little_endian, entry=entry)


def _has_segment(elf: ELFFile, kind: str) -> bool:
    return next(elf.iter_segments(kind), None) is not None


def dynamic_tags(elf: ELFFile) -> dict[str, list[Any]]:
    """The dynamic tags: names for those that name something, else the number."""
    tags: dict[str, list[Any]] = {}
    for segment in elf.iter_segments("PT_DYNAMIC"):
        assert isinstance(segment, DynamicSegment)
        for tag in segment.iter_tags():
            kind = str(tag.entry.d_tag)
            value = getattr(tag, kind.removeprefix("DT_").lower(), tag.entry.d_val)
            tags.setdefault(kind, []).append(value)
    return tags


def _directories(values: list[Any] | None) -> tuple[str, ...]:
    return tuple(part for value in values or () for part in str(value).split(":") if part)


def _build_id(elf: ELFFile) -> str | None:
    for segment in elf.iter_segments("PT_NOTE"):
        assert isinstance(segment, NoteSegment)
        for note in segment.iter_notes():
            if note["n_type"] == "NT_GNU_BUILD_ID":
                return str(note["n_desc"])
    return None


def own_compilers(code: bytes | mmap.mmap) -> tuple[str, ...]:
    """The compiler as CPython itself names it in ``code``: still there when ``.comment`` is stripped."""
    return tuple(dict.fromkeys(match.group(0).decode(errors="replace") for match in _COMPILER.finditer(code)))


def _compilers(elf: ELFFile) -> tuple[str, ...]:
    comment = [part.decode(errors="replace") for part in section(elf, ".comment").split(b"\0") if part]
    return tuple(dict.fromkeys(comment)) or own_compilers(section(elf, ".rodata"))
