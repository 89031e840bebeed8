"""The command to type next asks the same interpreter, work and hosts."""

import msgspec
import pytest

from profiler.folder import load_run
from profiler.model import Input, PyperfScript
from profiler.present.facts import following
from tests.recorded import RESULTS

HOST = "my app=/opt/app --run {script} {m}"


def asked(*argv: str, **workload: object) -> str:
    run = load_run(RESULTS / "ipc-int_loop")
    work = msgspec.structs.replace(run.plan.workload, **workload)
    run = msgspec.structs.replace(run, argv=("ipc", *argv), plan=msgspec.structs.replace(run.plan, workload=work))
    found = following("ipc", run)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--blocks", "3", "--seed", "5"), "tax-probe variants"),
        (("--python", "/usr/bin/python3.13", "--blocks=3"), "tax-probe variants --python /usr/bin/python3.13"),
        (("--host", HOST, "--seed", "5"), f"tax-probe variants --host '{HOST}'"),
        ((f"--host={HOST}",), f"tax-probe variants '--host={HOST}'"),
    ],
)
def test_what_is_measured_goes_with_it(argv: tuple[str, ...], told: str) -> None:
    assert asked(*argv) == told


def test_work_that_an_experiment_named_is_named() -> None:
    assert asked("--experiment", "x.toml", name="dynamic") == "tax-probe variants --workload dynamic"
    assert (
        asked("--experiment", "x.toml", name="mine", path="/srv/mine.py")
        == "tax-probe variants --workload /srv/mine.py"
    )
    assert asked("--workload", "mine.py", name="mine", path="/srv/mine.py") == "tax-probe variants --workload mine.py"


def test_its_arguments_and_its_input_are_named() -> None:
    given = ("--workload", "m.py", "--workload-args", "--size 7", "--stdin", "in put")
    work = {"name": "m --size 7", "path": "/m.py", "arguments": ("--size", "7"), "stdin": Input(path="/in", sha256="1")}
    assert asked(*given, **work) == "tax-probe variants --workload m.py --workload-args '--size 7' --stdin 'in put'"
    own = "tax-probe variants --workload /m.py '--workload-args=--size 7' --stdin /in"
    assert asked("--experiment", "x.toml", **work) == own
    benchmark = {"name": "m:b", "path": "/m.py", "pyperf": PyperfScript(benchmark="b", arguments=("-x",))}
    assert asked("--experiment", "x.toml", **benchmark) == "tax-probe variants --workload '/m.py:b -x'"
    assert asked("--workload", "m.py:b -x", **benchmark) == "tax-probe variants --workload 'm.py:b -x'"
