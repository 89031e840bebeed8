"""What relocations are for, by machine: names differ from machine to machine, and pyelftools lacks some of them.

Numbers are those of the processor supplements of the System V ABI, as glibc's elf.h has them: pyelftools 0.33 knows no
RISC-V, and calls AArch64's TLSDESC (1031) ``TLS_DTPREL32``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Literal

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

Role = Literal["jump-slot", "glob-dat", "dtpmod", "dtpoff", "tpoff", "tlsdesc"]
"""``jump-slot`` is a call through the PLT; ``glob-dat`` a GOT entry; the others are what TLS leaves for the loader
(Drepper, "ELF Handling For Thread-Local Storage"): module and offset of the dynamic models, offset from the thread
pointer, descriptor.
"""

LOADERS: dict[str, dict[int, Role]] = {
    "EM_X86_64": {
        7: "jump-slot", 6: "glob-dat", 16: "dtpmod", 17: "dtpoff", 21: "dtpoff", 18: "tpoff", 23: "tpoff", 36: "tlsdesc"
    },
    "EM_386": {
        7: "jump-slot", 6: "glob-dat", 35: "dtpmod", 36: "dtpoff", 14: "tpoff", 37: "tpoff", 41: "tlsdesc"
    },
    "EM_AARCH64": {
        1026: "jump-slot", 1025: "glob-dat", 1028: "dtpmod", 1029: "dtpoff", 1030: "tpoff", 1031: "tlsdesc"
    },
    "EM_ARM": {22: "jump-slot", 21: "glob-dat", 17: "dtpmod", 18: "dtpoff", 19: "tpoff", 13: "tlsdesc"},
    "EM_PPC64": {21: "jump-slot", 20: "glob-dat", 68: "dtpmod", 78: "dtpoff", 73: "tpoff"},
    "EM_S390": {11: "jump-slot", 10: "glob-dat", 54: "dtpmod", 55: "dtpoff", 56: "tpoff"},
    "EM_RISCV": {
        5: "jump-slot", 6: "dtpmod", 7: "dtpmod", 8: "dtpoff", 9: "dtpoff", 10: "tpoff", 11: "tpoff", 12: "tlsdesc"
    },
    "EM_LOONGARCH": {
        5: "jump-slot", 6: "dtpmod", 7: "dtpmod", 8: "dtpoff", 9: "dtpoff", 10: "tpoff", 11: "tpoff", 13: "tlsdesc",
        14: "tlsdesc"
    },
}  # fmt: skip
"""Of those that the loader applies. RISC-V and LoongArch fill the GOT with plain addresses; MIPS, whose GOT needs no
relocations at all, is left out: nothing can be said of it.
"""

CODE: dict[str, dict[int, str]] = {
    "EM_X86_64": {10: "absolute", 11: "absolute"} | dict.fromkeys((3, 9, *range(25, 31), 41, 42), "got"),
    "EM_386": {1: "absolute"} | dict.fromkeys((3, 9, 10, 43), "got"),
    "EM_AARCH64": dict.fromkeys(range(307, 314), "got"),
    "EM_ARM": dict.fromkeys((43, 44, 47, 48), "absolute") | dict.fromkeys((24, 25, 26, 96), "got"),
    "EM_S390": dict.fromkeys((6, 7, 13, 14, 15, 21, 24, 26, 27, 28, 58), "got"),
    "EM_RISCV": dict.fromkeys((26, 27, 28), "absolute") | {20: "got"},
}
"""Of the code in object files. ``absolute`` fits only into a program at a fixed place. ``got`` is what code for any
place takes addresses by, those of thread-local variables excepted: their GOT entries hold offsets, and programs at a
fixed place have them too. PowerPC64 goes through its TOC either way.
"""

TLS_CALLS = (b"__tls_get_addr", b"___tls_get_addr", b"__tls_get_addr_opt", b"__tls_get_offset")
"""What the dynamic TLS models call: most machines, i386 (arguments in registers), PowerPC64, S/390."""


_SHF_ALLOC = 0x2


def entries(elf: ELFFile, section: RelocationSection) -> Iterator[tuple[int, int]]:
    """Type and symbol number of each entry (System V ABI, "Relocation").

    Unpacked here, since pyelftools needs half a second for the table of one position-independent CPython.
    """
    wide = elf.elfclass == 64
    layout = ("QQq" if wide else "IIi")[: 3 if section.is_RELA() else 2]
    for entry in struct.iter_unpack(("<" if elf.little_endian else ">") + layout, section.data()):
        yield (entry[1] & 0xFFFFFFFF, entry[1] >> 32) if wide else (entry[1] & 0xFF, entry[1] >> 8)


def in_code(elf: ELFFile, section: RelocationSection) -> set[str]:
    """Which roles of ``CODE`` the relocations of one section have."""
    roles = CODE.get(str(elf["e_machine"]), {})
    return {roles[kind] for kind in {kind for kind, _ in entries(elf, section)} if kind in roles}


def for_the_loader(elf: ELFFile) -> dict[Role, list[int]] | None:
    """Symbol numbers by role, of the relocations in memory; None when the machine's are not known here."""
    roles = LOADERS.get(str(elf["e_machine"]))
    if roles is None:
        return None
    found: dict[Role, list[int]] = {}
    for section in elf.iter_sections():
        if isinstance(section, RelocationSection) and section["sh_flags"] & _SHF_ALLOC:
            for kind, symbol in entries(elf, section):
                role = roles.get(kind)
                if role is not None:
                    found.setdefault(role, []).append(symbol)
    return found
