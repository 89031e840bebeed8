"""Callgrind's out file: figures, torn files, several processes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import MachineError
from profiler.model import Whole, Workload
from profiler.sources import callgrind
from profiler.sources.callgrind import TRIAL, CallgrindSource
from profiler.sources.callgrind_output import LOG, combine, parse_totals, whole_files
from profiler.system.process import helper

FULL = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 1794
cmd:  python3 il.py 50000
part: 1

desc: I1 cache: 32768 B, 64 B, 8-way associative

positions: line
events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw Bc Bcm Bi Bim
summary: 75165607 19184705 10412711 263668 421701 70369 12734 16910 25636 12477783 501089 1042203 79735

fl=(1) ???
fn=(1) 0x0000000000020940
0 3

totals: 75165605 19184705 10412711 263667 421701 70369 12733 16910 25636 12477783 501089 1042203 79735
"""


def test_totals_are_read_not_the_summary() -> None:
    assert parse_totals(FULL)["Ir"] == 75165605


def test_metrics_are_sums_of_columns() -> None:
    wanted = (
        "instructions",
        "branches",
        "indirect-branches",
        "branch-misses",
        "l1d-misses",
        "l1i-misses",
        "cache-misses",
    )
    readings = {reading.event: reading.value for reading in combine([parse_totals(FULL)], wanted)}
    assert readings == {
        "instructions": 75165605,
        "branches": 12477783 + 1042203,
        "indirect-branches": 1042203,
        "branch-misses": 501089 + 79735,
        "l1d-misses": 421701 + 70369,
        "l1i-misses": 263667,
        "cache-misses": 12733 + 16910 + 25636,
    }


def test_child_processes_are_added() -> None:
    (reading,) = combine([{"Ir": 5}, {"Ir": 7}], ("instructions",))
    assert reading.value == 12


def test_an_absent_column_is_unknown_and_says_so() -> None:
    (reading,) = combine([{"Ir": 5}], ("branches",))
    assert reading.value is None
    assert reading.reason is not None


def test_trailing_zeros_may_be_left_out() -> None:
    assert parse_totals("events: Ir Bc\ntotals: 5\n") == {"Ir": 5, "Bc": 0}


@pytest.mark.parametrize("cut", range(len(FULL)))
def test_a_torn_file_never_gives_a_figure(cut: int) -> None:
    """Wherever it is torn: inside a figure of the totals line too, where what is left looks like a smaller figure."""
    with pytest.raises(MachineError):
        parse_totals(FULL[:cut])


@given(st.text())
def test_junk_is_refused_or_read_but_never_crashes(text: str) -> None:
    try:
        parse_totals(text)
    except MachineError:
        return


def test_a_plain_run_counts_regions_first_and_simulates_in_one_block() -> None:
    """Instructions in every block from parts of processes; whole ones of a tenth of the work give the start-up."""
    workload = Workload(name="w", path="w.py", counts_m=(1000, 2000), timed_m=(10, 60))
    passes = CallgrindSource("valgrind", "valgrind-3.19.0").chunk_passes(workload, None)
    assert [(one.kind, one.name, one.blocks) for one in passes] == [
        ("regions", "simulated", (0, 1)),
        ("regions", "regions", (1, None)),
        ("whole", "timed", (0, None)),
        ("chunks", "chunks", (0, None)),
        ("whole", "counted", (0, 2)),
    ]
    assert all("instructions" in one.events for one in passes if one.kind == "regions")
    assert [one.m for one in passes] == [(1000, 2000), (1000, 2000), (10, 60), (10, 60), (100, 200)]


# ---------------------------------------------------------------- processes that outlive the first


def plant(folder: Path, **files: str) -> Path:
    """Out files and logs (``out_7``, ``log_7``) as valgrind leaves them; returns what out files begin with."""
    for name, text in files.items():
        kind, _, pid = name.partition("_")
        (folder / f"{'callgrind.out' if kind == 'out' else LOG}.{pid.replace('_', '.')}").write_text(text)
    return folder / "callgrind.out"


def ended() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen(["/bin/true"])
    child.wait(timeout=60)
    return child.pid


def test_children_that_ended_are_counted(tmp_path: Path) -> None:
    first, child = ended(), ended()
    files = {f"out_{first}": FULL, f"log_{first}": "==1== Callgrind", f"out_{child}": FULL}
    assert whole_files(plant(tmp_path, **files), first) == ([FULL, FULL], 0)


