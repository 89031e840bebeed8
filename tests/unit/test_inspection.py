"""What is said of a target, its libraries and its hosts, on planted files and claims."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from profiler.launch import loader
from profiler.launch.binaries.elf import read_elf
from profiler.launch.embedders import inspect_system, scan
from profiler.launch.file_inspection import contradictions, expectation, inspect_target, together
from profiler.launch.interpreters import resolve_target
from profiler.launch.loader import find_library
from profiler.launch.runtime_maps import eval_loop_image, mapped_code
from profiler.model import Inspection, Program, Target
from profiler.present.inspection_tables import print_inspection
from profiler.system.packages import owners
from tests.unit.elf_files import LIBPYTHON, MAIN, gcc, libpython, needs_gcc

USE = "int PyNumber_Planted(int); int main(void) { return PyNumber_Planted(1); }"


def program(role: Literal["program", "library", "host"], path: str, **known: Any) -> Program:
    unknown: dict[str, Any] = dict.fromkeys(Program.__struct_fields__)
    return Program(**unknown | {"role": role, "path": path, "real_path": path, "evidence": ("seen",)} | known)


PYTHON = program(
    "program", "/usr/bin/python3.11", static_libpython=True, eval_loop_image="/usr/bin/python3.11", pgo=True, pic=False,
    package="python3.11-minimal 3.11.2-6",
)  # fmt: skip
SHARED = program("library", "/usr/lib/libpython3.11.so.1.0", static_libpython=False, pgo=False, pic=True)
ARCHIVE = program("library", "/usr/lib/libpython3.11.a", static_libpython=True, pgo=True)
EMBEDDED = msgspec.structs.replace(
    PYTHON, static_libpython=False, loads_libpython=True, loads=SHARED.path, eval_loop_image=SHARED.path, pgo=None
)
TARGET = Target(
    path="/usr/bin/python3", real_path=PYTHON.path, version="3.11.2", build_id=None, program_loads=None,
    shared_library=SHARED.path, shared_library_build_id=None, static_library=ARCHIVE.path, pic_library=None,
    include_dir=None, library_dir=None, prefix="/usr",
)  # fmt: skip


def says(**sysconfig: str) -> dict[str, str]:
    return sysconfig


# ---------------------------------------------------------------- contradictions


def test_debians_sysconfig_is_contradicted() -> None:
    found = contradictions([PYTHON, SHARED], says(Py_ENABLE_SHARED="1", CONFIG_ARGS="'--enable-shared'"))
    assert len(found) == 2
    assert "Py_ENABLE_SHARED=1, but /usr/bin/python3.11 loads no libpython" in found[0]
    assert "do not name --enable-optimizations, but /usr/bin/python3.11 is built with PGO" in found[1]


def test_claims_of_optimisations_that_a_file_lacks() -> None:
    library = msgspec.structs.replace(SHARED, lto=False)
    found = contradictions(
        [EMBEDDED, library], says(Py_ENABLE_SHARED="1", CONFIG_ARGS="'--enable-optimizations' '--with-lto'")
    )
    assert found == (
        "sysconfig's CONFIG_ARGS name --enable-optimizations, but /usr/lib/libpython3.11.so.1.0 is not built with PGO",
        "sysconfig's CONFIG_ARGS name --with-lto, but /usr/lib/libpython3.11.so.1.0 is not built with LTO",
    )


def test_unshared_claim_on_a_program_that_loads_a_libpython() -> None:
    (found,) = contradictions([EMBEDDED, SHARED], says(Py_ENABLE_SHARED="0"))
    assert "Py_ENABLE_SHARED=0, but /usr/bin/python3.11 loads /usr/lib/libpython3.11.so.1.0" in found


def test_unknown_evidence_and_true_claims_contradict_nothing() -> None:
    unknown = msgspec.structs.replace(SHARED, pgo=None)
    assert contradictions([EMBEDDED, unknown], says(Py_ENABLE_SHARED="1", CONFIG_ARGS="--enable-optimizations")) == ()
    assert contradictions([PYTHON], says(Py_ENABLE_SHARED="0", CONFIG_ARGS="--enable-optimizations")) == ()


def test_different_package_versions_are_named() -> None:
    newer = msgspec.structs.replace(SHARED, package="libpython3.11 3.11.2-6+deb12u7")
    (found,) = contradictions([PYTHON, newer], says(CONFIG_ARGS="--enable-optimizations"))[-1:]
    assert "python3.11-minimal 3.11.2-6; " in found
    assert "libpython3.11 3.11.2-6+deb12u7" in found


# ---------------------------------------------------------------- expectation


def test_other_machine_code_without_a_profile() -> None:
    text = expectation([PYTHON, SHARED, ARCHIVE], TARGET)
    assert "other machine code" in text
    assert "built without PGO, with PIC, unlike the program" in text
    assert "Expect more instructions for the same bytecode" in text
    assert "libpython3.11.a, which has PGO, should lose less" in text


def test_the_same_eval_loop() -> None:
    text = expectation([EMBEDDED, SHARED], TARGET)
    assert "the same eval loop" in text
    assert "no difference in instructions" in text


def test_nothing_known_promises_nothing() -> None:
    shared = msgspec.structs.replace(SHARED, pgo=None, pic=None)
    text = expectation([PYTHON, shared], TARGET)
    assert "do not tell which is slower" in text
    assert "xpect" not in text


def test_no_library_at_all_and_archives_only() -> None:
    assert "install libpython3.11-dev" in expectation([PYTHON], TARGET)
    assert "can only link /usr/lib/libpython3.11.a" in expectation([PYTHON, ARCHIVE], TARGET)


def test_several_inspections_are_one_document() -> None:
    one = Inspection(programs=(PYTHON, SHARED), contradictions=("a",), expectation="x")
    two = Inspection(programs=(EMBEDDED, SHARED), contradictions=("a", "b"), expectation="y")
    both = together([one, two])
    assert [entry.path for entry in both.programs] == [PYTHON.path, SHARED.path]
    assert both.contradictions == ("a", "b")
    assert both.expectation == "x\ny"


# ---------------------------------------------------------------- which file a process runs


def maps(*files: Path | str) -> str:
    lines = [f"{i:x}000-{i + 1:x}000 r-xp 00000000 fe:01 {i}    {file}" for i, file in enumerate(files, 1)]
    return "\n".join([*lines, "7ffd000-7ffe000 r-xp 00000000 00:00 0    [vdso]", "0-1 rw-p 00000000 00:00 0"]) + "\n"


def test_only_mapped_code_counts() -> None:
    text = "1-2 r--p 0 fe:01 1 /data\n1-2 r-xp 0 fe:01 1 /a b\n2-3 r-xp 0 fe:01 1 /a b\n1-2 r-xp 0 fe:01 1 [vdso]\n"
    assert mapped_code(text) == ("/a b",)


@needs_gcc
def test_eval_loop_of_a_program_of_its_library_and_of_neither(tmp_path: Path) -> None:
    library = libpython(tmp_path)
    own = gcc(tmp_path, "own", LIBPYTHON + MAIN)
    host = gcc(tmp_path, "host", USE, str(library))
    stub = gcc(tmp_path, "libpython3.so", "", "-shared", "-Wl,--no-as-needed", str(library))
    assert eval_loop_image(maps(own), str(own)) == str(own)
    assert eval_loop_image(maps(host, stub, library), str(host)) == str(library)
    assert eval_loop_image(maps(own, library), str(own)) == str(own)
    assert eval_loop_image(maps(host, stub), str(host)) is None
    assert eval_loop_image(maps(host, f"{library} (deleted)"), str(host)) is None


@needs_gcc
def test_two_libpythons_in_one_process_are_not_guessed_between(tmp_path: Path) -> None:
    one = libpython(tmp_path)
    two = libpython(tmp_path, name="libpython3.12.so.1.0")
    host = gcc(tmp_path, "host", MAIN)
    assert eval_loop_image(maps(host, one, two), str(host)) is None


# ---------------------------------------------------------------- loader and packages


@needs_gcc
def test_the_loaders_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [tmp_path / name for name in ("beside", "path", "cached")]
    for place in places:
        place.mkdir()
        libpython(place)
    soname = "libpython3.11.so.1.0"
    beside, path, cached = (str(place / soname) for place in places)
    monkeypatch.setattr(loader, "_cache", lambda file: {soname: ["/nonexistent/x.so", cached]})
    host = gcc(tmp_path, "host", USE, beside, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/beside")
    old_host = gcc(tmp_path, "old", USE, beside, "-Wl,--disable-new-dtags,-rpath,${ORIGIN}/beside")
    plain = gcc(tmp_path, "plain", USE, beside)
    assert [find_library(soname, read_elf(str(elf))) for elf in (host, old_host, plain)] == [beside, beside, cached]
    monkeypatch.setenv("LD_LIBRARY_PATH", str(places[1]))
    assert [find_library(soname, read_elf(str(elf))) for elf in (host, old_host, plain)] == [path, beside, path]
    assert find_library("$ORIGIN/cached/" + soname, read_elf(str(plain))) == cached
    assert find_library("libmissing.so.9", read_elf(str(plain))) is None


def fake_tool(folder: Path, name: str, script: str) -> None:
    tool = folder / name
    tool.write_text("#!/bin/sh\n" + script)
    tool.chmod(0o755)


def test_packages_by_dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """case "$1" in
-S) echo 'diversion by x from: /usr/bin/a'; echo 'libpython3.11:amd64: /lib/l.so'; echo 'no path' >&2; exit 1;;
-W) printf 'libpython3.11:amd64\\tlibpython3.11 3.11.2-6+deb12u6\\n';;
esac"""
    fake_tool(tmp_path, "dpkg-query", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert owners(["/usr/lib/l.so", "/usr/bin/a"]) == {"/usr/lib/l.so": "libpython3.11 3.11.2-6+deb12u6"}


@pytest.mark.parametrize("order", ["python3.14-minimal, python3.14-nopie", "python3.14-nopie, python3.14-minimal"])
def test_a_diverted_file_belongs_to_the_package_that_diverts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    script = f"""case "$1" in
-S) echo 'diversion by python3.14-nopie from: /usr/bin/python3.14'
    echo 'diversion by python3.14-nopie to: /usr/bin/python3.14-pie'
    echo '{order}: /usr/bin/python3.14';;
