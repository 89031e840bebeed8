"""What changed, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from profiler.analyze.numbers import digits, told
from profiler.analyze.wording import RESIDUE
from profiler.catalogue.metrics import title
from profiler.model.across import Across, AcrossChange

_SUBJECTS = 2
"""More would be a table, which stands below."""


def sentence(document: Across, subjects: Sequence[str]) -> str:
    """The change of cost and tax of ``subjects`` in the headline metric, folder by folder."""
    found = {
        (change.of, change.folder, change.launcher): change
        for change in document.changes
        if change.metric == document.headline
    }
    parts = [
        _change(found["cost", folder.label, name], found.get(("tax", folder.label, name)))
        for folder in document.folders[1:]
        for name in subjects[:_SUBJECTS]
        if ("cost", folder.label, name) in found
    ]
    return " ".join(parts) if parts else "No launcher stands in all of these runs."


def _change(cost: AcrossChange, tax: AcrossChange | None) -> str:
    metric = title(cost.metric)
    who, before = f"{cost.launcher} on {cost.folder}", cost.reference
    if cost.ratio is None:
        return f"{who} cannot be compared in {metric}: {cost.reason}."
    counted = cost.metric == "instructions"
    verb, past = ("executes", "did") if counted else ("takes", "took")
    if cost.verdict == "same":
        alike = f"as many {metric} as" if counted else f"the same {metric} as"
        said = f"{who} {verb} {alike} on {before} ({told(cost.ratio, cost.lo, cost.hi, exact=cost.exact).inside})"
    else:
        ratio = told(cost.ratio, cost.lo, cost.hi, exact=cost.exact)
        width, basis = (f" {ratio.width}", "") if ratio.is_width else ("", f" ({ratio.basis})")
        said = f"{who} {verb} {ratio.ratio}{width} times the {metric} it {past} on {before}{basis}"
        said += ", which is not decided" if cost.verdict == "unresolved" else ""
    if tax is None or tax.ratio is None or tax.before is None or tax.after is None:
        return f"{said}."
    if tax.verdict == "same":
        return f"{said}; its tax is the same ({digits(tax.before)} and {digits(tax.after)})."
    unresolved = ", which is not decided" if tax.verdict == "unresolved" else ""
    return f"{said}; its tax went from {digits(tax.before)} to {digits(tax.after)}{unresolved}."


def is_exact(change: AcrossChange) -> bool:
    """Whether its ratio has no width, of counts that are exact."""
    return (
        change.exact
        and change.lo is not None
        and change.hi is not None
        and change.hi - change.lo <= RESIDUE * change.hi
    )
