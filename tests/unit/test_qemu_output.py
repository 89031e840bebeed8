"""What the plugin of qemu writes: regions, programs that follow each other in one process, and what is torn."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import MachineError
from profiler.sources.qemu_output import combine, parse, read_processes

BEGIN = "begin instructions branches\n"


def ended() -> int:
    child = subprocess.Popen(["/bin/true"])
    child.wait(timeout=60)
    return child.pid


def test_regions_and_the_whole() -> None:
    counts = parse(f"{BEGIN}region 10 2\nregion 20 3\ntotal 100 20\n")
    assert counts.regions == ({"instructions": 10, "branches": 2}, {"instructions": 20, "branches": 3})
    assert counts.programs == ({"instructions": 100, "branches": 20},)
    assert counts.whole


def test_programs_that_follow_each_other_are_added() -> None:
    counts = parse("begin instructions\nexec 7\nbegin instructions\nexec 8\nbegin instructions\ntotal 9\n")
    assert [totals["instructions"] for totals in counts.programs] == [7, 8, 9]
    assert counts.whole


def test_an_exec_that_failed_is_none() -> None:
    """A search of PATH: what was counted before it is in the total too."""
    counts = parse("begin instructions\nexec 7\nexec 8\ntotal 9\n")
    assert [totals["instructions"] for totals in counts.programs] == [9]
    assert counts.whole


def test_a_program_that_is_not_followed_is_told() -> None:
    counts = parse("begin instructions\nexec 7\n")
    assert [totals["instructions"] for totals in counts.programs] == [7]
    assert not counts.whole


@pytest.mark.parametrize("cut", range(1, len("total 123\n")))
def test_a_torn_total_is_no_figure(cut: int) -> None:
    assert not parse("begin instructions\ntotal 123\n"[:-cut]).whole


@given(st.text(alphabet="begintotalxc 0123456789\n"))
def test_junk_is_refused_or_read_but_never_crashes(text: str) -> None:
    try:
        parse(text)
    except MachineError:
        return


def test_children_are_added_or_told(tmp_path: Path) -> None:
    first, child, killed = ended(), ended(), ended()
    for pid, text in ((first, "total 5 1\n"), (child, "total 7 2\n"), (killed, "")):
        (tmp_path / f"out.{pid}").write_text(BEGIN + text)
    processes, lost = read_processes(tmp_path / "out", first)
    programs = [program for found in processes for program in found.programs]
    assert [reading.value for reading in combine(programs, ("instructions", "branches"))] == [12, 3]
    assert lost == 1


def test_a_first_process_that_is_not_counted_to_its_end_is_an_error(tmp_path: Path) -> None:
    pid = ended()
    (tmp_path / f"out.{pid}").write_text(f"{BEGIN}exec 5 1\n")
    with pytest.raises(MachineError, match="became another one") as refused:
        read_processes(tmp_path / "out", pid)
    assert "callgrind" in refused.value.hint


def test_what_was_not_counted_is_unknown_with_its_reason() -> None:
    (reading,) = combine([{"instructions": 5}], ("l1d-misses",))
    assert reading.value is None
    assert reading.reason
