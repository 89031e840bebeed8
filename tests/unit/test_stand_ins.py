"""Archives that lack what their modules need, made with the system's compiler: who is replaced, and by what."""

import shutil
import subprocess
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.launch.stand_ins import Mended, mend, needing
from profiler.model import LinkMode

CORE = """\
#include <stdio.h>
void *PyExc_ImportError;
void PyErr_SetString(void *kind, const char *said) { puts(said); }
"""
MODULE = "int planted_{name}(void); void *PyInit_{name}(void) {{ return (void *)(long)planted_{name}(); }}\n"
WHOLE = MODULE + "int planted_{name}(void) {{ return 7; }}\n"

needs_compiler = pytest.mark.skipif(
    not (shutil.which("cc") and shutil.which("ar")), reason="no cc and ar to make archives with"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "build.log"


def make_archive(folder: Path, **sources: str) -> Path:
    """One member of each source, named by its keyword."""
    folder.mkdir(exist_ok=True)
    for name, text in sources.items():
        (folder / f"{name}.c").write_text(text)
        run("cc", "-c", "-fno-pie", f"{name}.c", "-o", f"{name}.o", cwd=folder)
    run("ar", "rcs", "libpython3.99.a", *(f"{name}.o" for name in sources), cwd=folder)
    return folder / "libpython3.99.a"


def run(*command: str, cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=60).stdout


def mended(archive: Path, log: Path, *, link: LinkMode = "static", libraries: tuple[str, ...] = ()) -> Mended | None:
    scratch = log.parent / "scratch"
    scratch.mkdir()
    return mend(archive, link, libraries=libraries, scratch=scratch, log=log)


@needs_compiler
def test_modules_that_cannot_be_linked_raise_import_error_and_the_others_stay(tmp_path: Path, log: Path) -> None:
    archive = make_archive(
        tmp_path / "lib",
        core=CORE,
        mathmodule=WHOLE.format(name="math"),
        a_member_with_a_long_name=MODULE.format(name="_sha2"),
        blake2module=MODULE.format(name="_blake2"),
    )
    before = archive.read_bytes()
    found = mended(archive, log)
    assert found is not None
    assert found.modules == ("_blake2", "_sha2")
    assert archive.read_bytes() == before
    assert "planted__sha2" in log.read_text()
    assert "# stand-ins take the place of _blake2, _sha2\n" in log.read_text()

    (tmp_path / "main.c").write_text(
        "#include <stdio.h>\nvoid *PyInit_math(void), *PyInit__sha2(void), *PyInit__blake2(void);\n"
        'int main(void) { printf("%p %p %p\\n", PyInit_math(), PyInit__sha2(), PyInit__blake2()); }\n'
    )
    whole = ("-Wl,--whole-archive", found.archive, "-Wl,--no-whole-archive")
    run("cc", "-no-pie", "main.c", *whole, "-o", "main", cwd=tmp_path)
    said = run("./main", cwd=tmp_path).splitlines()
    assert said[-1] == "0x7 (nil) (nil)"
    assert sorted(said[:-1]) == [
        "libpython was packaged without the objects of _blake2",
        "libpython was packaged without the objects of _sha2",
    ]


@needs_compiler
def test_stand_ins_of_a_pic_archive_fit_into_a_pie(tmp_path: Path, log: Path) -> None:
    archive = make_archive(tmp_path / "lib", core=CORE, sha2module=MODULE.format(name="_sha2"))
    run("cc", "-c", "-fPIC", "core.c", "-o", "core.o", cwd=archive.parent)
    run("cc", "-c", "-fPIC", "sha2module.c", "-o", "sha2module.o", cwd=archive.parent)
    run("ar", "rs", archive.name, "core.o", "sha2module.o", cwd=archive.parent)
    found = mended(archive, log, link="pic")
    assert found is not None
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    whole = ("-Wl,--whole-archive", found.archive, "-Wl,--no-whole-archive")
    run("cc", "-pie", "-Wl,-z,text", "main.c", *whole, "-o", "main", cwd=tmp_path)


@needs_compiler
@pytest.mark.parametrize(
    "needs",
    [
        "int planted_m(void) { return 7; }",
        # In the compiler's support library, in the static part of the C library, in the system's own library.
        "int planted_m(void) { extern int __popcountdi2(long); return __popcountdi2(7); }",
        "int planted_m(void) { extern int atexit(void (*)(void)); return atexit(0); }",
        "int planted_m(void) { extern double cbrt(double); return cbrt(8); }",
        "__attribute__((weak)) int planted_m(void);",
    ],
    ids=["archive", "compiler", "static C library", "libm", "weak"],
)
def test_what_the_linker_finds_is_not_missing(tmp_path: Path, log: Path, needs: str) -> None:
    archive = make_archive(tmp_path / "lib", core=CORE, module=f"{needs}\n{MODULE.format(name='m')}")
    assert mended(archive, log) is None
    assert "undefined" not in log.read_text()


@needs_compiler
def test_a_core_that_lacks_something_is_left_to_the_linker(tmp_path: Path, log: Path) -> None:
    core = CORE + "int planted__sha2(void); int core(void) { return planted__sha2(); }\n"
    archive = make_archive(tmp_path / "lib", core=core, sha2module=MODULE.format(name="_sha2"))
    assert mended(archive, log) is None
    missing = frozenset({"planted__sha2"})
    assert [(one.name, one.modules) for one in needing(archive, missing)] == [
        ("core.o", ()),
        ("sha2module.o", ("_sha2",)),
    ]


@needs_compiler
def test_a_library_that_is_not_installed_replaces_no_module(tmp_path: Path, log: Path) -> None:
    archive = make_archive(tmp_path / "lib", core=CORE, zlibmodule=WHOLE.format(name="zlib"))
    assert mended(archive, log, libraries=("libplanted-nowhere.so.1",)) is None
    assert "libplanted-nowhere" in log.read_text()


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "libpython3.99.a"
    archive.write_bytes(b"!<thin>\n")
    with pytest.raises(MachineError, match=r"libpython3\.99\.a is a damaged archive"):
        needing(archive, frozenset({"symbol"}))


def test_without_a_linker_the_package_is_named(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="no cc") as caught:
        mended(tmp_path / "libpython3.99.a", log)
    assert "apt-get install gcc" in str(caught.value.hint)
