"""Each event written once: its name, unit, how every source reads it, and when a ratio of it counts as the same.

A new counter is one entry in ``EVENTS``. The order is the order of tables and of counting passes.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cpu:
    """What selects between raw event codes: vendor as in /proc/cpuinfo, family in decimal."""

    vendor: str
    family: int


@dataclass(frozen=True, kw_only=True)
class PerfEvent:
    """One way to ask perf for an event. Candidates are tried in order; the first that counts is used."""

    spec: str
    applies: Callable[[Cpu], bool] = lambda cpu: True
    note: str | None = None
    """What it counts, where that is not what the event's title says; told by ``doctor`` and under tables."""
    unit: str | None = None
    """Of its figures, where it is another than the event's."""


def _amd_zen(cpu: Cpu) -> bool:
    return cpu.vendor == "AuthenticAMD" and cpu.family >= 0x17


def _amd_zen3(cpu: Cpu) -> bool:
    return cpu.vendor == "AuthenticAMD" and cpu.family >= 0x19


def _amd_zen5(cpu: Cpu) -> bool:
    return cpu.vendor == "AuthenticAMD" and cpu.family == 0x1A


def _not_amd_zen(cpu: Cpu) -> bool:
    return not _amd_zen(cpu)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One observable.

    ``margin`` is the equivalence margin as a relative difference: a ratio whose whole interval lies within
    ``1 ± margin`` is "same".
    """

    name: str
    unit: str
    title: str
    margin: float
    perf: tuple[PerfEvent, ...] = ()
    """Empty: perf cannot count it."""
    needs_slot: bool = True
    """False for kernel software events and perf's own tool events, which take no hardware counter."""
    anchor: bool = False
    """Counted in every pass: shows that passes agree and gives each of them its own denominator."""
    callgrind: tuple[str, ...] = ()
    """Columns of callgrind's ``events:`` line, summed. Empty: callgrind cannot know it."""
    qemu: bool = False
    """Counted or modelled by our plugin of qemu, under this name."""
    by_function: bool = False
    """Read from callgrind's costs by function (``sources.by_function``), in every pass that counts with it."""
    rusage: bool = False
    """Read from the timed run itself (clock, wait4) where no perf is used."""
    emulated: bool = False
    """Counted of a program of another machine, in an emulator of that; no source of this machine's own reads it."""
    inside: bool = False
    """Read inside the process by the generated script, in runs that have the machine for themselves."""
    simulated: bool = False
    """Of a source that emulates, the figure comes from its model of caches, TLBs or predictors, not from the program
    text."""
    overhead: bool = False
    """Reported only as an absolute figure in rows, not compared."""
    later: bool = False
    """Runs of earlier versions know nothing of it: where neither plan nor source of a run names it, there is no
    comparison of it."""


QUEUED = "queued"
TLS_ACCESSES, TLS_INSTRUCTIONS = "tls-accesses", "tls-instructions"

