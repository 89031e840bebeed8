"""What the symbols, and the notes of probes, of an ELF file show of a CPython in it."""

from __future__ import annotations

import re
from collections import Counter

from elftools.elf.elffile import ELFFile
from elftools.elf.hash import ELFHashSection, GNUHashSection
from elftools.elf.sections import NoteSection, Symbol, SymbolTableSection

from profiler.launch.binaries.elf_sections import section

EVAL_LOOP = "_PyEval_EvalFrameDefault"
"""The eval loop's function: exported by every CPython since 3.6 (PEP 523), also when built with LTO."""
DEBUG_BUILD = ("_Py_NegativeRefcount", "_Py_GetRefTotal", "_Py_RefTotal")
"""Exported by builds with Py_REF_DEBUG alone (Include/object.h): the first by all since 3.0."""

_C_API = re.compile(r"_?Py[A-Z_]")


def eval_loop_at(elf: ELFFile) -> int | None:
    """Address of the eval loop that the file defines; None when no symbol shows one."""
    return defined_at(elf, EVAL_LOOP)


def defined_at(elf: ELFFile, name: str) -> int | None:
    """Its address, by the hash table of the dynamic symbols; in a program that exports nothing, by ``.symtab``."""
    exported = exported_at(elf, name)
    if exported is not None:
        return exported
    # Most files have no such name: a search in the strings is some hundred times faster than one in the symbols.
    symbols = elf.get_section_by_name(".symtab")
    if isinstance(symbols, SymbolTableSection) and f"{name}\0".encode() in section(elf, ".strtab"):
        for symbol in symbols.get_symbol_by_name(name) or ():
            if symbol["st_shndx"] != "SHN_UNDEF":
                return int(symbol["st_value"])
    return None


def exported_at(elf: ELFFile, symbol: str) -> int | None:
    """Address of ``symbol`` by the hash tables of the dynamic symbols; None where the file does not define it."""
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


def own_api(elf: ELFFile, numbers: list[int]) -> int:
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


def python_probes(elf: ELFFile) -> tuple[tuple[str, int], ...]:
    """Name and number of sites of each probe of provider ``python``.

    A note's descriptor: three addresses, then provider, name and arguments, each ended by NUL (SystemTap's sdt.h).
    """
    notes = elf.get_section_by_name(".note.stapsdt")
    if not isinstance(notes, NoteSection):
        return ()
    addresses = 3 * elf.elfclass // 8
    said = [bytes(note["n_descdata"][addresses:]).split(b"\0") for note in notes.iter_notes()]
    sites = Counter(words[1].decode(errors="replace") for words in said if words[0] == b"python")
    return tuple(sorted(sites.items()))
