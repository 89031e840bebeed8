"""ELF files that are damaged or planted: an error with the file's name, or a result; never anything else."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.hash import ELFHashSection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from profiler.errors import UsageError
from profiler.launch.binaries import elf
from profiler.launch.binaries.dwarf import gcc_producers
from profiler.launch.embedders import inspect_system
from profiler.launch.evidence import describe_elf
from tests.unit.elf_files import LIBPYTHON, MAIN, gcc, libpython, needs_gcc

PLANTED = sorted((Path(__file__).parents[1] / "data" / "elf").glob("*.so"))


def test_the_planted_files_are_there() -> None:
    assert [path.name for path in PLANTED] == ["comment-size-2p63.so", "strtab-size-2p63.so"]


@pytest.mark.parametrize("path", PLANTED, ids=lambda path: path.stem)
def test_a_section_larger_than_its_file_is_an_error_with_the_files_name(path: Path) -> None:
    with pytest.raises(UsageError, match=rf"{path.name} is a damaged ELF file: its section \.\w+ does not end"):
        elf.read_elf(str(path))


@needs_gcc
def test_a_scan_goes_on_behind_damaged_hosts(tmp_path: Path) -> None:
    """The planted files become hosts whose damage only reading all of them shows."""
    library = libpython(tmp_path)
    use = "int PyNumber_Planted(int); int main(void) { return PyNumber_Planted(1); }"
    host = gcc(tmp_path, "host", use, str(library), "-Wl,-rpath,$ORIGIN")
    with host.open("rb") as file:
        header = ELFFile(file)
        (at,) = (
            header["e_shoff"] + number * header["e_shentsize"]
            for number, section in enumerate(header.iter_sections())
            if section.name == ".comment"
        )
    damaged = bytearray(host.read_bytes())
    damaged[at + 32 : at + 40] = (1 << 63).to_bytes(8, "little")
    (tmp_path / "a-damaged-host").write_bytes(damaged)
    (tmp_path / "a-damaged-host").chmod(0o755)
    for path in PLANTED:
        shutil.copy(path, tmp_path)
    assert "libpython3.11.so.1.0" in elf.needed(str(tmp_path / "a-damaged-host"))
    found = inspect_system(lambda *_: None, roots=(str(tmp_path),))
    assert [Path(one.path).name for one in found.programs if one.role == "host"] == ["host"]


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With everything that is read: both hash tables, TLS, debug information."""
    folder = tmp_path_factory.mktemp("intact")
    source = LIBPYTHON + "__thread int state; int read_state(void) { return state; }\n"
    return libpython(folder, "-g", "-O1", "-Wl,--hash-style=both", source=source)


PLACES = st.sampled_from(["head", "tail", "any"])
FLIPS = st.lists(st.tuples(PLACES, st.floats(0, 0.999), st.binary(min_size=1, max_size=8)), max_size=6)


@needs_gcc
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(keep=None, flips=[("head", 0.7109375, b"\x01")])  # a note whose name does not end
@given(keep=st.one_of(st.none(), st.floats(0, 1)), flips=FLIPS)
def test_bytes_flipped_and_files_cut_short(
    intact: Path, tmp_path: Path, keep: float | None, flips: list[tuple[str, float, bytes]]
) -> None:
    data = bytearray(intact.read_bytes())
    for where, part, patch in flips:
        begin, length = {"head": (0, 900), "tail": (len(data) - 2600, 2600), "any": (0, len(data))}[where]
        at = begin + int(part * length)
        data[at : at + len(patch)] = patch
    if keep is not None:
        del data[int(keep * len(data)) :]
    path = tmp_path / "damaged.so"
    path.write_bytes(data)
    for read in (elf.machine, elf.needed, elf.build_id, elf.holds_eval_loop):
        with suppress(UsageError):
            read(str(path))
    try:
        facts = elf.read_elf(str(path))
    except UsageError:
        return
    gcc_producers(facts, tmp_path)
    assert describe_elf(facts, role="library", path=str(path), package=None, loads=None).real_path == str(path)


@needs_gcc
def test_a_hash_chain_that_is_a_circle_ends(tmp_path: Path) -> None:
    library = libpython(tmp_path, "-Wl,--hash-style=sysv")
    assert elf.defines(str(library), "PyLong_Planted")
    with library.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".hash")
        assert isinstance(table, ELFHashSection)
        offset, buckets = table["sh_offset"], table.params["nbuckets"]
        chains = table.params["nchains"]
    data = bytearray(library.read_bytes())
    begin = offset + 8
    # Every bucket and every link leads to the first symbol, which is not the one that is looked for.
    data[begin : begin + 4 * (buckets + chains)] = (1).to_bytes(4, "little") * (buckets + chains)
    library.write_bytes(data)
    assert not elf.defines(str(library), "PyLong_Planted_Not")


@needs_gcc
def test_debug_information_that_is_damaged_is_none(tmp_path: Path) -> None:
    program = gcc(tmp_path, "program", LIBPYTHON + MAIN, "-Wl,--build-id=0xabcdef")
    facts = elf.read_elf(str(program))
    folder = tmp_path / ".build-id" / "ab"
    folder.mkdir(parents=True)
    shutil.copy(PLANTED[0], folder / "cdef.debug")
    subprocess.run(["truncate", "-s", "-200", folder / "cdef.debug"], check=True, timeout=60)
    assert gcc_producers(facts, tmp_path) is None
