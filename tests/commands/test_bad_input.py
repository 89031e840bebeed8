"""Whatever is wrong, ``ipc`` ends with the right exit code, a message with its remedy, and what was measured."""

import os
import resource
import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest

from profiler.collect import beforehand
from profiler.launch import cargo
from profiler.launch.interpreters import resolve_target
from profiler.system.install import how_to_install
from profiler.system.run_lock import only_one_run
from tests.commandline import SMALL, TaxProbe, assert_refused, in_a_process, reading_keys, rows, script
from tests.conftest import FakePerf, needs_extension

ONE_BLOCK = (*SMALL, "--source", "software", "--blocks", "1")
SHIM = Path.home() / ".pyenv/shims/python3"
TOO_OLD = sorted(Path.home().glob(".pyenv/versions/3.[67].*/bin/python3.[67]"))

# A workload that changes what perf does next, after it has run so many times.
CHANGES = """\
import sys
with open({count!r}, "a") as runs:
    runs.write("x")
    if runs.tell() == {after}:
        with open({scenario!r}, "w") as out:
            out.write({then!r})
print(sys.argv[1])
"""


# ---------------------------------------------------------------- counters


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("not-supported", ["no hardware counters"]),
        ("paranoid", ["perf"]),
        ("wrapper", ["perf not found for kernel", "a process cannot open counters on itself here"]),
    ],
)
def test_hardware_where_there_is_none(
    tax_probe: TaxProbe, fake_perf: FakePerf, scenario: str, words: list[str]
) -> None:
    fake_perf(scenario)
    assert_refused(tax_probe.ipc(*SMALL, "--source", "hardware"), 3, *words)
    assert not tax_probe.folders()


@pytest.mark.usefixtures("no_perf")
def test_no_perf_on_path(tax_probe: TaxProbe) -> None:
    assert_refused(
        tax_probe.ipc(*SMALL, "--source", "hardware"), 3, "perf is not installed", "cannot open counters on itself"
    )


@pytest.mark.usefixtures("no_perf")
def test_no_valgrind_on_path(tax_probe: TaxProbe) -> None:
    assert_refused(tax_probe.ipc(*SMALL, "--source", "callgrind"), 3, "valgrind is not installed", "apt-get")


@pytest.mark.once
@needs_extension
@pytest.mark.parametrize(
    ("then", "code", "words"),
    [
        ("dies", 3, ["perf was killed by signal 9"]),
        ("hangs", 4, ["did not end in time", "--timeout"]),
    ],
)
def test_a_perf_that_fails_in_mid_run_loses_nothing(
    tax_probe: TaxProbe, fake_perf: FakePerf, then: str, code: int, words: list[str]
) -> None:
    """Checks and bare looks at the baseline come first, so the twelfth run of the workload is one that is counted."""
    place = tax_probe.out.parent
    scenario = place / "scenario"
    scenario.write_text("normal")
    fake_perf(f"@{scenario}")
    text = CHANGES.format(count=str(place / "runs"), after=12, scenario=str(scenario), then=then)
    plan = (*SMALL, "--source", "hardware", "--blocks", "2", "--timeout", "3")
    ran = tax_probe.ipc(*plan, "--workload", script(place, text))
    folder = tax_probe.folder()
    assert_refused(ran, code, *words, f"kept in {folder}")
    measured = {(row["position"], row["pass"]) for row in rows(folder)}
    assert len(measured) in range(5, 12)

    scenario.write_text("normal")
    assert tax_probe("ipc", "--resume", str(folder)).code == 0
    keys = reading_keys(folder)
    assert len(set(keys)) == len(keys)
    assert {block for block, *_ in keys} == {"0", "1"}


# ---------------------------------------------------------------- targets


def test_a_python_that_is_not_there(tax_probe: TaxProbe) -> None:
    assert_refused(tax_probe.ipc("--python", "/nonexistent/python3"), 2, "no file /nonexistent/python3")


def test_a_folder_for_a_python(tax_probe: TaxProbe, tmp_path: Path) -> None:
    assert_refused(tax_probe.ipc("--python", str(tmp_path)), 2, "is a directory")


