"""Tables: figures are never cut on terminals of any width, words may be broken, and no footnote is told twice."""

import io

import pytest
from rich.console import Console
from rich.table import Table as RichTable

from profiler.present.markdown import to_markdown
from profiler.present.table import Bar, Mark, Table, columns, filled, footnoted
from profiler.present.text import to_rich

TABLE = Table(
    title="combinations",
    columns=(*columns("word", "launcher"), *columns("figure", *(f"metric {number}" for number in range(6)))),
    rows=tuple((f"pyo3@no-pgo,lto,shared,{name}", *(f"{number}.2345678" for number in range(6))) for name in "ab"),
    notes=("measured",),
)
DRAWN = Table(
    title="steps [of all]",
    columns=(*columns("word", "step"), *columns("verdict", "verdict"), *columns("bar", "")),
    rows=(("a | b", Mark(text="slower", tone="worse"), Bar(start=0.0, end=0.5)),),
    notes=("each [once]",),
)


def shown(table: Table, width: int) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width)
    for part in to_rich(table, width):
        assert console.measure(part).minimum <= width
        console.print(part)
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 400])
def test_every_figure_is_shown_whole_beside_its_launcher(width: int) -> None:
    parts = [part for part in to_rich(TABLE, width) if isinstance(part, RichTable)]
    text = shown(TABLE, width)
    assert "…" not in text
    for number in range(6):
        assert text.count(f"{number}.2345678") == 2
    assert text.count("measured") == 1
    assert (len(parts) == 1) == (width >= 120), "split where it does not fit, and only there"
    assert sum(len(part.columns) - 1 for part in parts) == 6


def test_rows_keep_their_first_column_where_a_table_is_split_and_notes_have_the_whole_width() -> None:
    rows = ((f"{10**6:,}", "1,076.6 [1042.2, 1110.9]", "1,270.2 [1218.7, 1363.6]", "PASS"),)
    table = Table(title="t", columns=columns("figure", "M", "a", "b", "bit-exact"), rows=rows, notes=("n " * 20,))
    text = shown(table, 60)
    assert text.count("1,000,000") == 2
    assert "n " * 20 in text


def test_a_drawing_stands_where_there_is_room_and_goes_first() -> None:
    text = shown(DRAWN, 80)
    assert "████████ " in text
    assert "████████" * 2 not in text
    assert {"steps [of all]", "each [once]"} <= {line.strip() for line in text.splitlines()}
    narrow = shown(DRAWN, 30)
    assert "█" not in narrow
    assert "slower" in narrow


def test_the_colour_is_the_terminals_and_follows_the_tone() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system="standard")
    console.print(*to_rich(DRAWN, 80))
    assert "\x1b[31mslower" in out.getvalue()


def test_markdown_has_the_cells_without_drawings_and_escapes_what_parts_them() -> None:
    assert list(to_markdown(DRAWN, heading="###")) == [
        "### steps [of all]",
        "",
        "| step | verdict |",
        "|---|---|",
        "| a \\| b | slower |",
        "",
        "each [once].",
        "",
    ]
    assert next(iter(to_markdown(TABLE, heading=""))).startswith("| launcher | metric 0 |")
    assert list(to_markdown(TABLE, heading=""))[1] == "|---|---:|---:|---:|---:|---:|---:|"


def noted(*notes: str) -> Table:
    return Table(title="", columns=(), rows=(), notes=notes)


def test_a_note_stands_once_under_the_last_table_that_has_it() -> None:
    found = footnoted((noted("a", "b"), noted("b", "c"), noted("c", "d")), {"d"})
    assert [table.notes for table in found] == [("a",), ("b",), ("c",)]


def test_a_column_in_which_nothing_stands_goes() -> None:
    table = Table(title="", columns=columns("word", "a", "b", "c"), rows=(("1", "", "–"), ("2", "", "")), notes=())
    assert [column.title for column in filled(table).columns] == ["a", "c"]
    assert filled(table).rows == (("1", "–"), ("2", ""))
