"""How figures that decide nothing, and figures of one block, are written for people."""

import gzip
import shutil
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.causes.option_verdicts import untrained
from profiler.analyze.claims import more
from profiler.analyze.conclude import analyse
from profiler.analyze.numbers import pair, told, value
from profiler.analyze.price import price as blocks_that_would
from profiler.model import Comparison
from profiler.model.factorial import Training
from profiler.present import finding, tables
from profiler.present.forest import ratio_of
from profiler.present.view import view
from profiler.present.words import effect, price, reach, verdict_mark

RESULTS = Path(__file__).parents[2] / "results"


@pytest.mark.parametrize(
    ("ratio", "lo", "hi", "shown"),
    [
        (1.1936, 1.1485, 1.2404, ("1.194", "± 0.046")),
        (1.0061, 0.8827, 1.1467, ("1.01", "± 0.13")),
        (1.0200, 1.0196, 1.0204, ("1.020", "± < 0.001")),
        (0.9636, 0.949, 0.993, ("0.964", "0.949 to 0.993")),
        (1.0, 0.0000001, 357832.6, ("", "0.0 to >100")),
        (1.0, 0.55, 1.72, ("", "0.55 to 1.72")),
        (0.9, -0.2, 1.3, ("", "0.0 to 1.30")),
        (4.17, 1.3213, 13.1759, ("", "1.32 to 13.2")),
        (1.071, 1.069, 1.073, ("1.071", "± 0.002")),
        (1.20462, 1.20460, 1.20464, ("1.205", "± < 0.001")),
        (1.20465, 1.20465, 1.20465, ("1.205", "equal")),
        (0.99894, 0.99894, 0.99894, ("0.9989", "equal")),
        (12.3456, 12.3456, 12.3456, ("12.35", "equal")),
        (1.2, None, None, ("1.200", "once")),
        (None, None, None, ("–", "")),
    ],
)
def test_ratios_and_their_intervals(
    ratio: float | None, lo: float | None, hi: float | None, shown: tuple[str, str]
) -> None:
    assert pair(ratio, lo, hi) == shown


def test_exact_is_said_of_counts_alone() -> None:
    assert str(told(1.2046, 1.2046, 1.2046, exact=True)) == "1.205 (exact)"
    assert str(told(1.2046, 1.2045, 1.2047, exact=True)) == "1.205 ± < 0.001"
    assert str(told(1.2046, None, None)) == "1.205 (measured once)"


@pytest.mark.parametrize(
    ("metric", "amount", "shown"),
    [
        ("instructions", 1128.0, "1,128"),
        ("instructions", 936.3742, "936.4"),
        ("branch-misses", 1.125, "1.125"),
        ("l1d-misses", 0.0004, "< 0.001"),
        ("l1d-misses", 0.0, "0"),
        ("wall", 97.04, "97.0 ns"),
        ("startup-instructions", 68.47e6, "68.5 M"),
        ("startup-wall", 24.2e6, "24.2 ms"),
        ("wall", None, "–"),
    ],
)
def test_costs_with_their_units(metric: str, amount: float | None, shown: str) -> None:
    assert value(metric, amount) == shown


@pytest.mark.parametrize(
    ("smallest", "told"), [(None, "–"), (0.0496, "4.96%"), (0.00001, "<0.01%"), (2541801.5977, ">100%")]
)
def test_the_smallest_effect(smallest: float | None, told: str) -> None:
    assert effect(smallest) == told


def comparison(*, blocks: int, ratio: float | None, lo: float | None = None, effect: float | None = None) -> Comparison:
    return Comparison(
        baseline="python3", launcher="pyo3", metric="wall", baseline_value=1.0, value=1.2, ratio=ratio, lo=lo,
        hi=None if lo is None else 4.0, confidence=0.95, verdict="unresolved", p_value=None, blocks=blocks,
        detectable_effect=effect, source="software", reason=None,
    )  # fmt: skip


def word(one: Comparison) -> str:
    return verdict_mark(one).text


def test_one_block_is_measured_once_and_two_are_not() -> None:
    assert word(comparison(blocks=1, ratio=1.2)) == "measured once"
    assert word(comparison(blocks=2, ratio=1.2, lo=0.5)) == "not decided"
    assert word(comparison(blocks=2, ratio=1.2)) == "not decided", "an unbounded interval is no single block"
    assert word(comparison(blocks=1, ratio=None)) == "not decided"


def test_what_it_takes_to_see_something() -> None:
    assert more(comparison(blocks=6, ratio=1.0, lo=0.9, effect=0.10)) == (
        "some --blocks 17 of this scatter would show a difference of 5%"
    )
    assert more(comparison(blocks=2, ratio=1.0, lo=0.1, effect=2541801.0)) == "more --blocks or more work per run"


