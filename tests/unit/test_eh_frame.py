"""Cold parts in ``.eh_frame``, written by hand as the toolchains of several machines and years write them."""

from pathlib import Path

import pytest

from profiler.launch.binaries.archive import Archive, read_archive
from profiler.launch.binaries.eh_frame import ENTRY_RULES, Frames, count_frames
from profiler.launch.evidence import describe_archive
from tests.unit.elf_files import object_file, static_archive

X86_CIE = b"\x0c\x07\x08\x90\x01"
"""DW_CFA_def_cfa rsp + 8, DW_CFA_offset of the return address."""
ARM_CIE = b"\x0c\x1f\x00"


def entries(*parts: tuple[bytes, list[bytes]], alignment: bytes = b"\x78") -> bytes:
    """An ``.eh_frame`` of one CIE (zR, pcrel sdata4) per part, with its instructions and those of its FDEs."""
    section = b""
    for common, own in parts:
        cie_at = len(section)
        body = b"\0\0\0\0" + b"\x01zR\0\x01" + alignment + b"\x10\x01\x1b" + common
        section += len(body).to_bytes(4, "little") + body
        for instructions in own:
            back = (len(section) + 4 - cie_at).to_bytes(4, "little")
            body = back + b"\0" * 8 + b"\0" + instructions
            section += len(body).to_bytes(4, "little") + body
    return section


def cold(section: bytes, machine: str = "EM_X86_64") -> int:
    return count_frames(section, address_size=8, little_endian=True, entry=ENTRY_RULES[machine]).cold


@pytest.mark.parametrize(
    ("instructions", "is_cold"),
    [
        (b"\x44\x0e\x10", False),  # advances, then pushes
        (b"", False),
        (b"\x0e\x30\x44", True),  # begins with 48 bytes on the stack
        (b"\x86\x02\x0e\x30\x44", True),  # a register's rule stands before
        (b"\x0c\x07\x08\x44\x0e\x10", False),  # says the same again
        (b"\x0d\x06\x44", True),  # rbp holds the frame
        (b"\x0f\x02\x77\x08", True),  # an expression
        (b"\x10\x06\x02\x77\x08\x44", False),  # an expression for a register is none for the CFA
        (b"\x13\x7a\x44", True),  # -6 × -8
        (b"\x13\x7f\x44", False),  # -1 × -8
        (b"\x0a\x0e\x30\x0b\x44", False),  # remembered, changed, restored
        (b"\x02\x10\x0e\x30", False),
    ],
)
def test_the_first_row_tells(instructions: bytes, is_cold: bool) -> None:
    assert cold(entries((X86_CIE, [instructions]))) == is_cold


def test_a_common_entry_of_its_own_holds_the_first_row_of_cold_parts() -> None:
    """As gcc 10 with gas 2.35 writes them (Debian 11): no entry begins with a CFA, its program has PGO."""
    section = entries((X86_CIE, [b"\x44\x0e\x10"] * 3), (b"\x0c\x07\x30\x90\x01", [b"\x44\x0e\x08", b""]))
    counted = count_frames(section, address_size=8, little_endian=True, entry=ENTRY_RULES["EM_X86_64"])
    assert counted == Frames(total=5, cold=2)


def test_aarch64_with_pointer_authentication() -> None:
    section = entries((ARM_CIE, [b"\x44\x0e\x20", b"\x2d\x44\x0e\x20", b"\x2d\x0e\x20\x44"]))
    assert cold(section, "EM_AARCH64") == 1


def test_an_unknown_instruction_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown instruction 0x3b"):
        cold(entries((X86_CIE, [b"\x3b\x01\x01"])))


@pytest.mark.parametrize(
    ("machine", "cold_entries", "truth"),
    [
        ("EM_X86_64", 3000, True),
        ("EM_X86_64", 20, False),
        ("EM_386", 20, False),
        # Debian's arm64 python3.11 (with a profile) and its libpython (without) alike have none.
        ("EM_AARCH64", 0, None),
        ("EM_RISCV", 0, None),
        ("EM_AARCH64", 3000, None),
        (None, 20, None),
    ],
)
def test_cold_code_says_something_of_a_profile_on_x86_alone(
    machine: str | None, cold_entries: int, truth: bool | None
) -> None:
    archive = Archive(
        path="libpython3.11.a", machine=machine, members=180, frames=Frames(total=10000, cold=cold_entries),
        code_members=0, hot_members=0,
        compilers=("GCC: (Debian 12.2.0-14) 12.2.0",), lto_members=0, absolute_code=False, got_code=False,
        defines_eval_loop=True,
    )  # fmt: skip
    described = describe_archive(archive, package=None)
    assert described.pgo is truth
    assert any("gcc moves no cold code away" in sentence for sentence in described.evidence) == (
        machine not in {"EM_X86_64", "EM_386"}
    )


AARCH64, X86_64 = 183, 62
GCC, CLANG = b"GCC: (Debian 12.2.0-14+deb12u1) 12.2.0\0", b"clang version 19\0"
CODE = b"\xc0\x03\x5f\xd6"


def members(machine: int, *, code: int, hot: int, compiler: bytes = GCC) -> list[bytes]:
    """Objects as gcc writes them: hot functions apart in ``hot`` of those with code, and two without any."""
    made = [{".text": b"" if number < hot else CODE, ".comment": compiler} for number in range(code)]
    for number in range(hot):
        made[number] |= {".text.hot": CODE, ".text.unlikely": CODE}
    empty: dict[str, bytes] = {".text": b"", ".text.hot": b"", ".comment": compiler}
    return [object_file(machine, sections) for sections in (*made, empty, empty)]


@pytest.mark.parametrize(
    ("machine", "code", "hot", "compiler", "truth", "said"),
    [
        # Debian's arm64 libpython3.11.a, and its libpython3.11-pic.a.
        (AARCH64, 174, 134, GCC, True, "PGO: 134 of 174 members with code have a section .text.hot"),
        (AARCH64, 174, 3, GCC, False, "no PGO: only 3 of 174 members"),
        (AARCH64, 174, 50, GCC, None, "PGO unknown: 50 of 174 members with code have a section .text.hot, between"),
        (AARCH64, 174, 3, CLANG, None, "PGO unknown: clang version 19 need not sort functions"),
        (AARCH64, 174, 170, CLANG, True, "PGO: 170 of 174"),
        (AARCH64, 20, 15, GCC, None, "too few for a CPython"),
        (AARCH64, 0, 0, GCC, None, "for AARCH64 gcc moves no cold code away"),
        (243, 174, 134, GCC, True, "PGO: 134 of 174"),
        (X86_64, 174, 134, GCC, None, ".eh_frame has 0 entries"),
    ],
)
def test_hot_functions_of_an_archive_tell_where_no_cold_code_does(  # noqa: PLR0917 - a table
    tmp_path: Path, machine: int, code: int, hot: int, compiler: bytes, truth: bool | None, said: str
) -> None:
    path = tmp_path / "libpython3.11.a"
    path.write_bytes(static_archive(members(machine, code=code, hot=hot, compiler=compiler)))
    archive = read_archive(str(path))
    assert (archive.members, archive.code_members, archive.hot_members) == (code + 2, code, hot)
    described = describe_archive(archive, package=None)
    assert described.pgo is truth
    assert any(said in sentence for sentence in described.evidence), described.evidence
