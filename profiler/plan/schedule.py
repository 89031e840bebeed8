"""The plan: blocks drawn from a saved seed, and the order of their processes. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from profiler.catalogue.heap import MIB, PAGE_BYTES, SIZE_CLASSES, pool_capacity
from profiler.catalogue.variant_rules import counted_only
from profiler.errors import UsageError
from profiler.model import (
    AnyPass,
    Block,
    Elimination,
    Launcher,
    Native,
    Pass,
    Phased,
    Plan,
    Precision,
    Regions,
    Section,
    SourceName,
    Step,
    Whole,
    Workload,
)

MAX_ENV_PADDING = 4095
"""One page: the stack's start moves by the size of the environment (Mytkowicz et al. 2009)."""

_MAX_HASH_SEED = 4294967295
"""Largest value of PYTHONHASHSEED (CPython documentation)."""


def with_launchers(plan: Plan, more: tuple[Launcher, ...]) -> Plan:
    """``plan`` with ``more`` launchers; rows are told apart by names, so each is shown under a name of its own.

    Raises:
        UsageError: a host of the user's has the name under which a variant is shown.
    """
    return msgspec.structs.replace(plan, launchers=_told_apart((*plan.launchers, *more)))


def _told_apart(launchers: tuple[Launcher, ...]) -> tuple[Launcher, ...]:
    names = [launcher.name for launcher in launchers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"two launchers are called {twice}: it is how a variant of another one is shown",
            hint="choose another name: --host NAME=CMD",
        )
    return launchers


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
        arena_offset=_arena_offset(seed, index),
    )


_GOLDEN = (5**0.5 - 1) / 2


def _arena_offset(seed: int, index: int) -> int:
    """Any page of a MiB, each as likely for each block, and few blocks spread over all of it.

    A random start and steps of the golden section: the largest gap after n blocks is the least that a sequence without
    a known end can have (Weyl 1916; Kronecker sequences in Niederreiter 1992, ch. 3). Counts have two levels or few
    more along the offset, so independent draws would miss one of them in every eighth run of four blocks.
    """
    start = random.Random(f"arena {seed}").random()
    return int((start + index * _GOLDEN) % 1 * (MIB // PAGE_BYTES)) * PAGE_BYTES


def make_plan(
    *,
    seed: int,
    source: SourceName,
    workload: Workload,
    launchers: tuple[Launcher, ...],
    passes: tuple[AnyPass, ...],
    blocks: int,
    eliminations: tuple[Elimination, ...] = (),
    precision: Precision | None = None,
    sections: tuple[Section, ...] = (),
    most_blocks: int | None = None,
) -> Plan:
    """A plan over ``launchers`` (the baseline first), to which the baseline's A/A twin is added.

    Raises:
        UsageError: two have the same name.
    """
    baseline = launchers[0]
    assert baseline.role == "baseline"
    return Plan(
        seed=seed,
        source=source,
        workload=workload,
        launchers=_told_apart((baseline, twin(baseline), *launchers[1:])),
        passes=passes,
        blocks=draw_blocks(seed, blocks),
        eliminations=eliminations,
        precision=precision,
        sections=sections,
        most_blocks=most_blocks,
    )


def twin(baseline: Launcher) -> Launcher:
    """The baseline's second appearance in every block."""
    return msgspec.structs.replace(baseline, name=f"{baseline.name}-again", role="twin")


def growth(seed: int, block: Block, phases: int) -> tuple[tuple[int, ...], ...]:
    """Objects to add per size class from the block's own heap phase on, for each further phase of ``phases``."""
    rng = random.Random(f"phases {seed} {block.index}")
    return tuple(tuple(rng.randrange(pool_capacity(size)) for size in SIZE_CLASSES) for _ in range(phases - 1))


def steps(plan: Plan, block: Block) -> tuple[Step, ...]:
    """The processes of one block in their order.

    Within a pass and repetition every launcher runs once at each M, in random order (or each launcher after the other,
    where the order is what is asked about, and for exact counts, which no order changes); passes follow each other,
    since some need the machine for themselves. The arms of eliminations take turns in random order. A process that does
    chunks or regions is one step.
    """
    rng = random.Random(f"order {plan.seed} {block.index}")
    passes = [pass_ for pass_ in plan.passes if _runs_in(pass_, block)]
    arms = list(dict.fromkeys(pass_.arm for pass_ in passes if pass_.arm is not None))
    rng.shuffle(arms)
    passes.sort(key=lambda pass_: arms.index(pass_.arm) if pass_.arm is not None else -1)
    return tuple(
        Step(block=block.index, position=position, pass_name=name, launcher=launcher, m=m, repetition=repetition)
        for position, (name, launcher, m, repetition) in enumerate(
            (pass_.name, *run) for pass_ in passes for run in _runs(plan, pass_, rng)
        )
    )


def _runs_in(pass_: Pass, block: Block) -> bool:
    first, end = pass_.blocks
    return first <= block.index and (end is None or block.index < end)


def _runs(plan: Plan, pass_: AnyPass, rng: random.Random) -> Iterator[tuple[str, int, int]]:
    """(launcher, M, repetition) of one pass."""
    all_names = tuple(launcher.name for launcher in plan.launchers)
    # A toggle that does not run on this machine has left the plan.
    names = tuple(name for name in pass_.launchers if name in all_names) or all_names
    if isinstance(pass_, Whole) and pass_.among != "all" and not pass_.launchers:
        brief = {launcher.name for launcher in plan.launchers if counted_only(launcher)}
        names = tuple(name for name in names if (name in brief) == (pass_.among == "counted-only"))
    if isinstance(pass_, Whole | Native):
        for name in names:
            yield from ((name, min(pass_.m), warmup - pass_.warmups) for warmup in range(pass_.warmups))
    for group in [(name,) for name in names] if isinstance(pass_, Whole) and pass_.serial else [names]:
        for repetition, ms in _repetitions(pass_):
            pairs = [(name, m) for name in group for m in ms]
            if isinstance(pass_, Regions):
                # Exact in any order, so the one in which there is something to tell soonest.
                pairs.sort(key=lambda pair: pair[0] == plan.roles.twin)
            else:
                rng.shuffle(pairs)
            yield from ((name, m, repetition) for name, m in pairs)


def _repetitions(pass_: AnyPass) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Which M each repetition runs; chunks and regions repeat inside their one process."""
    if not isinstance(pass_, Whole | Native | Phased):
        yield 0, pass_.m[:1]
        return
    once_from = pass_.once_from if isinstance(pass_, Native) else None
    for repetition in range(pass_.repetitions):
        yield repetition, tuple(m for m in pass_.m if repetition == 0 or once_from is None or m < once_from)


def workload_of(plan: Plan, pass_: Pass) -> Workload:
    """What the processes of ``pass_`` do: the plan's work, or an arm's own."""
    own = pass_.workload if isinstance(pass_, Whole) else None
    return own or plan.workload
