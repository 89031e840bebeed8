"""Tables on terminals of any width: figures are never cut, words may be broken."""

import io

import pytest
from rich.console import Console

from profiler.present.grid import Grid, to_rich

GRID = Grid(
    title="combinations",
    columns=("launcher", *(f"metric {number}" for number in range(6))),
    text=frozenset({0}),
    rows=tuple((f"pyo3@no-pgo,lto,shared,{name}", *(f"{number}.2345678" for number in range(6))) for name in "ab"),
    note="measured",
)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 400])
def test_every_figure_is_shown_whole_beside_its_launcher(width: int) -> None:
    tables = to_rich(GRID, width)
    shown = io.StringIO()
    console = Console(file=shown, width=width)
    for table in tables:
        assert console.measure(table).minimum <= width
        console.print(table)
    text = shown.getvalue()
    assert "…" not in text
    for number in range(6):
        assert text.count(f"{number}.2345678") == 2
    assert text.count("measured") == 1
    assert (len(tables) == 1) == (width >= 120), "split where it does not fit, and only there"
    assert sum(len(table.columns) - 1 for table in tables) == 6
