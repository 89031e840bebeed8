"""The plan is a function of its seed, and every block is whole."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from profiler.catalogue.heap import MIB, PAGE_BYTES, SIZE_CLASSES, pool_capacity
from profiler.model import AGAIN, Pass, Plan, Workload
from profiler.plan.schedule import MAX_ENV_PADDING, draw_blocks, make_plan, steps
from tests.builders import launcher


def plan(seed: int = 1, blocks: int = 3) -> Plan:
    return make_plan(
        seed=seed,
        source="callgrind",
        workload=Workload(name="w", path="/w.py", counts_m=(10, 20), timed_m=(100, 200)),
        launchers=(launcher("python3"), launcher("pyo3")),
        passes=(
            Pass(name="counts", events=("instructions",), m=(10, 20), exclusive=False, repetitions=1, blocks=(0, None)),
            Pass(name="timed", events=("wall",), m=(100, 200), exclusive=True, repetitions=3, blocks=(0, None)),
        ),
        blocks=blocks,
    )


def test_every_launcher_runs_at_every_m_in_every_pass_and_the_baseline_twice() -> None:
    made = plan()
    for block in made.blocks:
        counted = Counter((s.pass_name, s.launcher, s.m) for s in steps(made, block))
        assert counted == {
            (name, who, m): repetitions
            for name, ms, repetitions in (("counts", (10, 20), 1), ("timed", (100, 200), 3))
            for who in ("python3", AGAIN, "pyo3")
            for m in ms
        }
        assert [s.position for s in steps(made, block)] == list(range(24))


@given(st.integers(0, 2**32))
def test_same_seed_same_plan(seed: int) -> None:
    assert plan(seed) == plan(seed)
    assert [steps(plan(seed), b) for b in plan(seed).blocks] == [steps(plan(seed), b) for b in plan(seed).blocks]


@given(st.integers(0, 2**32))
def test_a_longer_plan_begins_with_the_shorter_one(seed: int) -> None:
    assert draw_blocks(seed, 5)[:3] == draw_blocks(seed, 3)


@given(st.integers(0, 2**32))
def test_nuisances_stay_in_their_ranges(seed: int) -> None:
    (block,) = draw_blocks(seed, 1)
    assert 0 <= block.env_padding <= MAX_ENV_PADDING
    assert 1 <= block.hash_seed < 2**32
    assert len(block.heap_phase) == len(SIZE_CLASSES)
    assert all(0 <= kept < pool_capacity(size) for size, kept in zip(SIZE_CLASSES, block.heap_phase, strict=True))


def test_blocks_and_orders_differ() -> None:
    made = plan(blocks=6)
    assert len({b.hash_seed for b in made.blocks}) == 6
    assert len({b.heap_phase for b in made.blocks}) == 6
    assert len({tuple((s.launcher, s.m) for s in steps(made, b)[:6]) for b in made.blocks}) > 1


def test_arenas_begin_at_any_page_and_few_blocks_spread_over_the_mib() -> None:
    offsets = [block.arena_offset for block in draw_blocks(7, 256)]
    assert all(offset % PAGE_BYTES == 0 and 0 <= offset < MIB for offset in offsets)
    assert len(set(offsets)) > 150
    for seed in range(50):
        four = sorted(block.arena_offset for block in draw_blocks(seed, 4))
        gaps = [after - before for before, after in zip(four, [*four[1:], four[0] + MIB], strict=True)]
        assert max(gaps) < 0.4 * MIB
    # Each block by itself falls anywhere with equal chance.
    second = [draw_blocks(seed, 2)[1].arena_offset for seed in range(400)]
    assert 0.4 < sum(offset < MIB // 2 for offset in second) / len(second) < 0.6
