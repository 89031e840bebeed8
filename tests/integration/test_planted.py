"""Hosts with a planted cause, run for real: each is named by ``variants``, and a host without one gets none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from profiler.launch.interpreters import find_targets, resolve_target
from profiler.plan import lineup
from tests.commandline import TaxProbe

PYTHON = Path("/usr/bin/python3.11")
EMBEDDING = Path(__file__).with_name("planted_host.c")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="no /usr/bin/python3.11"),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind"),
]

RUN = "\nexec(compile(open(sys.argv[1]).read(), sys.argv[1], 'exec'))\n"
CHURN = """\
import sys
class Node:
    pass
def work(m):
    last = None
    for i in range(m):
        node = Node()
        node.me = node
        last = node
    return m
print(work(int(sys.argv[1])))
"""

SCRIPTS = {
    "tracing": "import sys\nsys.setprofile(lambda *a: None)\nsys.settrace(lambda *a: None)",
    "memory": "import sys, tracemalloc\ntracemalloc.start()",
    "both": "import sys\nsys.settrace(lambda *a: None)",
    "decoys": """\
import ctypes, decimal, gc, signal, sys, threading
class Finder:
    def find_spec(self, *a): return None
sys.meta_path.insert(0, Finder())
sys.setrecursionlimit(5000)
sys.addaudithook(lambda *a: None)
gc.freeze()
signal.signal(signal.SIGUSR1, lambda *a: None)
lock = threading.Lock()
lock.acquire()
threading.Thread(target=lock.acquire, daemon=True).start()""",
    "alarm": """\
import atexit, signal, sys
signal.signal(signal.SIGALRM, lambda *a: sum(range(2000)))
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
atexit.register(signal.signal, signal.SIGALRM, signal.SIG_IGN)""",
    "thread": """\
import sys, threading
def spin():
    while True:
        pass
threading.Thread(target=spin, daemon=True).start()
sys.setswitchinterval(0.001)""",
    "collector": "import gc, sys\ngc.set_threshold(5, 2, 2)",
    "callback": "import gc, sys\ngc.callbacks.append(lambda *a: sum(range(300)))\ngc.set_threshold(100)",
}


class Hosts:
    """Runs ``variants`` on planted hosts, with the launchers that their verdicts need and no others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._folder = folder
        self._probe = TaxProbe(monkeypatch, folder)
        self._hosts: list[str] = []
        monkeypatch.setattr(lineup, "ALL", ("python3", "pyo3", "runmain"))
        monkeypatch.setattr(lineup, "INTERVENTIONS", ())

    def script(self, name: str) -> None:
        """A program of the target's that does ``SCRIPTS[name]`` first."""
        path = self._folder / f"{name}.py"
        path.write_text(SCRIPTS[name] + RUN)
        self.command(name, f"{PYTHON} {path}")

    def command(self, name: str, command: str) -> None:
        """Any program that runs the script which it is given last but one."""
        self._hosts += ["--host", f"{name}={command} {{script}} {{m}}"]

    def embedding(self, *plants: str) -> None:
        """The C program that embeds Python and does each of ``plants`` around its start."""
        if shutil.which("gcc") is None or shutil.which("python3.11-config") is None:
            pytest.skip("no gcc or no python3.11-config")
        program = self._folder / "embedding"
        flags = subprocess.check_output(["python3.11-config", "--includes"], text=True).split()
        subprocess.run(["gcc", "-O2", *flags, EMBEDDING, "-o", program, "-lpython3.11", "-lpthread"], check=True)
        for plant in plants:
            self.command(plant, f"{program} {plant}")

    def named(self, *asked: str) -> dict[str, dict[str, Any]]:
        """By host, the causes that were confirmed, each with its verdict."""
        options = ("--blocks", "2", "--seed", "3", "--format", "json", "--out", str(self._probe.out))
        source = () if "--source" in asked else ("--source", "callgrind")
        size = () if "--m" in asked else ("--m", "2000,5000")
        done = self._probe("variants", *options, *source, *size, *asked, *self._hosts)
        assert done.code == 0, done.err
        found: dict[str, dict[str, Any]] = {}
        for cause in done.document["causes"]:
            found.setdefault(cause["launcher"], {})[cause["cause"]] = cause
        return found


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hosts:
    return Hosts(monkeypatch, tmp_path)


def confirmed(verdicts: dict[str, Any]) -> set[str]:
    return {cause for cause, verdict in verdicts.items() if verdict["status"] == "confirmed"}


def test_causes_of_programs_are_named_and_no_others(hosts: Hosts) -> None:
    for name in ("tracing", "memory", "decoys"):
        hosts.script(name)
    hosts.command("malloc", f"env PYTHONMALLOC=malloc {PYTHON}")
    hosts.command("dev", f"{PYTHON} -X dev")
    hosts.command("debug", f"env PYTHONMALLOC=debug {PYTHON}")
    path = Path(hosts._folder / "both.py")
    path.write_text(SCRIPTS["both"] + RUN)
    hosts.command("both", f"env PYTHONMALLOC=malloc {PYTHON} {path}")
    found = hosts.named()
    assert {name: confirmed(found[name]) for name in found if name != "pyo3"} == {
        "tracing": {"tracing"},
        "memory": {"tracing"},
        "decoys": set(),
        "malloc": {"allocator"},
        "dev": {"dev-mode"},
        "debug": {"dev-mode"},
        "both": {"allocator", "tracing"},
    }
    assert confirmed(found["pyo3"]) == {"eval-loop-image"}


