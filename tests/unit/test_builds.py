"""Builds of the hosts with a fake cargo: keys, cache, and every way in which it goes wrong."""

import os
import shutil
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profiler.errors import MachineError
from profiler.launch import cargo, host_builds, link
from profiler.launch.cargo import Toolchain, find_cargo
from profiler.launch.host_builds import HostBuild, build_hosts, build_key
from profiler.launch.link import recipe
from profiler.launch.stand_ins import Mended
from profiler.model import LinkMode, Target
from profiler.plan.lineup import stand_in_caveats, whole_ladder
from profiler.system.install import how_to_install

RUSTC = """#!/bin/sh
cat <<END
rustc {version} (0123456789 2026-01-01)
binary: rustc
host: x86_64-unknown-linux-gnu
release: {version}
END
"""

BUILDS = """#!/bin/sh
[ "$1" = -V ] && exit 0
echo "   Compiling tax-probe-host v0.1.0" >&2
mkdir -p ../target/x86_64-unknown-linux-gnu/release
for name in pyo3 runmain; do
    { echo "$PYO3_CONFIG_FILE"; cat "$PYO3_CONFIG_FILE"; } > ../target/x86_64-unknown-linux-gnu/release/$name
done
"""

TOOLCHAIN = Toolchain(
    cargo="/usr/bin/cargo", rustc="/usr/bin/rustc", version="1.85.0", triple="x86_64-unknown-linux-gnu", identity="one"
)


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def rust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a fake cargo and rustc on PATH and hides the machine's own."""
    folder, tools = tmp_path / "rust", tmp_path / "tools"
    tools.mkdir()
    for name in ("cat", "env", "mkdir", "sleep"):  # not /bin: a distribution's cargo is there as well
        (tools / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{tools}")
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "no-rustup"))
    monkeypatch.setattr(cargo, "_SYSTEM", tmp_path / "no-system")

    def install(text: str, *, version: str = "1.85.0", suffix: str = "", into: Path = folder) -> Path:
        write_program(into / f"rustc{suffix}", RUSTC.format(version=version))
        return write_program(into / f"cargo{suffix}", text)

    return install


@pytest.fixture
def unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake cargo's hosts are no programs, so nothing is proven of them."""
    monkeypatch.setattr(host_builds, "check_host", lambda host, target, mode, **rest: None)


def make_target(root: Path, **changes: Any) -> Target:
    """A target whose files exist, under ``root``."""
    library = root / "lib" / "libpython3.11.so.1.0"
    library.parent.mkdir(parents=True, exist_ok=True)
    for file in (root / "python3.11", library, root / "libpython3.11.a", root / "libpython3.11-pic.a"):
        file.write_bytes(b"")
    if not (library.parent / "libpython3.11.so").is_symlink():
        (library.parent / "libpython3.11.so").symlink_to(library.name)
    facts: dict[str, Any] = {
        "path": str(root / "python3"),
        "real_path": str(root / "python3.11"),
        "version": "3.11.2",
        "build_id": "aa",
        "program_loads": None,
        "shared_library": str(library),
        "shared_library_build_id": "bb",
        "static_library": str(root / "libpython3.11.a"),
        "pic_library": str(root / "libpython3.11-pic.a"),
        "include_dir": str(root),
        "library_dir": str(library.parent),
        "prefix": "/usr",
    }
    return Target(**(facts | changes))


def key_of(target: Target, mode: LinkMode = "shared", toolchain: Toolchain = TOOLCHAIN) -> str:
    return build_key(target, mode, recipe(target, mode), toolchain)


def build(target: Target, cache: Path, mode: LinkMode = "shared") -> HostBuild:
    return build_hosts(target, mode, on_line=lambda line: None, cache_dir=cache)


def left_in(cache: Path) -> list[str]:
    """What a build left beside the locks and the logs."""
    return sorted(path.name for path in (cache / "hosts").iterdir() if path.suffix not in {".lock", ".log"})


# ---------------------------------------------------------------- the key


def test_same_ingredients_same_key(tmp_path: Path) -> None:
    assert key_of(make_target(tmp_path)) == key_of(make_target(tmp_path))
    assert key_of(make_target(tmp_path)).startswith("3.11.2-shared-")


@pytest.mark.parametrize(
    "change",
    [{"build_id": "cc"}, {"shared_library_build_id": "cc"}, {"version": "3.11.3"}, {"prefix": "/opt"}],
    ids=lambda change: next(iter(change)),
)
def test_each_fact_of_the_target_changes_the_key(tmp_path: Path, change: dict[str, str]) -> None:
    assert key_of(make_target(tmp_path)) != key_of(make_target(tmp_path, **change))


