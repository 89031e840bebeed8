"""Reading a static ``libpythonX.Y.a``: what a program linked with it would carry."""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from profiler.errors import UsageError
from profiler.launch.binaries.eh_frame import Frames
from profiler.launch.binaries.elf import DAMAGE, MAGIC, eh_frames, own_compilers
from profiler.launch.binaries.elf_sections import contents
from profiler.launch.binaries.relocations import in_code
from profiler.launch.binaries.symbols import EVAL_LOOP
from profiler.model import Noun

ARCHIVE_MAGIC = b"!<arch>\n"
_HEADER_BYTES = 60
_LONG_NAMES = b"// "
_BITCODE_MAGICS = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
_HOT = ".text.hot"
_CODE_RELOCATIONS = (".rela.text", ".rel.text")


class Archive(Noun, frozen=True, kw_only=True):
    """Facts of all members together."""

    path: str
    machine: str | None
    """``e_machine`` of its objects; None where all are bitcode."""
    members: int
    frames: Frames
    code_members: int
    """Members that hold machine code."""
    hot_members: int
    """Those of them with a section of the functions that run most (``.text.hot``, -freorder-functions)."""
    compilers: tuple[str, ...]
    lto_members: int
    """Members that hold the compiler's own code for link-time optimisation (``.gnu.lto_*``, LLVM bitcode)."""
    absolute_code: bool
    """The code holds absolute addresses: it can only be linked into a program without PIE."""
    got_code: bool
    """The code takes addresses from the global offset table, as position-independent code does."""
    defines_eval_loop: bool
    """The archive's index of what its members define names the eval loop."""


def read_archive(path: str) -> Archive:
    """Read all members (150 ms for Debian's 13 MB).

    Raises:
        UsageError: it is no ``ar`` archive with its members inside, or it is damaged.
        OSError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            return _read(path, held)
    except OSError:
        raise
    except DAMAGE as error:
        raise UsageError(f"{path} is a damaged archive: {error}", hint="install the package again") from error


def _read(path: str, held: mmap.mmap) -> Archive:
    count = total = cold = lto_members = code = hot = 0
    kinds: set[str] = set()
    compilers: dict[str, None] = {}
    machine: str | None = None
    for _, body in members(held):
        count += 1
        if body.startswith(_BITCODE_MAGICS):
            lto_members += 1
            continue
        elf = ELFFile(io.BytesIO(body))
        machine = str(elf["e_machine"])
        # One pass: reading section headers is what takes the time.
        sections = list(elf.iter_sections())
        own = {
            section.name for section in sections if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR and section["sh_size"]
        }
        code += bool(own)
        hot += any(name == _HOT or name.startswith(f"{_HOT}.") for name in own)
        lto_members += any(section.name.startswith(".gnu.lto_") for section in sections)
        for section in sections:
            if section.name == ".eh_frame":
                frames = eh_frames(elf, section)
                total += frames.total if frames is not None else 0
                cold += frames.cold if frames is not None else 0
            elif section.name == ".comment":
                compilers |= dict.fromkeys(text.decode(errors="replace") for text in contents(section).split(b"\0"))
            elif isinstance(section, RelocationSection) and section.name.startswith(_CODE_RELOCATIONS):
                kinds |= in_code(elf, section)
    return Archive(
        path=path,
        machine=machine,
        members=count,
        frames=Frames(total=total, cold=cold),
        code_members=code,
        hot_members=hot,
        compilers=tuple(filter(None, compilers)) or own_compilers(held),
        lto_members=lto_members,
        absolute_code="absolute" in kinds,
        got_code="got" in kinds,
        defines_eval_loop=EVAL_LOOP.encode() in _defined(held),
    )


def members(held: mmap.mmap) -> Iterator[tuple[str, bytes]]:
    """The object files of an archive by name (ar(5)): 60-byte headers with the size at 48, bodies of even length.

    Raises:
        ValueError: it is no archive, a thin one, or damaged.
    """
    if held[: len(ARCHIVE_MAGIC)] != ARCHIVE_MAGIC:
        raise ValueError("no !<arch> at its begin (a thin archive holds no code)")
    at = len(ARCHIVE_MAGIC)
    long_names = b""
    while at + _HEADER_BYTES <= len(held):
        header = held[at : at + _HEADER_BYTES]
        size = int(header[48:58])
        at += _HEADER_BYTES
        # A size below zero would lead back to this header for ever.
        if not 0 <= size <= len(held) - at:
            raise ValueError(f"its member at byte {at - _HEADER_BYTES} does not end within the file")
        if header.startswith(_LONG_NAMES):
            long_names = held[at : at + size]
        elif held[at : at + len(MAGIC)] in (MAGIC, *_BITCODE_MAGICS):
            yield _name(header[:16], long_names), held[at : at + size]
        at += size + size % 2


def _defined(held: mmap.mmap) -> list[bytes]:
    """The names in the index of what the members define: a count, as many places, and the names (ar(5)); the places
    are words of four bytes in ``/`` and of eight in ``/SYM64/``. None of them where there is no index.
    """
    at = len(ARCHIVE_MAGIC)
    header = held[at : at + _HEADER_BYTES]
    if not header.startswith((b"/ ", b"/SYM64/")):
        return []
    word = 4 if header.startswith(b"/ ") else 8
    index = held[at + _HEADER_BYTES : at + _HEADER_BYTES + int(header[48:58])]
    return index[word * (1 + int.from_bytes(index[:word], "big")) :].split(b"\0")


def _name(field: bytes, long_names: bytes) -> str:
    """GNU's form: ``name.o/``, or ``/17`` for a name that begins there in the member ``//`` and ends with a slash."""
    if field[:1] == b"/":
        field = long_names[int(field[1:]) :].partition(b"\n")[0]
    return field.rstrip().removesuffix(b"/").decode(errors="replace")
