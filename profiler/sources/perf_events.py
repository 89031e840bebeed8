"""Which events of the catalogue this machine counts, and in which passes, found out by trying each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from profiler.catalogue.events import BY_NAME, EVENTS, Cpu, Event
from profiler.errors import MachineError
from profiler.model import Missing, Noun
from profiler.sources.perf_output import Asked, is_user_only
from profiler.sources.pmu import Count, PmuSelfTest
from profiler.system.cgroup import integer
from profiler.system.machine import cpuinfo

_KERNEL_ONLY = {"context-switches"}
"""They happen in kernel mode: restricted to user mode, the figure is always 0."""


class Available(Noun, frozen=True, kw_only=True):
    """What can be counted, and what cannot and why."""

    asked: tuple[Asked, ...]
    """In the order of the catalogue."""
    missing: tuple[Missing, ...]


def this_cpu() -> Cpu:
    """Vendor and family; an architecture that has neither in ``/proc/cpuinfo`` gives an empty vendor and family 0."""
    facts = cpuinfo()
    return Cpu(vendor=facts.get("vendor_id", ""), family=integer(facts.get("cpu family")) or 0)


def find_available(cpu: Cpu, count: Count) -> Available:
    """Try every candidate of every event by itself: one name that perf does not know fails a whole command."""
    asked: list[Asked] = []
    missing: list[Missing] = []
    for event in EVENTS:
        if event.inside:
            continue
        found, reason = _first_that_counts(event, cpu, count)
        if found is not None:
            asked.append(found)
        else:
            missing.append(Missing(event=event.name, reason=reason))
    return Available(asked=tuple(asked), missing=tuple(missing))


def arrange(
    available: Available, test: PmuSelfTest, count: Count
) -> tuple[tuple[tuple[Asked, ...], ...], tuple[Missing, ...]]:
    """Passes that are not multiplexed, the first with all anchors; and the events that fit in none.

    Where the counters that are free hold more than the anchors, these are in every pass. Where they do not, the passes
    after the first do with fewer: instructions alone, or cycles on the counter of their own, or none. Each pass is
    tried and is the largest that counts: some events fit only certain counters, and others may hold some.
    """
    anchors = tuple(asked for asked in available.asked if BY_NAME[asked.event].anchor)
    others = [asked for asked in available.asked if not BY_NAME[asked.event].anchor]
    todo = [other for other in others if BY_NAME[other.event].needs_slot]
    lineups = [(kept, room) for kept in _fewer(anchors) if (room := _room(kept, test)) > 0]
    passes: list[tuple[Asked, ...]] = []
    missing: list[Missing] = []
    while todo:
        kept, group = _next_pass(lineups, todo, count)
        if group:
            passes.append((*kept, *group))
        else:
            missing.append(Missing(event=todo.pop(0).event, reason="does not count beside instructions or cycles"))
        todo = [asked for asked in todo if asked not in group]
    free = tuple(other for other in others if not BY_NAME[other.event].needs_slot)
    passes.sort(key=lambda pass_: not set(anchors) <= set(pass_))
    first, rest = (passes[0], passes[1:]) if passes and set(anchors) <= set(passes[0]) else (anchors, passes)
    return ((*first, *free), *rest), tuple(missing)


def _next_pass(
    lineups: Sequence[tuple[tuple[Asked, ...], int]], todo: Sequence[Asked], count: Count
) -> tuple[tuple[Asked, ...], list[Asked]]:
    """The anchors of a pass and its events, as many as count; none where the first of ``todo`` fits in no pass."""
    for at, (kept, room) in enumerate(lineups):
        # An event that does not go with these anchors must not take the others away from them.
        group = _largest(kept, todo if at == 0 else todo[:1], room, count)
        if group:
            return kept, group
    return (), []


def _fewer(anchors: tuple[Asked, ...]) -> Iterator[tuple[Asked, ...]]:
    """All anchors, then those that leave a counter free; clocks take none."""
    yield anchors
    slotted = [anchor for anchor in anchors if BY_NAME[anchor.event].needs_slot]
    for kept in (*slotted, None):
        yield tuple(anchor for anchor in anchors if anchor is kept or anchor not in slotted)


def _room(anchors: tuple[Asked, ...], test: PmuSelfTest) -> int:
    """How many counters are free beside these."""
    own = {"cycles"} if test.cycles_beside else set()
    return test.slots - sum(BY_NAME[anchor.event].needs_slot and anchor.event not in own for anchor in anchors)


def _largest(anchors: tuple[Asked, ...], todo: Sequence[Asked], room: int, count: Count) -> list[Asked]:
    """The first of ``todo`` that count together beside ``anchors``, ``room`` at most."""
    group = list(todo[:room])
    if _all_count((*anchors, *group), count):
        return group
    group = []
    for asked in todo:
        if len(group) < room and _all_count((*anchors, *group, asked), count):
            group.append(asked)
    return group


def _first_that_counts(event: Event, cpu: Cpu, count: Count) -> tuple[Asked | None, str]:
    reasons = []
    for candidate in event.perf:
        if not candidate.applies(cpu):
            continue
        asked = Asked(event=event.name, spec=candidate.spec, unit=candidate.unit or event.unit)
        try:
            (reading,) = count([asked], None)
        except MachineError as error:
            reasons.append(f"{candidate.spec}: {error.message}")
            continue
        if reading.value is None:
            reasons.append(f"{candidate.spec}: {reading.reason}")
        elif event.needs_slot and reading.value == 0:
            reasons.append(f"{candidate.spec}: counts 0 over a start of Python, so it is not implemented here")
        elif event.name in _KERNEL_ONLY and is_user_only(reading.raw_name):
            reasons.append(
                f"{candidate.spec}: perf may watch user mode only, where it is always 0 "
                "(sudo sysctl kernel.perf_event_paranoid=1)"
            )
        else:
            return asked, ""
    return None, "; ".join(reasons) or "perf has no such event for this CPU"


def _all_count(asked: Sequence[Asked], count: Count) -> bool:
    return all(reading.value is not None for reading in count(asked, None))
