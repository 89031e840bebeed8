"""Statements as tables and in a sentence: what each costs on either side, and what that says of the claim."""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.numbers import digits, told, value
from profiler.analyze.statement_wording import statement_sentence
from profiler.model import BASELINE, Verdict
from profiler.model.statement_costs import StatementClaim, StatementCost, StatementCosts
from profiler.model.verdict import part
from profiler.present.section import Section
from profiler.present.table import UNKNOWN, Cell, Mark, Table, columns
from profiler.present.whom import drilled

_MOST = 8
"""Rows at either end that a terminal has room for."""
_QUARTERS = ("lower quartile", "median", "upper quartile")


def tables(verdict: Verdict) -> Iterator[Table]:
    """Of the launcher that was asked about first; nothing where the run did no statements."""
    found, names = part(verdict, StatementCosts), drilled(verdict)
    if found is not None and of_launcher(found, names[0]):
        yield statement_table(found, names[0], _MOST)


def sections(verdict: Verdict) -> Iterator[Section]:
    """All statements of all launchers."""
    found = part(verdict, StatementCosts)
    for name in drilled(verdict) if found is not None else ():
        assert found is not None
        if of_launcher(found, name):
            yield Section(title=f"Every statement in {name}", tables=(statement_table(found, name, None),))


def of_launcher(found: StatementCosts, launcher: str) -> list[StatementCost]:
    """Its rows, the dearest first; at the end those without a ratio."""
    own = [row for row in found.statements if row.launcher == launcher]
    return sorted(own, key=lambda row: (row.ratio is None, -(row.ratio or 0.0)))


def statement_table(found: StatementCosts, launcher: str, most: int | None) -> Table:
    """A row for each statement, of which ``most`` of the dearest and of the cheapest; then the quartiles."""
    rows = of_launcher(found, launcher)
    claim = next(claim for claim in found.statement_claims if claim.launcher == launcher)
    cut = most is not None and len(rows) > 2 * most + 1
    shown: list[tuple[Cell, ...]] = [_row(row, claim) for row in (rows[:most] if cut else rows)]
    if cut and most is not None:
        shown.append((f"{len(rows) - 2 * most} between", "", "", "", "", ""))
        shown += [_row(row, claim) for row in rows[-most:]]
    if claim.quartiles is not None:
        shown += [
            (name, "", "", digits(ratio), "", _inside(ratio, claim))
            for name, ratio in zip(reversed(_QUARTERS), reversed(claim.quartiles), strict=True)
        ]
    unit = "instructions" if claim.metric == "instructions" else "CPU time"
    return Table(
        title=f"{unit} per execution of a statement in {launcher}",
        columns=(
            *columns("name", f"statement in {launcher}"),
            *columns("figure", BASELINE, "here"),
            *columns("ratio", f"÷ {BASELINE}"),
            *columns("interval", ""),
            *columns("verdict", f"{claim.low:.2f} – {claim.high:.2f}"),
        ),
        rows=tuple(shown),
        notes=(
            "statements, not opcodes: each repeated in a loop few times and many, the difference by how often; beside "
            "the ratio its range over heap phases; exact: the same in all",
        ),
    )


def _row(row: StatementCost, claim: StatementClaim) -> tuple[Cell, ...]:
    ratio = told(row.ratio, row.lo, row.hi, exact=row.metric == "instructions")
    return (
        as_line(row.statement),
        UNKNOWN if row.baseline_value is None else value(row.metric, row.baseline_value),
        UNKNOWN if row.value is None else value(row.metric, row.value),
        ratio.ratio,
        ratio.spread,
        _inside(row.ratio, claim),
    )


def _inside(ratio: float | None, claim: StatementClaim) -> Cell:
    return Mark(text="inside", tone="plain") if ratio is not None and claim.low <= ratio <= claim.high else ""


def as_line(statement: str) -> str:
    """On one line: ``for y in t: pass``."""
    return statement.replace(":\n    ", ": ").replace("\n", "; ")


def sentences(verdict: Verdict) -> list[str]:
    """What the statements say of the claim, of the launcher that was asked about first."""
    found, names = part(verdict, StatementCosts), drilled(verdict)
    if found is None:
        return []
    return [statement_sentence(claim, BASELINE) for claim in found.statement_claims if claim.launcher == names[0]]
