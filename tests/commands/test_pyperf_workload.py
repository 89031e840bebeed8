"""A pyperf script from the command line to pyperf's own file format and back."""

from pathlib import Path

import pyperf
import pytest

from profiler.folder import load_run
from profiler.model import PyperfScript
from tests.commandline import TaxProbe, assert_refused, reading_keys, rows, script

COROUTINES = Path(__file__).parents[1] / "data" / "pyperf" / "bm_coroutines" / "run_benchmark.py"
PLAN = ("--launcher", "python3", "--source", "software", "--blocks", "1", "--seed", "11")
TWO = """
import pyperf
def count(n):
    for _ in range(n):
        pass
if __name__ == "__main__":
    runner = pyperf.Runner()
    runner.argparser.add_argument("--size", type=int, default=20_000)
    args = runner.parse_args()
    runner.bench_func("small", count, args.size)
    runner.bench_func("large", count, 4 * args.size)
"""


def test_a_benchmark_of_pyperformance_there_and_back(tax_probe: TaxProbe) -> None:
    """Its M are calibrated, its loops are measured, and pyperf reads what came of it."""
    ran = tax_probe.ipc(*PLAN, "--workload", str(COROUTINES))
    assert ran.code == 0, ran.err
    folder = tax_probe.folder()
    run = load_run(folder)
    workload = run.plan.workload
    assert (workload.name, workload.path, workload.pyperf) == ("bm_coroutines", str(COROUTINES), PyperfScript())
    assert workload.timed_m is not None
    assert 1 <= workload.timed_m[0] < workload.timed_m[1] < 1000, "a loop takes some ten milliseconds"
    assert {row["workload"] for row in rows(folder)} == {"bm_coroutines"}
    assert tax_probe("export", str(folder), "--pyperf").code == 0
    bench = pyperf.Benchmark.load(str(folder / "export" / "python3.json"))
    assert bench.get_name() == "bm_coroutines"
    assert 1e-3 < bench.mean() < 1


def test_a_run_goes_on_with_the_same_benchmark(tax_probe: TaxProbe, tmp_path: Path) -> None:
    ran = tax_probe.ipc(*PLAN, "--m", "2,6", "--workload", f"{script(tmp_path, TWO)}:large --size 10")
    assert ran.code == 0, ran.err
    folder = tax_probe.folder()
    workload = load_run(folder).plan.workload
    assert workload.name == "load:large --size 10"
    assert workload.pyperf == PyperfScript(benchmark="large", arguments=("--size", "10"))
    expected = reading_keys(folder)
    text = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text[: len(text) // 2])
    assert tax_probe.ipc("--resume", str(folder)).code == 0
    assert reading_keys(folder) == expected
    assert len({(row["m"], row["output_sha256"]) for row in rows(folder)}) == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [(":none", ["ran no benchmark 'none'; it has small, large"]), (" --nope", ["unrecognized arguments: --nope"])],
)
def test_what_the_script_does_not_know(tax_probe: TaxProbe, tmp_path: Path, more: str, words: list[str]) -> None:
    ran = tax_probe.ipc(*PLAN, "--workload", script(tmp_path, TWO) + more)
    assert_refused(ran, 4, *words)
    assert tax_probe.folders() == []
