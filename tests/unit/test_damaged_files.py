"""Archives, caches, frame tables, whole inspections of what is damaged: an error with the file's name, or a result."""

import shutil
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from profiler.errors import UsageError
from profiler.launch import file_reading
from profiler.launch.binaries.archive import read_archive
from profiler.launch.binaries.eh_frame import count_frames
from profiler.launch.binaries.frozen import read_frozen
from profiler.launch.binaries.loader_cache import cached_libraries
from profiler.model import Inspection
from profiler.system.rooted import HOST
from tests.unit.elf_files import LIBPYTHON, MAIN, gcc, libpython, needs_gcc

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FLIPS = st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=8)), max_size=6)
KEEP = st.one_of(st.none(), st.floats(0, 1))
CLASS, DATA, MACHINE, SECTIONS_AT, SECTION_COUNT = 4, 5, 18, 40, 60
"""Places in an ELF header: 32 or 64 bits, byte order, architecture, where section headers begin, how many (elf(5))."""


def damaged(data: bytes, keep: float | None, flips: list[tuple[float, bytes]]) -> bytes:
    changed = bytearray(data)
    for part, patch in flips:
        at = int(part * len(data))
        changed[at : at + len(patch)] = patch
    return bytes(changed if keep is None else changed[: int(keep * len(changed))])


def write(folder: Path, data: bytes, name: str = "libpython3.11.so.1.0") -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return libpython(tmp_path_factory.mktemp("shared"), "-g", "-Wl,--hash-style=both").read_bytes()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two members, one of a long name, and the index of what they define."""
    folder = tmp_path_factory.mktemp("archive")
    one = gcc(folder, "a_name_of_more_than_sixteen_letters.o", LIBPYTHON, "-c", "-fPIC")
    other = gcc(folder, "other.o", MAIN, "-c")
    subprocess.run(["ar", "rcs", folder / "lib.a", one, other], check=True, timeout=60)
    return (folder / "lib.a").read_bytes()


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package manager is asked: it would take most of the time."""
    monkeypatch.setattr(file_reading, "owners", lambda paths, at=HOST: {})


def looked_at(path: str) -> None:
    """As ``tax-probe inspect``: one answer, or one error that names the file."""
    try:
        assert isinstance(file_reading.inspect_file(path), Inspection)
    except UsageError as error:
        assert path in error.message  # noqa: PT017 - a result is right as well


@needs_gcc
@pytest.mark.usefixtures("no_packages")
@MANY
@given(keep=KEEP, flips=FLIPS)
def test_an_inspection_of_a_damaged_library(
    shared: bytes, tmp_path: Path, keep: float | None, flips: list[tuple[float, bytes]]
) -> None:
    looked_at(write(tmp_path, damaged(shared, keep, flips)))


@needs_gcc
@pytest.mark.usefixtures("no_packages")
@pytest.mark.parametrize(
    ("at", "patch"),
    [
        (CLASS, b"\x01"), (CLASS, b"\x07"), (DATA, b"\x02"), (DATA, b"\x00"), (MACHINE, b"\xf3\x00"),
        (MACHINE, b"\xff\xff"), (SECTIONS_AT, b"\xff" * 8), (SECTIONS_AT, b"\x00" * 8), (SECTION_COUNT, b"\x00\x00"),
        (SECTION_COUNT, b"\xff\xff"), (0, b"\x7fELF\x01\x02"),
    ],
)  # fmt: skip
def test_headers_of_another_machine_or_of_none(shared: bytes, tmp_path: Path, at: int, patch: bytes) -> None:
    """32 bits, big-endian, an architecture that is not there, no sections, sections behind the file's end."""
    looked_at(write(tmp_path, shared[:at] + patch + shared[at + len(patch) :]))


@needs_gcc
@pytest.mark.skipif(shutil.which("ar") is None, reason="ar makes the archive")
@pytest.mark.usefixtures("no_packages")
@MANY
@given(keep=KEEP, flips=FLIPS)
def test_an_inspection_of_a_damaged_archive(
    archive: bytes, tmp_path: Path, keep: float | None, flips: list[tuple[float, bytes]]
) -> None:
    looked_at(write(tmp_path, damaged(archive, keep, flips), "libpython3.11.a"))


@pytest.mark.parametrize("size", ["-60", "-1", "99999", "9999999999", "", "0x10", "1e3"])
def test_a_member_that_ends_before_its_begin_or_behind_the_file_is_an_error(tmp_path: Path, size: str) -> None:
    member = f"{'one.o/':16}{'0':12}{'0':6}{'0':6}{'644':8}{size:10}`\n".encode()
    path = write(tmp_path, b"!<arch>\n" + member + b"\x7fELF", "libpython3.11.a")
    with pytest.raises(UsageError, match=r"libpython3.11.a is a damaged archive"):
        read_archive(path)


@needs_gcc
@pytest.mark.skipif(shutil.which("ar") is None, reason="ar makes the archive")
def test_an_archive_that_is_cut_short_is_not_a_smaller_one(archive: bytes, tmp_path: Path) -> None:
    assert read_archive(write(tmp_path, archive, "whole.a")).members == 2
    with pytest.raises(UsageError, match="does not end within the file"):
        read_archive(write(tmp_path, archive[:-100], "cut.a"))


FROZEN = struct.Struct(">IIIIBc")


def frozen() -> bytes:
    """A program's bytes, and PyInstaller's archive behind them: one entry and the cookie."""
    entry = FROZEN.pack(FROZEN.size + 24, 0, 0, 0, 0, b"b") + b"libpython3.11.so.1.0\0\0\0\0"
    name = b"libpython3.11.so.1.0"
    length = len(entry) + 88
    return b"\x7fELF" + bytes(60) + entry + struct.pack(
        ">8sIIII64s", b"MEI\x0c\x0b\x0a\x0b\x0e", length, 0, len(entry), 311, name
    )  # fmt: skip


def test_a_frozen_archive_is_read(tmp_path: Path) -> None:
    found = read_frozen(write(tmp_path, frozen()))
    assert found is not None
    assert (found.version, found.libraries) == ("3.11", ("libpython3.11.so.1.0",))


@MANY
@given(keep=KEEP, flips=FLIPS)
def test_a_frozen_archive_that_is_damaged_is_one_or_none(
    tmp_path: Path, keep: float | None, flips: list[tuple[float, bytes]]
) -> None:
    read_frozen(write(tmp_path, damaged(frozen(), keep, flips)))


CACHE = Path("/etc/ld.so.cache")


@MANY
@given(keep=KEEP, flips=FLIPS, junk=st.binary(max_size=200))
@example(keep=None, flips=[], junk=b"glibc-ld.so.cache1.1" + b"\xff" * 60)
@example(keep=None, flips=[], junk=b"ld.so-1.7.0\0" + b"\xff" * 40)
def test_a_loaders_cache_that_is_damaged_gives_some_names_or_none(
    keep: float | None, flips: list[tuple[float, bytes]], junk: bytes
) -> None:
    whole = CACHE.read_bytes() if CACHE.exists() else b""
    for data in (damaged(whole[:20_000], keep, flips), junk, whole[:64] + junk):
        assert isinstance(cached_libraries(data), dict)


@MANY
@given(data=st.binary(max_size=300), size=st.sampled_from([4, 8]), little=st.booleans())
def test_frames_that_are_damaged_are_counted_or_refused(data: bytes, size: int, little: bool) -> None:
    with suppress(ValueError):
        found = count_frames(data, address_size=size, little_endian=little, entry=(7, 8))
        assert 0 <= found.cold <= found.total
