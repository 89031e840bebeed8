"""Every CPython of a machine: found in planted trees, each once; ranked and explained on planted facts."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profiler.analyze.siblings import differences, ranked
from profiler.catalogue.build_options import BUILD_OPTIONS
from profiler.catalogue.causes import CAUSES
from profiler.cli import main
from profiler.collect.python_counts import count_pythons
from profiler.errors import UsageError
from profiler.launch.binaries.build_marks import compiler_name, is_free_threaded
from profiler.launch.binaries.hardening import hardening_of
from profiler.launch.binaries.python_version import version_in
from profiler.launch.installed_pythons import (
    Where,
    base_of,
    hardened_by,
    installed_pythons,
    named_files,
    origin_of,
    sightings,
    usual_places,
)
from profiler.model import Program
from profiler.model.installed import PYTHONS_SCHEMA, InstalledPython, PythonCount, PythonProgram, Pythons
from profiler.present.layout import ASCII, UNICODE
from profiler.present.pythons_listed import names_of, why
from profiler.present.pythons_told import lines, print_pythons
from profiler.workloads import find_workload
from tests.unit.elf_files import LIBPYTHON, MAIN, gcc, libpython, needs_gcc

VERSION = "const unsigned long Py_Version = 0x030b02f0;\n"
"""PY_VERSION_HEX of 3.11.2."""
USE = "int PyNumber_Planted(int); int main(void) { return PyNumber_Planted(1); }"


_OF_THE_FILE = set(Program.__struct_fields__) - set(InstalledPython.__struct_fields__)


def planted(path: str = "/usr/bin/python3.11", **known: Any) -> InstalledPython:
    """A static program, built with everything that makes it fast; ``known`` is of the file or of the Python."""
    own = {name: known.pop(name) for name in list(known) if name in _OF_THE_FILE}
    facts: dict[str, Any] = dict.fromkeys(Program.__struct_fields__) | {
        "role": "program", "path": path, "real_path": path, "evidence": ("seen",), "pgo": True, "lto": True,
        "pic": False, "usdt": False, "tls_model": "local-exec", "optimisation_level": "-O3", "debug_build": False,
        "own_api_slots": 0, "interposable": False,
    }  # fmt: skip
    fields: dict[str, Any] = {
        "version": "3.11.2", "origin": "distribution", "kind": "program", "aliases": (), "free_threaded": False,
        "hardening": ("RELRO",), "compiler": "GCC 12.2.0",
    }  # fmt: skip
    return InstalledPython(file=Program(**facts | own), **fields | known)


FAST = planted()
AS_LIBRARY: dict[str, Any] = {
    "kind": "library", "pic": True, "own_api_slots": 900, "interposable": True, "tls_model": "general-dynamic",
    "programs": (PythonProgram(path="/x/python3.11", build_id=None, aliases=()),),
}  # fmt: skip


def counted(one: InstalledPython, instructions: float | None, workload: str = "int_loop") -> InstalledPython:
    reason = None if instructions is not None else "it did not start"
    count = PythonCount(workload=workload, instructions=instructions, reason=reason)
    return msgspec.structs.replace(one, counts=(*one.counts, count))


def quiet(files: int, folder: str) -> None:
    """No progress."""


def described(where: Where, hosts: tuple[str, ...] = ()) -> Pythons:
    return installed_pythons(sightings(where), hosts, quiet)


# ---------------------------------------------------------------- finding


@needs_gcc
def test_a_library_and_its_program_are_one_and_copies_are_aliases(tmp_path: Path) -> None:
    lib, bin_, copy = (tmp_path / name for name in ("lib", "bin", "copy"))
    for folder in (lib, bin_, copy):
        folder.mkdir()
    library = libpython(lib, source=LIBPYTHON + VERSION)
    (lib / "libpython3.11.so").symlink_to(library)
    program = gcc(bin_, "python3.11", USE, str(library), f"-Wl,-rpath,{lib}")
    (bin_ / "python3").symlink_to(program)
    (bin_ / "python3.11-config").write_text("#!/bin/sh\n")
    shutil.copy(library, copy / library.name)
    (one,) = described(Where(folders=(bin_, lib), trees=(copy,))).pythons
    assert (one.version, one.kind, one.origin, one.free_threaded) == ("3.11.2", "library", "elsewhere", False)
    assert {one.file.real_path, *one.aliases} == {
        str(library), str(lib / "libpython3.11.so"), str(copy / library.name)
    }  # fmt: skip
    assert [(each.path, each.aliases) for each in one.programs] == [(str(program), (str(bin_ / "python3"),))]
    assert one.hardening is not None
    assert one.compiler is not None


@needs_gcc
@pytest.mark.parametrize("build_id", ["sha1", "none"])
def test_files_that_differ_are_not_one_without_a_build_id_either(tmp_path: Path, build_id: str) -> None:
    option = f"-Wl,--build-id={build_id}"
    for name, version in (("a", VERSION), ("b", VERSION.replace("02f0", "07f0"))):
        (tmp_path / name).mkdir()
        gcc(tmp_path / name, "python3.11", LIBPYTHON + MAIN + version, "-rdynamic", option)
    shutil.copytree(tmp_path / "a", tmp_path / "c")
    found = described(Where(folders=(), trees=(tmp_path,))).pythons
    assert [(one.version, one.kind, len(one.aliases)) for one in found] == [
        ("3.11.2", "program", 1),
        ("3.11.7", "program", 0),
    ]


@needs_gcc
def test_what_is_called_like_one_and_is_none_is_told_with_its_reason(tmp_path: Path) -> None:
    gcc(tmp_path, "python3", MAIN)
    library = libpython(tmp_path, name="libpython3.9.so.1.0")
    gcc(tmp_path, "python3.9", USE, str(library))
    library.unlink()
    (tmp_path / "python3.8").write_bytes(b"\x7fELF and no more")
    (tmp_path / "python3.7").write_text("a shim")
    found = described(Where(folders=(tmp_path,), trees=()))
    assert found.pythons == ()
    reasons = {Path(one.partition(":")[0].partition(" is ")[0]).name: one for one in found.unread}
    assert set(reasons) == {"python3", "python3.9", "python3.8"}
    assert "no symbol shows an eval loop" in reasons["python3"]
    assert "which is not found" in reasons["python3.9"]
    assert "damaged" in reasons["python3.8"]


def test_folders_that_may_not_be_read_are_counted_and_missing_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    listed = Path.iterdir

    def refusing(folder: Path) -> Any:
        if folder == closed:
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refusing)
    found = sightings(Where(folders=(closed, tmp_path / "absent"), trees=(tmp_path / "absent",)))
    assert (found.files, found.unreadable_folders) == ({}, 1)


def test_places_are_those_of_the_tools_and_of_the_bases_of_environments(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for folder in (".pyenv/versions/3.12.1", ".local/share/uv/python/cpython-3.13", "miniconda3/envs/lab", ".conda"):
        (home / folder).mkdir(parents=True)
    (home / ".conda/environments.txt").write_text("/srv/conda\n\n")
    (home / "venv").mkdir()
    (home / "venv/pyvenv.cfg").write_text("home = /srv/base/bin\nversion = 3.11.2\n")
    folders = {str(one) for one in usual_places(home, {"PATH": "/srv/tools/bin:relative"}).folders}
    assert {
        "/srv/tools/bin", "/srv/tools/lib", "/usr/bin", "/srv/base/bin", "/srv/base/lib", "/srv/conda/bin",
        f"{home}/.pyenv/versions/3.12.1/lib", f"{home}/.local/share/uv/python/cpython-3.13/bin",
        f"{home}/miniconda3/envs/lab/bin",
    } <= folders  # fmt: skip
    assert "relative" not in folders
    assert base_of(home / ".pyenv") is None


@pytest.mark.parametrize(
    ("path", "package", "origin"),
    [
        ("/home/me/.pyenv/versions/3.12.1/bin/python3.12", None, "pyenv"),
        ("/home/me/.local/share/uv/python/cpython-3.13/bin/python3.13", None, "uv"),
        ("/usr/bin/python3.11", "python3.11-minimal 3.11.2-6", "distribution"),
        ("/usr/local/bin/python3.11", None, "/usr/local"),
        ("/opt/app/bin/python3", None, "/opt"),
        ("/srv/python3", None, "elsewhere"),
    ],
)
def test_where_a_file_is_from(path: str, package: str | None, origin: str) -> None:
    assert origin_of(path, package) == origin


def test_conda_is_known_by_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    assert origin_of(str(tmp_path / "bin" / "python3.11"), None) == "conda"


@needs_gcc
def test_what_an_installed_program_loads_is_found_through_it(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "bin").mkdir()
    library = libpython(tmp_path / "own", source=LIBPYTHON + VERSION)
    gcc(tmp_path / "bin", "host", USE, str(library), f"-Wl,-rpath,{tmp_path / 'own'}")
    (one,) = described(Where(folders=(), trees=()), hosts=(str(tmp_path / "bin"),)).pythons
    assert (one.file.real_path, one.origin, one.programs) == (str(library), "embedder", ())


def test_a_named_file_must_be_elf(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\n")
    with pytest.raises(UsageError, match="no ELF file"):
        named_files([str(tmp_path / "python3")])


# ---------------------------------------------------------------- what a file shows


@needs_gcc
@pytest.mark.parametrize(
    ("source", "version"),
    [
        (VERSION, "3.11.2"),
        (VERSION.replace("030b02f0", "030e00c2"), "3.14.0rc2"),
        ('const char *Py_Planted(void) { return "3.11.9"; }', "3.11.9"),
        ('const char *Py_Planted(void) { return "/opt/versions/3.11.9"; }', "3.11.9"),
        ('const char *Py_Planted(int i) { return i ? "3.11.9" : "3.11.8"; }', None),
        ('const char *Py_Planted(void) { return "3.2.0"; }', None),
    ],
)
def test_the_version_is_read(tmp_path: Path, source: str, version: str | None) -> None:
    library = libpython(tmp_path, source=LIBPYTHON + source + "\n")
    assert version_in(str(library), "libpython3.11.so.1.0") == version


@needs_gcc
def test_a_free_threaded_build_is_known_by_its_symbol(tmp_path: Path) -> None:
    library = libpython(tmp_path, source=LIBPYTHON + VERSION + "void _Py_DecRefShared(void *o) {}\n")
    assert is_free_threaded(str(library))


@needs_gcc
def test_hardening_is_read(tmp_path: Path) -> None:
    options = ("-O2", "-Wl,-z,relro,-z,now")
    soft = libpython(tmp_path, "-fno-stack-protector", "-U_FORTIFY_SOURCE", *options)
    assert "stack protector" not in hardened_by(hardening_of(str(soft)))
    hard = hardened_by(hardening_of(str(libpython(tmp_path, "-fstack-protector-all", *options))))
    assert {"stack protector", "RELRO", "bind now"} <= set(hard)


def test_compilers_are_named_alike() -> None:
    assert compiler_name(("GCC: (Debian 12.2.0-14+deb12u1) 12.2.0",)) == "GCC 12.2.0"
    assert compiler_name(("[Clang 20.1.0 ]",)) == "Clang 20.1.0"
    assert compiler_name(("GCC: (GNU) 12.2.0", "GCC: (GNU) 13.1.0")) is None
    assert compiler_name(()) is None


# ---------------------------------------------------------------- ranking and explaining

ONE_OPTION: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("pgo", {"pgo": False}, "no PGO"),
    ("lto", {"lto": False}, "no LTO"),
    ("pic", {"pic": True}, "PIC"),
    ("calls", {"interposable": True}, "calls stay interposable"),
    ("tls", {"tls_model": "general-dynamic"}, "TLS general-dynamic"),
    ("usdt", {"usdt": True}, "USDT probes"),
    ("optimisation", {"optimisation_level": "-O2"}, "-O2"),
    ("debug", {"debug_build": True, "optimisation_level": "-O0"}, "debug build (-O0)"),
    ("free-threaded", {"free_threaded": True}, "no GIL"),
    ("shared", AS_LIBRARY, "in a shared library (PIC, calls by PLT, TLS general-dynamic)"),
    ("fortify", {"hardening": ("fortify", "RELRO")}, "fortified"),
    ("compiler", {"compiler": "Clang 20.1.0"}, "Clang 20.1.0"),
)


@pytest.mark.parametrize(("option", "known", "said"), ONE_OPTION, ids=[one[0] for one in ONE_OPTION])
def test_two_builds_that_differ_in_one_option_get_that_one_and_no_other(
    option: str, known: dict[str, Any], said: str
) -> None:
    slow = counted(planted("/x/python3.11", **known), 1200.0)
    first, second = ranked([counted(FAST, 1000.0), slow])
    assert (first.differences, first.counts[0].ratio) == ((), 1.0)
    assert [one.option for one in second.differences] == [option]
    assert second.counts[0].ratio == pytest.approx(1.2)
    assert second.counts[0].fastest == FAST.file.real_path
    assert f"the one difference that files show: {said}, the fastest: " in why(second)
    assert second.not_told == ()


@needs_gcc
@pytest.mark.parametrize(
    ("option", "flag"),
    [("calls", "-Wl,-Bsymbolic"), ("optimisation", "-O1"), ("stack-protector", "-fstack-protector-all")],
)
def test_one_option_of_a_real_build_is_that_one_difference(tmp_path: Path, option: str, flag: str) -> None:
    usual = ("-O2", "-g", "-fno-stack-protector")
    found: list[InstalledPython] = []
    for name, options in (("one", usual), ("other", (*usual, flag))):
        (tmp_path / name).mkdir()
        libpython(tmp_path / name, *options, source=LIBPYTHON + VERSION)
        found += described(Where(folders=(tmp_path / name,), trees=())).pythons
    told, _ = differences(*found)
    assert [one.option for one in told] == [option]


def test_what_another_option_would_not_bring_stands_for_itself() -> None:
    """A debug build lowers the level of optimisation; one of a higher level was told so apart."""
    debug = counted(planted("/x/python3.11", debug_build=True), 1200.0)
    _, slow = ranked([counted(planted(optimisation_level="-O2"), 1000.0), debug])
    assert why(slow) == "differs in: debug build; has what should make it faster: -O3"


def test_another_patch_level_is_said_first() -> None:
    newer = counted(planted("/x/python3.11", version="3.11.7", pgo=False, usdt=True), 1200.0)
    _, slow = ranked([counted(FAST, 1000.0), newer])
    assert why(slow) == "another patch level 3.11.7 (the fastest: 3.11.2); differs in: no PGO, USDT probes"


def test_what_should_help_is_not_named_as_what_costs() -> None:
    slower = counted(planted("/x/python3.11", pgo=False), 1200.0)
    faster = counted(planted("/y/python3.11", lto=False), 1000.0)
    assert why(ranked([slower, faster])[0]) == "differs in: no PGO; has what should make it faster: LTO"


def test_nothing_that_differs_is_said_and_what_no_file_tells_is_kept() -> None:
    _, slow = ranked([counted(FAST, 1000.0), counted(planted("/x/python3.11", lto=None), 1200.0)])
    assert why(slow) == "no difference that files show"
    assert slow.not_told == ("LTO",)


def test_only_those_of_one_minor_version_are_siblings_and_each_workload_has_its_fastest() -> None:
    one = counted(counted(FAST, 1000.0), 70.0, "dynamic")
    other = counted(counted(planted("/x/python3.11", pgo=False), 1200.0), 63.0, "dynamic")
    alone = counted(planted("/x/python3.12", version="3.12.1"), 900.0)
    silent = counted(planted("/y/python3.11"), None)
    found = ranked([one, other, alone, silent])
    assert [[count.ratio for count in each.counts] for each in found] == [
        [1.0, pytest.approx(70 / 63)], [pytest.approx(1.2), 1.0], [1.0], [None]
    ]  # fmt: skip
    assert [each.option for each in found[1].differences] == ["pgo"]
    assert why(found[0]) == "the one difference that files show should make it faster: PGO, the fastest: no PGO"
    assert found[3].counts[0].reason == "it did not start"


def test_one_of_an_unknown_version_has_no_siblings() -> None:
    unknown = counted(planted("/x/python3", version=None), 2000.0)
    assert ranked([counted(FAST, 1000.0), unknown])[1].counts[0].ratio == 1.0


def test_every_cause_of_an_option_is_in_the_catalogue() -> None:
    ids = {option.id for option in BUILD_OPTIONS}
    assert {option.cause for option in BUILD_OPTIONS} - {None} <= {entry.id for entry in CAUSES}
    assert {id_ for option in BUILD_OPTIONS for id_ in option.brings} <= ids
    for at, option in enumerate(BUILD_OPTIONS):
        assert set(option.brings) <= {later.id for later in BUILD_OPTIONS[at:]}


# ---------------------------------------------------------------- counting


class Counting:
    """A source that counts M times a figure; of one program it fails."""

    name = "callgrind"
    missing = ()

    def measure(self, what: Any, command: Any, scratch: Path) -> Any:
        from profiler.sources.source import Outcome, reading_of

        program, m = command.argv[0], int(command.argv[-1])
        failed = program.endswith("broken")
        return Outcome(
            readings=(reading_of("callgrind", "instructions", 5000.0 + 930.0 * m, "Ir"),),
            exit=1 if failed else 0,
            stdout=f"{m}\n".encode(),
            stderr_tail="No module named encodings" if failed else "",
            timed_out=False,
            output_exceeded=False,
        )


def test_each_program_is_counted_or_has_its_reason() -> None:
    library = planted("/lib/libpython3.11.so.1.0", **AS_LIBRARY)
    alone = msgspec.structs.replace(planted("/lib/alone.so", kind="library"), programs=())
    old, broken = planted("/old/python3.7", version="3.7.16"), planted("/x/broken")
    source: Any = Counting()
    found = count_pythons(
        [broken, library, alone, old], [find_workload("int_loop")], source, seed=1, timeout_s=5, say=lambda _: None
    )
    assert {path: (one.instructions, one.reason) for path, (one,) in found.counts.items()} == {
        "/x/broken": (None, "workload int_loop ended with exit code 1: No module named encodings"),
        "/lib/libpython3.11.so.1.0": (930.0, None),
        "/lib/alone.so": (None, "no python program loads it"),
        "/old/python3.7": (None, "older than 3.8, which the script needs"),
    }


# ---------------------------------------------------------------- telling


def many(*, measured: bool) -> Pythons:
    found = []
    for at in range(30):
        known = ({}, AS_LIBRARY, {"pgo": None, "lto": None, "optimisation_level": None})[at % 3]
        hardening = ("stack protector", "fortify", "RELRO")[at % 3 :]
        path = f"/home/me/.pyenv/versions/x{at}/lib/libpython3.{10 + at % 4}.so.1.0"
        one = planted(path, version=f"3.{10 + at % 4}.{at}", origin="pyenv", hardening=hardening, **known)
        if measured:
            one = counted(counted(one, 900.0 + 37 * at), 6e4 + 991 * at if at % 7 else None, "dynamic")
        found.append(one)
    return Pythons(
        pythons=ranked(found) if measured else tuple(found),
        unread=("/x/python3: none", "/y/python3: none"),
        unreadable_folders=3,
        seed=1 if measured else None,
        measured_s=99.4 if measured else None,
    )


@pytest.mark.parametrize("marks", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_an_answer_is_one_screen_at_any_width(width: int, measured: bool, marks: Any) -> None:
    told = [line.plain for line in lines(many(measured=measured), width, marks, verbose=False)]
    assert len(told) <= 40
    assert max(map(len, told)) <= width
    assert any(line.startswith("More ") for line in told)
    assert any(line.startswith("Next         tax-probe") for line in told)
    assert marks is UNICODE or "".join(told).isascii()


def test_those_that_would_be_called_alike_are_told_by_their_folders() -> None:
    paths = ("/x/one/lib/libpython3.11.so.1.0", "/x/two/lib/libpython3.11.so.1.0", "/usr/bin/python3.11")
    assert list(names_of([planted(path) for path in paths]).values()) == [
        "one/libpython3.11.so", "two/libpython3.11.so", "python3.11"
    ]  # fmt: skip


def test_verbose_tells_every_path_and_all_evidence() -> None:
    one = msgspec.structs.replace(planted(**AS_LIBRARY), aliases=("/usr/lib/[bold]/a.so",))
    answer = Pythons(pythons=(one,), unread=("/x/python3: none",), unreadable_folders=0)
    told = "\n".join(line.plain for line in lines(answer, 100, UNICODE, verbose=True))
    assert "- also /usr/lib/[bold]/a.so" in told
    assert "- run by /x/python3.11, build-id none" in told
    assert "- seen" in told
    assert "/x/python3: none" in told


def test_a_machine_without_any_says_so() -> None:
    answer = Pythons(pythons=(), unread=(), unreadable_folders=0)
    assert lines(answer, 80, UNICODE, verbose=False)[0].plain.startswith("No CPython was found.")
    nothing = msgspec.structs.replace(answer, measured_s=0.1, seed=1)
    assert lines(nothing, 80, UNICODE, verbose=False)[0].plain == "No CPython was found."


@pytest.mark.parametrize("measured", [False, True])
def test_the_document_comes_back_as_it_was(measured: bool, capsys: pytest.CaptureFixture[str]) -> None:
    answer = many(measured=measured)
    print_pythons(answer, as_json=True)
    text = capsys.readouterr().out
    assert json.loads(text)["schema"] == PYTHONS_SCHEMA == "tax-probe/pythons/1"
    assert msgspec.json.decode(text, type=Pythons) == answer


@needs_gcc
def test_the_command_reads_files_and_runs_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The planted program would end with 7."""
    program = gcc(tmp_path, "python3.11", LIBPYTHON + VERSION + "int main(void) { return 7; }\n", "-rdynamic")
    assert main(["pythons", "--format", "json", str(program)]) == 0
    (one,) = json.loads(capsys.readouterr().out)["pythons"]
    assert (one["version"], one["kind"], one["counts"]) == ("3.11.2", "program", [])
    assert main(["pythons", str(program)]) == 0
    assert "none was run" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    "words", [["--workload", "int_loop"], ["--measure", "--timeout", "0"], ["--measure", "--workload", "absent"]]
)
def test_what_makes_no_sense_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pythons", os.path.realpath("/proc/self/exe"), *words]) == UsageError.exit_code
    assert "→" in capsys.readouterr().err
