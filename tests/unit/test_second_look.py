"""Counters that lie, planted one by one: what is impossible is refused, what is odd is believed if it comes twice."""

from collections.abc import Sequence

import pytest

from profiler.catalogue.caveats import COUNTERS_LIED
from profiler.catalogue.events import QUEUED
from profiler.collect.checker import Checker
from profiler.collect.live import Chunk
from profiler.collect.recording import Measured, rows_of
from profiler.collect.second_look import SecondLook
from profiler.model import Reading, Step, Whole, Workload
from tests.builders import launcher

HOST = launcher("pyo3")
WORKLOAD = Workload(name="w", path="w.py", counts_m=(1, 2), timed_m=(1_000, 3_000))
SECOND = 1e9
Figures = dict[str, float | None]
TRUE: Figures = {"instructions": 5e7, "cycles": 2e7, "task-clock": 0.02 * SECOND, "wall": 0.021 * SECOND}
MULTIPLEXED = "multiplexed: ran 41.5 % of the time; rejected"


def measured(step: Step, figures: Figures) -> Measured:
    pass_ = Whole(
        name=step.pass_name, events=tuple(figures), m=(1_000, 3_000), exclusive=True, repetitions=1, blocks=(0, None)
    )
    found = [
        Reading(
            event=event,
            value=value,
            unit="",
            enabled_ns=None,
            running_ns=7,
            source="hardware",
            raw_name=event,
            reason=None if value is not None else MULTIPLEXED,
        )
        for event, value in figures.items()
    ]
    rows = rows_of(pass_, WORKLOAD, step, found, exit_code=0, printed=b"1\n", placement=None)
    return Measured(steps=(step,), rows=tuple(rows))


class Session:
    """One session whose processes give, in turn, what a test says."""

    def __init__(self) -> None:
        self.checker = Checker(60.0, launcher("python3"))
        self.look = SecondLook(self.checker)
        self.position = 0

    def run(self, *figures: Figures, of: str = "hardware-1", m: int = 1_000) -> Measured:
        """One step, whose process gives the first of ``figures`` and, measured again, the second; none may be left."""
        self.position += 1
        step = Step(block=0, position=self.position, pass_name=of, launcher="pyo3", m=m, repetition=0)
        left = list(figures)
        kept = self.look.process(HOST, step, lambda: measured(step, left.pop(0)))
        assert left == []
        return kept

    @property
    def said(self) -> str:
        assert {code for code, _ in self.checker.caveats} <= {COUNTERS_LIED.code}
        return " ".join(caveat.message for caveat in self.checker.caveats.values())


def figures(kept: Measured) -> Figures:
    return {row.event: row.value for row in kept.rows}


@pytest.fixture
def session() -> Session:
    return Session()


def test_figures_that_agree_are_measured_once(session: Session) -> None:
    for pass_name in ("hardware-1", "hardware-2"):
        assert figures(session.run(TRUE, of=pass_name)) == TRUE
    assert session.said == ""


def test_another_user_of_the_pmu_is_waited_out(session: Session) -> None:
    kept = session.run(TRUE | {"cycles": None}, TRUE)
    assert figures(kept) == TRUE
    assert "pyo3: of its processes and chunks 1 lost their counters to another user of the PMU and was measured" in (
        session.said
    )


def test_counters_that_stay_away_are_refused_and_soon_not_asked_twice(session: Session) -> None:
    for _ in range(3):
        kept = session.run(TRUE | {"cycles": None}, TRUE | {"cycles": None})
        assert figures(kept)["cycles"] is None
    assert figures(session.run(TRUE | {"cycles": None})) == TRUE | {"cycles": None}
    assert "4 lost their counters to another user of the PMU and were refused" in session.said


def test_what_is_odd_is_measured_again_however_often_counters_were_refused(session: Session) -> None:
    session.run(TRUE)
    for _ in range(3):
        session.run(TRUE | {"cycles": None}, TRUE | {"cycles": None})
    assert figures(session.run(TRUE | {"wall": 8 * SECOND}, TRUE)) == TRUE
    assert figures(session.run(TRUE | {"instructions": 4.1e7}, TRUE)) == TRUE


