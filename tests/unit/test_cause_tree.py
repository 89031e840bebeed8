"""The tree of causes: parts under their whole, and what they leave, adding up on every level."""

from functools import cache
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.analyze.conclude import analyse
from profiler.model import Cause, Unexplained, Verdict
from profiler.present.cause_tree import CauseRow, table, tree
from profiler.present.table import text_of
from tests.recorded import RESULTS


@cache
def analyse_once() -> Verdict:
    return analyse(RESULTS / "variants-int_loop").verdict


def level(rows: tuple[CauseRow, ...], depth: int) -> float:
    return sum(row.share or 0.0 for row in rows if row.depth == depth and row.kind != "place")


@pytest.mark.parametrize("name", ["variants-int_loop", "rebuild/default-int_loop", "rebuild/tls-trixie-int_loop"])
def test_siblings_and_what_they_leave_add_up(name: str) -> None:
    rows = tree(analyse(RESULTS / name).verdict, "pyo3")
    assert level(rows, 0) == pytest.approx(1, abs=1e-3)
    whole = next(row for row in rows if row.cause == "eval-loop-image")
    assert level(rows, 1) == pytest.approx(whole.share, abs=1e-3)
    assert [row.depth for row in rows[:2]] == [0, 1]
    assert all(row.proved for row in rows if row.kind == "cause")


def test_places_come_last_and_are_called_that() -> None:
    rows = tree(analyse(RESULTS / "variants-int_loop").verdict, "pyo3")
    assert [row.name for row in rows if row.kind == "place"] == ["allocator"]
    assert rows[-1].kind == "place"
    shown = table(rows, "x")
    assert shown is not None
    assert text_of(shown.rows[-1][0]) == "allocator (a place)"


def test_without_is_a_measured_pair_and_the_range_is_over_orders() -> None:
    rows = {row.cause: row for row in tree(analyse(RESULTS / "rebuild" / "default-int_loop").verdict, "pyo3")}
    assert rows["plt"].without == pytest.approx(1.1459, abs=1e-4)
    assert (rows["plt"].least, rows["plt"].most) == (pytest.approx(0.268, abs=1e-3), pytest.approx(0.741, abs=1e-3))
    assert rows["pic"].without is None


@settings(deadline=None)
@given(shares=st.lists(st.floats(min_value=0.01, max_value=0.6), min_size=1, max_size=4))
def test_any_planted_shares_add_up_with_the_rest(shares: list[float]) -> None:
    verdict = analyse_once()
    base = next(cause for cause in verdict.causes if cause.status == "confirmed")
    causes = tuple(
        msgspec.structs.replace(base, cause=f"c{at}", share=share, part_of=None) for at, share in enumerate(shares)
    )
    left = Unexplained(share=1 - sum(shares), lo=None, hi=None)
    rows = tree(msgspec.structs.replace(verdict, causes=causes, unexplained=left, unexplained_of={}), "pyo3")
    assert level(rows, 0) == pytest.approx(1, abs=1e-3)
    ends = [(row.start, row.start + (row.share or 0.0)) for row in rows]
    for (_, end), (start, _) in pairwise(ends):
        assert start == pytest.approx(end, abs=1e-9) or 1 - sum(shares) < 0


def test_nothing_confirmed_is_no_tree() -> None:
    verdict = analyse_once()
    none: tuple[Cause, ...] = tuple(msgspec.structs.replace(one, status="refuted") for one in verdict.causes)
    assert tree(msgspec.structs.replace(verdict, causes=none), "pyo3") == ()
    assert table((), "x") is None
