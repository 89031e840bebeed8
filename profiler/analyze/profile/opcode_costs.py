"""What each opcode costs on either side, and what the claim that all cost more alike is worth."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING

from profiler.analyze.compare import RARE, Costs
from profiler.analyze.profile.counted import OWN, ProfileCounts
from profiler.model.drilldown import OpcodeClaim, OpcodeCost, OpcodePart

if TYPE_CHECKING:
    import pandas as pd

CLAIMED = (1.18, 1.20)
"""The PoC's: every opcode is 18 to 20 % dearer."""
_REMAINDER = ""
_ALONE = 0.005
"""So little of a loop may be in opcodes that the other side does not execute."""
_MOST_FUNCTIONS = 7
"""Of an opcode's parts that have a name of their own; as many as colours can be told apart."""


def opcode_costs(costs: Costs, found: ProfileCounts, launcher: str) -> tuple[OpcodeCost, ...]:
    """A row for each opcode that either executes, those that add most to the difference first, and the remainder."""
    base, here = found.of(costs, launcher)
    table, blocks = _table(base, here), _ratios(base, here)
    whole = float((table["here"] - table["base"]).sum())
    rows = [
        _cost(launcher, str(opcode), line, blocks, whole) for opcode, line in table.iterrows() if opcode != _REMAINDER
    ]
    left = table[table.index == _REMAINDER]
    difference = float((left["here"] - left["base"]).sum())
    rows.sort(key=lambda row: (-abs(row.difference), row.opcode or ""))
    return (
        *rows,
        OpcodeCost(
            launcher=launcher,
            opcode=None,
            per_iteration=None,
            baseline_per_iteration=None,
            baseline_value=None,
            value=None,
            ratio=None,
            lo=None,
            hi=None,
            baseline_own=None,
            own=None,
            difference=difference,
            share=_share(difference, whole),
        ),
    )


def _table(base: pd.DataFrame, here: pd.DataFrame) -> pd.DataFrame:
    """By opcode: instructions an iteration, in the loop itself, executions, of both."""
    import pandas as pd

    columns = {}
    for name, frame in (("base", base), ("here", here)):
        opcode = frame["opcode"].fillna(_REMAINDER)
        columns[name] = frame["weighted"].groupby(opcode).sum()
        columns[f"{name}_own"] = frame["weighted"].where(frame[OWN], 0.0).groupby(opcode).sum()
        columns[f"{name}_times"] = frame["weighted_dispatches"].groupby(opcode).sum()
    return pd.DataFrame(columns).fillna(0.0)


def _ratios(base: pd.DataFrame, here: pd.DataFrame) -> pd.DataFrame:
    """By opcode and block: instructions per execution, the launcher's ÷ the baseline's."""
    each = {}
    for name, frame in (("base", base), ("here", here)):
        keys = [frame["opcode"].fillna(_REMAINDER), frame["block"]]
        whole = frame["weighted"].groupby(keys).sum()
        times = frame["weighted_dispatches"].groupby(keys).sum()
        each[name] = whole / times.where(times > 0)
    return (each["here"] / each["base"]).dropna().rename("ratio").reset_index()


def _cost(launcher: str, opcode: str, line: pd.Series, blocks: pd.DataFrame, whole: float) -> OpcodeCost:
    base_times, times = float(line["base_times"]), float(line["here_times"])
    base, here = _each(line["base"], base_times), _each(line["here"], times)
    ratios = blocks.loc[blocks["opcode"] == opcode, "ratio"]
    both = base is not None and here is not None and base > 0
    ranged = both and len(ratios) > 1
    difference = float(line["here"] - line["base"])
    return OpcodeCost(
        launcher=launcher,
        opcode=opcode,
        per_iteration=times,
        baseline_per_iteration=base_times,
        baseline_value=base,
        value=here,
        ratio=here / base if both and here is not None and base is not None else None,
        lo=float(ratios.min()) if ranged else None,
        hi=float(ratios.max()) if ranged else None,
        baseline_own=_each(line["base_own"], base_times),
        own=_each(line["here_own"], times),
        difference=difference,
        share=_share(difference, whole),
    )


def _each(instructions: float, times: float) -> float | None:
    return float(instructions) / times if times >= RARE else None


def _share(difference: float, whole: float) -> float | None:
    return difference / whole if abs(whole) >= RARE else None


def opcode_parts(costs: Costs, found: ProfileCounts, launcher: str, functions: pd.Series) -> Iterator[OpcodePart]:
    """The difference of each opcode by source function: those that have most of the whole, and all others.

    Args:
        functions: the name of the function of each of ``found.profile``'s lines.
    """
    import pandas as pd

    base, here = found.of(costs, launcher)
    signed = pd.concat([here.assign(signed=here["weighted"]), base.assign(signed=-base["weighted"])])
    signed["named"] = functions.reindex(signed.index)
    largest = signed.groupby("named")["signed"].sum().abs().nlargest(_MOST_FUNCTIONS).index
    signed["named"] = signed["named"].where(signed["named"].isin(largest), "")
    parts = signed.groupby([signed["opcode"].fillna(_REMAINDER), "named"])["signed"].sum()
    for opcode, function, difference in parts[parts.abs() >= RARE].reset_index().itertuples(index=False):
        yield OpcodePart(
            launcher=launcher, opcode=opcode or None, function=function or None, difference=float(difference)
        )


def claim(rows: tuple[OpcodeCost, ...], launcher: str, *, base: float, here: float) -> OpcodeClaim:
    """What the ``rows`` of one launcher say of ``CLAIMED``; ``base`` and ``here``: instructions an iteration."""
    low, high = CLAIMED
    both = [row for row in rows if row.ratio is not None]
    ratios = sorted(row.ratio for row in both if row.ratio is not None)
    alike = [(row.baseline_per_iteration or 0.0, row.baseline_value or 0.0, row.value or 0.0) for row in both]
    counted = sum(times * cost for times, cost, _ in alike)
    # A mean of what both execute says nothing of a loop that has other opcodes, as another version's has.
    alone = sum(abs(row.difference) for row in rows if row.opcode is not None and row.ratio is None)
    return OpcodeClaim(
        launcher=launcher,
        low=low,
        high=high,
        opcodes=len(ratios),
        inside=sum(low <= ratio <= high for ratio in ratios),
        least=ratios[0] if ratios else None,
        median=median(ratios) if ratios else None,
        most=ratios[-1] if ratios else None,
        weighted=sum(times * cost for times, _, cost in alike) / counted if counted and alone < _ALONE * here else None,
        whole=here / base if base else None,
    )
