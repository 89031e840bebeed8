"""What is wrong is told before the machine's lock is waited for and before anything is built; and ``--wait``."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from profiler.collect import beforehand
from profiler.launch.interpreters import resolve_target
from profiler.plan import lineup
from profiler.rebuild import combinations
from profiler.system.cgroup import Cgroup
from profiler.system.run_lock import only_one_run
from tests.commandline import ENTRY, GENEROUS_S, SMALL, TaxProbe, assert_refused, script

ONE_BLOCK = (*SMALL, "--source", "software", "--blocks", "1")
IGNORES_M = "s = 0\nfor i in range(20000):\n    s += i\nprint(s)\n"

needs_headers = pytest.mark.skipif(
    resolve_target(None).include_dir is None or resolve_target(None).shared_library is None,
    reason="hosts of the distribution's python3 cannot be linked here",
)


@pytest.fixture
def no_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever builds a host is found out."""

    def build(*_: object, **__: object) -> None:
        raise AssertionError("a host is built")

    monkeypatch.setattr(lineup, "build_hosts", build)
    monkeypatch.setattr(combinations, "build_hosts", build)


@pytest.mark.usefixtures("no_builds")
@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["ipc", "--launcher", "nope"], 2, ["no launcher 'nope'"]),
        (["ipc", "--host", "mine=/nonexistent {script}"], 2, ["no executable program '/nonexistent'"]),
        (["variants", "--host", "mine=/etc/passwd {script}"], 2, ["no executable program '/etc/passwd'"]),
        (["ipc", "--workload", "nope"], 2, ["no workload 'nope'"]),
        (["ipc", "--python", "/nonexistent"], 2, ["no file /nonexistent"]),
        (["ipc", "--out", "/proc/results"], 3, ["cannot write results"]),
        (["ipc", "--out", "/dev/null/results"], 3, ["cannot write results"]),
        (["ipc", "--experiment", "/nonexistent.toml"], 2, ["cannot read the experiment"]),
        (["ipc", "--resume", "/nonexistent"], 2, ["not a result folder"]),
        (["ipc", "--baseline", "/nonexistent"], 2, ["/nonexistent"]),
        (["ipc", "--max-ratio", "nope=2"], 2, ["nope"]),
        (["ipc", "--wait", "-1"], 2, ["--wait", ">= 0"]),
        (["ipc", "--m", "9,5"], 2, ["--m"]),
        (["rebuild", "--plan", "/nonexistent.toml"], 2, ["cannot read the plan"]),
        (["rebuild", "--source-tree", "/nonexistent"], 2, ["no file or folder /nonexistent"]),
        (["rebuild", "--source-tree", "/etc"], 2, ["is no CPython source"]),
    ],
)
def test_a_typo_is_told_while_another_run_measures(
    tax_probe: TaxProbe, argv: list[str], code: int, words: list[str]
) -> None:
    with only_one_run():
        assert_refused(tax_probe(*argv), code, *words)
    assert not tax_probe.folders()


@needs_headers
@pytest.mark.usefixtures("no_builds")
def test_a_wrong_libpython_is_told_while_another_run_measures(tax_probe: TaxProbe) -> None:
    with only_one_run():
        assert_refused(tax_probe("variants", "--libpython", "/nonexistent"), 2, "--libpython: no file /nonexistent")


@pytest.mark.usefixtures("no_builds")
def test_eliminations_of_what_does_not_exist(tax_probe: TaxProbe, tmp_path: Path) -> None:
    text = '[[elimination]]\nname = "x"\nhypothesis = "h"\nintervention = "i"\n[elimination.after]\n'
    for line, words in (('on = ["nope"]', "no launcher nope"), ('workload = "nope"', "no workload 'nope'")):
        file = tmp_path / "eliminations.toml"
        file.write_text(f"{text}{line}\n")
        with only_one_run():
            assert_refused(tax_probe("eliminate", "--experiment", str(file)), 2, words)


