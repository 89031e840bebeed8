"""What placements of the heap make of comparisons: planted levels, a twin elsewhere, boundaries told apart."""

from pathlib import Path

import msgspec
import pytest

from profiler.analyze.conclude import conclude
from profiler.catalogue.heap import MIB, POOL_BYTES
from profiler.model import BASELINE, Comparison, Plan, Step, Verdict, Whole, Workload
from profiler.plan.schedule import make_plan
from tests.builders import launcher
from tests.unit.simulated import folder_of

HEAD, TAIL = 12.0, 0.0
"""Instructions an iteration that the tests of ``address_in_range`` take, as counted on CPython 3.11."""
LEVEL = {BASELINE: 920.4, "pyo3": 1112.0}
AT = 30 * POOL_BYTES
"""Where in its arena the work's pool lies."""


def plan(*, blocks: int, seed: int = 1) -> Plan:
    counted = Whole(
        name="counted", events=("instructions",), m=(10, 30), exclusive=False, repetitions=1, blocks=(0, None)
    )
    return make_plan(
        seed=seed,
        source="callgrind",
        workload=Workload(name="w", path="w.py", counts_m=(10, 30), timed_m=(10, 30)),
        launchers=(launcher(BASELINE), launcher("pyo3")),
        passes=(counted,),
        blocks=blocks,
    )


def place(one: Plan, step: Step) -> int:
    return (one.blocks[step.block].arena_offset + AT) % MIB


def is_head(one: Plan, step: Step) -> bool:
    return place(one, step) >= one.blocks[step.block].arena_offset


def verdict_of(
    tmp_path: Path,
    one: Plan,
    *,
    bump: dict[tuple[int, str], float],
    away: frozenset[int] = frozenset(),
    further: int = 0,
) -> Verdict:
    """``bump``: more instructions; ``away``: blocks in which the twin lies in the other part of its arena; ``further``:
    bytes by which pyo3 lies further on.
    """

    def truth(step: Step, workload: str, count: int) -> dict[str, float]:
        name = BASELINE if step.launcher.startswith(BASELINE) else step.launcher
        head = is_head(one, step) != (step.launcher == "python3-again" and step.block in away)
        each = LEVEL[name] + (HEAD if head else TAIL) + bump.get((step.block, step.launcher), 0.0)
        return {"instructions": 5e6 + step.m * each}

    def where(step: Step) -> int:
        moved = MIB // 2 * (step.launcher == "python3-again" and step.block in away)
        return (place(one, step) + moved + further * (step.launcher == "pyo3")) % MIB

    return conclude(folder_of(tmp_path, one, "ipc", truth, source="callgrind", placement=where))


def found(verdict: Verdict, name: str) -> Comparison:
    return next(c for c in verdict.comparisons if c.launcher == name and c.metric == "instructions")


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_covers_both_placements(tmp_path: Path, seed: int) -> None:
    verdict = verdict_of(tmp_path, plan(blocks=6, seed=seed), bump={})
    one = found(verdict, "pyo3")
    assert one.lo is not None
    assert one.hi is not None
    assert one.lo == pytest.approx((1112.0 + HEAD) / (920.4 + HEAD))
    assert one.hi == pytest.approx(1112.0 / 920.4)
    assert one.over == "placements"
    assert one.blocks == 6
    assert not [caveat for caveat in verdict.warnings if caveat.code == "allocator-boundary"]
    twin = found(verdict, "python3-again")
    assert (twin.ratio, twin.lo, twin.hi, twin.over) == (1.0, 1.0, 1.0, None)


def test_at_one_placement_the_interval_has_no_width(tmp_path: Path) -> None:
    one = plan(blocks=4)
    same = msgspec.structs.replace(
        one, blocks=tuple(msgspec.structs.replace(block, arena_offset=0) for block in one.blocks)
    )
    pyo3 = found(verdict_of(tmp_path, same, bump={}), "pyo3")
    assert pyo3.lo == pytest.approx(pyo3.hi)
    assert pyo3.over is None


def test_a_twin_at_another_placement_is_noticed_and_not_compared_there(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, plan(blocks=6), away=frozenset({2}), bump={})
    told = [caveat.message for caveat in verdict.warnings if caveat.code == "placement-differs"]
    assert len(told) == 1
    assert told[0].startswith("python3-again: its heap lay elsewhere than python3's in 1 of 6 blocks")
    twin = found(verdict, "python3-again")
    assert (twin.ratio, twin.blocks) == (1.0, 5)


def test_a_pool_more_of_start_up_is_no_other_placement(tmp_path: Path) -> None:
    one = plan(blocks=6)
    verdict = verdict_of(tmp_path, one, bump={}, further=POOL_BYTES)
    near = {block.index for block in one.blocks if 0 < (MIB - AT - block.arena_offset) % MIB <= POOL_BYTES}
    told = [caveat for caveat in verdict.warnings if caveat.code == "placement-differs"]
    assert len(told) == bool(near)
    assert found(verdict, "pyo3").blocks == 6 - len(near)


def test_a_boundary_of_one_launcher_is_told_from_a_placement(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, plan(blocks=6), bump={(3, "pyo3"): 60.0})
    named = [caveat.message for caveat in verdict.warnings if caveat.code == "allocator-boundary"]
    assert len(named) == 1
    assert "block 3: pyo3" in named[0]
    assert found(verdict, "pyo3").blocks == 5


def test_scatter_within_a_placement_is_not_called_the_placements(tmp_path: Path) -> None:
    bump = {(block, "pyo3"): 1.0 * block for block in range(6)}
    assert found(verdict_of(tmp_path, plan(blocks=6), bump=bump), "pyo3").over is None


def test_the_sentence_says_what_the_interval_is_over(tmp_path: Path) -> None:
    (tmp_path / "drawn").mkdir()
    (tmp_path / "same").mkdir()
    drawn, one = plan(blocks=6), plan(blocks=4)
    said = verdict_of(tmp_path / "drawn", drawn, bump={}).sentence
    assert "more instructions (over placements) per iteration" in said
    same = msgspec.structs.replace(
        one, blocks=tuple(msgspec.structs.replace(block, arena_offset=0) for block in one.blocks)
    )
    said = verdict_of(tmp_path / "same", same, bump={}).sentence
    assert "20.55 % more instructions (equal in all 4 blocks) per iteration" in said
    assert "±" not in said.partition("instructions")[0]