def test_same_files_elsewhere_are_another_target(tmp_path: Path) -> None:
    assert key_of(make_target(tmp_path / "a")) != key_of(make_target(tmp_path / "b"))


def test_link_mode_changes_the_key(tmp_path: Path) -> None:
    target = make_target(tmp_path)
    modes: tuple[LinkMode, ...] = ("shared", "pic", "static")
    assert len({key_of(target, mode) for mode in modes}) == 3


def test_another_compiler_changes_the_key(tmp_path: Path) -> None:
    other = msgspec.structs.replace(TOOLCHAIN, identity="two")
    target = make_target(tmp_path)
    assert key_of(target) != key_of(target, toolchain=other)


def test_a_changed_archive_changes_the_key(tmp_path: Path) -> None:
    target = make_target(tmp_path)
    before = key_of(target, "static")
    (tmp_path / "libpython3.11.a").write_bytes(b"!")
    assert key_of(target, "static") != before


def test_a_changed_library_without_build_id_changes_the_key(tmp_path: Path) -> None:
    target = make_target(tmp_path, shared_library_build_id=None)
    before = key_of(target)
    (tmp_path / "lib" / "libpython3.11.so.1.0").write_bytes(b"!")
    assert key_of(target) != before


def test_changed_sources_change_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = make_target(tmp_path)
    before = key_of(target)
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "Cargo.toml").write_text("[package]")
    monkeypatch.setattr(host_builds, "SOURCES", tmp_path / "host")
    assert key_of(target) != before


def test_other_stand_ins_change_the_key_of_static_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = make_target(tmp_path)
    modes: tuple[LinkMode, ...] = ("shared", "pic", "static")
    before = [key_of(target, mode) for mode in modes]
    monkeypatch.setattr(host_builds, "SOURCE", "another")
    assert [key_of(target, mode) == key for mode, key in zip(modes, before, strict=True)] == [True, False, False]


def test_another_linker_is_another_toolchain(rust: Callable[..., Path]) -> None:
    folder = rust(BUILDS).parent
    seen = []
    for version in ("12.2.0", "14.2.0"):
        write_program(folder / "cc", f"#!/bin/sh\necho cc {version}\necho more\n")
        seen.append(find_cargo().identity)
    assert seen[0] != seen[1]
    assert seen[0].splitlines()[-1] == "linker: cc 12.2.0"


# ---------------------------------------------------------------- the recipe


def test_shared_recipe_names_the_library_and_its_directory(tmp_path: Path) -> None:
    how = recipe(make_target(tmp_path), "shared")
    assert f"shared=true\nlib_name=python3.11\nlib_dir={tmp_path / 'lib'}\n" in how.config
    assert "link-arg=-Wl,--enable-new-dtags" in how.rustflags
    assert how.features == ("auto-initialize",)


def test_static_recipe_takes_the_whole_archive_and_the_programs_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "needed", lambda path: ("libm.so.6", "libz.so.1", "libc.so.6"))
    how = recipe(make_target(tmp_path), "static")
    assert "static:-bundle,+whole-archive,+verbatim=libpython3.11.a\n" in how.config
    assert how.config.count("dylib:+verbatim") == 2
    assert "relocation-model=static" in how.rustflags
    assert "link-arg=-Wl,--export-dynamic" in how.rustflags
    assert "relocation-model=static" not in recipe(make_target(tmp_path), "pic").rustflags


def test_letters_after_the_version_are_build_flags(tmp_path: Path) -> None:
    library = tmp_path / "lib" / "libpython3.13td.so.1.0"
    target = make_target(tmp_path, version="3.13.0", shared_library=str(library))
    library.write_bytes(b"")
    (tmp_path / "lib" / "libpython3.13td.so").symlink_to(library.name)
    config = recipe(target, "shared").config
    assert "build_flags=Py_GIL_DISABLED,Py_DEBUG\n" in config
    assert "lib_name=python3.13td\n" in config


