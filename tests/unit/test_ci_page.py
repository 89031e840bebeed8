"""``docs/ci.md``: the commands of its job are read out of it, parsed, and run."""

import argparse
import json
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiler.catalogue.gates import parse_gates
from profiler.cli import _parse
from profiler.launch.interpreters import resolve_target
from tests.commandline import Ran, TaxProbe
from tests.recorded import RESULTS
from tests.unit.test_changes import planted, times

PAGE = Path(__file__).parents[2] / "docs" / "ci.md"


def job() -> str:
    (found,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def runs(text: str) -> Iterator[str]:
    """What each ``run:`` step gives to the shell; of YAML's forms a line, ``|`` and ``>-``."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        step = re.match(r"( *)(?:- )?run: (.*)", line)
        if step is None:
            continue
        indent, rest = len(step[1]), step[2]
        block = []
        for inner in lines[at + 1 :]:
            if inner.strip() and len(inner) - len(inner.lstrip()) <= indent:
                break
            block.append(inner)
        body = textwrap.dedent("\n".join(block))
        yield {"|": body, ">-": " ".join(body.split("\n"))}.get(rest, rest)


def commands() -> dict[str, list[str]]:
    """The arguments of each ``tax-probe`` of the job, by subcommand."""
    said = [line for run in runs(job()) for line in run.splitlines() if line.startswith("tax-probe ")]
    return {words[1]: words[1:] for words in map(shlex.split, said)}


def parsed(words: list[str]) -> argparse.Namespace:
    return _parse(words)


def test_the_steps_are_read() -> None:
    """Each form of YAML's."""
    text = (
        "steps:\n  - run: one\n  - name: x\n    run: |\n      two\n      three\n  - run: >-\n      four\n      five\n"
    )
    assert [run.split("\n") for run in runs(text)] == [["one"], ["two", "three"], ["four five"]]


def test_the_job_measures_gates_and_compares() -> None:
    found = commands()
    assert list(found) == ["doctor", "ipc", "report", "compare"]
    measuring = parsed(found["ipc"])
    assert (measuring.source, measuring.seed, measuring.host) == (
        "callgrind",
        1,
        ["myapp=./build/myapp {script} {m}"],
    )
    assert [(gate.metric, gate.max_ratio) for gate in parse_gates(measuring.max_ratio)] == [("instructions", 1.25)]
    report = parsed(found["report"])
    assert [(gate.metric, gate.max_ratio) for gate in parse_gates(report.max_ratio)] == [("instructions", 1.01)]
    assert (str(report.folder), report.baseline) == ("tax/*-ipc", "ci/tax-baseline")
    assert list(map(str, parsed(found["compare"]).folders)) == ["ci/tax-baseline", "tax/*-ipc"]


def test_what_runs_before_is_there() -> None:
    """Setting up is the Makefile's, and leaves the command where the job looks for it."""
    installing = next(run for run in runs(job()) if "git clone" in run)
    assert re.search(r"^make -C \S+ setup$", installing, re.MULTILINE)
    assert re.search(r"^setup:", (PAGE.parents[1] / "Makefile").read_text(), re.MULTILINE)
    assert (PAGE.parents[1] / "tools" / "keep-results").exists()
    assert ".venv/bin" in installing


def globbed(words: list[str], place: Path) -> list[str]:
    """As a shell would have them that stands in ``place``."""
    told = []
    for word in words:
        found = sorted(map(str, place.glob(word))) if "*" in word else [word]
        told += [str(Path(one).relative_to(place)) if "*" in word else one for one in found]
    return told


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the job's commands run: with a baseline that is kept."""
    place = tmp_path / "checkout"
    (place / "ci").mkdir(parents=True)
    shutil.copytree(RESULTS / "ipc-int_loop", place / "ci" / "tax-baseline")
    monkeypatch.chdir(place)
    return place


@pytest.mark.parametrize(("more", "code"), [(1.0, 0), (1.005, 0), (1.02, 6)])
def test_the_gate_on_the_change_and_the_comparison(tax_probe: TaxProbe, checkout: Path, more: float, code: int) -> None:
    """On recorded runs, of which one took so much more."""
    planted(RESULTS / "ipc-int_loop", checkout / "tax" / "20260101T000000Z-ipc", times(more))
    found = commands()
    assert tax_probe(*globbed(found["report"], checkout)).code == code
    compared = tax_probe(*globbed(found["compare"], checkout))
    assert compared.code == 0, compared.err
    assert len(list((checkout / "tax").glob("*-compare/comparison.md"))) == 1


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_the_whole_job(tax_probe: TaxProbe, checkout: Path) -> None:
    """Twice, with the target's own program as the host that costs nothing: nothing changes."""
    (checkout / "build").mkdir()
    (checkout / "build" / "myapp").symlink_to(resolve_target(None).real_path)
    shutil.rmtree(checkout / "ci" / "tax-baseline")
    found = commands()

    def ran(name: str, code: int = 0) -> Ran:
        done = tax_probe(*globbed(found[name], checkout))
        assert done.code == code, done.err
        return done

    assert "callgrind" in ran("doctor").out
    assert "gate instructions ≤ 1.25 is held: myapp 1.0" in ran("ipc").err
    (baseline,) = (checkout / "tax").glob("*-ipc")
    baseline.rename(checkout / "ci" / "tax-baseline")
    ran("ipc")
    told = ran("report").err
    assert "gate instructions ≤ 1.01 is held: the tax of myapp on B 1.0000 (" in told
    assert ran("compare").out.strip().startswith("myapp on B executes as many instructions as on A (1.000")
    (file,) = (checkout / "tax").glob("*-compare/compare.json")
    (tax,) = (
        one
        for one in json.loads(file.read_text())["changes"]
        if (one["of"], one["launcher"], one["metric"]) == ("tax", "myapp", "instructions")
    )
    assert (tax["pairing"], tax["blocks"]) == ("blocks", [4, 4])
    # The last digit is the start-up's, which leaves the heap a little other in each process.
    assert [tax["lo"], tax["hi"]] == pytest.approx([1, 1], abs=2e-5)