-W) shift 3; for one; do printf '%s\t%s 3.14.10-1\n' $one $one; done;;
esac"""
    fake_tool(tmp_path, "dpkg-query", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert owners(["/usr/bin/python3.14"]) == {"/usr/bin/python3.14": "python3.14-nopie 3.14.10-1"}


def test_packages_by_rpm_and_by_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert owners(["/usr/bin/python3.12"]) == {}
    script = 'case "$5" in *python*) echo "python3 3.12.1-2.fc39";; *) echo "file $5 is not owned"; exit 1;; esac\n'
    fake_tool(tmp_path, "rpm", script)
    assert owners(["/usr/bin/python3.12", "/x"]) == {"/usr/bin/python3.12": "python3 3.12.1-2.fc39"}


# ---------------------------------------------------------------- the system


@needs_gcc
def test_hosts_are_found_once_and_only_where_they_name_a_libpython(tmp_path: Path) -> None:
    root = tmp_path / "usr"
    root.mkdir()
    library = libpython(root)
    rpath = "-Wl,-rpath,$ORIGIN"
    host = gcc(root, "host", USE, str(library), rpath)
    plugin = gcc(root, "plugin.so", USE.replace("main", "run"), "-shared", "-fPIC", str(library), rpath)
    plugin.chmod(0o644)
    gcc(root, "other", MAIN)
    (root / "host-again").hardlink_to(host)
    (root / "link").symlink_to(host)
    (root / "libbroken.so").write_bytes(host.read_bytes()[:900])
    (root / "script").write_text("libpython3.11.so.1.0")
    seen: list[str] = []
    found = scan(lambda files, directory: seen.append(directory), roots=(str(root), str(tmp_path / "missing")))
    assert sorted(Path(path).name.removesuffix("-again") for path, _ in found.hosts) == ["host", "plugin.so"]
    assert {soname for _, soname in found.hosts} == {"libpython3.11.so.1.0"}
    assert found.complete
    assert seen == [str(root)]
    assert not scan(lambda *_: None, roots=(str(root),), time_limit_s=-1.0).complete
    inspection = inspect_system(lambda *_: None, roots=(str(root),))
    assert [entry.role for entry in inspection.programs] == ["host", "host", "library"]
    assert all(entry.eval_loop_image == str(library) for entry in inspection.programs)
    assert "no python program on this machine belongs to that library" in inspection.programs[0].evidence[-1]
    assert inspection.expectation.startswith("2 of ")


@needs_gcc
def test_a_host_of_the_stable_abi_stub_is_followed_to_the_eval_loop(tmp_path: Path) -> None:
    library = libpython(tmp_path)
    stub = gcc(
        tmp_path, "libpython3.so", "", "-shared", "-Wl,--no-as-needed,-soname,libpython3.so,-rpath,$ORIGIN",
        str(library),
    )  # fmt: skip
    options = "-Wl,--no-as-needed,-rpath,$ORIGIN,--allow-shlib-undefined"
    gcc(tmp_path, "host", MAIN, options, str(stub))
    inspection = inspect_system(lambda *_: None, roots=(str(tmp_path),))
    host = next(entry for entry in inspection.programs if entry.role == "host")
    assert host.eval_loop_image == str(library)


@needs_gcc
def test_a_host_whose_library_is_missing_is_unknown(tmp_path: Path) -> None:
    library = libpython(tmp_path, name="libpython3.99.so.1.0")
    gcc(tmp_path, "host", USE, str(library))
    library.unlink()
    (host,) = inspect_system(lambda *_: None, roots=(str(tmp_path),)).programs
    assert host.eval_loop_image is None
    assert (host.loads_libpython, host.loads, host.static_libpython) == (True, None, False)
    assert "it names libpython3.99.so.1.0, which is not installed" in host.evidence[0]
    assert "no installed file" in host.evidence[-1]


# ---------------------------------------------------------------- a planted target, and printing


@needs_gcc
def test_a_copied_program_is_inspected_as_what_it_is(tmp_path: Path) -> None:
    """Stripped or not, the copy's claims rest on the copy: sysconfig still speaks of the original."""
    copy = tmp_path / "python3"
    shutil.copy(Path(sys.executable).resolve(), copy)
    subprocess.run(["strip", "-R", ".comment", copy], check=True, timeout=60)
    target = resolve_target(str(copy))
    inspection = inspect_target(target)
    assert inspection.programs[0].real_path == str(copy)
    assert any("/proc/self/maps" in sentence for sentence in inspection.programs[0].evidence)


