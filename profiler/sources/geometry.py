"""The sizes of this CPU's caches and TLBs, for qemu's model: from sysfs and CPUID, or a stated fallback.

Sysfs: Documentation/ABI/testing/sysfs-devices-system-cpu, ``cache/index*``. CPUID: Intel SDM volume 2A, "CPUID", leaves
2 and 18H; AMD APM volume 3, appendix E.4.4, functions 8000_0005h and 8000_0006h. Of TLBs the entries for 4 KiB pages.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from profiler.model import Noun

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
Cpuid = Callable[[int, int], tuple[int, int, int, int] | None]
"""(leaf, subleaf) → (eax, ebx, ecx, edx)."""


class Size(Noun, frozen=True, kw_only=True):
    """Of one cache or TLB; one set is fully associative."""

    sets: int
    ways: int


class Part(Noun, frozen=True, kw_only=True):
    """Some of the sizes, by the names of the plugin's arguments, and where they come from."""

    sizes: dict[str, Size]
    told_by: str


class Geometry(Noun, frozen=True, kw_only=True):
    """All that is modelled."""

    line_bytes: int
    caches: Part
    """``l1i``, ``l1d``, and ``l2`` and ``llc`` where there are such."""
    tlbs: Part
    """``itlb``, ``dtlb``, ``stlb``, and ``istlb`` where instructions have a second level of their own."""

    def arguments(self) -> str:
        """For the plugin: ``line=64,l1i=64x8,…``."""
        sizes = self.caches.sizes | self.tlbs.sizes
        return ",".join((f"line={self.line_bytes}", *(f"{name}={of.sets}x{of.ways}" for name, of in sizes.items())))

    def sentence(self) -> str:
        """``L1I 32 KiB, … (sysfs); ITLB 64, … (CPUID)``, entries of TLBs."""
        caches = (
            f"{name.upper()} {_told(of.sets * of.ways * self.line_bytes)}" for name, of in self.caches.sizes.items()
        )
        tlbs = (f"{name.upper()} {of.sets * of.ways}" for name, of in self.tlbs.sizes.items())
        return f"{', '.join(caches)} ({self.caches.told_by}); {', '.join(tlbs)} ({self.tlbs.told_by})"


def _told(size: int) -> str:
    return f"{size >> 10} KiB" if size < 1 << 20 else f"{size / (1 << 20):g} MiB"


FALLBACK = "a fallback, that of Intel's Skylake client cores: this machine does not tell its own"
"""Intel 64 and IA-32 Architectures Optimization Reference Manual, "Skylake Client Microarchitecture"."""
_LINE_BYTES = 64
_CACHES = Part(
    sizes={
        "l1i": Size(sets=64, ways=8),
        "l1d": Size(sets=64, ways=8),
        "l2": Size(sets=1024, ways=4),
        "llc": Size(sets=8192, ways=16),
    },
    told_by=FALLBACK,
)
_TLBS = Part(
    sizes={"itlb": Size(sets=16, ways=8), "dtlb": Size(sets=16, ways=4), "stlb": Size(sets=128, ways=12)},
    told_by=FALLBACK,
)


def geometry(caches: Path, cpuid: Cpuid) -> Geometry:
    """Of the CPU whose ``cache`` folder and CPUID these are."""
    found = _caches(caches)
    line, cached = (_LINE_BYTES, _CACHES) if found is None else found
    return Geometry(
        line_bytes=line, caches=cached, tlbs=_deterministic(cpuid) or _amd(cpuid) or _described(cpuid) or _TLBS
    )


