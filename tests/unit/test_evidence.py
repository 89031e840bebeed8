"""Claims that hold of one machine or compiler and not of another."""

import struct
import subprocess
from pathlib import Path

import msgspec
import pytest
from elftools.elf.elffile import ELFFile

from profiler.launch.binaries.dwarf import Producers, gcc_producers
from profiler.launch.binaries.elf import Elf, read_elf
from profiler.launch.binaries.relocations import LOADERS
from profiler.launch.evidence import describe_elf
from profiler.launch.file_claims import lto_claim
from profiler.model import Program
from tests.unit.elf_files import LIBPYTHON, MAIN, gcc, libpython, needs_gcc

pytestmark = needs_gcc

COUNTS = "void _Py_NegativeRefcount(void) {}"


def described(facts: Elf, debug_root: Path = Path("/nonexistent")) -> Program:
    return describe_elf(facts, role="library", path=facts.path, package=None, loads=None, debug_root=debug_root)


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        ("EM_AARCH64", {"jump-slot": 1026, "tlsdesc": 1031, "dtpmod": 1028}),
        ("EM_RISCV", {"jump-slot": 5, "dtpmod": 7}),
        ("EM_386", {"jump-slot": 7, "tlsdesc": 41, "tpoff": 14}),
        ("EM_S390", {"jump-slot": 11, "dtpmod": 54}),
        ("EM_ARM", {"jump-slot": 22, "tlsdesc": 13}),
    ],
)
def test_relocations_by_machine(machine: str, numbers: dict[str, int]) -> None:
    """As glibc's elf.h numbers them."""
    assert {role: LOADERS[machine].get(number) for role, number in numbers.items()} == {role: role for role in numbers}


@pytest.mark.parametrize(
    ("machine", "kind", "model"),
    [
        (183, 1031, "tls-descriptors"),  # AArch64's default, which pyelftools calls TLS_DTPREL32
        (183, 1028, "general-dynamic"),
        (183, 1030, "initial-exec"),
        (243, 7, "general-dynamic"),  # RISC-V, of which pyelftools knows nothing
        (243, 12, "tls-descriptors"),
        (62, 36, "tls-descriptors"),
        (8, 38, None),  # MIPS: unknown, and not "none"
    ],
)
def test_tls_of_other_machines(tmp_path: Path, machine: int, kind: int, model: str | None) -> None:
    """A library of this machine whose header and first relocation are made those of another."""
    library = libpython(tmp_path, "-Wl,--build-id=none")
    with library.open("rb") as file:
        elf = ELFFile(file)
        if elf.elfclass != 64 or not elf.little_endian:
            pytest.skip("patched as 64-bit little-endian")
        section = elf.get_section_by_name(".rela.dyn")
        assert section is not None
        at = section["sh_offset"]
    data = bytearray(library.read_bytes())
    data[18:20] = struct.pack("<H", machine)
    data[at + 8 : at + 16] = struct.pack("<Q", kind)
    library.write_bytes(data)
    facts = msgspec.structs.replace(read_elf(str(library)), tls_get_addr=False)
    program = described(facts)
    assert program.tls_model == model
    if model is None:
        assert program.own_api_slots is None
        assert any("relocations of MIPS are not known" in sentence for sentence in program.evidence)


def test_calls_without_a_plt_are_not_called_bound(tmp_path: Path) -> None:
    facts = read_elf(str(libpython(tmp_path, "-O1", "-fno-inline", "-fno-plt")))
    assert (facts.own_api_slots, facts.own_api_addresses) == (0, 1)
    (said,) = (sentence for sentence in described(facts).evidence if "own C API" in sentence)
    assert "the addresses of 1 of its functions (GLOB_DAT)" in said
    assert "bound" not in said


@pytest.mark.parametrize(
    ("options", "level", "interposable"),
    [
        (("-O2", "-O3"), "-O3", True),
        (("-O2", "-fno-semantic-interposition"), "-O2", False),
        ((), "-O0", True),
        (("-O", "-fno-PIC", "-fPIC"), "-O", True),
    ],
)
def test_debug_information_tells_the_level_and_what_stays_interposable(
    tmp_path: Path, options: tuple[str, ...], level: str, interposable: bool
) -> None:
    library = libpython(tmp_path, "-g", *options)
    program = described(read_elf(str(library)))
    assert (program.optimisation_level, program.interposable) == (level, interposable)
    subprocess.run(["strip", library], check=True, timeout=60)
    program = described(read_elf(str(library)))
    assert (program.optimisation_level, program.interposable) == (None, None)
    assert "optimisation level unknown: no debug information of gcc's" in program.evidence


def test_a_program_is_not_interposable(tmp_path: Path) -> None:
    program = gcc(tmp_path, "own", LIBPYTHON + MAIN, "-g", "-O1", "-rdynamic", "-no-pie", "-fno-pie")
    found = described(read_elf(str(program)))
    assert found.interposable is False
    assert any("a program's own functions come first" in sentence for sentence in found.evidence)


def test_units_that_differ_tell_nothing() -> None:
    units = Producers(path="x", strings=("GNU C17 12.2.0 -g -O2 -fPIC", "GNU C17 12.2.0 -g -O3 -fPIE"))
    assert (units.optimisation_level, units.interposable) == (None, None)
    beside = Producers(path="x", strings=("GNU C11 12.2.0 -g -O3 -std=c11 -fno-PIE", "GNU C17 12.2.0 -g -fPIC"))
    assert (beside.optimisation_level, beside.interposable) == ("-O3", False)
    linked = Producers(path="x", strings=("GNU C17 12.2.0 -g -O2 -fPIC", "GNU GIMPLE 12.2.0 -g -O3 -fltrans"))
    assert (linked.optimisation_level, linked.interposable) == ("-O2", True)


def test_a_debug_build_is_seen_in_its_exports(tmp_path: Path) -> None:
    plain = libpython(tmp_path)
    counting = libpython(tmp_path, name="libpython3.11d.so.1.0", source=LIBPYTHON + COUNTS)
    host = gcc(tmp_path, "host", MAIN)
    assert [described(read_elf(str(path))).debug_build for path in (plain, counting, host)] == [False, True, None]


def test_clang_keeps_names_of_sources_under_link_time_optimisation(tmp_path: Path) -> None:
    facts = read_elf(str(gcc(tmp_path, "ceval", LIBPYTHON + MAIN, file="ceval.c")))
    assert gcc_producers(facts, tmp_path) is None
    assert lto_claim(facts, None, None).value is False
    clang = msgspec.structs.replace(facts, compilers=("clang version 18", "GCC: (GNU) 12"))
    assert lto_claim(clang, None, None).value is None


def test_whether_a_libpython_is_loaded_is_a_boolean(tmp_path: Path) -> None:
    own = read_elf(str(gcc(tmp_path, "own", LIBPYTHON + MAIN)))
    host = read_elf(str(gcc(tmp_path, "host", MAIN)))
    assert (described(own).loads_libpython, described(own).loads) == (False, None)
    assert (described(host).loads_libpython, described(host).loads) == (None, None)
    named = describe_elf(host, role="host", path=host.path, package=None, loads="/l/libpython3.11.so.1.0")
    assert (named.loads_libpython, named.loads) == (True, "/l/libpython3.11.so.1.0")
