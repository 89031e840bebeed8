"""The plan: blocks drawn from a saved seed, and the order of their processes. Pure."""

from __future__ import annotations

import random

import msgspec

from profiler.measure.script import SIZE_CLASSES, pool_capacity
from profiler.model import AGAIN, BASELINE, Block, Launcher, Pass, Plan, SourceName, Step, Workload

MAX_ENV_PADDING = 4095
"""One page: the stack's start moves by the size of the environment (Mytkowicz et al. 2009)."""

_MAX_HASH_SEED = 4294967295
"""Largest value of PYTHONHASHSEED (CPython documentation)."""


def draw_blocks(seed: int, count: int) -> tuple[Block, ...]:
    """``count`` blocks; a longer plan of the same seed begins with the same blocks."""
    return tuple(_draw_block(seed, index) for index in range(count))


def _draw_block(seed: int, index: int) -> Block:
    rng = random.Random(f"block {seed} {index}")
    return Block(
        index=index,
        hash_seed=rng.randint(1, _MAX_HASH_SEED),
        env_padding=rng.randint(0, MAX_ENV_PADDING),
        heap_phase=tuple(rng.randrange(pool_capacity(size)) for size in SIZE_CLASSES),
    )


def make_plan(
    *,
    seed: int,
    source: SourceName,
    workload: Workload,
    launchers: tuple[Launcher, ...],
    passes: tuple[Pass, ...],
    blocks: int,
) -> Plan:
    """A plan over ``launchers`` (the baseline first), to which the baseline's A/A twin is added."""
    baseline = launchers[0]
    assert baseline.name == BASELINE
    twin = msgspec.structs.replace(baseline, name=AGAIN)
    return Plan(
        seed=seed,
        source=source,
        workload=workload,
        launchers=(baseline, twin, *launchers[1:]),
        passes=passes,
        blocks=draw_blocks(seed, blocks),
    )


def steps(plan: Plan, block: Block) -> tuple[Step, ...]:
    """The processes of one block in their order.

    Within a pass and repetition every launcher runs once at each M, in random order; passes follow each other, since
    some need the machine for themselves.
    """
    rng = random.Random(f"order {plan.seed} {block.index}")
    found: list[Step] = []
    for what in plan.passes:
        first_block, end_block = what.blocks
        if block.index < first_block or (end_block is not None and block.index >= end_block):
            continue
        for repetition in range(what.repetitions):
            pairs = [(launcher.name, m) for launcher in plan.launchers for m in what.m]
            rng.shuffle(pairs)
            first = len(found)
            found.extend(
                Step(
                    block=block.index,
                    position=first + offset,
                    pass_name=what.name,
                    launcher=name,
                    m=m,
                    repetition=repetition,
                )
                for offset, (name, m) in enumerate(pairs)
            )
    return tuple(found)
