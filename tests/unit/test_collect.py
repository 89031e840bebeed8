"""Collection on a fake source: order, checks, resumption. Processes are real and tiny."""

import csv
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from profiler.collect.bench import Bench, Limits, open_bench
from profiler.collect.runners import RUNNERS
from profiler.errors import WorkloadError
from profiler.folder import RowWriter, done_steps
from profiler.model import (
    AGAIN,
    AnyPass,
    Chunks,
    Launcher,
    Missing,
    Native,
    Pass,
    PassKind,
    Plan,
    Reading,
    Regions,
    SourceName,
    Whole,
    Workload,
)
from profiler.plan.schedule import make_plan, steps
from profiler.sources.source import Outcome
from profiler.system.process import Command, run
from tests.builders import launcher as built
from tests.conftest import needs_extension

GOOD = "import sys\nprint('m', sys.argv[1])\n"


class FakeSource:
    """Runs the process bare and reads ``instructions = 100 + 3 m`` from its environment."""

    name: SourceName = "callgrind"
    missing: tuple[Missing, ...] = ()

    def __init__(self) -> None:
        self.runs = 0

    def describe(self) -> str:
        return "fake"

    def passes(self, workload: Workload) -> tuple[AnyPass, ...]:
        return (Whole(name="p", events=("instructions",), m=(5, 9), exclusive=False, repetitions=1, blocks=(0, None)),)

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[AnyPass, ...]:
        return self.passes(workload)

    def measure(self, what: Pass, command: Command, scratch: Path) -> Outcome:
        self.runs += 1
        done = run(command)
        reading = Reading(
            event="instructions",
            value=100.0 + 3 * int(command.env["TAX_PROBE_M"]),
            unit="instructions",
            enabled_ns=None,
            running_ns=None,
            source="callgrind",
            raw_name="fake",
            reason=None,
        )
        return Outcome(
            readings=(reading,),
            exit=done.exit,
            stdout=done.stdout,
            stderr_tail=done.stderr_tail,
            timed_out=done.timed_out,
            output_exceeded=done.output_exceeded,
            uncounted=int(command.env.get("TAX_PROBE_TEST_UNCOUNTED", 0)),
        )


def launcher(name: str, *argv: str) -> Launcher:
    return built(name, *(argv or (sys.executable, "{script}", "{m}")), link=None)


def plan(tmp_path: Path, source: FakeSource, *more: Launcher, text: str = GOOD) -> Plan:
    script = tmp_path / "load.py"
    script.write_text(text)
    workload = Workload(name="w", path=str(script), counts_m=(5, 9), timed_m=(5, 9))
    return make_plan(
        seed=1,
        source="callgrind",
        workload=workload,
        launchers=(launcher("python3"), *more),
        passes=source.passes(workload),
        blocks=2,
    )


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


def bench(made: Plan, source: FakeSource, timeout_s: float = 30) -> Iterator[Bench]:
    with open_bench(made, source, Limits(timeout_s=timeout_s)) as opened:
        yield opened


def test_a_block_leaves_the_rows_of_every_step(tmp_path: Path, source: FakeSource) -> None:
    made = plan(tmp_path, source, launcher("other"))
    for opened in bench(made, source):
        opened.check()
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
        assert done_steps(tmp_path) == set(steps(made, made.blocks[0]))
        assert not opened.caveats


def test_what_is_done_is_not_repeated(tmp_path: Path, source: FakeSource) -> None:
    made = plan(tmp_path, source)
    block = made.blocks[0]
    already = set(steps(made, block)[:3])
    for opened in bench(made, source):
        opened.run_block(block, already, RowWriter(tmp_path), lambda step: None)
    assert source.runs == len(steps(made, block)) - 3
    assert done_steps(tmp_path) == set(steps(made, block)) - already


def test_the_twin_is_the_baseline(tmp_path: Path, source: FakeSource) -> None:
    first, twin = plan(tmp_path, source).launchers
    assert (twin.name, twin.argv) == (AGAIN, first.argv)


def test_a_launcher_that_ignores_the_seed_is_named(tmp_path: Path, source: FakeSource) -> None:
    made = plan(tmp_path, source, launcher("isolated", sys.executable, "-I", "{script}", "{m}"))
    for opened in bench(made, source):
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
        assert [(code, who) for code, who in opened.caveats] == [("hash-seed-ignored", "isolated")]


def test_a_launcher_that_drops_the_environment_is_named(tmp_path: Path, source: FakeSource) -> None:
    made = plan(tmp_path, source, launcher("clean", "/usr/bin/env", "-i", sys.executable, "{script}", "{m}"))
    for opened in bench(made, source):
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
        assert [(code, who) for code, who in opened.caveats] == [("not-verified", "clean")]


