"""``ipc --precision`` from the command line to its files."""

import platform
import sys
from pathlib import Path
from shutil import which

import pytest

from profiler.analyze.rows import phases, read_rows
from profiler.folder import load_run
from profiler.guest.script import ENV_ARENA_OFFSET
from tests.commandline import TaxProbe, assert_refused, comparison, rows, script
from tests.conftest import needs_extension

ALONE = ("ipc", "--source", "software", "--launcher", "python3", "--seed", "11", "--format", "json")
LOOP = """\
import sys
def run(m):
    acc = 0
    for i in range(m):
        acc += i * i
    return acc
print(run(int(sys.argv[1])))
"""
NO_FUNCTION = "import sys\nacc = 0\nfor i in range(int(sys.argv[1])):\n    acc += i\nprint(acc)\n"


def only_folder(tax_probe: TaxProbe) -> Path:
    (folder,) = tax_probe.out.iterdir()
    return folder


@pytest.mark.parametrize("text", [LOOP, NO_FUNCTION])
def test_it_stops_when_the_interval_is_as_narrow_as_asked(tax_probe: TaxProbe, tmp_path: Path, text: str) -> None:
    workload = ("--workload", script(tmp_path, text), "--m", "20000,40000")
    ran = tax_probe(*ALONE, *workload, "--precision", "40%", "--metric", "wall", "--out", str(tax_probe.out))
    assert ran.code == 0, ran.err
    wall = comparison(ran.document, "python3-again", "wall")
    assert wall["blocks"] >= 3
    assert max(wall["hi"] / wall["ratio"], wall["ratio"] / wall["lo"]) <= 1.4
    again = tax_probe("report", str(only_folder(tax_probe)), "--format", "json")
    assert again.document == ran.document


def test_blocks_and_resume(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """A precision that cannot be reached: --blocks end it, and nothing is measured twice."""
    workload = ("--workload", script(tmp_path, LOOP), "--m", "2000,4000")
    ran = tax_probe(*ALONE, *workload, "--precision", "0.0001", "--blocks", "2", "--out", str(tax_probe.out))
    assert ran.code == 0, ran.err
    folder = only_folder(tax_probe)
    assert len(load_run(folder).plan.blocks) == 2
    before = rows(folder)
    assert {(row["pass"], row["m"]) for row in before} == {("chunks", "2000")}
    resumed = tax_probe("ipc", "--resume", str(folder), "--format", "json")
    assert resumed.code == 0, resumed.err
    assert rows(folder) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--precision", "none"), "is no percentage"),
        (("--precision", "0"), "is no percentage"),
        (("--precision", "1e-300"), "is no percentage"),
        (("--precision", "1", "--metric", "cycles"), "has no cycles"),
        (("--metric", "wall"), "--precision"),
    ],
)
def test_what_cannot_be_asked_for(tax_probe: TaxProbe, options: tuple[str, ...], words: str) -> None:
    assert_refused(tax_probe(*ALONE, *options), 2, words)


def test_a_precision_in_the_experiment_of_another_command_is_refused(tax_probe: TaxProbe, tmp_path: Path) -> None:
    experiment = tmp_path / "precise.toml"
    experiment.write_text('[options]\nprecision = "0.5%"\n')
    refused = tax_probe("amortize", "--source", "software", "--launcher", "python3", "--experiment", str(experiment))
    assert_refused(refused, 2, "fixed number of blocks")


LIES_LATER = """\
import os, sys
calls = 0
def run(m):
    global calls
    calls += 1
    return -1 if 'LIAR' in os.environ and calls > 5 else sum(range(m))
print(run(int(sys.argv[1])))
"""