def test_a_script_that_is_no_python_to_the_target(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """The line that is wrong is shown, and nothing of the script runs."""
    load = script(tmp_path, f"open({str(tmp_path / 'mark')!r}, 'w')\nthis is no python\n")
    with only_one_run():
        ran = tax_probe.ipc(*ONE_BLOCK, "--workload", load)
    assert_refused(ran, 4, "is no Python 3.", "line 2", "this is no python", "SyntaxError")
    assert not (tmp_path / "mark").exists()
    assert not tax_probe.folders()


def test_looking_at_the_place_for_results_leaves_nothing(tax_probe: TaxProbe) -> None:
    with only_one_run():
        assert_refused(tax_probe.ipc(*ONE_BLOCK), 3, "another tax-probe is measuring", "--wait SECONDS")
    assert not tax_probe.out.exists()


# ---------------------------------------------------------------- before the first build


@needs_headers
@pytest.mark.usefixtures("no_builds")
@pytest.mark.parametrize("size", [(), ("--m", "1000,5000")])
def test_work_that_does_not_grow_is_told_before_hosts_are_built(
    tax_probe: TaxProbe, tmp_path: Path, size: tuple[str, ...]
) -> None:
    ran = tax_probe.ipc("--source", "software", *size, "--workload", script(tmp_path, IGNORES_M))
    assert_refused(ran, 4, "does not grow with M")


@needs_headers
@pytest.mark.usefixtures("no_builds")
@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("--max-ratio", "cycles=1.1"), 3, "cycles cannot be measured here"),
        (("--precision", "1", "--metric", "cycles"), 2, "the software source has no cycles"),
    ],
)
def test_what_the_source_does_not_count_is_told_before_hosts_are_built(
    tax_probe: TaxProbe, argv: tuple[str, ...], code: int, words: str
) -> None:
    assert_refused(tax_probe.ipc("--source", "software", *argv), code, words)


# ---------------------------------------------------------------- waiting


def begun(tax_probe: TaxProbe, *argv: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ENTRY, "ipc", *ONE_BLOCK, "--out", str(tax_probe.out), *argv]
    return subprocess.Popen(
        command, env=os.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def test_a_run_waits_for_the_one_that_it_names(tax_probe: TaxProbe) -> None:
    with only_one_run():
        waiting = begun(tax_probe, "--wait", str(GENEROUS_S))
        assert waiting.stderr is not None
        said = waiting.stderr.readline()
        assert said.startswith(f"waiting up to {GENEROUS_S} s for another tax-probe to end")
        if Path("/proc/locks").read_text().find(f" {os.getpid()} ") >= 0:
            assert f"(pid {os.getpid()}: " in said
        assert waiting.poll() is None
        assert not tax_probe.folders()
    _, err = waiting.communicate(timeout=GENEROUS_S)
    assert waiting.returncode == 0, err
    assert (tax_probe.folder() / "verdict.json").exists()


def test_waiting_has_an_end(tax_probe: TaxProbe) -> None:
    """It takes at least as long as was asked for, and the machine is told to be busy still."""
    with only_one_run():
        started = time.monotonic()
        ran = tax_probe.ipc(*ONE_BLOCK, "--wait", "0.3")
        assert time.monotonic() - started >= 0.3
    assert_refused(ran, 3, "waiting up to 0.3 s", "is measuring on this machine, still after 0.3 s", "--wait SECONDS")
    assert not tax_probe.folders()


def test_nobody_waits_for_a_machine_that_is_free(tax_probe: TaxProbe) -> None:
    ran = tax_probe.ipc(*ONE_BLOCK, "--wait", "60")
    assert ran.code == 0, ran.err
    assert "waiting" not in ran.err


def test_a_quota_is_told_while_another_run_measures(tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beforehand, "cgroup", lambda: Cgroup(quota_cpus=0.25, throttled=3, throttled_ns=None))
    with only_one_run():
        ran = tax_probe.ipc(*ONE_BLOCK)
    assert_refused(ran, 3, "warning cpu-quota: the control group may use 0.25 CPUs (stopped 3 times so far)")
    assert ran.err.index("cpu-quota") < ran.err.index("another tax-probe")


def test_a_quota_stands_with_the_result(tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beforehand, "cgroup", lambda: Cgroup(quota_cpus=0.25, throttled=None, throttled_ns=None))
    ran = tax_probe.ipc(*ONE_BLOCK, "--format", "json")
    assert ran.code == 0, ran.err
    assert "cpu-quota" in {one["code"] for one in ran.document["warnings"]}
