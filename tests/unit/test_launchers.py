"""Launchers from names and from the user's commands."""

from pathlib import Path

import pytest

from profiler.errors import UsageError
from profiler.launch.launchers import names_to_own, user_host


def test_a_command_is_split_but_never_run_by_a_shell() -> None:
    host = user_host("mine=sh -c 'echo $0' {script} {m}")
    assert host.argv[0].endswith("/sh")
    assert host.argv[1:] == ("-c", "echo $0", "{script}", "{m}")


@pytest.mark.parametrize(
    "spec",
    [
        "mine",
        "=sh {script}",
        "mine=",
        "mine=sh",
        "pyo3=sh {script}",
        "mine=no-such-program {script}",
        "mine=sh '{script}",
    ],
)
def test_bad_hosts_are_refused_with_a_hint(spec: str) -> None:
    with pytest.raises(UsageError) as raised:
        user_host(spec)
    assert raised.value.hint


def test_a_relative_program_is_found_again_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "app"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert user_host("mine=./app {script}").argv[0] == str(program)


def test_unknown_launchers_are_named() -> None:
    assert [own.name for own in names_to_own(["runmain", "python3", "pyo3"])] == ["pyo3", "runmain"]
    with pytest.raises(UsageError, match="pyo4"):
        names_to_own(["pyo4"])
