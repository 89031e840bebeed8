"""Plan and resume as a state machine: whatever happens to the rows between sessions, every process is done once."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from profiler.folder import ROWS, RowWriter, compress, done_steps
from profiler.model import Row, Step
from tests.builders import whole_row

BLOCKS, POSITIONS, ROWS_EACH = 3, 3, 4
PLAN = [
    Step(block=block, position=position, pass_name="p", launcher='a,"b', m=5, repetition=0)
    for block in range(BLOCKS)
    for position in range(POSITIONS)
]


def rows_of(step: Step) -> list[Row]:
    return [
        whole_row(
            block=step.block,
            position=step.position,
            pass_name=step.pass_name,
            launcher=step.launcher,
            m=step.m,
            repetition=step.repetition,
            event=f"event-{number}",
            value=1000.0 * step.block + 100 * step.position + number,
            reason='a, "quoted" reason',
        )
        for number in range(ROWS_EACH)
    ]


class Sessions(RuleBasedStateMachine):
    """Sessions append what is not done; between them a power cut, a copy or a stranger damages the file."""

    def __init__(self) -> None:
        super().__init__()
        self._held = tempfile.TemporaryDirectory()
        self.folder = Path(self._held.name)
        self.writer = RowWriter(self.folder)
        self.done = done_steps(self.folder)

    def teardown(self) -> None:
        self._held.cleanup()

    def resume(self) -> None:
        """As ``--resume`` does; what was whole stays as it was."""
        self.writer = RowWriter(self.folder)
        self.done = done_steps(self.folder)

    @precondition(lambda self: len(self.done) < len(PLAN))
    @rule()
    def one_process(self) -> None:
        step = next(step for step in PLAN if step not in self.done)
        self.writer.append(rows_of(step))
        self.done.add(step)

    @precondition(lambda self: len(self.done) < len(PLAN) - 1)
    @rule()
    def a_block_of_chunks(self) -> None:
        two = [step for step in PLAN if step not in self.done][:2]
        self.writer.append([row for step in two for row in rows_of(step)])
        self.done.update(two)

    @rule()
    def killed_and_resumed(self) -> None:
        before = set(self.done)
        self.resume()
        assert self.done == before, "what was acknowledged is there"
        assert self.writer.dropped == 0

    @rule(part=st.floats(0, 1))
    def cut(self, part: float) -> None:
        path = self.folder / ROWS
        data = path.read_bytes()
        path.write_bytes(data[: int(part * len(data))])
        before = set(self.done)
        self.resume()
        assert self.done <= before

    @rule(part=st.floats(0, 0.999), flip=st.integers(1, 255))
    def flipped(self, part: float, flip: int) -> None:
        path = self.folder / ROWS
        data = bytearray(path.read_bytes())
        at = data.index(b"\n") + 1 + int(part * (len(data) - data.index(b"\n") - 1))
        if at < len(data):
            data[at] ^= flip
            path.write_bytes(data)
            before = set(self.done)
            self.resume()
            assert self.done <= before
            assert self.writer.dropped, "told"

    @rule()
    def kept_compressed(self) -> None:
        before = set(self.done)
        compress(self.folder)
        self.resume()
        assert self.done == before

    @invariant()
    def each_process_is_there_once_and_whole(self) -> None:
        lines = (self.folder / ROWS).read_text().splitlines()[1:]
        expected = sorted(cells(row) for step in self.done for row in rows_of(step))
        assert sorted(line.rpartition(",")[0] for line in lines) == expected
        assert self.writer.lines == len(lines)


@cache
def cells(row: Row) -> str:
    """As it is written, without its mark."""
    with tempfile.TemporaryDirectory() as name:
        RowWriter(Path(name)).append([row])
        return (Path(name) / ROWS).read_text().splitlines()[1].rpartition(",")[0]


Sessions.TestCase.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSessions = Sessions.TestCase