def test_a_host_that_prints_something_else_in_a_chunk_ends_the_run(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """It does so neither in the check nor in its first runs."""
    liar = f"liar=/usr/bin/env LIAR=1 {sys.executable} {{script}} {{m}}"
    workload = ("--workload", script(tmp_path, LIES_LATER), "--m", "2000,4000")
    ran = tax_probe.ipc(*ALONE[1:], *workload, "--host", liar, "--precision", "1", "--blocks", "1")
    assert_refused(ran, 4, "outputs differ for M = 2000", "printed '-1\\n'", "must depend on M only")


def test_a_host_that_dies_in_chunks_is_measured_as_whole_processes(tax_probe: TaxProbe, tmp_path: Path) -> None:
    text = "import os, sys\nif 'TAX_PROBE_SERVER' in os.environ:\n    os._exit(3)\n" + LOOP
    workload = ("--workload", script(tmp_path, text), "--m", "2000,4000")
    ran = tax_probe(*ALONE, *workload, "--precision", "0.01", "--blocks", "2", "--out", str(tax_probe.out))
    assert ran.code == 0, ran.err
    assert "no-chunks" in {caveat["code"] for caveat in ran.document["warnings"]}
    assert {row["pass"] for row in rows(only_folder(tax_probe))} == {"timed"}


def test_without_a_pmu_times_come_from_chunks_and_the_start_up_from_whole_processes(
    tax_probe: TaxProbe, tmp_path: Path
) -> None:
    workload = ("--workload", script(tmp_path, LOOP), "--blocks", "2")
    ran = tax_probe(*ALONE, *workload, "--out", str(tax_probe.out))
    assert ran.code == 0, ran.err
    measured = {row["pass"]: row for row in rows(only_folder(tax_probe))}
    assert set(measured) == {"timed", "chunks"}
    per_iteration = comparison(ran.document, "python3-again", "wall")["value"]
    chunks = [row for row in rows(only_folder(tax_probe)) if (row["pass"], row["event"]) == ("chunks", "wall")]
    levels = sorted(float(row["value"]) / int(row["m"]) for row in chunks if int(row["repetition"]) >= 0)
    assert levels[0] <= per_iteration <= levels[-1]
    assert comparison(ran.document, "python3-again", "startup-wall")["value"] > 0


def test_an_m_that_was_asked_for_is_run_in_whole_processes(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """Chunks of M = 1 would be the call and not the work."""
    workload = ("--workload", script(tmp_path, LOOP), "--blocks", "2", "--m", "1,20000")
    ran = tax_probe(*ALONE, *workload, "--out", str(tax_probe.out))
    assert ran.code == 0, ran.err
    assert {row["pass"] for row in rows(only_folder(tax_probe))} == {"timed"}


CHANGING = """\
import os, sys
calls = []
def run(m):
    calls.append(m)
    times = 20 if len(calls) == 1 else 5 if len(calls) > 10 and 'PLANTED' in os.environ else 1
    for _ in range(times):
        acc = 0
        for i in range(m):
            acc += i * i
    return acc
print(run(int(sys.argv[1])))
"""


def test_warm_up_is_seen_and_a_launcher_without_a_steady_state_is_named(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """The first run takes 20 times as long in all; from the eighth chunk on one host takes five times as long."""
    host = ("--host", f"changing=env PLANTED=1 {sys.executable} {{script}} {{m}}")
    workload = ("--workload", script(tmp_path, CHANGING), "--m", "20000,40000")
    asked = ("--precision", "0.0001", "--metric", "wall", "--blocks", "3", "--out", str(tax_probe.out))
    ran = tax_probe(*ALONE, *workload, *host, *asked)
    assert ran.code == 0, ran.err
    by_launcher = {one["launcher"]: one for one in ran.document["series"]}
    assert set(by_launcher) == {"python3", "python3-again", "changing"}
    assert by_launcher["python3"]["first"]["ratio"] > 5
    assert by_launcher["python3"]["turns"] == list(range(-2, 16))
    assert by_launcher["changing"]["shift"]["ratio"] > 2
    unsteady = [one["message"] for one in ran.document["warnings"] if one["code"] == "not-steady"]
    assert [message.partition(":")[0] for message in unsteady] == ["changing"]
    assert (only_folder(tax_probe) / "figures" / "series.svg").exists()
    assert "chunks of a living process in their order" in tax_probe("report", "-v", str(only_folder(tax_probe))).out


@needs_extension
@pytest.mark.parametrize(("source", "tool"), [("callgrind", "valgrind"), ("qemu", f"qemu-{platform.machine()}")])
def test_regions_count_the_same_in_every_process_and_phase(
    tax_probe: TaxProbe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, tool: str
) -> None:
    """The emulator is real; M is small, so that it takes seconds. ``acc`` outgrows two digits, as in longer runs."""
    # Later phases lie further on in the arena: at one placement, whichever the block drew.
    monkeypatch.setenv(ENV_ARENA_OFFSET, "0")
    which(tool) or pytest.skip(f"{tool} is not installed")
    argv = ("ipc", "--source", source, "--launcher", "python3", "--seed", "11", "--format", "json")
    workload = ("--workload", script(tmp_path, LOOP), "--m", "2000,6000")
    asked = ("--precision", "1", "--metric", "instructions", "--blocks", "2", "--out", str(tax_probe.out))
    ran = tax_probe(*argv, *workload, *asked)
    assert ran.code == 0, ran.err
    found = comparison(ran.document, "python3-again", "instructions")
    assert found["ratio"] == pytest.approx(1.0, abs=1e-4)
    assert "heap-not-placed" not in {one["code"] for one in ran.document["warnings"]}
    reasons = {
        metric: comparison(ran.document, "python3-again", metric)["reason"] for metric in ("wall", "startup-wall")
    }
    assert reasons == {
        "wall": "not measured in a run for the precision of instructions",
        "startup-wall": "parts of a process have no start-up",
    }
    counted = phases(read_rows(only_folder(tax_probe)))["per_iteration"].xs("instructions", level="event")
    by_phase = counted.unstack("repetition")
    assert list(by_phase) == [0, 1, 2]
    # A phase on a pool boundary is rare.
    assert (by_phase.max(axis=1) / by_phase.min(axis=1)).median() < 1.001
