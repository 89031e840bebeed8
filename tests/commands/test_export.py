"""``export``: pyperf's own commands read what is written for them, and Parquet holds what the CSV files hold."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pandas as pd
import pyperf
import pytest

from profiler.analyze.conclude import conclude
from profiler.analyze.rows import read_all, spans
from profiler.folder import load_run, recorded, save_run
from profiler.present import exported
from tests.commandline import TaxProbe, assert_refused
from tests.recorded import RESULTS

IPC = "ipc-int_loop"
LAUNCHERS = ["python3", "python3-again", "pyo3", "runmain"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A measured one, to be written to: what is known of it stands in its verdict."""
    place = tmp_path / IPC
    place.mkdir()
    for name in ("rows.csv", "run.json"):
        shutil.copy(recorded(RESULTS / IPC, name), place)
    return place


def pyperf_says(*argv: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pyperf", *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def keep_rows(folder: Path, wanted: Callable[[pd.DataFrame], "pd.Series[bool]"]) -> None:
    rows = read_all(folder)
    recorded(folder, "rows.csv").unlink()
    rows[wanted(rows)].to_csv(folder / "rows.csv", index=False)


# ---------------------------------------------------------------- pyperf


def test_a_file_for_each_launcher_beside_the_rows(tax_probe: TaxProbe, folder: Path) -> None:
    ran = tax_probe("export", str(folder), "--pyperf")
    assert (ran.code, ran.err) == (0, "")
    files = [folder / "export" / f"{name}.json" for name in LAUNCHERS]
    assert ran.out.splitlines() == list(map(str, files))
    again = [file.read_bytes() for file in files]
    assert tax_probe("export", str(folder), "--pyperf").code == 0, "what is ours is written anew"
    assert [file.read_bytes() for file in files] == again


def test_its_means_are_those_of_the_verdict(tax_probe: TaxProbe, folder: Path) -> None:
    assert tax_probe("export", str(folder), "--pyperf").code == 0
    values = {
        (one.launcher, one.metric): one.value for one in conclude(folder).comparisons if one.baseline == "python3"
    }
    for name in LAUNCHERS[1:]:
        suite = pyperf.BenchmarkSuite.load(str(folder / "export" / f"{name}.json"))
        assert suite.get_benchmark_names() == ["int_loop", "int_loop instructions"]
        for bench, metric, unit, scale in zip(
            suite, ("wall", "instructions"), ("second", "integer"), (1e-9, 1), strict=True
        ):
            assert bench.get_unit() == unit
            assert bench.get_nrun() == bench.get_nvalue() == len(load_run(folder).plan.blocks)
            value = values[name, metric]
            assert value is not None
            assert bench.mean() == pytest.approx(value * scale, rel=1e-12)


def test_the_metadata_says_what_was_measured(tax_probe: TaxProbe, folder: Path) -> None:
    assert tax_probe("export", str(folder), "--pyperf").code == 0
    wall, instructions = pyperf.BenchmarkSuite.load(str(folder / "export" / "pyo3.json"))
    run = load_run(folder)
    told = wall.get_metadata()
    assert told["python_version"] == run.target.version
    assert told["cpu_model_name"] == run.machine["cpu_model"]
    assert (told["tax_probe_launcher"], told["tax_probe_source"]) == ("pyo3", "software")
    assert told["python_executable"].endswith("/pyo3")
    assert instructions.get_metadata()["tax_probe_source"] == "callgrind"
    # Chunks are of the lower M of timed runs; counts are the slope between the two M of counting.
    assert (wall.get_loops(), instructions.get_loops()) == (200_000, 15_000)
    first = wall.get_runs()[0].get_metadata()
    assert (first["tax_probe_block"], first["python_hash_seed"]) == (0, run.plan.blocks[0].hash_seed)
    assert instructions.get_total_duration() < 60, "counts are no seconds"


def test_pyperfs_own_commands_read_it(tax_probe: TaxProbe, folder: Path) -> None:
    assert tax_probe("export", str(folder), "--pyperf").code == 0
    one, other = (str(folder / "export" / f"{name}.json") for name in ("python3", "pyo3"))
    compared = pyperf_says("compare_to", "-b", "int_loop instructions", "--table", one, other)
    assert "1128.0: 1.20x slower" in compared
    assert "936.3742" in compared
    assert "int_loop" in pyperf_says("compare_to", one, other, "--table", "-v")
    shown = pyperf_says("show", "--metadata", other)
    assert "tax_probe_launcher: pyo3" in shown
    assert "1128.0 +- 0.0" in shown
    told = pyperf_says("stats", other)
    assert "Number of run with values: 6" in told
    assert "Maximum:         1128.0" in told
    assert pyperf_says("hist", "-b", "int_loop", one).count(" ns: ") > 5
    assert "int_loop" in pyperf_says("check", one)
    assert "value 1: 98.6 ns" in pyperf_says("dump", other)


def test_launchers_of_any_name_and_folders_of_every_command(tax_probe: TaxProbe, tmp_path: Path) -> None:
    for name in ("variants-int_loop", "poc4-amortize", "poc4-eliminate"):
        ran = tax_probe("export", str(RESULTS / name), "--pyperf", "--out", str(tmp_path / name))
        assert ran.code == 0, ran.err
        for file in map(Path, ran.out.splitlines()):
            pyperf.BenchmarkSuite.load(str(file))
        assert {"python3.json", "pyo3.json"} <= {file.name for file in (tmp_path / name).iterdir()}
    assert (tmp_path / "variants-int_loop" / "pyo3+signals.json").exists()
    assert (
        "pyo3+bind-now is left out: its cost per iteration was not measured"
        in tax_probe("export", str(RESULTS / "poc4-amortize"), "--pyperf", "--out", str(tmp_path / "more")).err
    )


def test_a_host_may_be_called_by_a_path(tax_probe: TaxProbe, folder: Path) -> None:
    run = load_run(folder)
    hosts = [
        msgspec.structs.replace(one, name="bin/my host" if one.name == "runmain" else one.name)
        for one in run.plan.launchers
    ]
    recorded(folder, "run.json").unlink()
    save_run(folder, msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, launchers=tuple(hosts))))
    rows = read_all(folder)
    recorded(folder, "rows.csv").unlink()
    rows["launcher"] = rows["launcher"].cat.rename_categories({"runmain": "bin/my host"})
    rows.to_csv(folder / "rows.csv", index=False)
    ran = tax_probe("export", str(folder), "--pyperf")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1].endswith("/bin%2Fmy%20host.json")