@pytest.mark.parametrize(
    ("missing", "mode"),
    [
        ("include_dir", "shared"),
        ("shared_library", "shared"),
        ("static_library", "static"),
        ("pic_library", "pic"),
    ],
)
def test_what_the_target_lacks_is_named_with_its_package(tmp_path: Path, missing: str, mode: LinkMode) -> None:
    with pytest.raises(MachineError) as caught:
        recipe(make_target(tmp_path, **{missing: None}), mode)
    assert caught.value.hint == "apt-get install libpython3.11-dev"
    assert ("Python.h" if missing == "include_dir" else "libpython3.11") in caught.value.message


def test_a_library_without_its_development_link_is_refused(tmp_path: Path) -> None:
    target = make_target(tmp_path)
    (tmp_path / "lib" / "libpython3.11.so").unlink()
    with pytest.raises(MachineError, match=r"but not libpython3.11.so beside it") as caught:
        recipe(target, "shared")
    assert caught.value.hint == "apt-get install libpython3.11-dev"


# ---------------------------------------------------------------- finding cargo


def test_no_cargo_says_how_to_get_one(rust: Callable[..., Path]) -> None:
    with pytest.raises(MachineError, match="no working cargo") as caught:
        find_cargo()
    assert how_to_install("rust") in str(caught.value.hint)
    assert caught.value.exit_code == 3


def test_an_old_cargo_is_refused_with_its_version(rust: Callable[..., Path]) -> None:
    rust(BUILDS, version="1.63.0")
    with pytest.raises(MachineError, match=r"too old: .*1\.63\.0.*1\.83"):
        find_cargo()


def test_an_old_cargo_on_path_does_not_hide_a_new_one(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS, version="1.63.0")
    for minor in (9, 84, 100):
        rust(BUILDS, version=f"1.{minor}.1", suffix=f"-1.{minor}", into=tmp_path / "no-system")
    found = find_cargo()
    assert (Path(found.cargo).name, Path(found.rustc).name) == ("cargo-1.100", "rustc-1.100")
    assert found.version == "1.100.1"