def test_a_whole_process_that_is_odd_is_kept_before_one_without_counts(session: Session) -> None:
    stopped = TRUE | {"wall": 8 * SECOND}
    assert figures(session.run(stopped, TRUE | {"cycles": None})) == stopped
    assert session.said == ""


@pytest.mark.parametrize("event", ["instructions", "cycles"])
def test_a_dead_counter_is_no_figure(session: Session, event: str) -> None:
    assert figures(session.run(TRUE | {event: 0.0}, TRUE)) == TRUE
    kept = session.run(TRUE | {event: 0.0}, TRUE | {event: 0.0})
    assert figures(kept) == TRUE | {event: None}
    assert {row.reason for row in kept.rows if row.value is None} == {
        f"0 {event} of a process that ran: a dead counter; rejected"
    }
    assert "1 had a counter that counted nothing and was measured again" in session.said
    assert "1 had a counter that counted nothing and was refused" in session.said


def test_none_of_what_may_be_none_is_a_figure(session: Session) -> None:
    assert figures(session.run(TRUE | {"itlb-misses": 0.0}))["itlb-misses"] == 0.0
    assert session.said == ""


def test_a_count_that_fails_its_anchor_is_measured_again(session: Session) -> None:
    session.run(TRUE)
    kept = session.run(TRUE | {"instructions": 4.1e7}, TRUE | {"instructions": 5.002e7}, of="hardware-2")
    assert figures(kept)["instructions"] == 5.002e7
    assert "1 counted other instructions than the same work before and was measured again" in session.said


def test_work_that_is_uneven_is_believed_when_it_is_so_twice(session: Session) -> None:
    session.run(TRUE)
    kept = session.run(TRUE | {"instructions": 4.1e7}, TRUE | {"instructions": 6e7}, of="hardware-2")
    assert figures(kept)["instructions"] == 4.1e7
    assert figures(session.run(TRUE | {"instructions": 7e7}, of="hardware-3"))["instructions"] == 7e7
    assert session.said == ""


def test_another_m_is_another_anchor(session: Session) -> None:
    session.run(TRUE)
    assert figures(session.run(TRUE | {"instructions": 9e7}, m=3_000))["instructions"] == 9e7


def test_a_process_that_was_stopped_is_measured_again(session: Session) -> None:
    kept = session.run(TRUE | {"wall": 8 * SECOND}, TRUE)
    assert figures(kept) == TRUE
    assert "1 stood still for half a second or longer and was measured again" in session.said


def test_work_that_sleeps_is_believed_and_not_doubted_again(session: Session) -> None:
    sleeping = TRUE | {"wall": 3 * SECOND}
    assert figures(session.run(sleeping, sleeping)) == sleeping
    assert figures(session.run(sleeping)) == sleeping
    assert session.said == ""
    assert figures(session.run(TRUE | {"wall": 11 * SECOND}, sleeping)) == sleeping
    assert "1 stood still" in session.said


def test_waiting_for_a_cpu_is_no_standing_still(session: Session) -> None:
    waited = TRUE | {"wall": 3 * SECOND, QUEUED: 2.9 * SECOND}
    assert figures(session.run(waited)) == waited


def chunks(walls_s: Sequence[float]) -> list[Chunk]:
    return [
        Chunk(
            wall_ns=int(wall_s * SECOND),
            cpu_ns=int(0.02 * SECOND),
            counts=(),
            enabled_ns=None,
            running_ns=None,
            text="1",
            placement=None,
        )
        for wall_s in walls_s
    ]


def test_a_chunk_in_which_its_process_was_stopped_is_done_again(session: Session) -> None:
    left = chunks([0.02, 8.0, 0.021])
    kept = [session.look.chunk(HOST, "w", 1_000, lambda: left.pop(0)).wall_ns / SECOND for _ in range(2)]
    assert kept == [0.02, 0.021]
    assert left == []
    assert "1 stood still for half a second or longer and was measured again" in session.said


def test_chunks_that_sleep_are_believed(session: Session) -> None:
    left = chunks([2.0, 2.1, 2.0])
    kept = [session.look.chunk(HOST, "w", 1_000, lambda: left.pop(0)).wall_ns / SECOND for _ in range(2)]
    assert kept == [2.0, 2.0]
    assert session.said == ""