def test_another_program_for_a_python(tax_probe: TaxProbe) -> None:
    true = shutil.which("true")
    assert true is not None
    assert_refused(tax_probe.ipc("--python", true), 2, "does not answer as Python 3 does")


def test_a_script_for_a_python(tax_probe: TaxProbe, tmp_path: Path) -> None:
    path = tmp_path / "python3"
    path.write_text('#!/bin/sh\nexec /usr/bin/python3 "$@"\n')
    path.chmod(0o755)
    assert_refused(tax_probe.ipc("--python", str(path)), 2, "is a script for /bin/sh", "sys.executable")


@pytest.mark.skipif(not SHIM.exists(), reason="no pyenv shims here")
def test_a_pyenv_shim(tax_probe: TaxProbe) -> None:
    assert_refused(tax_probe.ipc("--python", str(SHIM)), 2, "is a pyenv shim", "--python")


@pytest.mark.skipif(not TOO_OLD, reason="no CPython 3.6 or 3.7 under ~/.pyenv/versions")
def test_a_python_that_is_too_old(tax_probe: TaxProbe) -> None:
    assert_refused(tax_probe.ipc("--python", str(TOO_OLD[0])), 2, "is Python 3.", "≥ 3.8")


# ---------------------------------------------------------------- workloads


def test_an_unknown_workload(tax_probe: TaxProbe) -> None:
    assert_refused(tax_probe.ipc(*ONE_BLOCK, "--workload", "nope"), 2, "no workload 'nope'", "int_loop")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise ValueError('planted')", ["ended with exit code 1", "ValueError: planted"]),
        ("import sys; sys.exit('planted')", ["ended with exit code 1", "planted"]),
        ("import os; os.kill(os.getpid(), 11)", ["was killed by signal 11"]),
        ("import os; print(os.getpid())", ["outputs differ", "printed '", "depend on M only"]),
        ("import os\nfor _ in range(100): os.write(1, b'x' * 1_000_000)", ["printed more than 1048576 bytes"]),
        ("print(input())", ["EOFError"]),
    ],
)
def test_a_workload_that_fails(tax_probe: TaxProbe, tmp_path: Path, text: str, words: list[str]) -> None:
    ran = tax_probe.ipc(*ONE_BLOCK, "--workload", script(tmp_path, text + "\n"))
    assert_refused(ran, 4, *words, str(tax_probe.folder()))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise ValueError('planted')", ["failed with M = 1", "ValueError: planted"]),
        ("import os\nfor _ in range(100): os.write(1, b'x' * 1_000_000)", ["printed too much"]),
    ],
)
def test_a_workload_that_fails_before_its_m_is_known(
    tax_probe: TaxProbe, tmp_path: Path, text: str, words: list[str]
) -> None:
    ran = tax_probe.ipc("--launcher", "python3", "--source", "software", "--workload", script(tmp_path, text + "\n"))
    assert_refused(ran, 4, *words)
    assert not tax_probe.folders()


def test_a_workload_that_hangs(tax_probe: TaxProbe, tmp_path: Path) -> None:
    hangs = script(tmp_path, "import signal; signal.pause()\n")
    assert_refused(tax_probe.ipc(*ONE_BLOCK, "--timeout", "1", "--workload", hangs), 4, "did not end in time (1 s")


def test_a_workload_that_reads_stdin_finds_nothing_there(tax_probe: TaxProbe, tmp_path: Path) -> None:
    reads = script(tmp_path, "import sys; print(repr(sys.stdin.read()), sys.argv[1])\n")
    assert tax_probe.ipc(*ONE_BLOCK, "--workload", reads).code == 0


