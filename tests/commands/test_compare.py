"""``compare``, ``--max-ratio`` and ``--baseline`` as their users meet them: exit codes, streams, and what is left."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.numbers import pair
from profiler.catalogue.events import Cpu
from profiler.collect.request import checked
from profiler.launch.interpreters import resolve_target
from profiler.model.across import Across
from profiler.plan.studies import STUDIES
from profiler.sources import hardware
from tests.commandline import SMALL, Ran, TaxProbe, assert_refused, in_a_process, script
from tests.conftest import FakePerf
from tests.recorded import RESULTS
from tests.unit.test_changes import planted, times

REFERENCE = RESULTS / "ipc-int_loop"
ANSI = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pyo3 takes 2 % more instructions than in the reference."""
    return planted(REFERENCE, tmp_path_factory.mktemp("slower") / "run", times(1.02))


# ---------------------------------------------------------------- compare


def test_the_document_is_all_that_is_on_stdout(tax_probe: TaxProbe, slower: Path) -> None:
    ran = tax_probe("compare", str(REFERENCE), str(slower), "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    document = msgspec.json.decode(ran.out, type=Across, strict=True)
    assert document.schema == "tax-probe/compare/1"
    assert [one.path for one in document.folders] == [str(REFERENCE), str(slower)]


@pytest.mark.parametrize(
    "others",
    [
        ["survey/bullseye/ipc", "survey/forky/ipc", "survey/sid/ipc"],
        ["survey/forky/ipc"],
        ["survey/forky/variants", "survey/trixie/variants"],
    ],
    ids=["four", "two", "ladders"],
)
def test_a_terminal_shows_the_headline_first_on_one_screen(
    tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch, others: list[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a terminal of 80 columns would have it
    monkeypatch.setenv("COLUMNS", "80")
    ran = tax_probe("compare", "results/survey/bookworm/ipc", *(f"results/{one}" for one in others))
    assert (ran.code, ran.err) == (0, "")
    lines = ANSI.sub("", ran.out).strip("\n").splitlines()
    assert lines[0].startswith("pyo3 on B executes 1.")
    assert len(lines) <= 40
    assert [line for line in lines if len(line) > 80 and line[1] != ":"] == [], "but for the folders' own names"
    assert "version: A 3.11.2; B 3." in "\n".join(lines)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_ratios_and_intervals_stand_whole_at_any_width(
    tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    folders = ("results/survey/bookworm/ipc", "results/survey/forky/ipc")
    shown = [" ".join(line.split()) for line in ANSI.sub("", tax_probe("compare", *folders).out).splitlines()]
    document = tax_probe("compare", *folders, "--format", "json").document
    own = [one for one in document["changes"] if one["metric"] == "instructions" and one["launcher"] == "pyo3"]
    assert len(own) == 2
    for one in own:
        told = " ".join(pair(one["ratio"], one["lo"], one["hi"], exact=one["exact"]))
        assert any(told in line for line in shown), told


def test_what_is_written(tax_probe: TaxProbe, slower: Path) -> None:
    ran = tax_probe("compare", str(REFERENCE), str(slower), "--out", str(tax_probe.out), "--format", "json")
    assert ran.code == 0, ran.err
    folder = tax_probe.folder()
    assert folder.name.endswith("-compare")
    assert (folder / "compare.json").read_text() == ran.out
    html = (folder / "report.html").read_text()
    assert "1.020" in html
    assert "1.229 (exact)" in html
    assert "<script" not in html
    page = (folder / "comparison.md").read_text()
    assert page.startswith("# What changed: int_loop\n\npyo3 on B executes 1.020 times the instructions it did on A")
    assert "| pyo3 ÷ python3 | B | instructions | 1.205 | 1.229 | 1.020 | exact |" in page
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


def test_what_cannot_be_compared_is_refused(tax_probe: TaxProbe, tmp_path: Path) -> None:
    assert_refused(tax_probe("compare", str(REFERENCE)), 2, "1 result folder to compare")
    assert_refused(tax_probe("compare", str(REFERENCE), str(tmp_path)), 2, str(tmp_path), "not a result folder")
    assert_refused(tax_probe("compare", str(REFERENCE), str(RESULTS / "ipc-dynamic")), 2, "int_loop", "dynamic")
    refused = tax_probe("compare", str(REFERENCE), str(RESULTS / "ipc-dynamic"), "--out", str(tax_probe.out))
    assert (refused.code, tax_probe.folders()) == (2, [])


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_full_disk_behind_stdout_is_no_bug(form: str) -> None:
    with Path("/dev/full").open("w") as full:
        ran = in_a_process("compare", str(REFERENCE), str(REFERENCE), "--format", form, stdout=full)
    assert_refused(ran, 3, "cannot write the answer to stdout: No space left on device")


# ---------------------------------------------------------------- gates on folders


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        (["--max-ratio", "instructions=1.03"], 0),
        (["--max-ratio", "1.03"], 0),
        (["--max-ratio", "instructions=1.01"], 6),
        (["--max-ratio", "1.01"], 6),
        (["--max-ratio", "instructions=1.03", "--max-ratio", "branches=0.9"], 6),
        (["--max-ratio", "wall=1.2"], 0),
        (["--max-ratio", "cycles=1.03"], 3),
        (["--max-ratio", "startup-wall=9"], 3),
        (["--max-ratio", "cycles=1.03", "--max-ratio", "instructions=1.01"], 6),
        (["--max-ratio", "instrs=1.03"], 2),
        (["--max-ratio", "instructions=much"], 2),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else str(one),
)
def test_the_gate_of_compare(tax_probe: TaxProbe, slower: Path, gates: list[str], code: int) -> None:
    ran = tax_probe("compare", str(REFERENCE), str(slower), "--format", "json", *gates)
    assert ran.code == code, ran.err
    assert (ran.out == "") == (code == 2), "the answer is given all the same"
    assert ("is not decided" in ran.err) == ("wall=1.2" in gates)


def test_with_a_baseline_the_gate_is_on_the_tax(tax_probe: TaxProbe, tmp_path: Path, slower: Path) -> None:
    """Everything takes 2 % more, the baseline too: each cost has changed, and no tax."""

    def everything(row: dict[str, str]) -> None:
        for launcher in ("python3", "python3-again", "pyo3", "runmain"):
            times(1.02, launcher)(row)

    all_slower = planted(REFERENCE, tmp_path / "all", everything)
    gate = ("--max-ratio", "instructions=1.01", "--format", "json")
    assert tax_probe("compare", str(REFERENCE), str(all_slower), *gate).code == 6
    assert tax_probe("compare", str(all_slower), "--baseline", str(REFERENCE), *gate).code == 0
    ran = tax_probe("compare", str(slower), "--baseline", str(REFERENCE), *gate)
    assert ran.code == 6
    assert "the tax of pyo3 on B 1.0200" in ran.err
    assert ran.document["folders"][0]["path"] == str(REFERENCE)


def test_report_gates_on_the_change(tax_probe: TaxProbe, tmp_path: Path, slower: Path) -> None:
    folder = shutil.copytree(slower, tmp_path / "copy")
    told = ("--format", "json", "--baseline", str(REFERENCE))
    ran = tax_probe("report", str(folder), *told)
    assert (ran.code, ran.document["schema"]) == (0, "tax-probe/1")
    assert ran.err.startswith(f"since {REFERENCE} (A): pyo3 on B executes 1.020 times the instructions it did on A")
    assert tax_probe("report", str(folder), *told, "--max-ratio", "1.019").code == 6
    assert tax_probe("report", str(folder), *told, "--max-ratio", "1.021").code == 0
    assert tax_probe("report", str(folder), *told, "--max-ratio", "cycles=2").code == 3
    dynamic = ("--baseline", str(RESULTS / "ipc-dynamic"))
    assert_refused(tax_probe("report", str(folder), *dynamic), 2, "int_loop", "dynamic")


# ---------------------------------------------------------------- gates on what is measured

TRUTH = {
    "python3": {"instructions": (50e6, 900.0), "cycles": (20e6, 300.0), "wall": (12e6, 110.0)},
    "myapp": {"instructions": (60e6, 1080.0), "cycles": (24e6, 345.0), "wall": (14e6, 126.5)},
}


def measure(tax_probe: TaxProbe, fake_perf: FakePerf, more: float, *argv: str) -> Ran:
    """``ipc`` of a host that takes 1.2 times ``more`` the target's instructions."""
    host = tax_probe.out.parent / "myapp"
    if not host.exists():
        host.symlink_to(resolve_target(None).real_path)
    fake_perf("normal", truth=TRUTH | {"myapp": TRUTH["myapp"] | {"instructions": (60e6, 1080 * more)}})
    plan = ("--launcher", "python3", f"--host=myapp={host} {{script}} {{m}}", "--source", "hardware", "--m", "100,300")
    return tax_probe.ipc(*plan, "--blocks", "2", "--seed", "7", "--format", "json", *argv)


@pytest.fixture
def on_intel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which raw events are asked for depends on the CPU."""
    monkeypatch.setattr(hardware, "this_cpu", lambda: Cpu(vendor="GenuineIntel", family=6))


@pytest.mark.once
@pytest.mark.usefixtures("on_intel")
def test_a_run_is_gated_on_its_ratio_and_on_what_it_changed_by(tax_probe: TaxProbe, fake_perf: FakePerf) -> None:
    """1.2 in the first run, 1.236 in the second: 3 % more."""
    first = measure(tax_probe, fake_perf, 1.0, "--max-ratio", "instructions=1.21")
    assert first.code == 0, first.err
    assert "gate instructions ≤ 1.21 is held: myapp 1.2000" in first.err
    reference = tax_probe.folder()
    again = measure(tax_probe, fake_perf, 1.03, "--baseline", str(reference), "--max-ratio", "instructions=1.02")
    assert again.code == 6
    assert again.document["command"] == "ipc"
    assert "its tax went from 1.200 to 1.236" in again.err
    assert "the tax of myapp on B 1.0300" in again.err
    # What is measured already can be held against other gates.
    resumed = ("ipc", "--resume", str(tax_probe.folders()[1]), "--format", "json")
    passed = tax_probe(*resumed, "--baseline", str(reference), "--max-ratio", "instructions=1.04")
    assert passed.code == 0, passed.err
    failed = tax_probe(*resumed, "--max-ratio", "instructions=1.21")
    assert failed.code == 6
    assert "exceed 1.21 times the baseline's: myapp 1.2360" in failed.err
    run = json.loads((reference / "run.json").read_text())
    assert re.fullmatch(r"[0-9a-f]{64}", run["plan"]["workload"]["sha256"])
    assert run["tool_version"]


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("--max-ratio", "instrs=1.1"), 2, ("instrs", "choose from instructions, cycles,")),
        (("--max-ratio", "much"), 2, ("much",)),
        (("--max-ratio", "cycles=1.1", "--source", "software"), 3, ("cycles cannot be measured here",)),
        (("--max-ratio", "ipc=1.1", "--source", "software"), 3, ("ipc cannot be measured here",)),
        (("--baseline", "/nowhere"), 2, ("/nowhere", "not a result folder")),
        (("--baseline", str(RESULTS / "ipc-dynamic"), "--source", "software"), 2, ("dynamic", "int_loop")),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else str(one),
)
def test_what_cannot_be_gated_is_said_before_anything_is_measured(
    tax_probe: TaxProbe, argv: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    assert_refused(tax_probe.ipc(*SMALL, *argv), code, *words)
    assert tax_probe.folders() == []


@pytest.mark.parametrize("command", ["ipc", "variants", "amortize", "eliminate", "rebuild"])
def test_every_measuring_command_takes_gates(tax_probe: TaxProbe, command: str) -> None:
    assert_refused(tax_probe(command, "--max-ratio", "instrs=1.1"), 2, "instrs")


@pytest.mark.parametrize(
    ("written", "gates"),
    [
        ("1.1", [(None, 1.1)]),
        ("2", [(None, 2.0)]),
        ('"task-clock=3"', [("task-clock", 3.0)]),
        ('["wall=1.5", 1000]', [("wall", 1.5), (None, 1000.0)]),
    ],
)
def test_gates_of_an_experiment(written: str, gates: list[tuple[str | None, float]]) -> None:
    options = tomllib.loads(f"max_ratio = {written}")
    wanted = checked(options, STUDIES["ipc"], str)
    assert [(gate.metric, gate.max_ratio) for gate in wanted.gates] == gates


@pytest.mark.parametrize("written", ['"instrs=1.1"', "-1", "true", "[[1.1]]", "{ wall = 1.1 }", '["wall"]'])
def test_an_experiments_gate_that_is_none_is_refused(tax_probe: TaxProbe, tmp_path: Path, written: str) -> None:
    experiment = script(tmp_path, f"[options]\nmax_ratio = {written}\n", "gates.toml")
    assert_refused(tax_probe.ipc(*SMALL, "--experiment", experiment), 2, "gates.toml: max_ratio")


def test_the_target_alone_leaves_a_gate_nothing_to_decide(tax_probe: TaxProbe) -> None:
    ran = tax_probe.ipc(*SMALL, "--source", "software", "--blocks", "1", "--format", "json", "--max-ratio", "9")
    assert ran.code == 3
    assert "no launcher stands beside the baseline" in ran.err
