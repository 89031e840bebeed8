"""Each metric written once: what a table calls it, how its figures are written, and when a ratio of it is the same.

Every event of ``events.EVENTS`` that is compared is a metric of its own; a quotient of two, or what an event takes
before the first iteration, is one entry here. The order is the order of tables.
"""

from __future__ import annotations

from typing import Literal

from profiler.catalogue.events import ABROAD, BY_NAME, COUNTS, EVENTS, Cpu, Event
from profiler.catalogue.source_kinds import SOURCE_KINDS
from profiler.model import Noun, SourceName

Words = Literal["speed", "level", "number"]
"""How a difference is called: slower or faster, lower or higher, more or fewer."""

_STARTUP_MARGIN = 0.02


class Metric(Noun, frozen=True, kw_only=True):
    """One column of costs to compare."""

    name: str
    title: str
    unit: str
    """Of its values in files."""
    shown: tuple[float, str]
    """For people: what a value is multiplied by, and the unit that then stands at it; empty for plain counts."""
    per: Literal["iteration", "launch"]
    event: str
    """The event whose source and reason it shares."""
    formula: tuple[str, str] | None
    """Numerator and denominator of a quotient of two costs per iteration; None: it is an event's own cost."""
    margin: float
    """A ratio whose whole interval lies within ``1 ± margin`` is "same"."""
    better: Literal["lower", "higher"]
    words: Words
    rank: Literal[1, 2]
    """1: it answers the question, so it stands wherever there is room for a few; 2: it explains."""
    exact_by: frozenset[SourceName]
    """Sources whose counts of it a second run of the same process repeats to the digit."""


_SPEED = frozenset({*COUNTS, "cycles", "task-clock", "wall"})
"""What a program that is slower takes more of."""


def _exact_by(event: Event) -> frozenset[SourceName]:
    reads: dict[SourceName, bool] = {
        "qemu": event.qemu,
        "callgrind": bool(event.callgrind),
        "emulated": event.emulated,
    }
    return frozenset(source for source, able in reads.items() if able and not event.simulated)


def _of_event(event: Event) -> Metric:
    return Metric(
        name=event.name,
        title=event.title,
        unit=event.unit,
        shown=(1.0, "ns" if event.unit == "ns" else ""),
        per="iteration",
        event=event.name,
        formula=None,
        margin=event.margin,
        better="lower",
        words="speed" if event.name in _SPEED else "number",
        rank=1 if event.name in _SPEED else 2,
        exact_by=_exact_by(event),
    )


def _startup(event: Event, *, title: str, unit: str) -> Metric:
    return Metric(
        name=f"startup-{event.name}",
        title=title,
        unit=event.unit,
        shown=(1e-6, unit),
        per="launch",
        event=event.name,
        formula=None,
        margin=_STARTUP_MARGIN,
        better="lower",
        words="speed",
        rank=2,
        exact_by=_of_event(event).exact_by,
    )


METRICS: tuple[Metric, ...] = (
    *(_of_event(event) for event in (*EVENTS, *ABROAD) if not event.overhead),
    Metric(
        name="ipc",
        title="IPC",
        unit="instructions per cycle",
        shown=(1.0, ""),
        per="iteration",
        event="cycles",
        formula=("instructions", "cycles"),
        margin=0.01,
        better="higher",
        words="level",
        rank=1,
        exact_by=frozenset(),
    ),
    _startup(BY_NAME["wall"], title="start-up time", unit="ms"),
    _startup(BY_NAME["instructions"], title="start-up instructions", unit="M"),
    *(_startup(event, title=f"start-up {event.title}", unit="M") for event in ABROAD),
)

METRIC: dict[str, Metric] = {metric.name: metric for metric in METRICS}

QUOTIENTS: tuple[tuple[Metric, str, str], ...] = tuple(
    (metric, *metric.formula) for metric in METRICS if metric.formula is not None
)
"""Derived metrics with their numerator and denominator."""

HEADLINE: tuple[str, ...] = tuple(metric.name for metric in METRICS if metric.rank == 1 and metric.formula is None)
"""Costs that answer the question."""

PER_LAUNCH: tuple[Metric, ...] = tuple(metric for metric in METRICS if metric.per == "launch")


def title(metric: str) -> str:
    """Its name for people; an event that is not compared has its own."""
    if metric in METRIC:
        return METRIC[metric].title
    return BY_NAME[metric].title if metric in BY_NAME else metric


def model_of(metric: str, source: SourceName) -> str | None:
    """What the figure is called where it is that of a model of caches or predictors; None: it is of none."""
    return SOURCE_KINDS[source].model if metric in METRIC and BY_NAME[METRIC[metric].event].simulated else None


def is_simulated(metric: str, source: SourceName) -> bool:
    """Whether the figure is that of a model of caches or predictors."""
    return model_of(metric, source) is not None


def meaning(metric: str, vendor: str | None, family: str | None, spec: str | None = None) -> str | None:
    """What hardware counts under the metric's name, where that is not what the name says.

    ``vendor`` and ``family`` as in /proc/cpuinfo, None where it has none (x86 alone has both); ``spec``: what perf was
    asked for, None: the first that this CPU has.
    """
    if metric not in BY_NAME:
        return None
    cpu = Cpu(vendor=vendor or "", family=int(family) if family is not None and family.isdecimal() else 0)
    found = (
        candidate for candidate in BY_NAME[metric].perf if candidate.applies(cpu) and spec in (None, candidate.spec)
    )
    return next((candidate.note for candidate in found), None)