def test_a_count_that_is_the_same_in_all_blocks_is_exact_and_has_nothing_to_detect() -> None:
    once = comparison(blocks=6, ratio=1.2046, lo=1.2046, effect=0.0)
    counted = msgspec.structs.replace(once, hi=1.2046, metric="instructions", source="callgrind")
    assert (ratio_of(counted).spread, reach(counted)) == ("exact", "")
    simulated = msgspec.structs.replace(counted, metric="branch-misses")
    assert (ratio_of(simulated).spread, reach(simulated)) == ("equal", "<0.01%")
    assert ratio_of(msgspec.structs.replace(counted, source="hardware")).spread == "equal"


@pytest.mark.parametrize(
    ("metric", "words"),
    [("wall", ("slower", "faster")), ("instructions", ("slower", "faster")), ("ipc", ("lower", "higher")),
     ("branches", ("more", "fewer")), ("page-faults", ("more", "fewer"))],
)  # fmt: skip
def test_each_metric_has_its_own_comparative(metric: str, words: tuple[str, str]) -> None:
    one = msgspec.structs.replace(comparison(blocks=6, ratio=1.2, lo=1.1), metric=metric)
    told = [verdict_mark(msgspec.structs.replace(one, verdict=verdict)) for verdict in ("slower", "faster", "same")]
    assert [mark.text for mark in told] == [*words, "same"]
    assert [mark.tone for mark in told] == ["worse", "better", "plain"]


@pytest.mark.parametrize(
    ("blocks", "effect", "metric", "needed", "told"),
    [
        (6, 0.10, "wall", 17, "17 for 5%"),
        (6, 0.038, "wall", 57, "57 for 1%"),
        (6, 0.038, "instructions", None, "–"),
        (2, 2541801.0, "wall", None, "–"),
        (6, None, "wall", None, "–"),
        (60, 0.004, "wall", None, "–"),
    ],
)
def test_the_price_of_what_is_unresolved(
    blocks: int, effect: float | None, metric: str, needed: int | None, told: str
) -> None:
    """17: by the formula of paired samples, (t(16, .975) + t(16, .8)) / √17 of what it is for 6 blocks."""
    one = msgspec.structs.replace(comparison(blocks=blocks, ratio=1.0, lo=0.9, effect=effect), metric=metric)
    assert blocks_that_would(one) == needed
    assert price(msgspec.structs.replace(one, blocks_needed=needed)) == told
    decided = msgspec.structs.replace(one, verdict="slower")
    assert (blocks_that_would(decided), price(decided)) == (None, "")


def test_tests_of_a_training_that_failed_are_told_with_the_first_of_their_names() -> None:
    count = Training(key="trained-1", tests=399, failed_tests=19)
    assert untrained(count) == "19 of 399 test files of the training failed or were skipped"
    named = Training(key="trained-1", tests=399, failed_tests=7, failed_names=tuple(f"test_{n}" for n in "abcdefg"))
    assert untrained(named).endswith("were skipped (test_a, test_b, test_c, test_d, test_e and 2 more)")


def test_a_run_of_one_block_gives_its_figures_as_measured_once(tmp_path: Path) -> None:
    """No "unresolved difference": the figure, that it stands alone, and what gives an interval."""
    recorded = RESULTS / "ipc-int_loop"
    shutil.copy(recorded / "run.json.gz", tmp_path)
    header, *lines = gzip.decompress((recorded / "rows.csv.gz").read_bytes()).decode().splitlines(keepends=True)
    (tmp_path / "rows.csv").write_text(header + "".join(line for line in lines if line.startswith("0,")))
    found = analyse(tmp_path)
    verdict, shown = found.verdict, view(found)
    instructions = next(c for c in verdict.comparisons if (c.launcher, c.metric) == ("pyo3", "instructions"))
    assert (instructions.verdict, instructions.reason) == ("unresolved", "measured once (no interval: --blocks 3)")
    assert verdict.sentence.startswith("pyo3 takes 1.2046 times the instructions and ")
    assert "times the wall time of python3, measured once (no interval: --blocks 3)." in verdict.sentence
    assert "unresolved" not in verdict.sentence
    assert verdict.withdrawn == ()
    tables.write(tmp_path, verdict)
    columns = (tmp_path / "summary.csv").read_text().partition("\n")[0].split(",")
    assert tuple(columns) == Comparison.__struct_encode_fields__, "the CSV names its columns as the JSON its fields"
    assert {"chance", "smallest_effect"} <= set(columns), "contracts outlive the names in the code"
    assert "(measured once; --blocks 3 gives an interval)" in shown.headline[0]
    rows = finding.render(tmp_path, found, shown, ()).splitlines()
    row = next(line for line in rows if line.startswith("| pyo3 | instructions | 936") and "1,128" in line)
    assert row.endswith("| 1.205 | once | measured once |")
