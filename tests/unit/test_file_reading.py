"""``inspect`` of any file and of another root: what it says, and that nothing of it runs."""

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from profiler.errors import UsageError
from profiler.launch import file_reading
from profiler.launch.binaries.frozen import read_frozen
from profiler.launch.binaries.loader_cache import cached_libraries
from profiler.launch.file_reading import inspect_file, inspect_root
from profiler.launch.installation import build_time_vars, makefile_vars
from profiler.system.packages import owners
from profiler.system.rooted import Rooted
from tests.commandline import Ran, TaxProbe, assert_refused
from tests.unit.elf_files import LIBPYTHON, MAIN, gcc, libpython, needs_gcc

SONAME = "libpython3.11.so.1.0"
USE = "int PyNumber_Planted(int); int main(void) { return PyNumber_Planted(1); }"
MODULE = "int PyNumber_Planted(int); int PyInit_planted(void) { return PyNumber_Planted(1); }"
NAMES_ITS_FOLDER = 'const char *python_folder = "lib/python3.11", *python_version = "3.11.2";\n'


def leaves_a_mark(mark: Path) -> str:
    """A program that writes ``mark`` when it is run, be it with any arguments."""
    return (
        f"#include <stdio.h>\n{LIBPYTHON}{NAMES_ITS_FOLDER}"
        f'int main(void) {{ FILE *mark = fopen("{mark}", "w"); fputs("run", mark); return fclose(mark); }}\n'
    )


def standard_library(prefix: Path, *, mark: Path | None = None, **claims: object) -> Path:
    """What marks a prefix: ``os.py``, and the claims of a build in a module that would write ``mark`` if imported."""
    folder = prefix / "lib" / "python3.11"
    folder.mkdir(parents=True)
    (folder / "os.py").touch()
    write = "" if mark is None else f"open({str(mark)!r}, 'w').write('imported')\n"
    (folder / "_sysconfigdata__linux_x86_64-linux-gnu.py").write_text(f"{write}build_time_vars = {claims!r}\n")
    return folder


def inspected(tax_probe: TaxProbe, *argv: str | Path) -> Any:
    ran = tax_probe("inspect", *map(str, argv), "--format", "json")
    assert ran.code == 0, ran.err
    return ran.document


# ---------------------------------------------------------------- nothing runs


