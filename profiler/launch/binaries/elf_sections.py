"""The bytes of an ELF file's sections, none of which is trusted to lie within it."""

from __future__ import annotations

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section


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


def section(elf: ELFFile, name: str) -> bytes:
    """``contents`` of the section of that name; nothing where there is none."""
    found = elf.get_section_by_name(name)
    return b"" if found is None else contents(found)