# ---------------------------------------------------------------- launchers and hosts


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--launcher", "nope"], ["no launcher 'nope'", "pyo3", "--host"]),
        (["--host", "mine"], ["is not NAME=CMD"]),
        (["--host", "mine=/bin/sh"], ["has no {script}"]),
        (["--host", "mine='/bin/sh {script}"], ["No closing quotation"]),
        (["--host", "pyo3=/bin/sh {script}"], ["belongs to a launcher of ours"]),
        (["--host", "python3-again=/bin/sh {script}"], ["belongs to a launcher of ours"]),
        (["--host", "mine=/nonexistent/host {script}"], ["no executable program '/nonexistent/host'"]),
        (["--host", "a=/bin/sh {script}", "--host", "a=/bin/sh {script}"], ["the same name"]),
    ],
)
def test_a_launcher_that_cannot_be(tax_probe: TaxProbe, argv: list[str], words: list[str]) -> None:
    assert_refused(tax_probe.ipc(*ONE_BLOCK, *argv), 2, *words)
    assert not tax_probe.folders()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no interpreter line\n", ["cannot be started", "#!"]),
        ("#!/nonexistent/interpreter\n", ["cannot be started"]),
        ("#!/bin/sh\nexit 3\n", ["ended with exit code 3"]),
        ('#!/bin/sh\necho hello; exec env -i python3 "$@"\n', ["outputs differ", "hello"]),
    ],
)
def test_a_host_that_does_not_work(tax_probe: TaxProbe, tmp_path: Path, text: str, words: list[str]) -> None:
    host = tmp_path / "host"
    host.write_text(text)
    host.chmod(0o755)
    ran = tax_probe.ipc(*ONE_BLOCK, "--host", f"mine={host} {{script}} {{m}}")
    assert_refused(ran, 4, "mine", *words)


def test_no_cargo(tax_probe: TaxProbe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "CARGO_HOME", "PATH"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(cargo, "_SYSTEM", tmp_path)
    assert_refused(tax_probe.ipc("--source", "software"), 3, "no working cargo", how_to_install("rust"))


def test_no_headers(tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = msgspec.structs.replace(resolve_target(None), include_dir=None)
    monkeypatch.setattr(beforehand, "resolve_target", lambda path: bare)
    assert_refused(tax_probe.ipc("--source", "software"), 3, "no headers (Python.h)", "libpython")


# ---------------------------------------------------------------- places to write to


def test_results_under_a_file(tax_probe: TaxProbe, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine\n")
    assert_refused(tax_probe("ipc", *ONE_BLOCK, "--out", str(file / "below")), 3, "cannot write results", "--out DIR")
    assert file.read_text() == "mine\n"


def test_results_where_nobody_may_write(tax_probe: TaxProbe) -> None:
    """Even root cannot make a folder in /proc."""
    assert_refused(tax_probe("ipc", *ONE_BLOCK, "--out", "/proc/results"), 3, "cannot write results", "--out DIR")


def test_a_disk_that_fills_up_in_mid_run_keeps_whole_processes(tax_probe: TaxProbe) -> None:
    """A limit on the size of files stands in for the disk; without it the run is completed by ``--resume``."""
    limit = 40_000
    plan = (*SMALL, "--source", "software", "--blocks", "9")
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {resource.RLIM_INFINITY}))"
    ran = in_a_process("ipc", *plan, "--out", str(tax_probe.out), before=full)
    folder = tax_probe.folder()
    assert_refused(ran, 3, f"cannot write to {folder}", f"--resume {folder}")
    text = (folder / "rows.csv").read_text()
    assert limit / 2 < len(text) < limit
    assert text.endswith("\n")
    kept = reading_keys(folder)
    by_process = {(row["block"], row["position"]): 0 for row in rows(folder)}
    for row in rows(folder):
        by_process[row["block"], row["position"]] += 1
    assert len(set(by_process.values())) == 1, "a process was kept in part"

    assert tax_probe("ipc", "--resume", str(folder)).code == 0
    keys = reading_keys(folder)
    assert set(kept) < set(keys)
    assert len(keys) == len(set(keys)) == 9 * 12 * by_process["0", "0"]


def test_an_answer_that_cannot_be_written(tax_probe: TaxProbe) -> None:
    """The measured folder is complete all the same."""
    with Path("/dev/full").open("w") as full:
        ran = in_a_process("ipc", *ONE_BLOCK, "--out", str(tax_probe.out), "--format", "json", stdout=full)
    folder = tax_probe.folder()
    assert_refused(ran, 3, "cannot write the answer to stdout", str(folder))
    assert (folder / "verdict.json").exists()


def test_a_reader_that_leaves_is_no_failure(tax_probe: TaxProbe) -> None:
    assert tax_probe.ipc(*ONE_BLOCK).code == 0
    read, write = os.pipe()
    with open(write, "w") as pipe:  # noqa: PTH123
        os.close(read)
        ran = in_a_process("report", str(tax_probe.folder()), "--format", "json", stdout=pipe)
    assert (ran.code, ran.err) == (0, "")


def test_no_temporary_folder(tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/none"])
    assert_refused(tax_probe.ipc(*ONE_BLOCK), 3, "temporary folder", "TMPDIR")


def test_only_one_run_at_a_time(tax_probe: TaxProbe) -> None:
    with only_one_run():
        ran = in_a_process("ipc", *ONE_BLOCK, "--out", str(tax_probe.out))
    assert_refused(ran, 3, "another tax-probe is measuring", "--wait")
    assert tax_probe.ipc(*ONE_BLOCK).code == 0


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--completion", "fish"], ["--completion", "bash"]),
        (["nope"], ["invalid choice: 'nope'"]),
        (["ipc", "--nope"], ["--nope"]),
        (["ipc", "--blocks", "0"], ["--blocks: Expected", ">= 1"]),
        (["ipc", "--blocks", "many"], ["--blocks", "'many'"]),
        (["ipc", "--m", "9,5"], ["--m", "0 < LO < HI"]),
        (["ipc", "--m", "5"], ["--m", "LO,HI"]),
        (["ipc", "--m", "5,x"], ["--m", "'5,x'"]),
        (["ipc", "--m", "0,5"], ["--m", ">= 1"]),
        (["ipc", "--m", "5,10,20"], ["--m", "LO,HI"]),
        (["amortize", "--m", "5,5"], ["--m", "two or more different"]),
        (["rebuild", "--jobs", "0"], ["--jobs", ">= 1"]),
        (["ipc", "--timeout", "0"], ["timeout"]),
        (["ipc", "--timeout", "inf"], ["timeout"]),
        (["ipc", "--timeout", "nan"], ["timeout"]),
        (["ipc", "--budget", "-1"], ["budget"]),
        (["ipc", "--source", "tea-leaves"], ["--source", "callgrind"]),
        (["ipc", "--experiment", "/nonexistent.toml"], ["cannot read the experiment"]),
        (["ipc", "--resume", "/nonexistent"], ["not a result folder"]),
        (["report"], ["DIR"]),
    ],
)
def test_usage(tax_probe: TaxProbe, argv: list[str], words: list[str]) -> None:
    assert_refused(tax_probe(*argv), 2, *words)