@needs_gcc
def test_an_interpreter_that_would_leave_a_mark_leaves_none(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """Neither it nor its sysconfig runs, and what both hold is told all the same."""
    mark, bin_ = tmp_path / "mark", tmp_path / "prefix" / "bin"
    bin_.mkdir(parents=True)
    program = gcc(bin_, "python3.11", leaves_a_mark(mark), "-rdynamic")
    standard_library(tmp_path / "prefix", mark=mark, Py_ENABLE_SHARED=1, CONFIG_ARGS="")
    (bin_ / "python3").symlink_to("python3.11")
    document = inspected(tax_probe, bin_ / "python3")
    assert not mark.exists()
    (found,) = document["programs"]
    assert (found["kind"], found["role"], found["real_path"]) == ("interpreter", "program", str(program))
    assert found["eval_loop_image"] == str(program)
    assert any(sentence.startswith("read, not run") for sentence in found["evidence"])
    assert any("_sysconfigdata__linux" in sentence for sentence in found["evidence"])
    assert any("Py_ENABLE_SHARED=1, but" in sentence for sentence in document["contradictions"])
    assert "No libpython of" in document["expectation"]
    # The mark is no matter of luck: run, the program does write it.
    subprocess.run([program], check=True, timeout=60)
    assert mark.exists()


@needs_gcc
@pytest.mark.parametrize("name", ["anything", "python3", "python3.11"])
def test_no_name_makes_a_program_run(tax_probe: TaxProbe, tmp_path: Path, name: str) -> None:
    mark = tmp_path / "mark"
    program = gcc(tmp_path, name, leaves_a_mark(mark), "-rdynamic")
    found, *_ = inspected(tax_probe, program)["programs"]
    assert found["static_libpython"] is True
    assert found["kind"] in {"host", "interpreter"}
    assert not mark.exists()


@pytest.mark.parametrize("shim", [False, True])
def test_a_script_that_would_leave_a_mark_leaves_none(tax_probe: TaxProbe, tmp_path: Path, *, shim: bool) -> None:
    """A pyenv beside a shim is not asked either."""
    mark, bin_ = tmp_path / "mark", tmp_path / "shims"
    for path in (bin_ / "python3", tmp_path / "bin" / "pyenv"):
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{'export PYENV_ROOT=/x' if shim else ''}\necho run > {mark}\n")
        path.chmod(0o755)
    ran = tax_probe("inspect", str(bin_ / "python3"))
    assert_refused(ran, 2, "is a pyenv shim" if shim else "is a script for /bin/sh, not an ELF file")
    assert_one_line(ran)
    assert not mark.exists()


@needs_gcc
def test_the_system_is_read_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from profiler.launch import embedders

    mark, root = tmp_path / "mark", tmp_path / "usr"
    (root / "bin").mkdir(parents=True)
    library = libpython(root, source=LIBPYTHON + NAMES_ITS_FOLDER)
    gcc(root / "bin", "host", USE, str(library), "-Wl,-rpath,$ORIGIN/..")
    program = gcc(root / "bin", "python3.11", leaves_a_mark(mark), "-rdynamic")
    stdlib = standard_library(root, LIBDIR=str(root), INSTSONAME=SONAME)
    assert stdlib.is_dir()
    monkeypatch.setattr(embedders, "find_targets", lambda: [str(program)])
    inspection = embedders.inspect_system(lambda *_: None, roots=(str(root),))
    (host,) = (one for one in inspection.programs if one.role == "host")
    assert f"other machine code than {program} runs" in host.evidence[-1]
    assert not mark.exists()


# ---------------------------------------------------------------- what is refused, and that it does not hang


def assert_one_line(ran: Ran) -> None:
    assert len(ran.err.splitlines()) == 2


def test_what_is_no_file_is_refused_at_once(tax_probe: TaxProbe, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "python3")
    (tmp_path / "empty").touch()
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "prefix" / "bin").mkdir(parents=True)
    for name, words in (
        ("python3", ["is a named pipe", "expected is an ELF program"]),
        (".", ["is a directory", "--root"]),
        ("missing", ["there is no file"]),
        ("circle", ["there is no file"]),
        ("empty", ["is neither an ELF file nor a static archive"]),
    ):
        ran = tax_probe("inspect", f"{tmp_path}/{name}")
        assert_refused(ran, 2, *words)
        assert_one_line(ran)
    with pytest.raises(UsageError, match="no python3 and no libpython below"):
        inspect_root(Rooted(str(tmp_path)))


@needs_gcc
def test_truncated_files_and_object_files(tax_probe: TaxProbe, tmp_path: Path) -> None:
    program = gcc(tmp_path, "whole", MAIN)
    for size in (4, 20, 64, 900, program.stat().st_size - 100):
        (tmp_path / "cut").write_bytes(program.read_bytes()[:size])
        ran = tax_probe("inspect", str(tmp_path / "cut"))
        assert_refused(ran, 2, "cut is a damaged ELF file")
        assert_one_line(ran)
    (tmp_path / "cut.a").write_bytes(b"!<arch>\n" + b"x" * 60)
    assert_refused(tax_probe("inspect", str(tmp_path / "cut.a")), 2, "is a damaged archive")
    ran = tax_probe("inspect", str(gcc(tmp_path, "planted.o", MAIN, "-c")))
    assert_refused(ran, 2, "is an object file that was not linked yet")


