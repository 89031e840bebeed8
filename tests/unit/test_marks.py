"""Rows that cannot be damaged unseen: whatever happens to a file of rows is told, or changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.analyze.rows import DAMAGED, LINES, read_all
from profiler.errors import UsageError
from profiler.folder import ROWS, RowWriter, done_steps
from profiler.folder.marks import MARK, intact, with_mark
from profiler.model import Row
from tests.unit.test_folder import row

TRIES = 1000
APPENDS = 6
ROWS_EACH = 5


def append_of(position: int) -> list[Row]:
    return [row(position, value=1000.5 + position + at, event=f"event-{at}") for at in range(ROWS_EACH)]


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    writer = RowWriter(tmp_path)
    for position in range(APPENDS):
        writer.append(append_of(position))
    writer.sync()
    assert writer.lines == APPENDS * ROWS_EACH
    return (tmp_path / ROWS).read_bytes()


def flipped(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1 :]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


@pytest.mark.parametrize("damage", [flipped, cut])
def test_what_is_damaged_is_told_or_changes_no_figure(
    whole: bytes, tmp_path: Path, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    sound, header = set(whole.split(b"\n")), whole[: whole.index(b"\n") + 1]
    rng = random.Random(1)
    for _ in range(TRIES):
        data = damage(whole, rng)
        found = intact(data)
        if found.marked and data.startswith(header):
            assert set(found.data.split(b"\n")) <= sound, "no line is another one"
            assert found.dropped or found.data.count(b"\n") < whole.count(b"\n") or found.data == whole
        else:
            (tmp_path / ROWS).write_bytes(data)
            with pytest.raises(UsageError):
                read_all(tmp_path)


@pytest.mark.parametrize("damage", [flipped, cut])
def test_what_is_damaged_is_measured_again_and_nothing_twice(
    whole: bytes, tmp_path: Path, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    rng = random.Random(2)
    for _ in range(TRIES // 10):
        data = damage(whole, rng)
        if not data.startswith(whole[: whole.index(b"\n") + 1]):
            continue
        (tmp_path / ROWS).write_bytes(data)
        writer = RowWriter(tmp_path)
        done = {step.position for step in done_steps(tmp_path)}
        lost = set(range(APPENDS)) - done
        assert writer.dropped or data.endswith(b"\n"), "a torn line is counted"
        for position in sorted(lost):
            writer.append(append_of(position))
        again = (tmp_path / ROWS).read_bytes()
        assert sorted(again.split(b"\n")) == sorted(whole.split(b"\n"))


def test_a_reader_tells_how_much_is_left_out(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / ROWS).write_bytes(whole.replace(b"1002.5", b"1003.5"))
    frame = read_all(tmp_path)
    assert MARK not in frame
    assert (frame.attrs[DAMAGED], frame.attrs[LINES]) == (3 * ROWS_EACH, (APPENDS - 3) * ROWS_EACH)
    assert 1003.5 not in set(frame["value"]) - {1000.5 + 3}


def test_a_mark_counts_its_lines_and_sums_them_up() -> None:
    marked = with_mark(b"a,1,\nb,2,\n")
    assert marked.startswith(b"a,1,\nb,2,2-")
    found = intact(b"x,y," + MARK.encode() + b"\n" + marked)
    assert (found.marked, found.dropped) == (True, 0)
    assert found.data.endswith(marked)


@pytest.mark.parametrize(
    ("damage", "kept", "dropped"),
    [
        (lambda one, two: one[:-1] + b"0\n" + two, b"two", 2),
        (lambda one, two: one.replace(b"a", b"b") + two, b"two", 2),
        (lambda one, two: one.replace(b"\n", b" ", 1) + two, b"two", 1),
        (lambda one, two: b"stray,0,\n" + one + two, b"one two", 1),
        (lambda one, two: one[one.index(b"\n") + 1 :] + two, b"two", 1),
        (lambda one, two: one + two[:-3], b"one", 2),
        (lambda one, two: one + two + b"torn", b"one two", 1),
    ],
)
def test_lines_without_a_mark_of_their_own_take_no_others_along(
    damage: Callable[[bytes, bytes], bytes], kept: bytes, dropped: int
) -> None:
    header = b"x,y," + MARK.encode() + b"\n"
    one, two = with_mark(b"a,1,\na,2,\n"), with_mark(b"c,3,\nc,4,\n")
    found = intact(header + damage(one, two))
    named = b" ".join(name for name, part in ((b"one", one), (b"two", two)) if part in found.data)
    assert (named, found.dropped) == (kept, dropped)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_left_out(data: bytes) -> None:
    found = intact(b"x," + MARK.encode() + b"\n" + data)
    assert found.data.count(b"\n") - 1 + found.dropped == data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    assert intact(data).dropped in (0, 1) or data.startswith(b"x,")


def test_a_column_that_nobody_knows_is_refused(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / ROWS).write_bytes(whole.replace(b"placement", b"placemend", 1))
    for opened in (read_all, RowWriter):
        with pytest.raises(UsageError, match="'placemend'"):
            opened(tmp_path)