@pytest.mark.parametrize("argv", [["--version"], ["--help"], *([name, "-h"] for name in ("ipc", "report", "doctor"))])
def test_help_is_no_error(tax_probe: TaxProbe, argv: list[str]) -> None:
    ran = tax_probe(*argv)
    assert (ran.code, ran.err) == (0, "")
    assert "tax-probe" in ran.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[options]\nblock = 3\n", ["unknown block", "blocks"]),
        ("title = 'x'\n[other]\n", ["unknown other"]),
        ("[options]\nblocks = 'three'\n", ["Expected `int", ": blocks:"]),
        ("[options]\nblocks = 0\n", [": blocks:", ">= 1"]),
        ("[options]\nm = [9, 5]\n", ["0 < LO < HI"]),
        ("[options]\ntimeout = inf\n", [": timeout:"]),
        ("[options]\nhost = 'mine=/bin/sh {script}'\n", [": host:"]),
        ("options = 3\n", ["options"]),
        ("[options\n", ["cannot read the experiment"]),
    ],
)
def test_an_experiment_that_is_wrong(tax_probe: TaxProbe, tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text(text)
    assert_refused(tax_probe.ipc("--experiment", str(file)), 2, str(file), *words)


def test_flags_go_over_the_experiment(tax_probe: TaxProbe, tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text(
        f"title = 'x'\n[options]\nsource = 'software'\nblocks = 7\nm = [5, 10]\nlauncher = ['python3']\n"
        f"out = '{tax_probe.out}'\n"
    )
    assert tax_probe("ipc", "--experiment", str(file), "--blocks", "1").code == 0
    assert {(row["block"], row["m"]) for row in rows(tax_probe.folder())} == {("0", "5"), ("0", "10")}
