"""Reading one ELF file: facts as they stand in the file, no claims about them (``evidence`` makes those).

Nothing is executed, and no section is trusted to exist: distributions strip symbols and debug information.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.hash import ELFHashSection, GNUHashSection
from elftools.elf.sections import NoteSection, Section, Symbol, SymbolTableSection
from elftools.elf.segments import NoteSegment

from profiler.errors import UsageError
from profiler.launch.eh_frame import ENTRY_RULES, Frames, count_frames
from profiler.launch.relocations import TLS_CALLS, for_the_loader
from profiler.model import Noun

MAGIC = b"\x7fELF"
EVAL_LOOP = "_PyEval_EvalFrameDefault"
"""The eval loop's function: exported by every CPython since 3.6 (PEP 523), also when built with LTO."""

_C_API = re.compile(r"_?Py[A-Z_]")
_COMPILER = re.compile(rb"\[(GCC|Clang) [^\]\n\0]{1,80}\]")
"""What ``sys.version`` ends with (Python/getcompiler.c)."""
_DF_SYMBOLIC = 0x2
_DF_1_PIE = 0x08000000

DEBUG_BUILD = ("_Py_NegativeRefcount", "_Py_GetRefTotal", "_Py_RefTotal")
"""Exported by builds with Py_REF_DEBUG alone (Include/object.h): the first by all since 3.0."""

DAMAGE = (
    *(ELFError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError),
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
    """Whether ``path`` is a readable file that begins with the ELF magic."""
    try:
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
        return _eval_loop_at(elf) is not None


def defines(path: str, symbol: str) -> bool:
    """Whether the file defines ``symbol`` for others (in its dynamic symbols)."""
    with opened(path) as elf:
        return _exported_at(elf, symbol) is not None


def needed(path: str) -> tuple[str, ...]:
    """The libraries that the file names (DT_NEEDED); none when it is not ELF."""
    if not is_elf(path):
        return ()
    with opened(path) as elf:
        return tuple(_dynamic(elf).get("DT_NEEDED", ()))


@cache
def symbol_address(path: str, name: str) -> int | None:
    """Address of an exported symbol as the file has it; None when the file does not define it, or is not ELF."""
    if not is_elf(path):
        return None
    with opened(path) as elf:
        return _exported_at(elf, name)


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


def contents(section: Section) -> bytes:
    """The bytes of a section; none where it occupies none in the file.

    Raises:
        ValueError: it lies outside the file.
    """
    if section["sh_type"] == "SHT_NOBITS":
        return b""
    if section["sh_offset"] + section["sh_size"] > section.elffile.stream_len:
        raise ValueError(f"its section {section.name} does not end within the file")
    return bytes(section.data())


def _facts(elf: ELFFile, path: str) -> Elf:
    dynamic = _dynamic(elf)
    flags = dynamic.get("DT_FLAGS", [0])[0]
    is_program = bool(dynamic.get("DT_FLAGS_1", [0])[0] & _DF_1_PIE) or _has_segment(elf, "PT_INTERP")
    loaders = for_the_loader(elf) if elf.num_sections() else None
    names = _section(elf, ".strtab")
    frames = elf.get_section_by_name(".eh_frame")
    eval_loop_at = _eval_loop_at(elf)
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
        own_api_slots=None if loaders is None else _own_api(elf, loaders.get("jump-slot", [])),
        own_api_addresses=None if loaders is None else _own_api(elf, loaders.get("glob-dat", [])),
        tls_segment=_has_segment(elf, "PT_TLS"),
        tls_relocations=None if loaders is None else tuple(sorted(set(loaders) - {"jump-slot", "glob-dat"})),
        tls_get_addr=any(b"\0%s\0" % name in _section(elf, ".dynstr") for name in TLS_CALLS),
        debug_build=None if eval_loop_at is None else any(_defined_at(elf, name) is not None for name in DEBUG_BUILD),
        eval_loop_at=eval_loop_at,
        python_probes=_python_probes(elf),
        frames=eh_frames(elf, frames) if frames is not None else None,
        landing_pads=elf.get_section_by_name(".gcc_except_table") is not None,
        compilers=_compilers(elf),
        lists_eval_source=b"\0ceval.c\0" in names,
        lto_names=re.search(rb"\.lto_priv\.|\.llvm\.\d", names) is not None,
        bolt=elf.get_section_by_name(".bolt.org.text") is not None,
    )


