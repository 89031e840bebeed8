"""``ipc`` from the command line to its files on planted counts: the whole answer, figure by figure.

A fake perf reports the truth that stands in ``TRUTH``; everything else is real: processes, rows, analysis, rendering.
The golden files beside this one hold what was printed, without what differs from machine to machine. ``make record``
writes them again, to be read and committed.
"""

import csv
import hashlib
import json
import math
import os
import re
from pathlib import Path
from typing import Any

import pytest

from profiler.catalogue.events import Cpu
from profiler.errors import MachineError
from profiler.launch.cargo import find_cargo
from profiler.launch.interpreters import resolve_target
from profiler.sources import hardware
from tests.commandline import Ran, TaxProbe, comparison, rows, script
from tests.conftest import FakePerf, needs_extension

pytestmark = needs_extension

HERE = Path(__file__).parent
BLOCKS, LO, HI = 2, 100, 300

# Event: (start-up, per iteration). The embedders: 20 % more instructions in 15 % more cycles, and 15 % in none.
TRUTH: dict[str, dict[str, tuple[float, float]]] = {
    "python3": {
        "instructions": (50e6, 900),
        "cycles": (20e6, 300),
        "branches": (9e6, 150),
        "task-clock": (11e6, 100),
        "wall": (12e6, 110),
    },
    "embedder-20": {
        "instructions": (60e6, 1080),
        "cycles": (24e6, 345),
        "branches": (11e6, 156),
        "task-clock": (13e6, 115),
        "wall": (14e6, 126.5),
    },
    "embedder-15": {
        "instructions": (60e6, 1035),
        "cycles": (24e6, 300),
        "branches": (11e6, 156),
        "task-clock": (13e6, 100),
        "wall": (14e6, 110),
    },
}
METRICS = {
    *("instructions", "cycles", "branches", "branch-misses", "ipc", "dtlb-misses", "itlb-misses", "l1d-misses"),
    *("l1i-misses", "cache-misses", "page-faults", "task-clock", "wall", "startup-wall", "startup-instructions"),
}
"""The metrics of the contract; there may be more."""