def test_causes_of_an_embedder_are_named_beside_its_library(hosts: Hosts) -> None:
    """A profile hook set in C shows nowhere in Python, an allocator of its own has no name, its library is slower."""
    hosts.embedding("profile", "trace", "allocator", "isolated", "none")
    found = hosts.named()
    assert {name: confirmed(found[name]) for name in found if name != "pyo3"} == {
        "profile": {"eval-loop-image", "tracing"},
        "trace": {"eval-loop-image", "tracing"},
        "allocator": {"eval-loop-image", "allocator"},
        "isolated": {"eval-loop-image"},
        "none": {"eval-loop-image"},
    }


def test_the_collector_is_named_where_the_work_makes_cycles(hosts: Hosts, tmp_path: Path) -> None:
    workload = tmp_path / "churn.py"
    workload.write_text(CHURN)
    hosts.script("collector")
    hosts.script("callback")
    found = hosts.named("--workload", str(workload))
    assert confirmed(found["collector"]) == {"gc"}
    assert confirmed(found["callback"]) == {"gc"}
    # What is left uncollected at the end is collected in every launcher, though pyo3 never finalises.
    assert confirmed(found["pyo3"]) == {"eval-loop-image"}


def test_what_scatters_is_named_or_left_open_and_nothing_else_is_named(hosts: Hosts) -> None:
    """Timers and busy threads run by the clock, so their counts scatter."""
    hosts.script("alarm")
    hosts.script("thread")
    hosts.embedding("spin")
    found = hosts.named()
    assert confirmed(found["alarm"]) <= {"signals"}
    assert found["alarm"]["signals"]["status"] in ("confirmed", "unresolved")
    assert confirmed(found["thread"]) <= {"threads"}
    assert found["thread"]["threads"]["status"] in ("confirmed", "unresolved")
    assert confirmed(found["spin"]) <= {"eval-loop-image", "threads"}
    assert found["spin"]["threads"]["status"] in ("confirmed", "unresolved")


def test_another_version_is_named_and_its_files_are_not(hosts: Hosts) -> None:
    """Programs of other versions, one with tracing besides, which is taken away from the host itself."""
    target = resolve_target(None)
    others = [one for one in map(resolve_target, find_targets()) if one.version != target.version]
    if not others:
        pytest.skip("no CPython of another version on this machine")
    other = others[-1]
    hosts.command("other", other.real_path)
    path = hosts._folder / "tracing.py"
    path.write_text(SCRIPTS["tracing"] + RUN)
    hosts.command("traced", f"{other.real_path} {path}")
    found = hosts.named()
    assert confirmed(found["other"]) == {"version"}
    assert confirmed(found["traced"]) == {"version", "tracing"}
    said = f"{other.version} in other, {target.version} in python3"
    assert found["other"]["version"]["evidence"].startswith(said)
    assert found["other"]["eval-loop-image"]["evidence"] == f"cannot be separated from the version ({said})"
    assert found["pyo3"]["version"]["status"] == "refuted"


def test_a_debug_build_is_named(hosts: Hosts) -> None:
    program = os.environ.get("TAX_PROBE_TEST_DEBUG_PYTHON") or shutil.which("python3.11-dbg")
    if program is None:
        pytest.skip("no python3.11-dbg (package python3.11-dbg; or name one in TAX_PROBE_TEST_DEBUG_PYTHON)")
    hosts.command("debug", program)
    assert confirmed(hosts.named()["debug"]) == {"dev-mode"}


@pytest.mark.parametrize(("source", "status"), [("software", "confirmed"), ("callgrind", "unresolved")])
def test_a_quota_shows_in_time_and_is_named_where_time_is_explained(hosts: Hosts, source: str, status: str) -> None:
    group = Path("/sys/fs/cgroup/cpu") / f"tax-probe-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text("20000")
        (group / "cpu.cfs_quota_us").write_text("8000")
    except OSError as error:
        pytest.skip(f"cannot make a control group (version 1) with a quota: {error}")
    try:
        enter = f"import os, sys; open({str(group / 'tasks')!r}, 'w').write(str(os.getpid())); "
        become = "os.execv(sys.argv[1], sys.argv[1:])"
        (hosts._folder / "limited.py").write_text(enter + become)
        hosts.command("limited", f"{sys.executable} {hosts._folder / 'limited.py'} {PYTHON}")
        # Counts need two blocks; times, where other machines' work disturbs them, need more, of more work.
        enough = ("--m", "500000,4000000", "--blocks", "6") if source == "software" else ("--m", "2000,5000")
        found = hosts.named("--source", source, *enough)
        throttling = found["limited"]["throttling"]
        assert (throttling["status"], throttling["strength"]) == (status, "correlated")
        assert "quota None in python3, 0.4 in limited" in throttling["evidence"]
        assert confirmed(found["limited"]) == ({"throttling"} if status == "confirmed" else set())
    finally:
        group.rmdir()
