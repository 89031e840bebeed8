"""The name of the CPU from ``/proc/cpuinfo``, whose fields are another set on every architecture.

Formats: the kernel's arch/*/kernel/cpu/proc.c, setup.c and cpuinfo.c. Numbers of Arm's designs: the Main ID Register
(implementer, part) as in the manual of each core, collected in util-linux, sys-utils/lscpu-arm.c. Machine types of IBM
Z: arch/s390/kernel/processor.c and IBM's announcements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ARM = {
    0x41: {
        0xB76: "ARM1176", 0xC07: "Cortex-A7", 0xC08: "Cortex-A8", 0xC09: "Cortex-A9", 0xC0E: "Cortex-A17",
        0xC0F: "Cortex-A15", 0xD03: "Cortex-A53", 0xD04: "Cortex-A35", 0xD05: "Cortex-A55", 0xD07: "Cortex-A57",
        0xD08: "Cortex-A72", 0xD09: "Cortex-A73", 0xD0A: "Cortex-A75", 0xD0B: "Cortex-A76", 0xD0C: "Neoverse-N1",
        0xD0D: "Cortex-A77", 0xD40: "Neoverse-V1", 0xD41: "Cortex-A78", 0xD44: "Cortex-X1", 0xD46: "Cortex-A510",
        0xD47: "Cortex-A710", 0xD48: "Cortex-X2", 0xD49: "Neoverse-N2", 0xD4D: "Cortex-A715", 0xD4E: "Cortex-X3",
        0xD4F: "Neoverse-V2", 0xD80: "Cortex-A520", 0xD81: "Cortex-A720", 0xD82: "Cortex-X4", 0xD84: "Neoverse-V3",
        0xD8E: "Neoverse-N3",
    },
    0x43: {0x0A1: "ThunderX", 0x0AF: "ThunderX2"},
    0x46: {0x001: "A64FX"},
    0x48: {0xD01: "TaiShan-v110", 0xD02: "TaiShan-v120"},
    0x4E: {0x004: "Carmel"},
    0x51: {0x001: "Oryon", 0xC00: "Falkor"},
    0x61: {
        0x022: "Icestorm-M1", 0x023: "Firestorm-M1", 0x024: "Icestorm-M1-Pro", 0x025: "Firestorm-M1-Pro",
        0x028: "Icestorm-M1-Max", 0x029: "Firestorm-M1-Max", 0x032: "Blizzard-M2", 0x033: "Avalanche-M2",
        0x034: "Blizzard-M2-Pro", 0x035: "Avalanche-M2-Pro", 0x038: "Blizzard-M2-Max", 0x039: "Avalanche-M2-Max",
    },
    0xC0: {0xAC3: "Ampere-1", 0xAC4: "Ampere-1a"},
}  # fmt: skip

_IBM_Z = {
    "2817": "z196", "2818": "z114", "2827": "zEC12", "2828": "zBC12", "2964": "z13", "2965": "z13s", "3906": "z14",
    "3907": "z14 ZR1", "8561": "z15", "8562": "z15 T02", "3931": "z16", "3932": "z16 A02", "9175": "z17",
}  # fmt: skip


def parse_cpuinfo(text: str) -> dict[str, str]:
    """Field names to text: of the first CPU, and of what some architectures write once for all of them."""
    found: dict[str, str] = {}
    for name, value in re.findall(r"^([^:\n]*[^:\s])[ \t]*:[ \t]*(.*)$", text, re.MULTILINE):
        found.setdefault(name, value.rstrip())
    return found


def cpu_name(fields: Mapping[str, str], board: str | None) -> str | None:
    """What people call this CPU, with the board or machine where that says more; None where nothing names it.

    ``board`` is the device tree's model, where there is one.
    """
    chip = _arm(fields) or _ibm_z(fields) or _plain(fields)
    board = fields.get("Model") or fields.get("machine") or board or fields.get("Hardware")
    if chip is None or board is None or "model name" in fields:
        return chip or board
    return f"{chip} ({re.sub(r' Rev [0-9.]+$', '', board)})"


def _plain(fields: Mapping[str, str]) -> str | None:
    """x86 and 32-bit Arm, LoongArch, MIPS, RISC-V; POWER and SPARC, which add features to the name."""
    for key in ("model name", "Model Name", "cpu model", "uarch"):
        if fields.get(key):
            return fields[key]
    name = re.sub(r"( \((raw|architected)\))?(, altivec supported)?$", "", fields.get("cpu", ""))
    isa = fields.get("isa")
    return name or (f"RISC-V {isa.partition('_')[0]}" if isa else None)


def _arm(fields: Mapping[str, str]) -> str | None:
    implementer, part = _number(fields.get("CPU implementer")), _number(fields.get("CPU part"))
    if implementer is None or part is None:
        return None
    known = _ARM.get(implementer, {}).get(part)
    return known or fields.get("model name") or f"Arm implementer {implementer:#04x}, part {part:#05x}"


def _ibm_z(fields: Mapping[str, str]) -> str | None:
    found = re.search(r"\bmachine = (\w+)", fields.get("processor 0", ""))
    if found is None:
        return None
    known = _IBM_Z.get(found[1])
    return f"IBM {found[1]}" + (f" ({known})" if known else "")


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text, 0)
    except ValueError:
        return None
