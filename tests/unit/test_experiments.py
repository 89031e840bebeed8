"""Every file in ``experiments/`` is read by the command that it is for, and refused by the others."""

import argparse
import tomllib
from pathlib import Path

import pytest

from profiler.cli import COMMANDS
from profiler.commands.flags import add_measuring, request
from profiler.errors import UsageError
from profiler.plan.studies import STUDIES
from profiler.rebuild.plans import load_plan
from profiler.workloads import find_workload

FILES = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))
EXPERIMENTS = [file for file in FILES if "command" in tomllib.loads(file.read_text())]
PLANS = [file for file in FILES if file not in EXPERIMENTS]


def name(file: Path) -> str:
    return file.stem


def given(file: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_measuring(parser)
    return parser.parse_args(["--experiment", str(file)])


def test_there_are_both_kinds() -> None:
    assert len(EXPERIMENTS) >= 5
    assert len(PLANS) >= 6
    assert {command.partition(" ")[0] for command in STUDIES} <= set(COMMANDS)


@pytest.mark.parametrize("file", EXPERIMENTS, ids=name)
def test_an_experiment_is_read_by_its_command(file: Path) -> None:
    document = tomllib.loads(file.read_text())
    wanted = request(given(file), document["command"])
    assert wanted.workload is not None
    assert find_workload(wanted.workload).name == Path(document["options"]["workload"]).stem
    assert (wanted.seed, wanted.blocks) == (document["options"]["seed"], document["options"].get("blocks"))
    assert len(wanted.elimination or ()) == len(document.get("elimination", ()))
    assert f"tax-probe {document['command']} --experiment experiments/{file.name}" in file.read_text()


@pytest.mark.parametrize("file", EXPERIMENTS, ids=name)
def test_an_experiment_is_refused_by_every_other_command(file: Path) -> None:
    own = tomllib.loads(file.read_text())["command"]
    for other in set(STUDIES) - {own}:
        with pytest.raises(UsageError, match=f"is an experiment of {own}, not of {other}") as refused:
            request(given(file), other)
        assert refused.value.hint == f"tax-probe {own} --experiment {file}"


@pytest.mark.parametrize("file", PLANS, ids=name)
def test_a_plan_is_read_as_a_plan_and_is_no_experiment(file: Path) -> None:
    assert load_plan(file).title
    with pytest.raises(UsageError, match="is a plan of rebuild") as refused:
        request(given(file), "rebuild")
    assert refused.value.hint == f"tax-probe rebuild --plan {file}"


@pytest.mark.parametrize("command", ["doctor", 5, ["ipc"]])
def test_a_command_that_does_not_measure_is_named(tmp_path: Path, command: object) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f"command = {command!r}\n")
    with pytest.raises(UsageError, match="no measuring command") as refused:
        request(given(file), "ipc")
    assert (
        refused.value.hint
        == "there are amortize, cross, eliminate, ipc, opcodes, opcodes --statements, rebuild, variants, where"
    )


def test_an_experiment_without_a_command_serves_any(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[options]\nseed = 3\n")
    assert {request(given(file), command).seed for command in STUDIES} == {3}
