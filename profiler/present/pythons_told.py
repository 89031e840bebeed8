"""All CPythons of a machine on a terminal, or as one JSON document: what each is, or what each costs and why."""

from __future__ import annotations

from rich.text import Text

from profiler.model.installed import Pythons
from profiler.present.layout import Marks
from profiler.present.pythons_counted import counted_lines
from profiler.present.pythons_listed import listed
from profiler.present.terminal import MOST_LINES, marks_of
from profiler.present.text import print_answer

_MOST_ROWS = 16
_FEWEST_ROWS = 3


def print_pythons(answer: Pythons, *, as_json: bool, verbose: bool = False) -> None:
    """Write ``answer`` to stdout; ``verbose``: every row, all paths, all evidence.

    Raises:
        MachineError: stdout cannot be written to.
    """
    print_answer(answer, lambda out: lines(answer, out.width, marks_of(out), verbose=verbose), as_json=as_json)


def lines(answer: Pythons, width: int, marks: Marks, *, verbose: bool) -> list[Text]:
    """The answer's lines: at most ``MOST_LINES`` unless ``verbose``, rows being left out, and counted, for that."""
    rows = len(answer.pythons) if verbose else min(_MOST_ROWS, len(answer.pythons))
    told = counted_lines if answer.measured_s is not None else listed
    found = list(told(answer, rows, width, marks, verbose))
    while not verbose and len(found) > MOST_LINES and rows > _FEWEST_ROWS:
        rows -= 1
        found = list(told(answer, rows, width, marks, verbose))
    return found