def test_json_is_one_document_with_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    print_inspection(Inspection(programs=(PYTHON,), contradictions=("c",), expectation="e"), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"programs", "contradictions", "expectation"}
    assert set(document["programs"][0]) == set(Program.__struct_fields__)
    assert document["programs"][0]["lto"] is None
    assert document["programs"][0]["loads_libpython"] is None


def test_tables_show_unknown_as_a_dash_and_no_markup_of_paths(capsys: pytest.CaptureFixture[str]) -> None:
    strange = msgspec.structs.replace(PYTHON, path="/opt/[bold]/python3")
    print_inspection(
        Inspection(programs=(strange, ARCHIVE), contradictions=("c",), expectation="e"), as_json=False, verbose=True
    )
    out = capsys.readouterr().out
    assert out.startswith("e Nothing was measured.")
    assert "program /opt/[bold]/python3" in out
    assert "?" in out
    assert "in the host" in out
    assert "Warning      c" in out


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_terminal_shows_many_files_on_one_screen(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out is counted, and no cell of the table is cut but names."""
    monkeypatch.setattr("profiler.present.text.WITHOUT_TERMINAL", width)
    print_inspection(Inspection(programs=(PYTHON, ARCHIVE) * 20, contradictions=("c",), expectation="e"), as_json=False)
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) <= 40
    assert max(map(len, shown)) <= width
    assert "More         26 files: -v" in shown
    assert shown[-2] == "Next         tax-probe ipc"
