"""From what the user names to the real ELF program, and every way in which that is refused."""

import os
import shutil
import sys
import venv
from pathlib import Path

import msgspec
import pytest

from profiler.errors import UsageError
from profiler.launch import interpreters
from profiler.launch.interpreters import find_targets, resolve_target
from tests.unit.elf_files import MAIN, gcc, needs_gcc

REAL = str(Path(sys.executable).resolve())

ANSWERING = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) {
    char self[4096] = {0};
    readlink("/proc/self/exe", self, sizeof self - 1);
    printf("{\"implementation\":\"%s\",\"version\":\"%s\",\"base_prefix\":\"/\",\"executable\":\"%s\","
           "\"maps\":\"\",\"sysconfig\":{}}", IMPLEMENTATION, VERSION, SELF);
    return 0;
}
"""


def planted(folder: Path, implementation: str, version: str, *, self: str = "self") -> Path:
    """A program that claims to be this Python."""
    return gcc(
        folder, "python3", ANSWERING,
        f'-DIMPLEMENTATION="{implementation}"', f'-DVERSION="{version}"', f"-DSELF={self}", "-Wno-unused-result",
    )  # fmt: skip


def executable(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o755)
    return path


def refusal(path: str | Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        resolve_target(str(path))
    assert caught.value.hint
    return caught.value


def test_this_interpreter() -> None:
    target = resolve_target(REAL)
    assert target.real_path == REAL
    assert target.version == ".".join(map(str, sys.version_info[:3]))
    assert target.prefix == sys.base_prefix
    for library in (target.shared_library, target.program_loads, target.static_library):
        assert library is None or Path(library).is_file()


def test_links_and_virtual_environments_lead_to_the_real_file(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True, with_pip=False)
    named = tmp_path / "venv" / "bin" / "python3"
    target = resolve_target(str(named))
    assert target.path == str(named)
    assert target.real_path == REAL
    assert target == msgspec.structs.replace(resolve_target(REAL), path=str(named), venv_program=str(named))


def test_a_bare_name_is_looked_up_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pythonX").symlink_to(REAL)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert resolve_target("pythonX").real_path == REAL
    assert "on PATH" in refusal("pythonY").message


def test_paths_that_are_not_ascii(tmp_path: Path) -> None:
    folder = tmp_path / "Zählwerk λ"
    folder.mkdir()
    (folder / "python3").symlink_to(REAL)
    assert resolve_target(str(folder / "python3")).real_path == REAL


def test_the_default_is_the_distributions_python_and_not_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "python3", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    distribution = tmp_path / "usr-bin-python3"
    distribution.symlink_to(REAL)
    monkeypatch.setattr(interpreters, "_DISTRIBUTION", (str(tmp_path / "missing"), str(distribution)))
    assert resolve_target(None).path == str(distribution)
    monkeypatch.setattr(interpreters, "_DISTRIBUTION", ())
    with pytest.raises(UsageError, match="is a script for /bin/sh"):
        resolve_target(None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="no python3 on this machine"):
        resolve_target(None)


def test_missing_directory_device_and_unexecutable(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "missing").message
    assert "is a directory" in refusal(tmp_path).message
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python3").symlink_to(REAL)
    assert refusal(home).hint == f"use --python {home / 'bin' / 'python3'}"
    assert "not a regular file" in refusal("/dev/null").message
    plain = tmp_path / "plain"
    plain.write_text("hello")
    assert "not readable and executable" in refusal(plain).message


def test_scripts_are_refused_by_name(tmp_path: Path) -> None:
    script = executable(tmp_path / "python3", "#!/usr/bin/env bash\nexec python3\n")
    error = refusal(script)
    assert "script for /usr/bin/env bash" in error.message
    assert "sys.executable" in (error.hint or "")
    assert "not an ELF program" in refusal(executable(tmp_path / "data", b"\0\1\2\3")).message


def test_a_pyenv_shim_is_refused_with_the_file_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = executable(tmp_path / "shims" / "python3.11", '#!/usr/bin/env bash\nexport PYENV_ROOT="/x"\nexec pyenv\n')
    monkeypatch.setenv("PATH", "/nonexistent")
    assert refusal(shim).hint == "`pyenv which python3.11` names the file for --python"
    executable(tmp_path / "bin" / "pyenv", f"#!/bin/sh\n[ $1 $2 = which python3.11 ] 2>/dev/null; echo {REAL}\n")
    error = refusal(shim)
    assert "pyenv shim" in error.message
    assert error.hint == f"use --python {REAL}"


@needs_gcc
def test_programs_that_are_no_python(tmp_path: Path) -> None:
    silent = gcc(tmp_path, "silent", MAIN)
    assert "does not answer as Python 3 does (exit 0, it said: nothing)" in refusal(silent).message
    failing = gcc(
        tmp_path, "failing", '#include <stdio.h>\nint main(void) { fputs("no such option\\n", stderr); return 2; }'
    )
    assert "exit 2, it said: no such option" in refusal(failing).message
    loaderless = gcc(tmp_path, "loaderless", MAIN, "-Wl,--dynamic-linker=/nonexistent/ld.so")
    assert "cannot be started" in refusal(loaderless).message


@needs_gcc
def test_a_program_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiler.system.tools.TIME_LIMIT_S", 0.2)
    hanging = gcc(tmp_path, "hanging", "#include <unistd.h>\nint main(void) { pause(); return 0; }")
    assert "did not answer within" in refusal(hanging).message
    shouting = gcc(tmp_path, "shouting", '#include <stdio.h>\nint main(void) { for (;;) puts("yes"); }')
    assert "answer" in refusal(shouting).message


@needs_gcc
def test_another_implementation_an_old_version_and_a_launcher(tmp_path: Path) -> None:
    assert "is pypy, not CPython" in refusal(planted(tmp_path, "pypy", "3.10.12")).message
    old = refusal(planted(tmp_path, "cpython", "3.7.16"))
    assert "is Python 3.7.16" in old.message
    assert "3.8" in (old.hint or "")
    launcher = refusal(planted(tmp_path, "cpython", "3.11.2", self='"/opt/real/python3.11"'))
    assert "only a launcher" in launcher.message
    assert launcher.hint == "use --python /opt/real/python3.11"


@needs_gcc
def test_a_target_without_libraries_or_headers_says_none(tmp_path: Path) -> None:
    target = resolve_target(str(planted(tmp_path, "cpython", "3.99.0")))
    assert target.program_loads is None
    assert target.shared_library is None
    assert (target.static_library, target.pic_library, target.include_dir) == (None, None, None)


@needs_gcc
def test_another_architecture_is_refused_before_it_is_started(tmp_path: Path) -> None:
    foreign = bytearray(gcc(tmp_path, "foreign", MAIN).read_bytes())
    foreign[18:20] = (243).to_bytes(2, sys.byteorder)  # e_machine = EM_RISCV
    error = refusal(executable(tmp_path / "foreign", bytes(foreign)))
    assert "is built for riscv 64-bit" in error.message


def test_find_targets_sees_each_real_program_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_dir = tmp_path / ".pyenv" / "versions" / "3.99.0" / "bin"
    bin_dir.mkdir(parents=True)
    shutil.copy(REAL, bin_dir / "python3.99")
    (bin_dir / "python3").symlink_to("python3.99")
    executable(bin_dir / "python3.99-config", "#!/bin/sh\n")
    executable(bin_dir / "python3.98", "#!/bin/sh\n")
    shutil.copy(REAL, bin_dir / "python3.7")
    shutil.copy(REAL, bin_dir / "python3.99t")
    shutil.copy(REAL, bin_dir / "python3.99-pie")
    (bin_dir / "python3.97").symlink_to("python3.99")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = [path for path in find_targets() if path.startswith(str(tmp_path))]
    assert found == [str(bin_dir / "python3.99"), str(bin_dir / "python3.99t")]
    assert all(os.path.realpath(path) == path for path in find_targets())
