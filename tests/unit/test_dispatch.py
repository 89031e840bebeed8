"""What has no table of computed gotos is named for what it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from profiler.collect.drilldown.dispatch import Dispatch, read_dispatch, without_jumps, without_table
from profiler.guest.script import OPCODE_NAMES

NAMES = {1: "POP_TOP"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"switch": False, "tail-calls": True, "jit": False},
            "dispatches by tail calls, and each opcode is",
        ),
        ({"switch": True, "tail-calls": False}, "dispatches by a switch"),
        ({"switch": False, "tail-calls": False}, "by a switch or by tail calls"),
        ({}, "by a switch or by tail calls"),
    ],
)
def test_why_there_is_no_table(settings: dict[str, bool], words: str) -> None:
    said = without_table("/usr/bin/python3", Dispatch(names=NAMES, settings=settings))
    assert said.startswith("/usr/bin/python3 holds no table of computed gotos: it")
    assert words in said


def test_an_interpreter_without_its_module_says_so() -> None:
    assert "no module opcode" in without_table("/p", read_dispatch(""))
    assert "no module opcode" in without_table("/p", read_dispatch(repr(({}, {"switch": True}))))


@pytest.mark.parametrize(
    ("settings", "words"), [({"jit": True}, "its JIT runs the work"), ({"jit": False}, "a JIT, or another eval loop")]
)
def test_why_no_jump_went_through_the_table(settings: dict[str, bool], words: str) -> None:
    assert words in without_jumps("/p", Dispatch(names=NAMES, settings=settings))


def test_this_interpreter_says_how_it_dispatches(tmp_path: Path) -> None:
    side = tmp_path / "side"
    env = os.environ | {"TAX_PROBE_SIDE": str(side)}
    subprocess.run([sys.executable, "-I", str(OPCODE_NAMES)], env=env, check=True, timeout=60)
    found = read_dispatch(side.read_text())
    assert "POP_TOP" in found.names.values()
    assert max(found.names) < 256
    assert found.settings["switch"] is False, "Linux distributions build it with computed gotos"
    assert set(found.settings) == {"switch", "tail-calls", "jit"}


CONFIGURED = """
import sys, types
sysconfig = types.ModuleType("sysconfig")
sysconfig.get_config_vars = lambda: {known}
sys.modules["sysconfig"] = sysconfig
exec(open({script!r}).read())
"""


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ({"CONFIG_ARGS": "'--without-computed-gotos'"}, {"switch": True, "tail-calls": False, "jit": False}),
        ({"USE_COMPUTED_GOTOS": 0, "HAVE_COMPUTED_GOTOS": 1}, {"switch": False, "tail-calls": False, "jit": False}),
        ({"HAVE_COMPUTED_GOTOS": 0}, {"switch": True, "tail-calls": False, "jit": False}),
        ({"CONFIG_ARGS": "'--with-tail-call-interp'"}, {"switch": False, "tail-calls": True, "jit": False}),
        ({"CONFIG_ARGS": "'--enable-experimental-jit=yes-off'"}, {"switch": False, "tail-calls": False, "jit": True}),
    ],
)
def test_its_configuration_is_read(tmp_path: Path, known: dict[str, object], found: dict[str, bool]) -> None:
    side = tmp_path / "side"
    env = os.environ | {"TAX_PROBE_SIDE": str(side)}
    code = CONFIGURED.format(known=known, script=str(OPCODE_NAMES))
    subprocess.run([sys.executable, "-I", "-c", code], env=env, check=True, timeout=60)
    assert read_dispatch(side.read_text()).settings == found