def test_dumps_that_a_program_asks_for_belong_to_it(tmp_path: Path) -> None:
    first = ended()
    assert whole_files(plant(tmp_path, **{f"out_{first}": FULL, f"out_{first}_1": FULL}), first) == ([FULL, FULL], 0)


@pytest.mark.parametrize("text", [FULL[:-1], FULL[: len(FULL) // 2], ""])
def test_a_child_that_was_killed_while_it_wrote_is_named_and_not_read(tmp_path: Path, text: str) -> None:
    first, child = ended(), ended()
    out = plant(tmp_path, **{f"out_{first}": FULL, f"log_{child}": "", f"out_{child}": text})
    assert whole_files(out, first) == ([FULL], 1)


def test_a_child_that_had_not_begun_to_write_is_named(tmp_path: Path) -> None:
    first, child = ended(), ended()
    assert whole_files(plant(tmp_path, **{f"out_{first}": FULL, f"log_{child}": ""}), first) == ([FULL], 1)


def test_what_a_living_child_writes_is_not_read(tmp_path: Path) -> None:
    """Whole as it looks, it may be written anew at this moment."""
    first = ended()
    assert whole_files(plant(tmp_path, **{f"out_{first}": FULL, f"out_{os.getpid()}": FULL}), first) == ([FULL], 1)


def test_the_first_ones_own_torn_file_is_an_error(tmp_path: Path) -> None:
    first = ended()
    texts, lost = whole_files(plant(tmp_path, **{f"out_{first}": FULL[:-1]}), first)
    assert (texts, lost) == ([FULL[:-1]], 0)
    with pytest.raises(MachineError, match="cut off"):
        parse_totals(texts[0])


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_trial_counts_and_leaves_no_process(tmp_path: Path) -> None:
    source = CallgrindSource.probe()
    done = source.measure(TRIAL, helper(("/bin/sh", "-c", "/bin/true; :"), timeout_s=60), tmp_path)
    (reading,) = done.readings
    assert (done.exit, done.uncounted) == (0, 0)
    assert reading.value is not None
    assert reading.value > 100_000


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_the_memory_map_does_not_tell_the_number_of_the_process(tmp_path: Path) -> None:
    """The work reads it, and numbers have more or fewer digits."""
    command = helper(("/bin/sh", "-c", "echo $$; exec cat /proc/self/maps"), timeout_s=60)
    number, *mapped = CallgrindSource.probe().measure(TRIAL, command, tmp_path).stdout.decode().splitlines()
    files = [line.split(maxsplit=5)[5] for line in mapped if len(line.split(maxsplit=5)) > 5]
    assert files
    assert [file for file in files if re.search(rf"(?<!\d){number}(?!\d)", file)] == []


FAKE = """#!{python} -IS
import os, sys
out, log = (one.partition('=')[2] for name in ('--callgrind-out-file=', '--log-file=')
            for one in sys.argv if one.startswith(name))
def count(text, last=True):
    with open(out.replace('%p', str(os.getpid())), 'w') as counts:
        counts.write(text if last else text[:20])
read, write = os.pipe()
for one in {children!r}:
    if os.fork() == 0:
        open(log.replace('%p', str(os.getpid())), 'w').close()
        if one != 'stays':
            os.close(write)
        os.read(read, 1)
        count('events: Ir\\ntotals: 7\\n', one == 'ends')
        os._exit(0)
    open(log.replace('%p', str(os.getpid())), 'w').close()
count('events: Ir\\ntotals: 1000\\n')
"""
"""A valgrind whose children count 7 when it has ended; one is torn in the middle, one never ends."""


@pytest.mark.parametrize(
    ("children", "settles_s", "found"),
    [([], 60, (1000, 0)), (["ends"], 60, (1007, 0)), (["torn"], 60, (1000, 1)), (["stays"], 0.05, (1000, 1))],
)
def test_children_are_counted_or_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    children: list[str],
    settles_s: float,
    found: tuple[int, int],
) -> None:
    monkeypatch.setattr(callgrind, "SETTLES_S", settles_s)
    fake = tmp_path / "valgrind"
    fake.write_text(FAKE.format(python=sys.executable, children=children))
    fake.chmod(0o755)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    pass_ = Whole(name="c", events=("instructions",), m=(1, 2), exclusive=False, repetitions=1, blocks=(0, None))
    outcome = CallgrindSource(str(fake), "3").measure(pass_, helper(("true",), timeout_s=60), scratch)
    (reading,) = outcome.readings
    assert (reading.value, outcome.uncounted) == found