def _section(elf: ELFFile, name: str) -> bytes:
    section = elf.get_section_by_name(name)
    return b"" if section is None else contents(section)


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


def _dynamic(elf: ELFFile) -> dict[str, list[Any]]:
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


def _eval_loop_at(elf: ELFFile) -> int | None:
    return _defined_at(elf, EVAL_LOOP)


def _defined_at(elf: ELFFile, name: str) -> int | None:
    """By the hash table of the dynamic symbols; in a program that exports nothing, by ``.symtab``."""
    exported = _exported_at(elf, name)
    if exported is not None:
        return exported
    # Most files have no such name: a search in the strings is some hundred times faster than one in the symbols.
    symbols = elf.get_section_by_name(".symtab")
    if isinstance(symbols, SymbolTableSection) and f"{name}\0".encode() in _section(elf, ".strtab"):
        for symbol in symbols.get_symbol_by_name(name) or ():
            if symbol["st_shndx"] != "SHN_UNDEF":
                return int(symbol["st_value"])
    return None


def _exported_at(elf: ELFFile, symbol: str) -> int | None:
    for name in (".gnu.hash", ".hash"):
        table = elf.get_section_by_name(name)
        if isinstance(table, ELFHashSection | GNUHashSection):
            found = _looked_up(elf, table, symbol) if isinstance(table, ELFHashSection) else table.get_symbol(symbol)
            if found is not None and found["st_shndx"] != "SHN_UNDEF":
                return int(found["st_value"])
    return None


def _looked_up(elf: ELFFile, table: ELFHashSection, name: str) -> Symbol | None:
    """As the table's own look-up (System V ABI, "Hash Table"), which runs for ever on a chain that is a circle."""
    symbols = elf.get_section(table["sh_link"])
    buckets, chains = table.params["buckets"], table.params["chains"]
    if not buckets or not isinstance(symbols, SymbolTableSection):
        return None
    number = buckets[table.elf_hash(name) % len(buckets)]
    for _ in chains:
        if number == 0:
            break
        symbol = symbols.get_symbol(number)
        if symbol.name == name:
            return symbol
        number = chains[number]
    return None


def _own_api(elf: ELFFile, numbers: list[int]) -> int:
    """How many functions of the C API, defined by the file itself, are among the dynamic symbols ``numbers``."""
    table = elf.get_section_by_name(".dynsym")
    if not isinstance(table, SymbolTableSection):
        return 0
    symbols = [table.get_symbol(number) for number in set(numbers)]
    return sum(
        symbol["st_shndx"] != "SHN_UNDEF"
        and symbol["st_info"]["type"] == "STT_FUNC"
        and _C_API.match(symbol.name) is not None
        for symbol in symbols
    )


def _python_probes(elf: ELFFile) -> tuple[tuple[str, int], ...]:
    """Descriptor: three addresses, then provider, name and arguments, each ended by NUL (SystemTap's sdt.h)."""
    section = elf.get_section_by_name(".note.stapsdt")
    if not isinstance(section, NoteSection):
        return ()
    addresses = 3 * elf.elfclass // 8
    said = [bytes(note["n_descdata"][addresses:]).split(b"\0") for note in section.iter_notes()]
    sites = Counter(one[1].decode(errors="replace") for one in said if one[0] == b"python")
    return tuple(sorted(sites.items()))


def own_compilers(code: bytes | mmap.mmap) -> tuple[str, ...]:
    """The compiler as CPython itself names it in ``code``: still there when ``.comment`` is stripped."""
    return tuple(dict.fromkeys(match.group(0).decode(errors="replace") for match in _COMPILER.finditer(code)))


def _compilers(elf: ELFFile) -> tuple[str, ...]:
    comment = [part.decode(errors="replace") for part in _section(elf, ".comment").split(b"\0") if part]
    return tuple(dict.fromkeys(comment)) or own_compilers(_section(elf, ".rodata"))