def test_noise_below_zero_is_left_out_and_told(tax_probe: TaxProbe, folder: Path) -> None:
    """pyperf takes no such values; a slope between whole processes may be one."""
    rows = read_all(folder)
    rows = rows[rows["kind"] == "whole"]
    hit = (rows["event"] == "wall") & (rows["launcher"] == "pyo3") & (rows["block"] == 1)
    rows.loc[hit & (rows["m"] == rows["m"][hit].max()), "value"] = 1.0
    recorded(folder, "rows.csv").unlink()
    rows.to_csv(folder / "rows.csv", index=False)
    ran = tax_probe("export", str(folder), "--pyperf")
    assert ran.code == 0
    assert ran.err == "pyo3: wall of 1 blocks is not above zero and left out: noise exceeds the cost\n"
    wall = pyperf.BenchmarkSuite.load(str(folder / "export" / "pyo3.json")).get_benchmark("int_loop")
    assert [one.get_metadata()["tax_probe_block"] for one in wall.get_runs()] == [0, 2, 3, 4, 5]
    # Whole processes alone: over the difference of the two M.
    assert wall.get_loops() == 1_000_000


def test_a_folder_without_times(tax_probe: TaxProbe, folder: Path) -> None:
    keep_rows(folder, lambda rows: rows["event"] == "instructions")
    ran = tax_probe("export", str(folder), "--pyperf")
    assert_refused(ran, 2, "holds no time per iteration", "tax-probe ipc")
    assert not (folder / "export").exists()


