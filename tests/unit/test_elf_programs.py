"""The program behind a command, where scripts are run by their interpreters."""

import sys
from pathlib import Path

import msgspec
import pytest

from profiler.sources.elf_programs import as_program
from profiler.system.process import Command, helper, run


def made(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def command(*argv: str, cwd: Path = Path("/")) -> Command:
    return helper(argv, timeout_s=60, cwd=str(cwd))


def test_an_elf_program_stands_as_it_is() -> None:
    assert as_program(command(sys.executable, "-c", "")) == (sys.executable, "-c", "")


def test_a_name_is_looked_up_on_the_commands_own_path(tmp_path: Path) -> None:
    given = msgspec.structs.replace(command("sh", "-c", ":"), env={"PATH": "/nonexistent:/bin"})
    assert as_program(given) == ("/bin/sh", "-c", ":")


@pytest.mark.parametrize("first", ["#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env -S sh -e", "#!/bin/sh\t"])
def test_a_script_is_what_the_kernel_makes_of_it(tmp_path: Path, first: str) -> None:
    """Run both ways, it prints the same."""
    given = command(made(tmp_path, "script", f'{first}\necho "$0" "$@"\n'), "one", "two words")
    words = as_program(given)
    assert words[0] in {"/bin/sh", "/usr/bin/env"}
    assert run(msgspec.structs.replace(given, argv=words)).stdout == run(given).stdout


def test_a_script_whose_interpreter_is_a_script(tmp_path: Path) -> None:
    inner = made(tmp_path, "inner", '#!/bin/sh\necho inner "$@"\n')
    given = command(made(tmp_path, "outer", f"#!{inner} once\n"), "more")
    assert as_program(given) == ("/bin/sh", inner, "once", str(tmp_path / "outer"), "more")
    assert run(msgspec.structs.replace(given, argv=as_program(given))).stdout == run(given).stdout


def test_a_path_is_relative_to_the_folder_of_the_command(tmp_path: Path) -> None:
    made(tmp_path, "script", "#!/bin/sh\n:\n")
    assert as_program(command("./script", cwd=tmp_path)) == ("/bin/sh", "./script")


def test_what_is_not_there_is_the_kernels_error(tmp_path: Path) -> None:
    for name in ("no-such-program-here", str(tmp_path / "none")):
        with pytest.raises(FileNotFoundError):
            as_program(command(name))


def test_scripts_in_a_circle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="symbolic links"):
        as_program(command(made(tmp_path, "script", f"#!{tmp_path / 'script'}\n")))
