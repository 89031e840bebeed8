"""The samples: one output each, whoever runs them; and the table of who printed what."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from profiler.collect.sample_runs import compared, read_told, require_equal
from profiler.errors import WorkloadError
from profiler.model.sample_table import SAMPLES_SCHEMA, SampleTable
from profiler.present.samples_told import by_sample, unequal, write_samples
from profiler.workloads import find_workload

FOLDER = Path(find_workload("samples").path).with_suffix("")


def test_there_are_more_than_forty_each_with_a_line_on_what_it_shows() -> None:
    files = sorted(FOLDER.glob("*.py"))
    assert len(files) >= 40
    assert all(file.read_text(encoding="utf-8").startswith('"""') for file in files)


def test_a_round_prints_the_same_with_any_hash_seed_and_another_for_another_m() -> None:
    def printed(m: int, seed: str) -> str:
        command = (sys.executable, "-W", "error", f"{FOLDER}.py", str(m))
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
        return done.stdout

    once = printed(1, "1")
    assert once == printed(1, "77")
    assert once != printed(2, "1")


REFERENCE = {"a": {"printed": "1\n2\n"}, "b": {"printed": "x\n"}, "c": {"printed": ""}, "d": {"printed": "y"}}


def test_each_sample_is_equal_or_has_its_reason() -> None:
    told = read_told(
        '{"begins": "a"}\n{"name": "a", "printed": "1\\n3\\n"}\n'
        '{"begins": "b"}\n{"name": "b", "failed": "OSError: no"}\n'
        '{"begins": "c"}\n{"name": "c", "printed": ""}\n{"begins": "d"}\n{"name": "d", "pri'
    )
    found = list(compared("host", REFERENCE, told, "exit -11, Segmentation fault"))
    assert [run.outcome for run in found] == ["differs", "fails", "equal", "fails"]
    assert [run.reason for run in found] == ["'3' instead of '2'", "OSError: no", None, "exit -11, Segmentation fault"]
    (never,) = compared("host", {"a": {"printed": ""}}, {}, "exit 1, no such file")
    assert (never.outcome, never.reason) == ("not reached", "exit 1, no such file")


def test_what_is_missing_at_the_end_is_a_difference_too() -> None:
    (run,) = compared("host", {"a": {"printed": "1\n2\n"}}, {"a": {"printed": "1\n"}}, "")
    assert (run.outcome, run.reason) == ("differs", "'' instead of '2'")


def test_lines_that_end_otherwise_are_a_difference_of_their_own() -> None:
    (run,) = compared("host", {"a": {"printed": "1\n2\n"}}, {"a": {"printed": "1\n2"}}, "")
    assert (run.outcome, run.reason) == ("differs", "other ends of lines")


def test_samples_that_are_not_equal_end_the_command() -> None:
    def table(printed: str) -> SampleTable:
        runs = tuple(compared("host", {"a": REFERENCE["a"]}, {"a": {"printed": printed}}, ""))
        return SampleTable(
            schema=SAMPLES_SCHEMA, target="t", reference="python3", launchers=("host",), samples=("a",), runs=runs
        )

    require_equal(table("1\n2\n"))
    with pytest.raises(WorkloadError, match=r"1 of 1 samples on t are not equal: a in host differs: '3' instead of"):
        require_equal(table("1\n3\n"))


def test_the_table_has_a_row_a_sample_and_all_of_it_is_kept(tmp_path: Path) -> None:
    told = {"a": {"printed": "1\n2\n"}, "b": {"failed": "OSError: | no"}}
    runs = tuple(compared("host", {"a": REFERENCE["a"], "b": REFERENCE["b"]}, told, ""))
    table = SampleTable(
        schema=SAMPLES_SCHEMA, target="t", reference="python3", launchers=("host",), samples=("a", "b"), runs=runs
    )
    assert by_sample(table).rows == (("a", "="), ("b", "fails"))
    assert unequal(table).rows == (("b", "host", "fails", "OSError: | no"),)
    assert table.equal_in("host") == 1
    write_samples(tmp_path, table)
    assert json.loads((tmp_path / "samples.json").read_bytes())["runs"][1]["reason"] == "OSError: | no"
    assert "OSError: \\| no" in (tmp_path / "samples.md").read_text()