def test_children_that_are_in_no_count_are_named(
    tmp_path: Path, source: FakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAX_PROBE_TEST_UNCOUNTED", "2")
    made = plan(tmp_path, source)
    for opened in bench(made, source):
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
        named = [f"children-not-counted of {who}" for _, who in opened.caveats]
        assert len(named) == 2
        assert named == [f"{one.code} of {one.message.partition(':')[0]}" for one in opened.caveats.values()]
        assert all(
            "2 of the processes that the work starts are not counted" in one.message for one in opened.caveats.values()
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys\nsys.exit('no ' + 'way')", "no way"),
        ("import os\nos.kill(os.getpid(), 11)", "signal 11"),
        ("print('x' * 3_000_000)", "printed more than"),
        ("while True: pass", "did not end in time"),
        ("import os\nprint(os.getpid())", "outputs differ"),
    ],
)
def test_a_bad_workload_ends_the_run_with_what_it_did(
    tmp_path: Path, source: FakeSource, text: str, message: str
) -> None:
    made = plan(tmp_path, source, text=text)
    for opened in bench(made, source, timeout_s=1.0):
        with pytest.raises(WorkloadError, match=message):
            opened.check()


CHATTY = ("/bin/sh", "-c", 'echo hello; {start} "$0" "$@"; echo bye', sys.executable, "{{script}}", "{{m}}")
"""A host that logs on stdout before and after; with ``env -i`` it hands nothing on, so nobody can tell its words."""


def chatty(start: str = "") -> Launcher:
    return launcher("chatty", *(part.format(start=start) for part in CHATTY))


def test_a_host_that_prints_on_stdout_too_is_measured(tmp_path: Path, source: FakeSource) -> None:
    made = plan(tmp_path, source, chatty())
    for opened in bench(made, source):
        opened.check()
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
    with (tmp_path / "rows.csv").open(newline="") as lines:
        digests = {(row["m"], row["output_sha256"]) for row in csv.DictReader(lines)}
    assert digests == {(m, sha256(f"m {m}\n".encode()).hexdigest()) for m in ("5", "9")}


def test_a_host_that_prints_something_else_is_shown_beside_the_baseline(tmp_path: Path, source: FakeSource) -> None:
    """Where it clears the environment: all that there is to compare is its stdout."""
    made = plan(tmp_path, source, chatty("/usr/bin/env -i"))
    for opened in bench(made, source):
        with pytest.raises(WorkloadError) as raised:
            opened.check()
        assert "hello" in raised.value.message
        assert "chatty" in raised.value.message


@pytest.mark.parametrize(
    "text",
    [
        "import os, sys\nos.write(1, b'm %d\\n' % int(sys.argv[1]))",
        "import sys\nsys.stdout.buffer.write(b'm %d\\n' % int(sys.argv[1]))",
        "import sys\nsys.__stdout__.write('m %s\\n' % sys.argv[1])",
        "import subprocess, sys\nsubprocess.run(['echo', 'm', sys.argv[1]], check=True)",
        "import sys\nsys.stdout.write('m %s\\n' % sys.argv[1])\nsys.stdout = None",
        "import os, sys\nsys.argv[1:] = [str(int(os.environ['TAX_PROBE_M']))]\nprint('m', *sys.argv[1:])",
    ],
    ids=["descriptor", "buffer", "kept-stdout", "child", "replaced", "environment"],
)
def test_whatever_way_it_is_printed_it_is_the_output(tmp_path: Path, source: FakeSource, text: str) -> None:
    made = plan(tmp_path, source, chatty(), text=text)
    for opened in bench(made, source):
        opened.check()
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
    with (tmp_path / "rows.csv").open(newline="") as lines:
        assert {row["output_sha256"] for row in csv.DictReader(lines) if row["m"] == "5"} == {
            sha256(b"m 5\n").hexdigest()
        }


NATIVE = Native(
    name="n", events=("instructions",), m=(5, 9), exclusive=False, repetitions=1, bare=False, blocks=(0, None)
)


def natively(tmp_path: Path, source: FakeSource, host: Launcher) -> None:
    made = msgspec.structs.replace(plan(tmp_path, source, host), passes=(NATIVE,))
    for opened in bench(made, source):
        opened.check()
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)


def test_where_nothing_tells_a_hosts_words_apart_the_output_is_among_them(tmp_path: Path, source: FakeSource) -> None:
    """The user's own script runs there, bare: what is kept is the hash of its output alone."""
    natively(tmp_path, source, chatty())
    with (tmp_path / "rows.csv").open(newline="") as lines:
        digests = {(row["launcher"], row["m"], row["output_sha256"]) for row in csv.DictReader(lines)}
    names = ("python3", AGAIN, "chatty")
    assert digests == {(name, m, sha256(f"m {m}\n".encode()).hexdigest()) for name in names for m in ("5", "9")}


