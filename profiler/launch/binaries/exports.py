"""The symbols of one ELF file that other files can bind to."""

from __future__ import annotations

from elftools.elf.gnuversions import GNUVerDefSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection

from profiler.launch.binaries.elf import opened

_VERSION_INDEX = 0x7FFF
"""The bits of a version index beside the hidden flag (LSB, "Symbol Version Table")."""


def exported(path: str) -> frozenset[str]:
    """The symbols that other files can bind to, ``name`` or ``name@version``."""
    with opened(path) as elf:
        table, versions = elf.get_section_by_name(".dynsym"), elf.get_section_by_name(".gnu.version")
        defined = elf.get_section_by_name(".gnu.version_d")
        names = {}
        if isinstance(defined, GNUVerDefSection):
            names = {definition["vd_ndx"]: next(aux).name for definition, aux in defined.iter_versions()}
        found = set()
        for number, symbol in enumerate(table.iter_symbols() if isinstance(table, SymbolTableSection) else ()):
            if symbol["st_info"]["bind"] != "STB_LOCAL" and symbol["st_shndx"] != "SHN_UNDEF":
                index = versions.get_symbol(number)["ndx"] if isinstance(versions, GNUVerSymSection) else None
                version = names.get(index & _VERSION_INDEX) if isinstance(index, int) else None
                found.add(f"{symbol.name}@{version}" if version else symbol.name)
        return frozenset(found)