@needs_gcc
def test_a_file_of_another_machine_is_read_and_said_to_be(tax_probe: TaxProbe, tmp_path: Path) -> None:
    program = gcc(tmp_path, "python3.11", LIBPYTHON + NAMES_ITS_FOLDER + MAIN, "-rdynamic")
    data = bytearray(program.read_bytes())
    data[18:20] = struct.pack("<H", 183)
    program.write_bytes(data)
    found, *_ = inspected(tax_probe, program)["programs"]
    assert found["machine"].startswith("aarch64 64-bit")
    assert any(sentence.startswith("built for aarch64 64-bit little-endian; this") for sentence in found["evidence"])


# ---------------------------------------------------------------- libraries, modules, archives


@needs_gcc
def test_a_module_that_names_a_libpython_and_one_that_does_not(tax_probe: TaxProbe, tmp_path: Path) -> None:
    library = libpython(tmp_path)
    shared = ("-shared", "-fPIC", "-O3", "-g", "-Wl,-z,relro,-z,now")
    alone = gcc(tmp_path, "alone.so", MODULE, *shared)
    bound = gcc(tmp_path, "bound.so", MODULE, *shared, str(library), "-Wl,-rpath,$ORIGIN")
    document = inspected(tax_probe, alone, bound)
    first, second, third = document["programs"]
    assert [one["kind"] for one in document["programs"]] == ["extension-module", "extension-module", "libpython"]
    assert (first["loads_libpython"], first["loads"], first["static_libpython"]) == (False, None, False)
    assert (second["loads_libpython"], second["loads"]) == (True, str(library))
    assert third["real_path"] == str(library)
    assert any("its symbols are resolved from its host" in sentence for sentence in first["evidence"])
    assert any(f"needs {SONAME}, found at {library} (the loader finds" in sentence for sentence in second["evidence"])
    assert (first["pgo"], first["lto"], first["pic"], first["optimisation_level"]) == (False, False, True, "-O3")
    assert first["hardening"]["relro"] == "full"
    assert "names no libpython and takes the C API from the program" in document["expectation"]


@needs_gcc
def test_hosts_libpythons_and_what_has_nothing_of_pythons(tax_probe: TaxProbe, tmp_path: Path) -> None:
    library = libpython(tmp_path)
    host = gcc(tmp_path, "host", USE, str(library), "-Wl,--enable-new-dtags,-rpath,$ORIGIN")
    other = gcc(tmp_path, "other", MAIN)
    document = inspected(tax_probe, host, library, other)
    kinds = {Path(one["path"]).name: one["kind"] for one in document["programs"]}
    assert kinds == {"host": "host", SONAME: "libpython", "other": "program"}
    seen = document["programs"][0]
    assert seen["eval_loop_image"] == str(library)
    assert any(f"{library} (the loader finds {SONAME} by DT_RUNPATH)" in sentence for sentence in seen["evidence"])
    assert f"{other} shows nothing of a CPython" in document["expectation"]


@needs_gcc
@pytest.mark.skipif(shutil.which("ar") is None, reason="ar makes the archive")
def test_static_archives_with_and_without_an_eval_loop(tax_probe: TaxProbe, tmp_path: Path) -> None:
    for name, source in (("libpython3.11.a", LIBPYTHON), ("libother.a", MAIN)):
        code = gcc(tmp_path, "planted.o", source, "-c")
        subprocess.run(["ar", "rcs", tmp_path / name, code], check=True, timeout=60)
        (found,) = inspected(tax_probe, tmp_path / name)["programs"]
        assert (found["kind"], found["static_libpython"]) == ("archive", source is LIBPYTHON)


# ---------------------------------------------------------------- frozen programs


