"""What each statement costs, from loops that repeat it few times and many; and what the claim is worth.

With ``c(k, M)`` what M iterations of a loop take whose body has the statement k times, an execution costs
``(c(K, M) − c(K, m) − c(k, M) + c(k, m)) ÷ ((K − k) (M − m))``: the start-up cancels over M, the loop itself over k.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import quantiles
from typing import TYPE_CHECKING, Literal

from profiler.analyze.profile.opcode_costs import CLAIMED
from profiler.analyze.statement_wording import statement_sentence
from profiler.catalogue.statement_list import FORM
from profiler.model import REGIONS, Launcher, Roles, Workload
from profiler.model.statement_costs import StatementClaim, StatementCost

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["instructions", "task-clock"]
_CELL = ["block", "phase"]


def all_at_once(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the loop that does every statement once, on which the comparisons stand."""
    return frame[frame["m"] < FORM]


def statement_costs(frame: pd.DataFrame, workload: Workload, roles: Roles, names: tuple[str, ...]) -> Iterator[
    StatementCost
]:  # fmt: skip
    """Of each launcher in ``names``, each statement in the order of the list.

    Args:
        frame: the measured rows of all forms.
        workload: its arguments are how often the two loops repeat a statement, and the statements.
        names: launchers that are compared with the baseline.
    """
    metric: Unit = (
        "instructions" if frame.loc[frame["event"] == "instructions", "value"].notna().any() else "task-clock"
    )
    costs = _costs(frame[frame["event"] == metric], workload)
    pair = [name for name in (roles.baseline, roles.twin) if name in costs.columns]
    for name in names:
        if name == roles.baseline or name not in costs.columns or not pair:
            continue
        base = costs[[one for one in pair if one != name]].mean(axis=1)
        for number, statement in enumerate(workload.arguments[2:]):
            if number in costs.index.get_level_values("statement"):
                both = costs[[name]].assign(base=base).xs(number, level="statement").dropna()
                yield _cost(name, statement, metric, both["base"], both[name])


def _costs(frame: pd.DataFrame, workload: Workload) -> pd.DataFrame:
    """Cost of an execution: index (block, phase, statement), a column for each launcher."""
    few, many = map(int, workload.arguments[:2])
    forms = frame.assign(
        form=frame["m"] // FORM,
        iterations=frame["m"] % FORM,
        # Repetitions of whole processes are the same again; those of regions are heap phases.
        phase=frame["repetition"].where(frame["kind"] == REGIONS, 0),
        launcher=frame["launcher"].astype(str),
    )
    forms = forms[forms["form"] > 0]
    keys = [*_CELL, "launcher", "form"]
    read = forms.groupby([*keys, "iterations"])["value"].median().reset_index().sort_values("iterations")
    ends = read.groupby(keys).agg(lo=("value", "first"), hi=("value", "last"),
                                  m=("iterations", "first"), most=("iterations", "last"))  # fmt: skip
    ends = ends[ends["most"] > ends["m"]]
    slope = ((ends["hi"] - ends["lo"]) / (ends["most"] - ends["m"])).rename("slope").reset_index()
    slope["statement"], slope["often"] = (slope["form"] - 1) // 2, slope["form"] % 2 == 0
    sides = slope.set_index([*_CELL, "statement", "launcher"])
    each = (sides.loc[sides["often"], "slope"] - sides.loc[~sides["often"], "slope"]) / (many - few)
    found: pd.DataFrame = each.dropna().unstack("launcher")
    return found


def _cost(name: str, statement: str, metric: Unit, base: pd.Series, here: pd.Series) -> StatementCost:
    known = len(base) > 0
    before, value = float(base.median()) if known else None, float(here.median()) if known else None
    ratios = (here / base)[base > 0]
    resolved = before is not None and value is not None and before > 0
    ranged = resolved and len(ratios) > 1
    return StatementCost(
        launcher=name,
        statement=statement,
        metric=metric,
        baseline_value=before,
        value=value,
        ratio=value / before if resolved and value is not None and before is not None else None,
        lo=float(ratios.min()) if ranged else None,
        hi=float(ratios.max()) if ranged else None,
    )


def statement_claim(rows: tuple[StatementCost, ...], launcher: str) -> StatementClaim | None:
    """What the rows of one launcher say of the claim; None where there are none."""
    own = [row for row in rows if row.launcher == launcher]
    if not own:
        return None
    low, high = CLAIMED
    ratios = sorted(row.ratio for row in own if row.ratio is not None)
    first, middle, third = quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else (0.0, 0.0, 0.0)
    return StatementClaim(
        launcher=launcher,
        metric=own[0].metric,
        low=low,
        high=high,
        statements=len(ratios),
        inside=sum(low <= ratio <= high for ratio in ratios),
        least=ratios[0] if ratios else None,
        quartiles=(first, middle, third) if len(ratios) > 1 else None,
        most=ratios[-1] if ratios else None,
    )


def statements_section(frame: pd.DataFrame, workload: Workload, roles: Roles, launchers: tuple[Launcher, ...]) -> dict[
    str, object
]:  # fmt: skip
    """``statements`` and ``statement_claims`` of all that is compared with the baseline."""
    names = tuple(launcher.name for launcher in launchers)
    rows = tuple(statement_costs(frame, workload, roles, names))
    claims = tuple(claim for name in names if (claim := statement_claim(rows, name)) is not None)
    first = next((claim for claim in claims if claim.launcher not in roles.baselines), None)
    said = {} if first is None else {"sentence": statement_sentence(first, roles.baseline)}
    return {"statements": rows, "statement_claims": claims, **said}