def _caches(folder: Path) -> tuple[int, Part] | None:
    """By sysfs; None where it lacks a first level or a size."""
    sizes: dict[str, Size] = {}
    lines: set[int] = set()
    deepest = 0
    try:
        for index in sorted(folder.glob("index[0-9]*")):
            level, kind = int((index / "level").read_text()), (index / "type").read_text().strip()
            size, ways, line = _size(index), int((index / "ways_of_associativity").read_text()), _line(index)
            # 0 ways: the kernel was not told; and a size that is no multiple cannot be these ways.
            if ways < 1 or size % (ways * line):
                return None
            of = Size(sets=size // (ways * line), ways=ways)
            lines.add(line)
            if level == 1:
                sizes |= dict.fromkeys({"Instruction": ("l1i",), "Data": ("l1d",)}.get(kind, ("l1i", "l1d")), of)
            elif level == 2:
                sizes["l2"] = of
            elif level > deepest:
                sizes["llc"], deepest = of, level
    except (OSError, ValueError):
        return None
    if len(lines) != 1 or not {"l1i", "l1d"} <= sizes.keys():
        return None
    order = [name for name in ("l1i", "l1d", "l2", "llc") if name in sizes]
    return lines.pop(), Part(sizes={name: sizes[name] for name in order}, told_by="sysfs")


def _size(index: Path) -> int:
    text = (index / "size").read_text().strip()
    return int(text[:-1]) * {"K": 1 << 10, "M": 1 << 20}[text[-1]] if text.endswith(("K", "M")) else int(text)


def _line(index: Path) -> int:
    return int((index / "coherency_line_size").read_text())


_DATA, _INSTRUCTIONS, _UNIFIED, _LOADS = 1, 2, 3, 4
_FIRST_LEVEL = {_DATA: "dtlb", _LOADS: "dtlb", _INSTRUCTIONS: "itlb"}
_SECOND_LEVEL = {_DATA: "stlb", _UNIFIED: "stlb", _INSTRUCTIONS: "istlb"}


def _deterministic(cpuid: Cpuid) -> Part | None:
    """Intel's leaf 18H: a subleaf for each TLB."""
    sizes: dict[str, Size] = {}
    first = cpuid(0x18, 0)
    for subleaf in range(min(first[0], 64) + 1 if first is not None else 0):
        _, ebx, ecx, edx = cpuid(0x18, subleaf) or (0, 0, 0, 0)
        kind, level = edx & 0x1F, edx >> 5 & 7
        name = (_FIRST_LEVEL if level == 1 else _SECOND_LEVEL).get(kind)
        small_pages, ways, sets = ebx & 1, ebx >> 16, ecx
        if name is not None and small_pages and ways and sets:
            sizes.setdefault(name, Size(sets=sets, ways=ways))
    return _whole(sizes, "CPUID leaf 18H")


_AMD_WAYS = {2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 16, 0xA: 32, 0xB: 48, 0xC: 64, 0xD: 96, 0xE: 128}
_FULL_FIRST, _FULL_SECOND = 0xFF, 0xF


def _amd(cpuid: Cpuid) -> Part | None:
    """AMD's functions 8000_0005h and 8000_0006h; zero in both on Intel's."""
    _, first, _, _ = cpuid(0x8000_0005, 0) or (0, 0, 0, 0)
    _, second, _, _ = cpuid(0x8000_0006, 0) or (0, 0, 0, 0)
    sizes: dict[str, Size] = {}
    for name, word in (("itlb", first & 0xFFFF), ("dtlb", first >> 16)):
        entries, ways = word & 0xFF, word >> 8
        _add(sizes, name, entries, entries if ways == _FULL_FIRST else ways)
    for name, word in (("stlb", second >> 16), ("istlb", second & 0xFFFF)):
        entries, code = word & 0xFFF, word >> 12
        _add(sizes, name, entries, entries if code == _FULL_SECOND else _AMD_WAYS.get(code, 0))
    return _whole(sizes, "CPUID functions 8000_0005h and 8000_0006h")


def _add(sizes: dict[str, Size], name: str, entries: int, ways: int) -> None:
    if entries and ways and entries % ways == 0:
        sizes[name] = Size(sets=entries // ways, ways=ways)


_DESCRIPTORS: dict[int, tuple[str, int, int]] = {
    0x01: ("itlb", 32, 4), 0x03: ("dtlb", 64, 4), 0x4F: ("itlb", 32, 32), 0x57: ("dtlb", 16, 4), 0x59: ("dtlb", 16, 16),
    0x61: ("itlb", 48, 48), 0x64: ("dtlb", 512, 4), 0xA0: ("dtlb", 32, 32), 0xB0: ("itlb", 128, 4),
    0xB2: ("itlb", 64, 4), 0xB3: ("dtlb", 128, 4), 0xB4: ("dtlb", 256, 4), 0xB5: ("itlb", 64, 8),
    0xB6: ("itlb", 128, 8), 0xBA: ("dtlb", 64, 4), 0xC1: ("stlb", 1024, 8), 0xC2: ("dtlb", 16, 4),
    0xC3: ("stlb", 1536, 6), 0xCA: ("stlb", 512, 4),
}  # fmt: skip
"""Intel SDM, table 3-12 "Encoding of CPUID Leaf 2 Descriptors": those of TLBs that hold 4 KiB pages; entries, ways."""


def _described(cpuid: Cpuid) -> Part | None:
    """Intel's leaf 2: a byte for each."""
    words = cpuid(2, 0) or (0, 0, 0, 0)
    # The lowest byte of eax is no descriptor, and a register whose highest bit is set has none.
    octets = [word >> shift & 0xFF for word in words if not word >> 31 for shift in (0, 8, 16, 24)][1:]
    sizes: dict[str, Size] = {}
    for name, entries, ways in (_DESCRIPTORS[octet] for octet in octets if octet in _DESCRIPTORS):
        sizes.setdefault(name, Size(sets=entries // ways, ways=ways))
    return _whole(sizes, "CPUID leaf 2")


def _whole(sizes: dict[str, Size], told_by: str) -> Part | None:
    order = [name for name in ("itlb", "dtlb", "stlb", "istlb") if name in sizes]
    return (
        Part(sizes={name: sizes[name] for name in order}, told_by=told_by) if {"itlb", "dtlb"} <= sizes.keys() else None
    )
