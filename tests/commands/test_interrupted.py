"""Ctrl-C and SIGTERM in mid-run: exit 5, nothing lost, and ``--resume`` ends where an undisturbed run ends."""

import os
import signal
from pathlib import Path

import pytest

from profiler.present import answer
from tests.commandline import GENEROUS_S, SMALL, TaxProbe, assert_refused, in_a_process, reading_keys, script
from tests.conftest import FakePerf, needs_extension

TRUTH = {"python": {"instructions": (5e6, 900), "cycles": (2e6, 300), "wall": (9e6, 110), "task-clock": (8e6, 100)}}

# Signals tax-probe in certain of its runs and then never ends by itself, so that tax-probe has to end it.
SIGNALS = """\
import os, signal, sys
with open({count!r}, "a") as runs:
    runs.write("x")
    number = {numbers}.get(runs.tell())
if number is not None:
    os.kill(int(os.environ["TAX_PROBE_TEST_PID"]), number)
    signal.pause()
print(sys.argv[1])
"""


def signalling(folder: Path, numbers: dict[int, int]) -> str:
    """A workload that sends ``numbers[n]`` in its n-th run."""
    return script(folder, SIGNALS.format(count=str(folder / "runs"), numbers=numbers))


@pytest.mark.once
@needs_extension
def test_a_run_that_is_interrupted_twice_and_resumed_is_the_run_that_was_not(
    tax_probe: TaxProbe, fake_perf: FakePerf
) -> None:
    """The same plan, every reading once, and the same verdict: all counts are planted, so they are exact."""
    fake_perf("normal", truth=TRUTH)
    plan = ("ipc", "--out", str(tax_probe.out), *SMALL, "--source", "hardware", "--blocks", "2")
    load = signalling(tax_probe.out.parent, {12: int(signal.SIGINT), 24: int(signal.SIGTERM)})
    ran = in_a_process(*plan, "--workload", load, "--timeout", str(GENEROUS_S))
    folder = tax_probe.folder()
    assert_refused(ran, 5, f"what was measured is in {folder}", f"--resume {folder}")
    first = reading_keys(folder)
    assert first
    # As if killed in the middle of a write: a row of the last process is torn, so that process is measured again.
    text = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text[:-20])

    ran = in_a_process("ipc", "--resume", str(folder), "--timeout", str(GENEROUS_S))
    assert_refused(ran, 5, f"--resume {folder}")
    second = reading_keys(folder)
    assert set(first) < set(second)
    resumed = tax_probe("ipc", "--resume", str(folder), "--format", "json")
    assert resumed.code == 0, resumed.err

    undisturbed = tax_probe(*plan, "--workload", load, "--format", "json")
    assert undisturbed.code == 0, undisturbed.err
    (other,) = set(tax_probe.folders()) - {folder}
    keys = reading_keys(folder)
    assert len(second) < len(set(keys)) == len(keys)
    assert keys == reading_keys(other)
    told = [warning["code"] for warning in resumed.document["warnings"]]
    assert told.count("damaged-rows") == 1, "what was dropped is said"
    kept = [warning for warning in resumed.document["warnings"] if warning["code"] != "damaged-rows"]
    assert resumed.document | {"warnings": kept} == undisturbed.document


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_before_anything_is_measured(tax_probe: TaxProbe, number: signal.Signals) -> None:
    """While M is being calibrated."""
    load = signalling(tax_probe.out.parent, {2: int(number)})
    ran = in_a_process(
        *("ipc", "--launcher", "python3", "--source", "software", "--out", str(tax_probe.out), "--workload", load)
    )
    assert ran.code == 5
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert "tax-probe: interrupted before anything was measured" in ran.err
    assert not tax_probe.folders()
    assert not [path for path in tax_probe.temporary.iterdir() if path.is_dir()], "temporary folders stay"


def test_an_unfinished_run_can_be_reported(tax_probe: TaxProbe) -> None:
    """Interrupted early in its second block, of which no pair of launchers is complete."""
    load = signalling(tax_probe.out.parent, {20: int(signal.SIGINT)})
    plan = (*SMALL, "--source", "software", "--blocks", "3", "--timeout", str(GENEROUS_S))
    ran = in_a_process("ipc", "--out", str(tax_probe.out), *plan, "--workload", load)
    assert ran.code == 5, ran.err
    reported = tax_probe("report", str(tax_probe.folder()), "--format", "json")
    assert reported.code == 0
    assert "unfinished" in [one["code"] for one in reported.document["warnings"]]
    assert {one["blocks"] for one in reported.document["comparisons"] if one["metric"] == "wall"} == {1}


def test_an_interruption_while_the_answer_is_written_loses_nothing(
    tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: object, **options: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()

    monkeypatch.setattr(answer, "show", interrupted)
    ran = tax_probe.ipc(*SMALL, "--source", "software", "--blocks", "1")
    assert_refused(ran, 5, "everything is measured", f"tax-probe report {tax_probe.folder()}")


def test_what_whoever_starts_us_has_ignored_stays_ignored(tax_probe: TaxProbe) -> None:
    """As nohup does with SIGHUP."""
    load = signalling(tax_probe.out.parent, {2: int(signal.SIGHUP)})
    (tax_probe.out.parent / "load.py").write_text(Path(load).read_text().replace("signal.pause()", "pass"))
    plan = ("--launcher", "python3", "--source", "software", "--blocks", "1", "--m", "5,10")
    ran = in_a_process(
        *("ipc", "--out", str(tax_probe.out), *plan, "--workload", load),
        before="import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)",
    )
    assert ran.code == 0, ran.err


def test_another_commands_folder_is_not_resumed(tax_probe: TaxProbe) -> None:
    assert tax_probe.ipc(*SMALL, "--source", "software", "--blocks", "1").code == 0
    folder = tax_probe.folder()
    ran = tax_probe("variants", "--resume", str(folder))
    assert_refused(ran, 2, "was begun by tax-probe ipc", f"tax-probe ipc --resume {folder}")


def test_only_the_same_interpreter_resumes(tax_probe: TaxProbe) -> None:
    assert tax_probe.ipc(*SMALL, "--source", "software", "--blocks", "1").code == 0
    run = tax_probe.folder() / "run.json"
    kept = run.read_text()
    run.write_text(kept.replace('"build_id": "', '"build_id": "00', 1))
    assert_refused(tax_probe("ipc", "--resume", str(run.parent)), 2, "was not begun by you", "--trust-folder")
    ran = tax_probe("ipc", "--resume", str(run.parent), "--trust-folder")
    assert_refused(ran, 2, "is not the interpreter", "new run", "--accept-changes")


@needs_extension
def test_only_the_same_counters_resume(tax_probe: TaxProbe, fake_perf: FakePerf) -> None:
    """With fewer counters free the old passes would be multiplexed."""
    fake_perf("normal", slots=6)
    assert tax_probe.ipc(*SMALL, "--source", "hardware", "--blocks", "1").code == 0
    fake_perf("normal", slots=3)
    ran = tax_probe("ipc", "--resume", str(tax_probe.folder()))
    assert_refused(ran, 3, "not those that this run began with", "new run")
