"""Tables on terminals of any width: figures first and whole, drawings and the middle of names where there is room."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.analyze.conclude import analyse
from profiler.present import terminal
from profiler.present.layout import ASCII, UNICODE, lay_out, shortened
from profiler.present.table import Axis, Bar, Cell, Column, Lane, Mark, Table, columns
from profiler.present.view import view
from tests.recorded import RESULTS

AXIS = Axis(lo=0.9, hi=1.3, ticks=((1.0, "1.0"), (1.2, "1.2")), one=1.0)


def table(*rows: tuple[Cell, ...], groups: bool = True) -> Table:
    return Table(
        title="t",
        columns=(
            *columns("name", "per iteration", ""),
            Column(title="python3", kind="figure", spare=True),
            *columns("ratio", "÷ python3"),
            *columns("interval", ""),
            Column(title="", kind="lane", axis=AXIS),
            *columns("verdict", ""),
        ),
        rows=rows,
        groups=groups,
    )


def row(name: str = "pyo3", metric: str = "instructions") -> tuple[Cell, ...]:
    lane = Lane(value=1.2, lo=1.1, hi=1.25, tone="worse")
    return name, metric, "936.4", "1.205", "± 0.046", lane, Mark(text="slower", tone="worse")


def drawn(found: Table, width: int, marks: object = UNICODE) -> list[str]:
    return [line.plain for line in lay_out(found, width, UNICODE if marks is UNICODE else ASCII)]


def test_a_lane_has_its_interval_the_one_and_its_ticks() -> None:
    heading, line = drawn(table(row()), 80)
    assert heading.index("1.0") < heading.index("1.2")
    assert "┊" in line
    assert line.index("┊") < line.index("├") < line.index("●") < line.index("┤")
    assert line.startswith("pyo3  instructions    936.4  1.205 ± 0.046  ")


def test_what_goes_first_where_there_is_no_room() -> None:
    assert "●" not in drawn(table(row()), 52)[1]
    assert "936.4" in drawn(table(row()), 52)[1]
    assert "936.4" not in drawn(table(row()), 42)[1]
    assert "1.205 ± 0.046" in drawn(table(row()), 42)[1]


def test_a_long_name_has_a_line_of_its_own() -> None:
    lines = drawn(table(row("a-host-with-a-very-long-name"), row("", "wall time")), 60)
    assert lines[1] == "a-host-with-a-very-long-name"
    assert lines[2].startswith("  instructions")


def test_in_ascii_signs_are_spelled_out() -> None:
    lines = drawn(table(row()), 80, ASCII)
    assert all(line.isascii() for line in lines)
    assert "1.205 +/- 0.046" in lines[1]
    assert lines[1].index("[") < lines[1].index("o", 40) < lines[1].index("]")


def test_a_bar_begins_where_its_siblings_end() -> None:
    found = Table(
        title="t", columns=(*columns("name", "why"), Column(title="", kind="bar"), *columns("share", "share")),
        rows=(("a", Bar(start=0.0, end=0.5), "50.0 %"), ("b", Bar(start=0.5, end=1.0), "50.0 %")),
    )  # fmt: skip
    _, first, second = drawn(found, 40)
    assert first.rindex("█") + 1 == second.index("█")


def test_names_are_shortened_in_the_middle() -> None:
    assert shortened("abcdefghij", 7) == "abc…hij"
    assert shortened("abc", 7) == "abc"


@given(
    names=st.lists(st.text(alphabet="abcdefg+-@,~", min_size=1, max_size=90), min_size=1, max_size=5),
    width=st.integers(min_value=48, max_value=220),
)
def test_no_line_is_wider_and_no_figure_is_lost(names: list[str], width: int) -> None:
    found = table(*(row(name) for name in names))
    lines = drawn(found, width)
    assert max(map(len, lines)) <= width
    assert sum("1.205 ± 0.046" in line for line in lines) == len(names)


@pytest.mark.parametrize(("rows", "cut"), [(4, False), (30, True)])
def test_an_answer_has_at_most_forty_lines_and_says_what_it_leaves_out(rows: int, *, cut: bool) -> None:
    shown = view(analyse(RESULTS / "ipc-int_loop"))
    last = msgspec.structs.replace(shown.tables[-1], rows=shown.tables[-1].rows[:1] * rows, notes=())
    shown = msgspec.structs.replace(shown, tables=(*shown.tables[:-1], last))
    told, whole = (
        [line.plain for line in terminal.lines(shown, Path("DIR"), 80, UNICODE, verbose=verbose)]
        for verbose in (False, True)
    )
    assert len(told) <= terminal.MOST_LINES
    assert any("more lines (-v)" in line for line in told) == cut
    assert sum(line.startswith("cycles  ") for line in whole) == rows
    assert told[-2].startswith("Next")
