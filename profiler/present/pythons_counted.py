"""What ``pythons --measure`` counted: a ranking, and the difference that explains each place in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from profiler.analyze import numbers
from profiler.analyze.siblings import SAME, minor_of
from profiler.model.installed import InstalledPython, Pythons
from profiler.present.layout import Marks, lay_out
from profiler.present.pythons_listed import (
    NOT_FOUND,
    evidence,
    facts_table,
    left_out,
    names_of,
    trouble,
    where_from,
    why,
)
from profiler.present.table import UNKNOWN, Cell, Column, Mark, Table, columns
from profiler.present.terminal import fact, headline


def counted_lines(answer: Pythons, most: int, width: int, marks: Marks, verbose: bool) -> Iterator[Text]:
    """The ranking, cheapest of each minor version first, in at most ``most`` rows; then why each is dearer."""
    order = sorted(answer.pythons, key=_by_cost)
    shown = order[:most]
    yield from headline(_costs(answer), width, marks)
    if shown:
        yield Text()
        yield from lay_out(_cost_table(shown, answer.pythons), width, marks)
    yield Text()
    yield from left_out(answer, shown, width, marks)
    untold: dict[str, None] = {}
    names = names_of(answer.pythons)
    for python in shown:
        if _slower(python):
            yield from fact(python.version or "?", f"{names[python.file.real_path]}: {why(python)}", width, marks)
            untold |= dict.fromkeys(python.not_told)
        reasons = dict.fromkeys(count.reason for count in python.counts if count.reason)
        for reason in reasons:
            text = f"{names[python.file.real_path]} was not counted: {reason}"
            yield from fact(python.version or "?", text, width, marks, None if verbose else 1)
    if untold:
        yield from fact("Not told", f"by some of these files: {', '.join(untold)}", width, marks)
    yield from fact(
        "Seen",
        "in the files, not proved: tax-probe rebuild takes an option away. Exact at one placement of the heap; another "
        "one moves a count by up to 2 %.",
        width,
        marks,
    )
    yield from trouble(answer, width, marks, verbose)
    if verbose:
        yield from lay_out(facts_table(answer.pythons, answer.pythons), width, marks)
        yield from evidence(answer)
    yield from fact("Took", f"{answer.measured_s:.0f} s, seed {answer.seed}", width, marks)
    yield from fact("Next", "tax-probe rebuild", width, marks)
    yield from fact("", "proves by building which option it is", width, marks)


def _costs(answer: Pythons) -> tuple[str, ...]:
    """The largest difference between siblings, and how many there are."""
    ratios = [
        (count.ratio, python, count.workload)
        for python in answer.pythons
        for count in python.counts
        if count.ratio is not None
    ]
    counted = {id(python) for _, python, _ in ratios}
    if not counted:
        return ("None of the CPythons could be counted.",) if answer.pythons else (NOT_FOUND,)
    said = f"{len(counted)} of {len(answer.pythons)} CPythons counted."
    names = names_of(answer.pythons)
    ratio, slowest, workload = max(ratios, key=lambda found: found[0])
    if ratio <= 1 + SAME:
        return (said, "None needs more instructions than another one of its minor version.")
    fastest = next(count.fastest for count in slowest.counts if count.workload == workload)
    other = next(other for other in answer.pythons if other.file.real_path == fastest)
    slow, fast = (f"{each.version} {names[each.file.real_path]} ({each.origin})" for each in (slowest, other))
    return (f"On {workload} {slow} needs {numbers.digits(ratio)} times the instructions of {fast}.", said)


def _cost_table(shown: Sequence[InstalledPython], pythons: Sequence[InstalledPython]) -> Table:
    names = names_of(pythons)
    works = list(dict.fromkeys(count.workload for python in shown for count in python.counts))
    heads = [
        column
        for work in works
        for column in (
            Column(title=work, kind="figure"),
            Column(title="÷ fastest", kind="ratio"),
            Column(title="", kind="interval"),
        )
    ]
    return Table(
        title="",
        columns=(*columns("name", "instructions"), *columns("verdict", "from"), *heads),
        rows=tuple(
            (
                f"{python.version or '?'} {names[python.file.real_path]}",
                where_from(python),
                *(cell for work in works for cell in _cost(python, work, pythons)),
            )
            for python in shown
        ),
    )


def _cost(python: InstalledPython, work: str, pythons: Sequence[InstalledPython]) -> tuple[Cell, ...]:
    count = next((count for count in python.counts if count.workload == work), None)
    if count is None or count.instructions is None:
        return UNKNOWN, "", ""
    figure = numbers.value("instructions", count.instructions)
    alone = sum(minor_of(other) == minor_of(python) and any(c.ratio for c in other.counts) for other in pythons) < 2
    if count.ratio is None or alone:
        return figure, "", Mark(text="alone", tone="faint")
    ratio, spread = numbers.pair(count.ratio, count.ratio, count.ratio, exact=True)
    return figure, ratio, spread


def _slower(python: InstalledPython) -> bool:
    return any(count.ratio is not None and count.ratio > 1 + SAME for count in python.counts)


def _by_cost(python: InstalledPython) -> tuple[bool, tuple[int, ...], float]:
    """Within a minor version the fastest first; last those without a count."""
    minor = tuple(int(part) for part in (minor_of(python) or "0").split("."))
    ratios = [count.ratio for count in python.counts if count.ratio is not None]
    return not ratios, minor, ratios[0] if ratios else 0.0


# ---------------------------------------------------------------- both
