"""What users' machines bring along that used to change a figure without a word: seen, named, or kept out."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from profiler.launch.interpreters import find_targets, resolve_target
from profiler.sources.perf_stat import stat
from profiler.system.perf import Perf
from profiler.system.process import Command
from tests.commandline import SMALL, TaxProbe, assert_refused, rows, script

IGNORES_M = "s = 0\nfor i in range(20000):\n    s += i\nprint(s)\n"
PRINTS_THE_SAME = "import sys\nfor i in range(int(sys.argv[1])):\n    pass\nprint('done')\n"
LOOP = "import sys\nn = 0\nfor i in range(int(sys.argv[1])):\n    n += i\nprint(n)\n"
COUNTED = ("--launcher", "python3", "--source", "callgrind", "--blocks", "1", "--seed", "11", "--m", "500,1500")

needs_valgrind = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")


@pytest.mark.parametrize("size", [(), ("--m", "1000,5000")])
def test_work_that_does_not_grow_with_m_is_refused_before_anything_is_measured(
    tax_probe: TaxProbe, tmp_path: Path, size: tuple[str, ...]
) -> None:
    plan = ("--launcher", "python3", "--source", "software", "--blocks", "1", *size)
    ran = tax_probe.ipc(*plan, "--workload", script(tmp_path, IGNORES_M))
    assert_refused(ran, 4, "the work of load does not grow with M", "repeats its work")
    assert not [row for folder in tax_probe.folders() if (folder / "rows.csv").exists() for row in rows(folder)]


def test_work_that_prints_the_same_and_grows_is_measured(tax_probe: TaxProbe, tmp_path: Path) -> None:
    plan = (*SMALL, "--source", "software", "--blocks", "1")
    assert tax_probe.ipc(*plan, "--workload", script(tmp_path, PRINTS_THE_SAME)).code == 0


# ---------------------------------------------------------------- options of other people for our tools


def counted(tax_probe: TaxProbe, load: str) -> list[str]:
    """The instructions of every counted process."""
    before = set(tax_probe.folders())
    ran = tax_probe.ipc(*COUNTED, "--workload", load)
    assert ran.code == 0, ran.err
    (folder,) = set(tax_probe.folders()) - before
    return [row["value"] for row in rows(folder) if row["event"] == "instructions"]


@pytest.mark.once
@needs_valgrind
def test_the_users_options_for_valgrind_are_not_in_our_counts(
    tax_probe: TaxProbe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment, the home folder and this folder: each by itself would leave nothing to count."""
    load = script(tmp_path, LOOP)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = sorted(float(one) for one in counted(tax_probe, load))
    monkeypatch.setenv("VALGRIND_OPTS", "--collect-atstart=no --toggle-collect=nothing")
    (tmp_path / ".valgrindrc").write_text("--tool=memcheck\n--instr-atstart=no\n")
    after = sorted(float(one) for one in counted(tax_probe, load))
    # The variable itself makes the environment larger; nothing else is different.
    assert after == pytest.approx(before, rel=1e-3)


def test_valgrind_is_asked_to_take_our_options_alone_and_the_work_keeps_its_environment(
    tax_probe: TaxProbe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A valgrind that writes down how it is called, and counts ten instructions a unit of work."""
    fake = tmp_path / "bin" / "valgrind"
    fake.parent.mkdir()
    fake.write_text(
        f"#!{sys.executable} -IS\n"
        "import os, subprocess, sys\n"
        "if sys.argv[1:] == ['--version']:\n    sys.exit(print('valgrind-3.19.0'))\n"
        f"with open({str(tmp_path / 'calls')!r}, 'a') as calls:\n    print(*sys.argv[1:], file=calls)\n"
        "out = next(one for one in sys.argv if one.startswith('--callgrind-out-file=')).partition('=')[2]\n"
        "with open(out.replace('%p', str(os.getpid())), 'w') as counts:\n"
        "    counts.write('events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw Bc Bcm Bi Bim\\ntotals: %d\\n'"
        " % (9000 + 10 * int(os.environ.get('TAX_PROBE_M', 0))))\n"
        "options = [one for one in sys.argv[1:] if one.startswith('--')]\n"
        "sys.exit(subprocess.call(sys.argv[1 + len(options):]))\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("VALGRIND_OPTS", "--tool=memcheck")
    load = script(tmp_path, LOOP.replace("print(n)", "import os\nprint(n, os.environ['VALGRIND_OPTS'])"))
    assert counted(tax_probe, load)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls
    assert all(call.startswith("--command-line-only=yes --tool=callgrind ") for call in calls)


def test_perf_reads_no_configuration_of_the_users(tmp_path: Path) -> None:
    fake = tmp_path / "perf"
    fake.write_text(f'#!/bin/sh\necho "$PERF_CONFIG $HOME" > {tmp_path}/seen\necho \'"counter-value"\' > "$4"\n')
    fake.chmod(0o755)
    command = Command(
        argv=("/bin/true",),
        env={"PERF_CONFIG": "/mine", "HOME": "/root"},
        cwd="/",
        cpu=None,
        timeout_s=20,
        max_output_bytes=1000,
    )
    stat(Perf(path=str(fake), version="6.1"), (), command, tmp_path)
    assert (tmp_path / "seen").read_text() == "/dev/null /root\n"


# ---------------------------------------------------------------- another Python as a host


def test_a_host_of_another_version_is_said_first(tax_probe: TaxProbe, tmp_path: Path) -> None:
    target = resolve_target(None)
    other = next((one for one in map(resolve_target, find_targets()) if one.version != target.version), None)
    if other is None:
        pytest.skip("no CPython of another version on this machine")
    host = f"other={other.real_path} {{script}} {{m}}"
    plan = (*SMALL, "--source", "software", "--blocks", "1", "--format", "json", "--host", host)
    ran = tax_probe.ipc(*plan, "--workload", script(tmp_path, LOOP))
    assert ran.code == 0, ran.err
    first = f"other runs CPython {other.version}, and python3 is CPython {target.version}: another CPython version"
    assert ran.document["sentence"].startswith(first)
    assert "other-version" in {one["code"] for one in ran.document["warnings"]}


def test_a_host_of_another_implementation_is_refused_by_name(tax_probe: TaxProbe, tmp_path: Path) -> None:
    host = tmp_path / "pypy.py"
    host.write_text(
        "import runpy, sys\nsys.implementation.name = 'pypy'\nsys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    program = resolve_target(None).real_path
    plan = (*SMALL, "--source", "software", "--blocks", "1", "--host", f"pypy={program} {host} {{script}} {{m}}")
    ran = tax_probe.ipc(*plan, "--workload", script(tmp_path, LOOP))
    assert_refused(ran, 4, "pypy: workload load", "tax-probe compares CPython with CPython: this launcher runs pypy")
