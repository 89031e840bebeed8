"""Figures as people read them."""

import pytest

from profiler.present.words import amount


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("startup-wall", 17_805_008.6, "17.81 ms"),
        ("startup-instructions", 58_884_743.2, "58.88 M"),
        ("task-clock", 68.42, "68.42 ns"),
        ("instructions", 1128.0, "1,128.00"),
        ("instructions", None, "–"),
        ("wall", None, "–"),
    ],
)
def test_a_figure_stands_with_its_unit(metric: str, value: float | None, shown: str) -> None:
    assert amount(metric, value) == shown