@pytest.mark.parametrize("words", ["", "echo hello;"], ids=["quiet", "chatty"])
def test_and_another_output_is_seen_there(tmp_path: Path, source: FakeSource, words: str) -> None:
    once = f'{words} case "$1" in *native*|*load.py) echo m 4;; *) "$0" "$@";; esac'
    with pytest.raises(WorkloadError, match="outputs differ for M"):
        natively(tmp_path, source, launcher("liar", "/bin/sh", "-c", once, sys.executable, "{script}", "{m}"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import subprocess, sys\nsubprocess.run(['echo', sys.argv[1]], check=True)", "starts other processes"),
        ("import os, sys\nif os.fork() == 0: os._exit(0)\nos.wait()\nprint(sys.argv[1])", "starts other processes"),
        (GOOD, None),
    ],
)
def test_work_in_other_processes_is_no_chunk(tmp_path: Path, source: FakeSource, text: str, said: str | None) -> None:
    made = msgspec.structs.replace(plan(tmp_path, source, text=text), passes=(CHUNKS,))
    for opened in bench(made, source):
        reasons = opened.cannot_serve().values()
        assert bool(reasons) == (said is not None)
        assert all(str(said) in one for one in reasons)


def test_processes_that_are_not_counted_are_told(tmp_path: Path, source: FakeSource) -> None:
    class Leaves(FakeSource):
        def measure(self, what: Pass, command: Command, scratch: Path) -> Outcome:
            return msgspec.structs.replace(super().measure(what, command, scratch), uncounted=2)

    leaving = Leaves()
    made = plan(tmp_path, leaving)
    for opened in bench(made, leaving):
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
        assert ("children-not-counted", "python3") in opened.caveats


LIES = """\
import os, sys
calls = 0
def run(m):
    global calls
    calls += 1
    return -1 if calls >= int(os.environ.get('LIES_FROM', 10**9)) else m
print(run(int(sys.argv[1])))
"""
"""Two calls are those of the first runs: of the whole script, and of ``run`` alone."""
CHUNKS = Chunks(name="c", events=("wall", "task-clock"), m=(5, 9), turns=4, blocks=(0, None))
REGIONS = Regions(name="r", events=("instructions",), m=(5, 9), phases=2, blocks=(0, None))


class RegionSource(FakeSource):
    """Runs a process with regions bare: nothing counts, and figures are made up for what it was asked to do."""

    def measure(self, what: Pass, command: Command, scratch: Path) -> Outcome:
        outcome = super().measure(what, command, scratch)
        assert isinstance(what, Regions)
        return msgspec.structs.replace(outcome, readings=outcome.readings * what.phases * len(what.m))


@pytest.mark.parametrize(
    ("pass_", "lies_from", "m"),
    [
        pytest.param(CHUNKS, 1, 5, id="chunks-hello"),
        pytest.param(CHUNKS, 4, 5, id="chunks-later"),
        pytest.param(REGIONS, 3, 5, id="regions-first", marks=needs_extension),
        pytest.param(REGIONS, 6, 9, id="regions-last", marks=needs_extension),
    ],
)
def test_a_host_that_prints_something_else_in_a_part_of_its_process_ends_the_run(
    tmp_path: Path, pass_: Chunks | Regions, lies_from: int, m: int
) -> None:
    source = RegionSource()
    liar = msgspec.structs.replace(launcher("liar"), env={"LIES_FROM": str(lies_from)})
    made = msgspec.structs.replace(plan(tmp_path, source, liar, text=LIES), passes=(pass_,))
    for opened in bench(made, source):
        with pytest.raises(WorkloadError) as raised:
            opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
    assert raised.value.exit_code == 4
    assert raised.value.message.startswith(f"outputs differ for M = {m}")
    assert "liar" in raised.value.message
    assert "liar" not in {step.launcher for step in done_steps(tmp_path)}


@pytest.mark.parametrize("pass_", [CHUNKS, pytest.param(REGIONS, marks=needs_extension)])
def test_parts_of_a_process_leave_rows_of_their_kind(tmp_path: Path, pass_: Chunks | Regions) -> None:
    source = RegionSource()
    made = msgspec.structs.replace(plan(tmp_path, source, launcher("other"), text=LIES), passes=(pass_,))
    for opened in bench(made, source):
        opened.run_block(made.blocks[0], set(), RowWriter(tmp_path), lambda step: None)
    with (tmp_path / "rows.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["kind"] for row in rows} == {pass_.kind}
    assert {row["launcher"] for row in rows} == {"python3", AGAIN, "other"}
    of_other = [(row["m"], row["repetition"]) for row in rows if row["launcher"] == "other"]
    parts = [(5, turn) for turn in range(-2, 4)] if isinstance(pass_, Chunks) else [(5, 0), (9, 0), (5, 1), (9, 1)]
    assert of_other == [(str(m), str(number)) for m, number in parts for _ in pass_.events]


def test_every_kind_has_its_runner() -> None:
    kinds = {kind.__struct_config__.tag for kind in get_args(AnyPass)}
    assert set(RUNNERS) == set(get_args(PassKind)) == kinds