def planted(fake_perf: FakePerf, monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[str, ...]:
    """Plant the truth; the arguments of a run of the target and two embedders, on one kind of CPU."""
    fake_perf("normal", truth=TRUTH)
    # Which raw events are asked for depends on the CPU.
    monkeypatch.setattr(hardware, "this_cpu", lambda: Cpu(vendor="GenuineIntel", family=6))
    for name in ("embedder-20", "embedder-15"):
        (folder / name).symlink_to(resolve_target(None).real_path)
    hosts = [f"--host=embedder-{more}={folder}/embedder-{more} {{script}} {{m}}" for more in (20, 15)]
    return ("--launcher", "python3", *hosts, "--source", "hardware", "--seed", "7", "--m", f"{LO},{HI}")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """What the run printed as JSON, and its folder; its embedders are within the gate that was asked for."""
    place = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as monkeypatch:
        tax_probe = TaxProbe(monkeypatch, place)
        plan = planted(FakePerf(monkeypatch, place), monkeypatch, place)
        ran = tax_probe.ipc(*plan, "--blocks", str(BLOCKS), "--format", "json", "--max-ratio", "1.21")
        assert ran.code == 0, ran.err
        assert not list(tax_probe.temporary.glob("tax-probe-*")), "temporary folders stay"
        return ran, tax_probe.folder()


# ---------------------------------------------------------------- golden files


def test_the_document_and_the_table(measured: tuple[Ran, Path], tax_probe: TaxProbe) -> None:
    """The verdict document as JSON, and the same as tables."""
    ran, folder = measured
    verdict = ran.document
    finding = (folder / "finding.md").read_bytes()
    against_golden("verdict.json", json.dumps(masked(verdict), indent=1, ensure_ascii=False) + "\n")
    table = tax_probe("report", str(folder))
    assert table.err == ""
    assert (folder / "finding.md").read_bytes() == finding, "the same rows gave another figure or another file"
    against_golden("table.txt", without_machine(table.out, verdict, folder))


def against_golden(name: str, text: str) -> None:
    path = HERE / name
    if os.environ.get("TAX_PROBE_RECORD"):
        path.write_text(text)
    assert text == path.read_text(), f"{name} differs: read the difference, then make record"


def masked(value: Any) -> Any:
    """Figures to nine places; the target's own facts replaced by what they are."""
    if isinstance(value, dict):
        own = {name for name in ("path", "real_path", "prefix", "version", "image", "build_id") if name in value}
        own |= {name for name in value if name.endswith(("_library", "_library_build_id", "_dir", "_loads"))}
        return {
            name: f"({name})" if name in own else "(words)" if name == "sentence" else masked(one)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [masked(one) for one in value]
    return round(value, 9) + 0.0 if isinstance(value, float) else value


def without_machine(text: str, verdict: Any, folder: Path) -> str:
    """The answer without trailing spaces, the target's own facts, and how long it took."""
    text = re.sub(r"Seen,\s+not\s+proved:\s.*?\n\n", "(what is seen)\n\n", text, flags=re.DOTALL)
    text = re.sub(r"(?<=^whose eval loop ran).*?\n\n", "\n(files)\n\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^Measured .*?(?=^Report)", "Measured     (how)\n", text, flags=re.DOTALL | re.MULTILINE)
    text = text.replace(str(folder), "(folder)").replace(str(folder.parents[1]), "(place)")
    text = text.replace(verdict["target"]["real_path"], "(target)")
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


# ---------------------------------------------------------------- the contract


def test_the_planted_ratios_come_out(measured: tuple[Ran, Path]) -> None:
    verdict = measured[0].document
    for more, instructions, cycles in ((20, 1.20, 1.15), (15, 1.15, 1.0)):
        name = f"embedder-{more}"
        for metric, ratio in (("instructions", instructions), ("cycles", cycles), ("ipc", instructions / cycles)):
            found = comparison(verdict, name, metric)
            assert found["ratio"] == pytest.approx(ratio, rel=1e-9)
            assert found["lo"] <= found["ratio"] * (1 + 1e-12)
            assert found["hi"] >= found["ratio"] * (1 - 1e-12)
        assert comparison(verdict, name, "instructions")["verdict"] == "slower"
        assert comparison(verdict, name, "ipc")["verdict"] == "faster"
        assert comparison(verdict, name, "instructions")["value"] == pytest.approx(900 * instructions)
        assert comparison(verdict, name, "startup-instructions")["value"] == pytest.approx(60e6)
    assert comparison(verdict, "embedder-15", "cycles")["verdict"] == "same"
    assert comparison(verdict, "python3-again", "instructions")["ratio"] == pytest.approx(1)
    assert comparison(verdict, "python3-again", "instructions")["verdict"] == "same"
    assert "embedder-20 costs 20.00 %" in verdict["sentence"]
    assert "embedder-15 costs 15.00 %" in verdict["sentence"]


def test_the_shares_add_up(measured: tuple[Ran, Path]) -> None:
    """cycles = instructions × CPI, and time = instructions × CPI ÷ frequency × off-CPU, in logarithms."""
    splits = {(one["launcher"], one["of"]): one for one in measured[0].document["decomposition"]}
    cycles = {term["term"]: term for term in splits["embedder-20", "cycles"]["terms"]}
    assert set(cycles) == {"instructions", "cpi"}
    assert cycles["instructions"]["share"] == pytest.approx(math.log(1.2) / math.log(1.15))
    assert cycles["cpi"]["ratio"] == pytest.approx(1.15 / 1.2)
    wall = {term["term"]: term for term in splits["embedder-20", "wall"]["terms"]}
    assert set(wall) == {"instructions", "cpi", "frequency", "off-cpu"}
    for split in splits.values():
        ratios = [term["ratio"] for term in split["terms"]]
        whole = comparison(measured[0].document, split["launcher"], split["of"])["ratio"]
        assert math.prod(ratios) == pytest.approx(whole)
        assert split["residual"] == pytest.approx(0, abs=1e-9)
        shares = [term["share"] for term in split["terms"]]
        if None not in shares:
            assert sum(shares) == pytest.approx(1)
    # Nothing to share out where the whole is the same.
    assert {term["share"] for term in splits["embedder-15", "cycles"]["terms"]} == {None}
    assert splits["embedder-15", "cycles"]["reason"]


def test_the_document_keeps_its_contract(measured: tuple[Ran, Path]) -> None:
    verdict = measured[0].document
    assert (verdict["schema"], verdict["command"], verdict["source"]) == ("tax-probe/1", "ipc", "hardware")
    assert verdict["workload"] == {"name": "int_loop", "bit_exact": True}
    assert [one["name"] for one in verdict["launchers"]] == ["python3", "embedder-20", "embedder-15"]
    for one in verdict["launchers"]:
        assert {"name", "image", "build_id", "link", "init", "allocator"} <= set(one)
        assert one["allocator"] == "pymalloc"
        assert one["image"]
    assert {"ladder", "causes", "unexplained", "warnings", "target"} <= set(verdict)
    assert verdict["warnings"] == []
    keys = {"baseline", "launcher", "metric", "baseline_value", "value", "ratio", "lo", "hi", "confidence", "verdict"}
    for launcher in ("python3-again", "embedder-20", "embedder-15"):
        mine = [one for one in verdict["comparisons"] if one["launcher"] == launcher]
        assert {one["metric"] for one in mine} >= METRICS
        for one in mine:
            assert keys <= set(one)
            assert one["verdict"] in {"slower", "faster", "same", "unresolved"}
            assert (one["ratio"] is None) <= bool(one["reason"]), "null without a reason"
            assert one["value"] != 0 or one["ratio"] is None


def test_the_streams_are_kept_apart(measured: tuple[Ran, Path]) -> None:
    ran, folder = measured
    assert ran.out == (folder / "verdict.json").read_text(), "stdout is the document and nothing else"
    first, *_ = ran.err.splitlines()
    assert first.startswith("source: hardware counters through perf 6.1.187: 6 counters at once passed the self-test")
    assert f"block {BLOCKS - 1}: " in ran.err


def test_the_folder_is_complete(measured: tuple[Ran, Path]) -> None:
    folder = measured[1]
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {
        *("rows.csv", "run.json", "verdict.json", "summary.csv", "causes.csv", "points.csv", "finding.md"),
        *("report.html", "figures/forest.svg"),
    }
    assert re.fullmatch(r"\d{8}T\d{6}Z-ipc", folder.name)
    run = json.loads((folder / "run.json").read_text())
    assert run["argv"][:3] == ["ipc", "--out", str(folder.parent)]
    assert run["plan"]["seed"] == 7
    assert run["measured_s"] > 0
    assert {"machine", "interpreters", "builds", "warnings", "source_sentence", "missing"} <= set(run)
    with (folder / "summary.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(measured[0].document["comparisons"])
    assert "</svg>" in (folder / "figures/forest.svg").read_text()


def test_the_rows_hold_every_reading_of_the_plan(measured: tuple[Ran, Path]) -> None:
    found = rows(measured[1])
    contract = ("block", "position", "launcher", "workload", "m", "repetition", "event", "value", "unit", "enabled_ns")
    assert {*contract, "running_ns", "exit", "output_sha256", "source"} <= set(found[0])
    plan = json.loads((measured[1] / "run.json").read_text())["plan"]
    assert {one["name"] for one in plan["launchers"]} == {"python3", "python3-again", "embedder-20", "embedder-15"}
    # Beside the source's readings, the time spent queued of every process that has the machine to itself.
    readings = sum((len(what["events"]) + what["exclusive"]) * what["repetitions"] for what in plan["passes"])
    assert len(found) == readings * BLOCKS * 4 * 2
    assert {(row["source"], row["exit"]) for row in found if row["event"] != "queued"} == {("hardware", "0")}
    for row in found:
        if row["event"] == "instructions":
            startup, per_iteration = TRUTH[row["launcher"].removesuffix("-again")]["instructions"]
            assert float(row["value"]) == startup + per_iteration * int(row["m"])
    digests = {row["m"]: row["output_sha256"] for row in found}
    for m in (LO, HI):
        acc = sum(i * i - (i & 7) for i in range(m))
        assert digests[str(m)] == hashlib.sha256(f"{acc}\n".encode()).hexdigest()


def test_the_finding_names_its_data(measured: tuple[Ran, Path]) -> None:
    _, folder = measured
    text = (folder / "finding.md").read_text()
    assert "embedder-20 takes 1.150 times as long as python3 on int_loop, because it executes 1.200 times" in text
    named = dict(re.findall(r"^\| \[.*\]\((.*)\) \| `([0-9a-f]{64})` \|$", text, re.MULTILINE))
    for name in ("rows.csv", "run.json", "verdict.json", "summary.csv", "causes.csv", "figures/forest.svg"):
        assert named[name] == hashlib.sha256((folder / name).read_bytes()).hexdigest(), name
    assert "--seed 7" in text
    assert text.count("--seed") == 1


def test_the_gate(
    tax_probe: TaxProbe, fake_perf: FakePerf, monkeypatch: pytest.MonkeyPatch, measured: tuple[Ran, Path]
) -> None:
    """Only what is proven to exceed it fails; the answer is given all the same."""
    planted(fake_perf, monkeypatch, tax_probe.out.parent)
    ran = tax_probe("ipc", "--resume", str(measured[1]), "--max-ratio", "1.18", "--format", "json")
    assert ran.code == 6
    assert ran.out == measured[0].out
    assert "embedder-20 1.2000" in ran.err
    assert "embedder-15" not in ran.err.rpartition("tax-probe: ")[2]


def test_a_truncated_perf_output_costs_an_event_and_no_run(
    tax_probe: TaxProbe, fake_perf: FakePerf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is lost is null with its reason, in the rows and in the document; the anchors are there in every pass."""
    place = tax_probe.out.parent
    plan = planted(fake_perf, monkeypatch, place)
    scenario = place / "scenario"
    scenario.write_text("normal")
    fake_perf(f"@{scenario}")
    # The first check is a bare run: from then on perf's files are cut off.
    load = script(place, f"import sys\nopen({str(scenario)!r}, 'w').write('truncated')\nprint(sys.argv[1])\n")
    ran = tax_probe.ipc(*plan, "--blocks", "1", "--format", "json", "--workload", load)
    assert ran.code == 0, ran.err
    lost = [row for row in rows(tax_probe.folder()) if row["value"] == ""]
    assert lost
    assert all(row["reason"] for row in lost)
    assert "instructions" not in {row["event"] for row in lost}
    assert comparison(ran.document, "embedder-20", "instructions")["ratio"] == pytest.approx(1.2)


@pytest.mark.integration
def test_our_own_hosts_on_planted_counts(
    tax_probe: TaxProbe, fake_perf: FakePerf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real binaries, 20 % and 15 % planted: each is told from the other and from the program."""
    try:
        find_cargo()
    except MachineError as error:
        pytest.skip(error.message)
    if resolve_target(None).include_dir is None:
        pytest.skip("the target has no headers")
    fake_perf(
        "normal", truth={"python3": TRUTH["python3"], "/pyo3": TRUTH["embedder-20"], "/runmain": TRUTH["embedder-15"]}
    )
    ran = tax_probe.ipc("--source", "hardware", "--seed", "7", "--blocks", "1", "--m", f"{LO},{HI}", "--format", "json")
    assert ran.code == 0, ran.err
    for launcher, baseline, ratio in (
        ("pyo3", "python3", 1.2),
        ("runmain", "python3", 1.15),
        ("pyo3", "runmain", 1.2 / 1.15),
    ):
        assert comparison(ran.document, launcher, "instructions", baseline)["ratio"] == pytest.approx(ratio)
    images = {one["name"]: one["image"] for one in ran.document["launchers"]}
    assert images["pyo3"] == images["runmain"] == resolve_target(None).shared_library
