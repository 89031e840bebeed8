"""The same difference from the top down: file, then function, then source line, and kinds of instructions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from profiler.analyze.compare import RARE, Costs
from profiler.analyze.profile.counted import OWN, ProfileCounts
from profiler.model.drilldown import Level, PlaceCost

if TYPE_CHECKING:
    import pandas as pd

NO_FILE = "no file (PLT, code made at run time)"
NAMELESS = "functions without a name"
_MOST: dict[Level, int] = {"image": 8, "function": 20, "line": 5, "kind": 20}
"""Rows of a level under one parent, before its remainder."""
_LINED = 8
"""Functions whose lines are told."""


def place_costs(costs: Costs, found: ProfileCounts, launcher: str) -> tuple[PlaceCost, ...]:
    """The rows of all levels; each level ends in its remainder, under each of its parents."""
    named, loops = named_sides(costs, found, launcher)
    whole = float(named["here"]["weighted"].sum() - named["base"]["weighted"].sum())
    rows = _Rows(launcher, whole)
    made = list(rows.level("image", None, named["base"], named["here"], "place"))
    for image in [row.name for row in made if row.name is not None]:
        inside = {side: frame[frame["place"] == image] for side, frame in named.items()}
        functions = list(rows.level("function", image, inside["base"], inside["here"], "named"))
        made += [_noted(row, loops) if image == together(*loops) else row for row in functions]
        made += rows.level("kind", image, inside["base"], inside["here"], "kind")
        lined = [row.name for row in functions if row.name not in (None, NAMELESS)][:_LINED]
        for function in lined if _has_lines(inside) else ():
            of_it = {side: frame[frame["named"] == function] for side, frame in inside.items()}
            made += rows.level("line", function, of_it["base"], of_it["here"], "place_in_source")
    return tuple(made)


def named_sides(
    costs: Costs, found: ProfileCounts, launcher: str
) -> tuple[dict[str, pd.DataFrame], tuple[str | None, str | None]]:
    """``base`` and ``here``: the lines of both sides with the columns ``place`` (its file), ``named`` (its function),
    ``kind`` and ``place_in_source``; and the files of their eval loops.
    """
    base, here = found.of(costs, launcher)
    loops = _loop(base), _loop(here)
    return {"base": _named(base, loops, found), "here": _named(here, loops, found)}, loops


def functions_of(costs: Costs, found: ProfileCounts, launcher: str) -> pd.Series:
    """By line of the profile: the function that it stands in, by a name that both sides have."""
    import pandas as pd

    sides, _ = named_sides(costs, found, launcher)
    names: pd.Series = pd.concat([sides[side]["named"] for side in ("base", "here")])
    return names


def together(base: str | None, here: str | None) -> str:
    """One name for the two files whose eval loops run."""
    names = [NO_FILE if image is None else PurePath(image).name for image in (base, here)]
    return names[0] if names[0] == names[1] else " → ".join(names)


def _loop(frame: pd.DataFrame) -> str | None:
    """The file of the eval loop: where opcodes begin, or else where most instructions are executed."""
    own = frame[frame[OWN]]
    images = (own if len(own) else frame).groupby("image")["weighted"].sum()
    return None if images.empty else str(images.idxmax())


def _named(frame: pd.DataFrame, loops: tuple[str | None, str | None], found: ProfileCounts) -> pd.DataFrame:
    innermost = found.symbols[found.symbols["depth"] == 0]
    wanted = innermost[["image", "build_id", "address", "function", "file", "line", "kind"]]
    wanted = wanted.rename(columns={"function": "innermost"})
    merged = frame.merge(wanted, on=["image", "build_id", "address"], how="left").set_index(frame.index)
    of_loop = merged["image"].isin([image for image in loops if image is not None])
    files = merged["image"].map(lambda image: PurePath(image).name, na_action="ignore").fillna(NO_FILE)
    merged["place"] = files.where(~of_loop, together(*loops))
    # Inlined functions are names for both sides only where both have debug information.
    inlined = of_loop if _both_lined(innermost, loops) else of_loop & False
    linked = merged["function"].where(~merged["function"].str.startswith("0x"), NAMELESS)
    linked = linked.where(merged["image"].notna(), NO_FILE)
    merged["named"] = linked.where(~inlined, merged["innermost"].fillna(NAMELESS))
    merged["place_in_source"] = [
        f"{file}:{line:.0f}" if inside and isinstance(file, str) and not math.isnan(line) else None
        for inside, file, line in zip(inlined, merged["file"], merged["line"], strict=True)
    ]
    return merged


def _both_lined(innermost: pd.DataFrame, loops: tuple[str | None, str | None]) -> bool:
    lined = set(innermost.loc[innermost["line"].notna(), "image"])
    return all(image in lined for image in loops)


def _has_lines(inside: dict[str, pd.DataFrame]) -> bool:
    return all(frame["place_in_source"].notna().any() for frame in inside.values())


class _Rows:
    """Rows of one launcher."""

    def __init__(self, launcher: str, whole: float) -> None:
        self._launcher = launcher
        self._whole = whole

    def level(
        self, level: Level, parent: str | None, base: pd.DataFrame, here: pd.DataFrame, column: str
    ) -> Iterator[PlaceCost]:
        """The rows of one level under one parent: those that differ most, then the remainder."""
        import pandas as pd

        sides = [frame["weighted"].groupby(frame[column]).sum() for frame in (base, here)]
        table = pd.DataFrame({"base": sides[0], "here": sides[1]}).fillna(0.0)
        order = (table["here"] - table["base"]).abs().sort_values(ascending=False, kind="stable").index
        shown = table.loc[order].head(_MOST[level])
        shown = shown[shown.abs().max(axis=1) >= RARE]
        for name, line in shown.iterrows():
            yield self._row(level, str(name), parent, float(line["base"]), float(line["here"]))
        left = [float(frame["weighted"].sum()) - float(shown[side].sum()) for side, frame in
                (("base", base), ("here", here))]  # fmt: skip
        yield self._row(level, None, parent, *left)

    def _row(self, level: Level, name: str | None, parent: str | None, base: float, here: float) -> PlaceCost:
        return PlaceCost(
            launcher=self._launcher,
            level=level,
            name=name,
            parent=parent,
            baseline_value=base,
            value=here,
            difference=here - base,
            share=(here - base) / self._whole if abs(self._whole) >= RARE else None,
        )


def _noted(row: PlaceCost, loops: tuple[str | None, str | None]) -> PlaceCost:
    """Where a function is one on one side alone: the compiler put it into its callers on the other."""
    import msgspec

    if row.name in (None, NAMELESS) or loops[0] == loops[1]:
        return row
    lacking = [image for image, value in zip(loops, (row.baseline_value, row.value), strict=True) if value < RARE]
    if len(lacking) != 1:
        return row
    return msgspec.structs.replace(row, note=f"inlined, or without a name, in {PurePath(lacking[0] or '').name}")
