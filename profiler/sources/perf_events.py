"""Which events of the catalogue this machine counts, and in which passes, found out by trying each."""

from __future__ import annotations

from collections.abc import Sequence

from profiler.catalogue.events import BY_NAME, EVENTS, Cpu, Event
from profiler.errors import MachineError
from profiler.model import Missing, Noun
from profiler.sources.perf_output import Asked, is_user_only
from profiler.sources.pmu import Count
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
    available: Available, slots: int, count: Count
) -> tuple[tuple[tuple[Asked, ...], ...], tuple[Missing, ...]]:
    """Passes that need at most ``slots`` counters each, anchors in all of them; and the events that fit in none.

    Each pass is tried: some events fit only certain counters, so that fewer than ``slots`` of them go together.
    """
    anchors = tuple(one for one in available.asked if BY_NAME[one.event].anchor)
    others = [one for one in available.asked if not BY_NAME[one.event].anchor]
    slotted = [one for one in others if BY_NAME[one.event].needs_slot]
    room = slots - sum(BY_NAME[one.event].needs_slot for one in anchors)
    if room < 1:
        missing = [Missing(event=one.event, reason=f"only {slots} counters work at once") for one in slotted]
        todo: list[list[Asked]] = []
    else:
        missing = []
        todo = [slotted[at : at + room] for at in range(0, len(slotted), room)]
    passes: list[tuple[Asked, ...]] = []
    while todo:
        group = todo.pop(0)
        if _all_count((*anchors, *group), count):
            passes.append((*anchors, *group))
        elif len(group) > 1:
            todo[:0] = [group[: len(group) // 2], group[len(group) // 2 :]]
        else:
            missing.append(Missing(event=group[0].event, reason="does not count beside instructions and cycles"))
    free = tuple(one for one in others if not BY_NAME[one.event].needs_slot)
    first, *rest = passes or [anchors]
    return ((*first, *free), *rest), tuple(missing)


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
