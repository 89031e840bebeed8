"""Where the work's heap lay: the same for all launchers of a block, another in the next; what a process makes of that.

Since CPython 3.10 a ``free`` takes one test or two by whether the object lies in the tail or the head of its arena, the
part behind or before the 1 MiB boundary in it (Objects/obmalloc.c, ``address_in_range``). So a count has a level per
placement, and only processes at one placement are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.catalogue.caveats import PLACEMENT_DIFFERS, caveat
from profiler.catalogue.heap import MIB, POOL_BYTES
from profiler.catalogue.interventions import BY_ID
from profiler.model import Caveat, Plan

if TYPE_CHECKING:
    import pandas as pd

_SAME_LEVEL = 1e-4
"""Log ratios of counts at one placement differ by less."""

_NEAR_POOLS = 4

_PROCESS = ["block", "pass", "m", "repetition"]


def misplaced(plan: Plan, frame: pd.DataFrame) -> tuple[frozenset[tuple[int, str]], tuple[Caveat, ...]]:
    """(block, launcher) whose process lay elsewhere than the baseline's of that block, and a caveat for each launcher.

    Elsewhere is the other part of the arena, or more than ``_NEAR_POOLS`` from the baseline's pool: a launcher whose
    start-up leaves a pool more behind takes the same tests.
    """
    if "placement" not in frame or frame["placement"].isna().all():
        return frozenset(), ()
    seen = frame.dropna(subset=["placement"]).groupby([*_PROCESS, "launcher"], observed=True)["placement"].first()
    places = seen.unstack("launcher")
    base = plan.roles.baseline
    if base not in places:
        return frozenset(), ()
    toggled = {
        launcher.name
        for launcher in plan.launchers
        if launcher.variant is not None
        if (entry := BY_ID.get(launcher.variant.intervention)) is not None and entry.moves_heap
    }
    begin = {block.index: block.arena_offset for block in plan.blocks}
    # From the arena's begin on: the tail lies behind the MiB's end.
    from_begin = places.sub([begin[block] for block in places.index.get_level_values("block")], axis=0) % MIB
    head = places.ge([begin[block] for block in places.index.get_level_values("block")], axis=0)
    others = from_begin.drop(columns=[*(toggled & set(from_begin.columns)), base])
    far = others.sub(from_begin[base], axis=0).abs() > _NEAR_POOLS * POOL_BYTES
    away = far | head[others.columns].ne(head[base], axis=0)
    away = away & others.notna() & places[[base]].notna().to_numpy()
    by_block = away.groupby(level="block").any()
    apart = frozenset((int(block), str(name)) for name in by_block for block in by_block.index[by_block[name]])
    caveats = tuple(
        caveat(
            PLACEMENT_DIFFERS,
            f"{name}: its heap lay elsewhere than {base}'s in {int(by_block[name].sum())} of {len(by_block)} "
            "blocks, which alone moves counts by 1 to 2 %. Its rows are kept; it is compared in the other blocks",
        )
        for name in by_block
        if by_block[name].any()
    )
    return apart, caveats


def placements_differ(frame: pd.DataFrame) -> bool:
    """Whether blocks drew where their arenas lie; in folders of before all arenas began at a multiple of 1 MiB."""
    return "placement" in frame and frame["placement"].nunique() > 1


def sides(plan: Plan, frame: pd.DataFrame) -> dict[int, str]:
    """Block → ``head`` or ``tail``: in which part of its arena the baseline's fresh object lay; empty where unknown."""
    if "placement" not in frame:
        return {}
    own = frame[(frame["launcher"] == plan.roles.baseline) & frame["placement"].notna()]
    offsets = {block.index: block.arena_offset for block in plan.blocks}
    return {
        block: "head" if place >= offsets[block] else "tail"
        for block, place in zip(own["block"].tolist(), own["placement"].tolist(), strict=True)
        if block in offsets
    }


def by_placement_alone(logs: pd.Series, side_of: dict[int, str]) -> bool:
    """Whether the figures, one per block, differ between placements and not at one of them."""
    if logs.empty or float(logs.max() - logs.min()) < _SAME_LEVEL or not set(logs.index) <= side_of.keys():
        return False
    groups = logs.groupby([side_of[block] for block in logs.index])
    return bool(((groups.max() - groups.min()) < _SAME_LEVEL).all())