def test_what_is_not_ours_is_not_written_over(tax_probe: TaxProbe, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere"
    out.mkdir()
    (out / "pyo3.json").write_text("mine")
    ran = tax_probe("export", str(folder), "--pyperf", "--out", str(out))
    assert_refused(ran, 2, "pyo3.json is there already and may not be ours", "--out DIR")
    assert [(file.name, file.read_text()) for file in out.iterdir()] == [("pyo3.json", "mine")]


def test_a_place_that_cannot_be_written_to(tax_probe: TaxProbe, folder: Path) -> None:
    (folder / "export").write_text("a file")
    assert_refused(tax_probe("export", str(folder), "--pyperf"), 3, "cannot write to", "--out DIR")


@pytest.mark.parametrize("argv", [[], ["--out", "x"]])
def test_nothing_is_asked_for(tax_probe: TaxProbe, folder: Path, argv: list[str]) -> None:
    assert_refused(tax_probe("export", str(folder), *argv), 2, "nothing to export", "--pyperf", "--parquet")


def test_no_result_folder(tax_probe: TaxProbe, tmp_path: Path) -> None:
    assert_refused(tax_probe("export", str(tmp_path), "--pyperf"), 2, "run.json")
    pytest.importorskip("pyarrow")
    assert_refused(tax_probe("export", str(tmp_path), "--parquet"), 2, "rows.csv")


def test_over_how_many_iterations_a_reading_goes() -> None:
    """Processes and regions: what lies between the two M; chunks: their M, though other passes read the event too."""
    found = [
        ("whole", "instructions", 10),
        ("whole", "instructions", 40),
        ("whole", "wall", 100),
        ("whole", "wall", 700),
        ("chunks", "wall", 100),
    ]
    frame = pd.DataFrame(
        [
            {"block": 0, "pass": kind, "kind": kind, "launcher": "python3", "event": event, "m": m, "repetition": n}
            | {"value": 5.0 * m}
            for kind, event, m in found
            for n in range(2)
        ]
    )
    assert spans(frame) == {"instructions": 30, "wall": 100}
    assert spans(frame[frame["kind"] == "whole"]) == {"instructions": 30, "wall": 600}


# ---------------------------------------------------------------- Parquet


def test_parquet_holds_what_the_csv_files_hold(tax_probe: TaxProbe, folder: Path) -> None:
    pytest.importorskip("pyarrow")
    ran = tax_probe("export", str(folder), "--parquet")
    assert (ran.code, ran.err) == (0, "")
    assert [Path(line).name for line in ran.out.splitlines()] == ["rows.parquet", "comparisons.parquet"]
    rows = pd.read_parquet(folder / "export" / "rows.parquet")
    expected = read_all(folder)
    assert list(rows.columns) == list(expected.columns)
    for name in rows.columns:  # an empty column of categories comes back as one of nothing
        assert rows[name].astype(object).fillna("").tolist() == expected[name].astype(object).fillna("").tolist(), name
    assert rows["launcher"].dtype == "category"
    comparisons = pd.read_parquet(folder / "export" / "comparisons.parquet")
    assert tax_probe("report", str(folder)).code == 0
    summary = pd.read_csv(folder / "summary.csv")
    assert list(comparisons.columns) == list(summary.columns)
    for name in ("launcher", "metric", "ratio", "verdict", "blocks"):
        assert comparisons[name].dropna().tolist() == summary[name].dropna().tolist()


def test_without_pyarrow(tax_probe: TaxProbe, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "find_spec", lambda name: None)
    assert_refused(tax_probe("export", str(folder), "--parquet"), 3, "needs pyarrow", "pip install pyarrow")
    assert tax_probe("export", str(folder), "--pyperf").code == 0