def test_a_proxy_without_toolchain_is_passed_over(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust("#!/bin/sh\nexit 1\n")
    expected = rust(BUILDS, into=tmp_path / "no-rustup" / "bin")
    assert find_cargo().cargo == str(expected)


# ---------------------------------------------------------------- building


@pytest.mark.usefixtures("unproven")
def test_second_time_it_comes_from_the_cache(rust: Callable[..., Path], tmp_path: Path) -> None:
    program = rust(BUILDS)
    lines: list[str] = []
    target = make_target(tmp_path)
    first = build_hosts(target, "shared", on_line=lines.append, cache_dir=tmp_path)
    assert lines == ["Compiling tax-probe-host v0.1.0"]
    assert first.seconds is not None
    program.write_text("#!/bin/sh\n[ $1 = -V ]\n")
    second = build(target, tmp_path)
    assert second == msgspec.structs.replace(first, seconds=None)
    assert left_in(tmp_path) == [first.key]


@pytest.mark.usefixtures("unproven")
def test_the_log_holds_the_recipe_and_the_output(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS)
    log = Path(build(make_target(tmp_path), tmp_path).log).read_text()
    assert "--enable-new-dtags" in log
    assert "lib_name=python3.11" in log
    assert "Compiling tax-probe-host" in log


@pytest.mark.usefixtures("unproven")
def test_two_targets_never_share_a_build(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS)
    one = build(make_target(tmp_path / "one"), tmp_path)
    two = build(make_target(tmp_path / "two"), tmp_path)
    assert {one.pyo3, one.runmain, one.log}.isdisjoint({two.pyo3, two.runmain, two.log})
    for root, made in (("one", one), ("two", two)):
        assert f"lib_dir={tmp_path / root / 'lib'}\n" in Path(made.pyo3).read_text()


@pytest.mark.usefixtures("unproven")
def test_a_build_with_a_missing_host_is_made_again(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS)
    target = make_target(tmp_path)
    first = build(target, tmp_path)
    Path(first.runmain).unlink()
    assert build(target, tmp_path).seconds is not None
    assert Path(first.runmain).is_file()


@pytest.mark.usefixtures("unproven")
def test_processes_that_want_one_build_make_it_once(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS.replace("mkdir", "sleep 0.3\nmkdir"))
    target = make_target(tmp_path)
    made: list[HostBuild] = []
    threads = [threading.Thread(target=lambda: made.append(build(target, tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(one.seconds is None for one in made) == [False, True]


@pytest.mark.usefixtures("unproven")
def test_an_interrupted_build_leaves_nothing_and_no_process(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS + "echo $$ > ../../../pid\necho started\nexec sleep 60\n")
    target = make_target(tmp_path)

    def interrupt(line: str) -> None:
        if line == "started":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_hosts(target, "shared", on_line=interrupt, cache_dir=tmp_path)
    assert left_in(tmp_path) == []
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

    rust(BUILDS)
    assert build(target, tmp_path).seconds is not None


@pytest.mark.usefixtures("unproven")
def test_what_a_killed_build_left_is_cleared_away(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS)
    target = make_target(tmp_path)
    key = build(target, tmp_path).key
    (tmp_path / "hosts" / key / "pyo3").unlink()
    (tmp_path / "hosts" / f".{key}-killed").mkdir()
    build(target, tmp_path)
    assert left_in(tmp_path) == [key]


def fails(said: str) -> str:
    return f"#!/bin/sh\n[ $1 = -V ] && exit 0\ncat >&2 <<'END'\n{said}\nEND\nexit 101\n"


UNDEFINED = "\n".join(
    (
        "   Compiling tax-probe-host v0.1.0",
        "error: linking with `cc` failed: exit status: 1",
        "  |",
        '  = note:  "cc" "-m64" "/tmp/rustcXYZ/symbols.o" "-Wl,--whole-archive" "-l:libpython3.11.a"',
        *(
            "  = note: /usr/bin/ld: libpython3.11.a(sha2module.o): in function `update':\n"
            f"          (.text+0x{n:x}): undefined reference to `Hacl_Hash_SHA2_update_{n % 12}'"
            for n in range(60)
        ),
        "          /usr/bin/ld: libpython3.11.a(x.o): more undefined references to `Hacl_Hash_SHA2_update_0' follow",
        "          collect2: error: ld returned 1 exit status",
    )
)
SCRIPT = """\
error: failed to run custom build command for `pyo3-ffi v0.29.3`

Caused by:
  process didn't exit successfully: `/tmp/build-script-build` (exit status: 1)
  --- stdout
  cargo:rerun-if-env-changed=PYO3_CROSS
  --- stderr
  error: the configured Python interpreter version (3.99) is newer than PyO3's maximum supported version (3.14)
  = help: please check if an updated version of PyO3 is available."""
NO_LIBRARY = """\
error: linking with `cc` failed: exit status: 1
  = note: some arguments are omitted
  = note: /usr/bin/ld: cannot find -l:libz.so.1: No such file or directory
          collect2: error: ld returned 1 exit status"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("   Compiling x\nerror[E0425]: no value\n --> src/pyo3.rs:1:1\n  |", "error[E0425]: no value"),
        (UNDEFINED, "the linker finds no Hacl_Hash_SHA2_update_0 and 11 more symbols"),
        (
            "error: linking with `cc` failed\n  rust-lld: error: undefined symbol: planted\n  >>> referenced by a.o",
            "the linker finds no planted",
        ),
        (
            SCRIPT,
            "error: failed to run custom build command for `pyo3-ffi v0.29.3`: error: the configured Python "
            "interpreter version (3.99) is newer than PyO3's maximum supported version (3.14)",
        ),
        (
            NO_LIBRARY,
            "error: linking with `cc` failed: exit status: 1: cannot find -l:libz.so.1: No such file or directory",
        ),
        ("killed", "killed"),
        ("", "it said nothing"),
    ],
    ids=["compiler", "two screens of ld", "lld", "build script", "no library", "no error line", "silence"],
)
def test_why_cargo_failed_is_one_line_and_the_rest_is_in_the_log(
    rust: Callable[..., Path], tmp_path: Path, said: str, told: str
) -> None:
    rust(fails(said))
    shown: list[str] = []
    with pytest.raises(MachineError) as caught:
        build_hosts(make_target(tmp_path), "shared", on_line=shown.append, cache_dir=tmp_path)
    assert caught.value.message == f"cargo could not build the hosts: {told}"
    assert [line for line in shown if not line.startswith("Compiling")] == ([said] if told == said == "killed" else [])
    log = Path(str(caught.value.hint).split()[-1])
    assert said in log.read_text()
    assert left_in(tmp_path) == []


@pytest.mark.usefixtures("unproven")
def test_progress_is_shown_and_a_warning_is_not(rust: Callable[..., Path], tmp_path: Path) -> None:
    warning = "warning: unused config key\n  |\n  = note: planted\n   Compiling pyo3 v0.29.3"
    rust(BUILDS.replace("mkdir", f"cat >&2 <<'END'\n{warning}\nEND\nmkdir"))
    shown: list[str] = []
    build_hosts(make_target(tmp_path), "shared", on_line=shown.append, cache_dir=tmp_path)
    assert shown == ["Compiling tax-probe-host v0.1.0", "Compiling pyo3 v0.29.3"]


def test_without_a_network_the_hint_says_so(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(fails("error: failed to download from crates.io\n\nCaused by:\n  Could not resolve host: static.crates.io"))
    with pytest.raises(MachineError) as caught:
        build(make_target(tmp_path), tmp_path)
    assert caught.value.message.endswith(
        "error: failed to download from crates.io: Could not resolve host: static.crates.io"
    )
    assert "connect this machine" in str(caught.value.hint)


def test_without_a_linker_the_hint_names_its_package(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(fails("error: linker `cc` not found\n  |\n  = note: No such file or directory (os error 2)"))
    with pytest.raises(MachineError, match="linker `cc` not found") as caught:
        build(make_target(tmp_path), tmp_path)
    assert "apt-get install gcc libc6-dev" in str(caught.value.hint)


@pytest.mark.usefixtures("unproven")
def test_a_rung_that_does_not_link_is_left_out_with_one_line(
    rust: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(host_builds, "mend", lambda archive, mode, **rest: None)
    static = (
        f'case "$(cat "$PYO3_CONFIG_FILE")" in *shared=false*) cat >&2 <<\'END\'\n{UNDEFINED}\nEND\nexit 101;; esac\n'
    )
    rust(BUILDS.replace("echo ", static + "echo ", 1))
    found = whole_ladder(make_target(tmp_path), (), None, "callgrind", lambda line: None)
    assert [build.link for build in found.builds] == ["shared"]
    assert [caveat.code for caveat in found.caveats] == ["missing-rung", "missing-rung"]
    for caveat, mode in zip(found.caveats, ("static", "pic"), strict=True):
        assert caveat.message.startswith(f"no {mode} rung: cargo could not build the hosts: the linker finds no Hacl_")
        assert "\n" not in caveat.message
        assert UNDEFINED in Path(caveat.message.split()[-1]).read_text()


@pytest.mark.usefixtures("unproven")
def test_replaced_modules_are_kept_with_the_build_and_said_once_a_link(
    rust: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy" / "libpython3.11.a"
    copy.parent.mkdir()
    copy.write_bytes(b"")
    monkeypatch.setattr(
        host_builds, "mend", lambda archive, mode, **rest: Mended(archive=str(copy), modules=("_blake2", "_sha2"))
    )
    rust(BUILDS)
    target = make_target(tmp_path)
    first = build(target, tmp_path, "static")
    assert f"search=native={copy.parent}\n" in Path(first.pyo3).read_text()
    again = build(target, tmp_path, "static")
    assert again.seconds is None
    assert again.replaced == ("_blake2", "_sha2")
    [caveat] = stand_in_caveats([build(target, tmp_path), again])
    assert caveat.code == "stand-in-modules"
    assert caveat.message == (
        "static hosts cannot import _blake2, _sha2, whose objects the archive lacks; hashlib and random use OpenSSL "
        "there, without blake2b and blake2s; measure no workload that needs them on that step of the ladder"
    )


def test_a_cargo_that_hangs_is_ended(
    rust: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cargo, "_BUILD_TIMEOUT_S", 0.3)
    rust("#!/bin/sh\n[ $1 = -V ] && exit 0\nexec sleep 60\n")
    started = time.monotonic()
    with pytest.raises(MachineError, match="did not finish"):
        build(make_target(tmp_path), tmp_path)
    assert time.monotonic() - started < 10


def test_hosts_that_are_no_programs_are_not_kept(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS)
    with pytest.raises(MachineError, match="no usable shared host"):
        build(make_target(tmp_path), tmp_path)
    assert left_in(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_explained(rust: Callable[..., Path], tmp_path: Path) -> None:
    rust(BUILDS)
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="cannot write the cache") as caught:
        build(make_target(tmp_path), tmp_path / "file")
    assert "XDG_CACHE_HOME" in str(caught.value.hint)


def test_the_users_own_build_settings_stay_outside(
    rust: Callable[..., Path], unproven: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "CARGO_PROFILE_RELEASE_LTO", "PYO3_PYTHON"):
        monkeypatch.setenv(name, "foreign")
    rust(BUILDS + "env\n")
    log = Path(build(make_target(tmp_path), tmp_path).log).read_text()
    assert "=foreign" not in log