EVENTS: tuple[Event, ...] = (
    Event(
        name="instructions",
        unit="instructions",
        title="instructions",
        margin=0.002,
        perf=(PerfEvent(spec="instructions:u"),),
        anchor=True,
        callgrind=("Ir",),
        qemu=True,
    ),
    Event(
        name="cycles",
        unit="cycles",
        title="cycles",
        margin=0.01,
        perf=(PerfEvent(spec="cycles:u"),),
        anchor=True,
    ),
    Event(
        name="branches",
        unit="branches",
        title="branches",
        margin=0.005,
        perf=(PerfEvent(spec="branches:u"),),
        callgrind=("Bc", "Bi"),
        qemu=True,
    ),
    Event(
        name="indirect-branches",
        unit="branches",
        title="indirect branches",
        margin=0.005,
        # 0xca counts those that were mispredicted; before Zen 3 AMD documents no event for all of them.
        perf=(PerfEvent(spec="cpu/event=0xcc/u", applies=_amd_zen3),),
        callgrind=("Bi",),
        qemu=True,
    ),
    Event(
        name="branch-misses",
        unit="misses",
        title="branch mispredictions",
        margin=0.02,
        perf=(PerfEvent(spec="branch-misses:u"),),
        callgrind=("Bcm", "Bim"),
        qemu=True,
        simulated=True,
    ),
    Event(
        name="l1d-misses",
        unit="misses",
        title="L1D load misses",
        margin=0.02,
        perf=(PerfEvent(spec="L1-dcache-load-misses:u"),),
        callgrind=("D1mr", "D1mw"),
        qemu=True,
        simulated=True,
    ),
    Event(
        name="l1i-misses",
        unit="misses",
        title="L1I misses",
        margin=0.02,
        perf=(
            PerfEvent(
                spec="cpu/event=0x60,umask=0x10/u",
                applies=_amd_zen,
                note="instruction fetches that reach L2; generic L1-icache events are wrong from AMD family 17h on",
            ),
            PerfEvent(spec="L1-icache-load-misses:u", applies=_not_amd_zen),
        ),
        callgrind=("I1mr",),
        qemu=True,
        simulated=True,
    ),
    Event(
        name="l2-misses",
        later=True,
        unit="misses",
        title="L2 misses",
        margin=0.02,
        # Perf has no generic event for it; on AMD "cache-misses" counts them.
        qemu=True,
        simulated=True,
    ),
    Event(
        name="cache-misses",
        unit="misses",
        title="last-level cache misses",
        margin=0.02,
        perf=(
            PerfEvent(spec="cache-misses:u", applies=_amd_zen, note="on AMD the generic event counts L2 misses"),
            PerfEvent(spec="cache-misses:u", applies=_not_amd_zen),
        ),
        callgrind=("ILmr", "DLmr", "DLmw"),
        qemu=True,
        simulated=True,
    ),
    Event(
        name="dtlb-misses",
        unit="misses",
        title="dTLB misses",
        margin=0.02,
        perf=(PerfEvent(spec="dTLB-load-misses:u"),),
        qemu=True,
        simulated=True,
    ),
    Event(
        name="itlb-misses",
        unit="misses",
        title="iTLB misses",
        margin=0.02,
        perf=(PerfEvent(spec="iTLB-load-misses:u"),),
        qemu=True,
        simulated=True,
    ),
    Event(
        name="stlb-misses",
        later=True,
        unit="misses",
        title="second-level TLB misses",
        margin=0.02,
        # Perf has no generic event for it; Intel's dTLB and iTLB misses are these.
        qemu=True,
        simulated=True,
    ),
    Event(
        name="frontend-bound",
        unit="slots",
        title="front-end bound",
        margin=0.02,
        perf=(
            PerfEvent(
                spec="cpu/event=0x1a0,umask=0x01/u",
                applies=_amd_zen5,
                note="dispatch slots (8 per cycle) left empty because the front end delivered nothing",
            ),
            PerfEvent(
                spec="stalled-cycles-frontend:u", note="cycles in which the front end delivered nothing", unit="cycles"
            ),
        ),
    ),
    Event(
        name="backend-bound",
        unit="slots",
        title="back-end bound",
        margin=0.02,
        perf=(
            PerfEvent(
                spec="cpu/event=0x1a0,umask=0x1e/u",
                applies=_amd_zen5,
                note="dispatch slots (8 per cycle) left empty because the back end was full",
            ),
            PerfEvent(
                spec="stalled-cycles-backend:u", note="cycles in which the back end accepted nothing", unit="cycles"
            ),
        ),
    ),
    Event(
        name=TLS_ACCESSES,
        unit="accesses",
        title="thread-local variables reached by a call",
        margin=0.002,
        needs_slot=False,
        by_function=True,
        overhead=True,
    ),
    Event(
        name=TLS_INSTRUCTIONS,
        unit="instructions",
        title="instructions that find thread-local variables",
        margin=0.002,
        needs_slot=False,
        by_function=True,
        overhead=True,
    ),
    Event(
        name="page-faults",
        unit="faults",
        title="page faults",
        margin=0.02,
        perf=(PerfEvent(spec="page-faults"),),
        needs_slot=False,
        rusage=True,
    ),
    Event(
        name="task-clock",
        unit="ns",
        title="CPU time",
        margin=0.01,
        perf=(PerfEvent(spec="task-clock"),),
        needs_slot=False,
        anchor=True,
        rusage=True,
    ),
    Event(
        name="wall",
        unit="ns",
        title="wall time",
        margin=0.01,
        perf=(PerfEvent(spec="duration_time"),),
        needs_slot=False,
        anchor=True,
        rusage=True,
    ),
    Event(
        name="context-switches",
        unit="switches",
        title="context switches",
        margin=0.02,
        perf=(PerfEvent(spec="context-switches"),),
        needs_slot=False,
        rusage=True,
        overhead=True,
    ),
    Event(
        name="steal",
        unit="ns",
        title="time stolen from the CPU",
        margin=0.02,
        needs_slot=False,
        rusage=True,
        overhead=True,
    ),
    Event(
        name=QUEUED,
        unit="ns",
        title="waiting for a CPU",
        margin=0.02,
        needs_slot=False,
        inside=True,
        overhead=True,
    ),
    Event(
        name="clock",
        unit="GHz",
        title="core clock (estimated)",
        margin=0.01,
        needs_slot=False,
        rusage=True,
        overhead=True,
    ),
)

BY_FUNCTION: tuple[str, ...] = tuple(event.name for event in EVENTS if event.by_function)

ABROAD: tuple[Event, ...] = (
    Event(
        name="aarch64-instructions",
        unit="instructions",
        title="aarch64 instructions",
        margin=0.002,
        needs_slot=False,
        emulated=True,
        later=True,
    ),
)
"""What counts the work of other targets: each kind has a name of its own, since none can be compared with another."""

COUNTS: tuple[str, ...] = ("instructions", *(event.name for event in ABROAD))
"""What counts the work itself; a run has one of them at most."""

BY_NAME: dict[str, Event] = {event.name: event for event in (*EVENTS, *ABROAD)}


def work_counted(names: Container[str]) -> str | None:
    """The one of ``COUNTS`` that is among ``names``; None: nothing counted the work."""
    return next((count for count in COUNTS if count in names), None)