def archive(*names: str, python: bytes = SONAME.encode()) -> bytes:
    """PyInstaller's: data, a table of contents, the cookie."""
    data = b"compressed"
    table = b""
    for name in names:
        size = -(-(18 + len(name) + 1) // 16) * 16
        table += struct.pack(">IIIIBc", size, 0, 10, 20, 1, b"b") + name.encode().ljust(size - 18, b"\0")
    length = len(data) + len(table) + 88
    return data + table + struct.pack(">8sIIII64s", b"MEI\014\013\012\013\016", length, 10, len(table), 311, python)


@needs_gcc
def test_a_frozen_program_says_which_libpython_it_brings(tax_probe: TaxProbe, tmp_path: Path) -> None:
    program = gcc(tmp_path, "frozen", MAIN)
    program.write_bytes(program.read_bytes() + archive("main", SONAME, "lib/libz.so.1") + b"signature" * 20)
    document = inspected(tax_probe, program)
    (found,) = document["programs"]
    assert (found["kind"], found["loads_libpython"], found["eval_loop_image"]) == ("frozen-program", True, None)
    assert f"frozen by PyInstaller: it brings its own CPython 3.11, {SONAME}" in document["expectation"]
    assert f"3 entries is appended, and its table of contents names {SONAME}" in found["evidence"][0]
    shown = tax_probe("inspect", str(program))
    assert "packed in it" in shown.out


def test_damaged_archives_are_none(tmp_path: Path) -> None:
    whole = archive("main", SONAME)
    file = tmp_path / "file"
    file.write_bytes(b"program" + whole)
    found = read_frozen(str(file))
    assert found is not None
    assert (found.version, found.libraries, found.entries) == ("3.11", (SONAME,), 2)
    cookie = len(whole) - 88
    for at, value in ((8, 2**32 - 1), (8, 0), (12, 2**31), (16, 0), (16, 2**31), (16, 30)):
        damaged = bytearray(whole)
        struct.pack_into(">I", damaged, cookie + at, value)
        file.write_bytes(b"program" + damaged)
        assert read_frozen(str(file)) is None
    for size in (0, 17, 2**31):
        damaged = bytearray(whole)
        struct.pack_into(">I", damaged, 10, size)
        file.write_bytes(b"program" + damaged)
        assert read_frozen(str(file)) is None
    file.write_bytes(whole[:-1])
    assert read_frozen(str(file)) is None
    file.write_bytes(b"")
    assert read_frozen(str(file)) is None
    # A damaged one behind a whole one does not hide it.
    file.write_bytes(whole + b"MEI\014\013\012\013\016" + b"\xff" * 80)
    assert read_frozen(str(file)) is not None


# ---------------------------------------------------------------- another root


@needs_gcc
def test_links_of_another_root_lead_nowhere_outside(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """Absolute links, links with too many .., RUNPATH and the cache's folders: a decoy lies where each would lead."""
    outside, root, build = tmp_path / "opt", tmp_path / "root", tmp_path / "build"
    for folder in (outside, build, root / "usr/bin", root / "etc", root / "usr/real", root / f".{tmp_path}"):
        folder.mkdir(parents=True)
    decoy = libpython(outside, source=LIBPYTHON.replace("return 7", "return 8") + NAMES_ITS_FOLDER)
    real = libpython(root / "usr/real", source=LIBPYTHON + NAMES_ITS_FOLDER)
    assert decoy.read_bytes() != real.read_bytes()
    # What the absolute path of the decoy leads to in the root is the root's own library.
    (root / f".{outside}").symlink_to("/usr/real")
    (root / "lib").symlink_to("../../../../../../usr/lib")
    (root / "usr/lib").mkdir()
    (root / "usr/lib" / SONAME).symlink_to(decoy)
    program = gcc(root / "usr/bin", "python3.11", USE, str(real), f"-Wl,-rpath,{outside}")
    (root / "usr/bin/python3").symlink_to("/etc/python")
    (root / "etc/python").symlink_to("/usr/bin/python3.11")
    standard_library(root / "usr", LIBDIR="/lib", INSTSONAME=SONAME, Py_ENABLE_SHARED=0)
    for argv in ((), ("/usr/bin/python3",), ("python3",), (root / "usr/bin/python3.11",)):
        document = inspected(tax_probe, "--root", root, *argv)
        assert [one["kind"] for one in document["programs"]] == ["interpreter", "libpython"]
        assert document["programs"][0]["real_path"] == str(program)
        assert document["programs"][0]["eval_loop_image"] == str(real)
        assert document["programs"][1]["real_path"] == str(real)
        assert "Py_ENABLE_SHARED=0, but" in document["contradictions"][0]
        assert str(outside) + "/" not in json.dumps(document).replace(f"{root}{outside}", "")
    assert_refused(
        tax_probe("inspect", "--root", str(root), "/usr/bin/gone"), 2, "there is no file /usr/bin/gone below"
    )
    assert_refused(tax_probe("inspect", "--root", str(root / "gone")), 2, "there is no directory")
    assert_refused(tax_probe("inspect", "--root", str(root), "--system"), 2, "--system inspects the whole system")


def test_a_root_resolves_as_the_kernel_does_in_a_chroot(tmp_path: Path) -> None:
    at = Rooted(str(tmp_path))
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").touch()
    (tmp_path / "up").symlink_to("../../../../a/b")
    (tmp_path / "abs").symlink_to("/up/../b/file")
    (tmp_path / "out").symlink_to("/etc/hostname")
    (tmp_path / "circle").symlink_to("/circle")
    assert at.file("/abs") == at.file("//up/./file") == at.file("/../../a/b/file") == f"{tmp_path}/a/b/file"
    assert at.file("/out") is None
    assert at.real("/out") == f"{tmp_path}/etc/hostname"
    assert at.real("/circle") is None
    assert at.folder("/") == str(tmp_path)
    assert at.inside(f"{tmp_path}/a") == "/a"
    assert Rooted().real("/../usr/./bin/..") == os.path.realpath("/usr")


@needs_gcc
def test_pipes_and_devices_below_a_root_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "python3.11")
    os.mkfifo(tmp_path / SONAME)
    (tmp_path / "bin").mkdir()
    program = gcc(tmp_path / "bin", "python3.11", LIBPYTHON + NAMES_ITS_FOLDER + MAIN, "-rdynamic")
    standard_library(tmp_path)
    os.mkfifo(tmp_path / "lib/libpython3.11.so")
    (found,) = inspect_root(Rooted(str(tmp_path))).programs
    assert (found.kind, found.path, found.real_path) == ("interpreter", "/bin/python3.11", str(program))


def test_packages_of_another_root_are_read_in_its_own_lists(tmp_path: Path) -> None:
    """By either name of a folder that became a link; a list that is a link or a pipe is not followed."""
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (info / "libpython3.11:amd64.list").write_text("/.\n/lib/l.so\n")
    (info / "other.list").write_text("/usr/lib/other.so\n")
    (info / "linked.list").symlink_to("/etc/passwd")
    os.mkfifo(info / "pipe.list")
    (info.parent / "status").write_text(
        "Package: libpython3.11\nStatus: install ok installed\nVersion: 3.11.2-6\nDescription: x\n Version: 9\n\n"
        "Package: gone\nStatus: deinstall ok\n\nPackage: third\nVersion: 1\n"
    )
    at = Rooted(str(tmp_path))
    paths = [f"{tmp_path}/usr/lib/{name}" for name in ("l.so", "other.so", "none.so")]
    assert owners(paths, at) == {paths[0]: "libpython3.11 3.11.2-6"}
    (info.parent / "status").unlink()
    assert owners(paths, at) == {}


@needs_gcc
def test_a_walk_that_ran_out_of_time_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libpython(tmp_path)
    whole = inspect_root(Rooted(str(tmp_path)))
    assert "were reached" not in whole.expectation
    found = file_reading._pythons(Rooted(str(tmp_path)))
    monkeypatch.setattr(file_reading, "_pythons", lambda at: (found[0], False))
    assert "Not all files below" in inspect_root(Rooted(str(tmp_path))).expectation


@needs_gcc
def test_a_copy_in_a_virtual_environment_belongs_to_its_home(tmp_path: Path) -> None:
    (tmp_path / "base/bin").mkdir(parents=True)
    (tmp_path / "env/bin").mkdir(parents=True)
    program = gcc(tmp_path / "base/bin", "python3.11", LIBPYTHON + NAMES_ITS_FOLDER + MAIN, "-rdynamic")
    standard_library(tmp_path / "base", Py_ENABLE_SHARED=1)
    shutil.copy(program, tmp_path / "env/bin/python3")
    (tmp_path / "env/pyvenv.cfg").write_text(f"home = {tmp_path / 'base/bin'}\nversion = 3.11.2\n")
    found = inspect_file(str(tmp_path / "env/bin/python3"))
    assert found.programs[0].kind == "interpreter"
    assert "Py_ENABLE_SHARED=1, but" in found.contradictions[0]


# ---------------------------------------------------------------- what is read beside


def test_claims_are_literals_or_none() -> None:
    assert build_time_vars("# made\nbuild_time_vars = {'A': 1,\n 'B': 'x'}\n") == {"A": "1", "B": "x"}
    for text in ("", "build_time_vars = open('/x')", "build_time_vars = [1]", "other = {}", "(" * 5000, "\0", "def"):
        assert build_time_vars(text) == {}


def test_a_makefile_fills_in_what_it_names() -> None:
    text = "prefix=\t\t/usr\nLIBDIR= $(exec_prefix)/lib\nexec_prefix=${prefix}\nLONG=a \\\n b\nCIRCLE=$(CIRCLE)x\n"
    found = makefile_vars(text)
    assert (found["LIBDIR"], found["LONG"].split()) == ("/usr/lib", ["a", "b"])
    assert len(makefile_vars("A=" + "$(A)" * 4000 + "\n")["A"]) < 1e8


def cache_of(**paths: str) -> bytes:
    strings, entries = b"", b""
    begin = 48 + 24 * len(paths)
    for name, path in paths.items():
        key, value = begin + len(strings), begin + len(strings) + len(name) + 1
        strings += f"{name}\0{path}\0".encode()
        entries += struct.pack("<iIIIQ", 0x303, key, value, 0, 0)
    header = struct.pack("<20sIIB3xI12x", b"glibc-ld.so.cache1.1", len(paths), len(strings), 2, 0)
    return header + entries + strings


def test_the_loaders_cache_in_both_forms_and_damaged() -> None:
    data = cache_of(libx="/lib/libx", liby="/usr/lib/liby")
    assert cached_libraries(data) == {"libx": ["/lib/libx"], "liby": ["/usr/lib/liby"]}
    assert cached_libraries(b"ld.so-1.7.0\0" + b"\0" * 4 + data) == cached_libraries(data)
    for size in (0, 20, 40, 60):
        assert cached_libraries(data[:size]) == {}
    assert cached_libraries(data[:20] + b"\xff" * 4 + data[24:]) == {}


@pytest.mark.skipif(not Path("/etc/ld.so.cache").exists(), reason="no loader's cache here")
def test_this_machines_cache_is_as_ldconfig_reads_it() -> None:
    tool = shutil.which("ldconfig") or "/sbin/ldconfig"
    said = subprocess.run([tool, "-p"], capture_output=True, text=True, check=True, timeout=60).stdout
    listed = [line.strip().partition(" => ") for line in said.splitlines() if " => " in line]
    expected: dict[str, list[str]] = {}
    for name, _, path in listed:
        expected.setdefault(name.split(" ")[0], []).append(path)
    assert cached_libraries(Path("/etc/ld.so.cache").read_bytes()) == expected
