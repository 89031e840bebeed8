"""The sizes of caches and TLBs, from recorded sysfs and CPUID of known CPUs."""

from pathlib import Path

import pytest

from profiler.sources.geometry import FALLBACK, Cpuid, Size, geometry

Registers = tuple[int, int, int, int]


def cpuid(leaves: dict[tuple[int, int], Registers]) -> Cpuid:
    return lambda leaf, subleaf: leaves.get((leaf, subleaf))


NOTHING = cpuid({})


def sysfs(folder: Path, *caches: tuple[int, str, str, int, int]) -> Path:
    """(level, type, size, ways, line) of each index."""
    for number, (level, kind, size, ways, line) in enumerate(caches):
        index = folder / f"index{number}"
        index.mkdir()
        values = {
            "level": level,
            "type": kind,
            "size": size,
            "ways_of_associativity": ways,
            "coherency_line_size": line,
        }
        for name, value in values.items():
            (index / name).write_text(f"{value}\n")
    return folder


def test_caches_of_sysfs(tmp_path: Path) -> None:
    """A Sapphire Rapids in a virtual machine: its last level has no power of two of sets."""
    folder = sysfs(
        tmp_path,
        (1, "Data", "48K", 12, 64),
        (1, "Instruction", "32K", 8, 64),
        (2, "Unified", "2048K", 16, 64),
        (3, "Unified", "307200K", 20, 64),
    )
    found = geometry(folder, NOTHING)
    assert found.arguments() == (
        "line=64,l1i=64x8,l1d=64x12,l2=2048x16,llc=245760x20,itlb=16x8,dtlb=16x4,stlb=128x12"
    )  # fmt: skip
    assert found.sentence().startswith("L1I 32 KiB, L1D 48 KiB, L2 2 MiB, LLC 300 MiB (sysfs); ITLB 128, DTLB 64")
    assert FALLBACK in found.sentence()


@pytest.mark.parametrize(
    "caches",
    [
        (),
        ((2, "Unified", "1024K", 16, 64),),
        ((1, "Data", "32K", 0, 64), (1, "Instruction", "32K", 8, 64)),
        ((1, "Data", "33K", 7, 64), (1, "Instruction", "32K", 8, 64)),
        ((1, "Data", "", 8, 64), (1, "Instruction", "32K", 8, 64)),
        ((1, "Data", "32K", 8, 64), (1, "Instruction", "32K", 8, 32)),
    ],
)
def test_a_machine_that_does_not_tell_gets_a_fallback_that_is_named(
    tmp_path: Path, caches: tuple[tuple[int, str, str, int, int], ...]
) -> None:
    found = geometry(sysfs(tmp_path, *caches), NOTHING)
    assert found.caches.told_by == FALLBACK
    assert found.caches.sizes["l1d"] == Size(sets=64, ways=8)


def test_two_levels_have_no_third(tmp_path: Path) -> None:
    found = geometry(sysfs(tmp_path, (1, "Unified", "32K", 4, 64), (2, "Unified", "1M", 16, 64)), NOTHING)
    assert list(found.caches.sizes) == ["l1i", "l1d", "l2"]


def test_intels_deterministic_leaf(tmp_path: Path) -> None:
    """An Ice Lake: 64 × 8 for instructions, 16 × 4 for loads, a second level of 1,024 in 8 ways for 4 KiB pages."""
    leaves = {
        (0x18, 0): (4, 0, 0, 0),
        (0x18, 1): (0, 8 << 16 | 1, 8, 1 << 5 | 2),
        (0x18, 2): (0, 4 << 16 | 1, 16, 1 << 5 | 4),
        (0x18, 3): (0, 4 << 16 | 6, 8, 1 << 5 | 1),  # large pages alone
        (0x18, 4): (0, 8 << 16 | 1, 128, 2 << 5 | 3),
    }
    found = geometry(tmp_path, cpuid(leaves))
    assert {name: (of.sets, of.ways) for name, of in found.tlbs.sizes.items()} == {
        "itlb": (8, 8), "dtlb": (16, 4), "stlb": (128, 8),
    }  # fmt: skip
    assert found.tlbs.told_by == "CPUID leaf 18H"


def test_amds_functions(tmp_path: Path) -> None:
    """A Zen 3: 64 fully associative both; second levels of 2,048 in 8 ways and 512 in 4 ways."""
    first, second = 0xFF40FF40, (6 << 12 | 2048) << 16 | 4 << 12 | 512
    found = geometry(tmp_path, cpuid({(0x8000_0005, 0): (0, first, 0, 0), (0x8000_0006, 0): (0, second, 0, 0)}))
    assert {name: (of.sets, of.ways) for name, of in found.tlbs.sizes.items()} == {
        "itlb": (1, 64), "dtlb": (1, 64), "stlb": (256, 8), "istlb": (128, 4),
    }  # fmt: skip


def test_intels_descriptors(tmp_path: Path) -> None:
    """A Skylake: 0xB5, 0x64, 0xC3, as `cpuid -1 -l 2` tells; leaf 18H is not there, and AMD's are zero."""
    found = geometry(tmp_path, cpuid({(2, 0): (0x76036301, 0x00F0B5FF, 0, 0x00C30000)}))
    assert found.tlbs.told_by == "CPUID leaf 2"
    assert found.tlbs.sizes["itlb"] == Size(sets=8, ways=8)
    assert found.tlbs.sizes["dtlb"] == Size(sets=16, ways=4)
    assert found.tlbs.sizes["stlb"] == Size(sets=256, ways=6)


def test_descriptors_of_a_register_that_has_none_are_not_read(tmp_path: Path) -> None:
    found = geometry(tmp_path, cpuid({(2, 0): (0x76036301, 0x80F0B5FF, 0, 0x00C30000)}))
    assert found.tlbs.told_by == FALLBACK
