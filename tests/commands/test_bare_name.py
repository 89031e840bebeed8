"""``tax-probe`` without a command: help, and the scripts that shells complete it with."""

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest

from profiler.cli import COMMANDS, _parser
from profiler.commands.completion import SHELLS
from tests.commandline import TaxProbe, in_a_process


def options() -> set[str]:
    """Every long option of every command."""
    parser = _parser([], COMMANDS)
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    actions = [action for one in (parser, *commands.choices.values()) for action in one._actions]
    return {option for action in actions for option in action.option_strings if option.startswith("--")}


def test_the_bare_name_is_a_question_for_help(tax_probe: TaxProbe) -> None:
    ran = tax_probe()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == tax_probe("--help").out
    assert all(name in ran.out for name in COMMANDS)


def test_the_bare_name_imports_no_command() -> None:
    told = "import atexit, sys; atexit.register(lambda: print([n for n in sys.modules if n == 'shtab' or 'plan' in n]))"
    assert in_a_process(before=told).out.endswith("[]\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_told_all_commands_and_options(tax_probe: TaxProbe, shell: str) -> None:
    ran = tax_probe("--completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert [name for name in COMMANDS if name not in ran.out] == []
    assert len(options()) > 20
    assert [option for option in options() if option.removeprefix("--") not in ran.out] == []
    assert "callgrind" in ran.out, "choices"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ipc", "--sour"], ["--source"]),
        (["ipc", "--source", ""], ["auto", "hardware", "qemu", "callgrind", "software"]),
        (["rep"], ["report"]),
        (["ipc", "--workload", "lo"], ["load.py"]),
        (["ipc", "--out", ""], ["folder"]),
        (["report", "fo"], ["folder"]),
    ],
)
def test_bash_completes(tax_probe: TaxProbe, tmp_path: Path, words: list[str], expected: list[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    place = tmp_path / "place"
    (place / "folder").mkdir(parents=True)
    (place / "load.py").touch()
    given = " ".join(f"'{word}'" for word in ("tax-probe", *words))
    lines = (
        tax_probe("--completion", "bash").out,
        f"COMP_WORDS=({given}); COMP_CWORD={len(words)}; COMPREPLY=()",
        '_shtab_tax_probe; printf "%s\\n" "${COMPREPLY[@]}"',
    )
    done = subprocess.run(
        [bash, "--norc"], input="\n".join(lines), cwd=place, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == expected
