"""Read what ``perf stat -j -o FILE`` wrote: pure, never raising, and never guessing a figure.

Format, from perf's own source (tools/perf/util/stat-display.c, kernel 6.1 to 6.12): one JSON object per line and
event. ``counter-value`` is a string with six decimals, or ``<not supported>`` or ``<not counted>``; a value is already
scaled up when the counter did not run all the time. ``event-runtime`` is the time the counter *ran* in ns,
``pcnt-running`` that time in per cent of the time it was enabled, cut to an integer: so 100.00 means that both times
are equal, and below that the enabled time is not known. Later printers round to two decimals instead, and 100.00 may
hide up to 50 parts in a million: there the times of the events of one process, enabled together, are compared.
``<not supported>`` rows carry 100.00 as well. Rows without ``counter-value`` are metrics; a metric that is ``nan`` or
``inf`` is no JSON. perf writes numbers in the user's locale, and a decimal comma breaks the JSON; here both notations
are read, so that no locale has to be forced on perf, whose environment is the workload's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

import msgspec

from profiler.model import Noun, Reading

NOT_SUPPORTED = "not supported by this CPU, kernel or hypervisor"
NOT_COUNTED = "not counted: no counter was free, or the process never ran where the event exists"
MISSING = "perf wrote no row for this event"
UNREADABLE = "perf's row for this event is not readable"

_NS_PER_UNIT = {"msec": 1_000_000, "ms": 1_000_000, "ns": 1, "nsec": 1, "usec": 1_000, "us": 1_000}
_NS_PER_MSEC = 1_000_000
_OWN_CLOCK = frozenset({"duration_time", "user_time", "system_time"})
"""Read by perf itself and not enabled with the others: ``event-runtime`` is their value or nothing."""

_DECIMAL_MARKS = ",\u066b"
_NO_NUMBER = re.compile(r"(: )[-+]?(?:nan|inf)(?:inity)?(?=\s*[,}])", re.IGNORECASE)
_BARE_COMMA = re.compile(rf"(: [0-9]+)[{_DECIMAL_MARKS}]([0-9])")
# perf groups no digits in JSON and writes six decimals, so a comma before six digits is a decimal comma.
_FIGURE = re.compile(rf"([0-9]{{1,20}})(?:\.([0-9]+)|[{_DECIMAL_MARKS}]([0-9]{{6}}))?")
_EVENT_OF_BROKEN_ROW = re.compile(r'"event" : "([^"]*)"')
_WITH_PMU = re.compile(r"([\w.-]+)/(.*)/\w*")
_MODIFIERS = re.compile(r":[ukhpPGHSDWeb]+$")


class Asked(Noun, frozen=True, kw_only=True):
    """One event as it was asked of perf."""

    event: str
    spec: str
    unit: str


class _Raw(msgspec.Struct, frozen=True):
    event: str
    value: str = msgspec.field(name="counter-value")
    running_ns: int = msgspec.field(name="event-runtime")
    percent: float = msgspec.field(name="pcnt-running")
    unit: str = ""


class _Broken(msgspec.Struct, frozen=True):
    """A row that is there but cannot be read; it keeps the place of its event."""

    event: str


_Row = _Raw | _Broken


def read(data: bytes, asked: Sequence[Asked], *, percent_is_exact: bool = False) -> tuple[Reading, ...]:
    """One reading per event of ``asked``, in that order; a figure that cannot be trusted is None with its reason.

    ``percent_is_exact``: this perf prints 100.00 only where both times are equal, so they need not be compared.
    Rows belong to events by order; their names (perf adds and drops ``:u`` and prefixes PMUs) only guard against rows
    that were lost. A hybrid CPU's rows, one per kind of core, are added up.
    """
    text = data.decode(errors="replace").replace("\0", "")
    groups = _groups([row for line in text.split("\n") if (row := _row(line.strip())) is not None])
    names = [_plain(event.spec) for event in asked]
    rows: list[list[_Row]] = [[] for _ in asked]
    found = [_plain(group[0].event) for group in groups]
    for kind, from_, to, at, end in SequenceMatcher(None, names, found, autojunk=False).get_opcodes():
        renamed = kind == "replace" and to - from_ == end - at and not set(found[at:end]) & set(names)
        if kind == "equal" or renamed:
            rows[from_:to] = groups[at:end]
    longest = None if percent_is_exact else max((_shared_ns(group) for group in rows), default=0)
    return tuple(_reading(event, group, longest) for event, group in zip(asked, rows, strict=True))


def is_user_only(raw_name: str) -> bool:
    """Did perf restrict this event to user mode, as it does silently for those who may not watch the kernel?"""
    return any("u" in part for part in _MODIFIERS.findall(raw_name))


def _row(line: str) -> _Row | None:
    if '"counter-value"' not in line:
        return None
    line = _NO_NUMBER.sub(r"\1null", line)
    for attempt in (line, _BARE_COMMA.sub(r"\1.\2", line)):
        try:
            return msgspec.json.decode(attempt, type=_Raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
    named = _EVENT_OF_BROKEN_ROW.search(line)
    return _Broken(event=named[1] if named else "")


def _plain(name: str) -> str:
    """The event's name without PMU and modifiers."""
    matched = _WITH_PMU.fullmatch(name)
    return (matched[2] if matched else _MODIFIERS.sub("", name)).lower()


def _pmu(name: str) -> str | None:
    matched = _WITH_PMU.fullmatch(name)
    return matched[1] if matched else None


def _groups(rows: list[_Row]) -> list[list[_Row]]:
    """Put rows together that are one event on different PMUs (``cpu_core/…/``, ``cpu_atom/…/``).

    They are neighbours, or all of one PMU come before all of another: the n-th of a name here is the n-th there.
    """
    groups: list[list[_Row]] = []
    on_pmus: dict[str, list[list[_Row]]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for row in rows:
        name, pmu = _plain(row.event), _pmu(row.event)
        if pmu is None:
            groups.append([row])
            continue
        same = on_pmus.setdefault(name, [])
        at = seen[name, pmu]
        seen[name, pmu] += 1
        if at == len(same):
            same.append([])
            groups.append(same[at])
        same[at].append(row)
    return groups


def _shared_ns(rows: list[_Row]) -> int:
    """How long an event ran, of those that are enabled together; 0 for perf's own clocks."""
    return sum(
        row.running_ns
        for row in rows
        if isinstance(row, _Raw) and not row.value.startswith("<not ") and _plain(row.event) not in _OWN_CLOCK
    )


def _reading(asked: Asked, rows: list[_Row], longest_ns: int | None) -> Reading:
    readable = [row for row in rows if isinstance(row, _Raw)]
    value, reason = _judge(asked, rows, readable)
    ran_ns = _shared_ns(rows)
    if value is not None and longest_ns is not None and 0 < ran_ns < longest_ns:
        value, reason = None, f"multiplexed: ran {_below_100(ran_ns / longest_ns)} % of the time; rejected"
    known = [row for row in readable if row.value != "<not supported>"]
    running = sum(row.running_ns for row in known) if known else None
    return Reading(
        event=asked.event,
        value=value,
        unit=asked.unit,
        enabled_ns=running if value is not None else None,
        running_ns=running,
        source="hardware",
        raw_name="+".join(row.event for row in rows) or asked.spec,
        reason=reason,
    )


def _below_100(part: float) -> str:
    """A part of the whole in per cent, with as many digits as tell it from the whole."""
    told = (f"{part * 100:.{digits}f}" for digits in range(20))
    return next((text for text in told if float(text) < 100), "less than 100")


def _judge(asked: Asked, rows: list[_Row], readable: list[_Raw]) -> tuple[float | None, str | None]:
    if not rows:
        return None, MISSING
    if len(readable) < len(rows):
        return None, UNREADABLE
    counted = [row for row in readable if not row.value.startswith("<not ")]
    if not counted:
        supported = any(row.value != "<not supported>" for row in readable)
        return None, NOT_COUNTED if supported else NOT_SUPPORTED
    for row in counted:
        if not row.percent >= 100:
            moved = "; the process moved between kinds of core" if len(rows) > 1 else ""
            return None, f"multiplexed: ran {row.percent:g} % of the time{moved}; rejected"
    figures = [_figure(asked, row) for row in counted]
    known = [figure for figure in figures if figure is not None]
    return (sum(known), None) if len(known) == len(figures) else (None, UNREADABLE)


def _figure(asked: Asked, row: _Raw) -> float | None:
    matched = _FIGURE.fullmatch(row.value)
    if matched is None or (row.unit and (asked.unit != "ns" or row.unit not in _NS_PER_UNIT)):
        return None
    number = float(f"{matched[1]}.{matched[2] or matched[3] or 0}")
    if asked.unit != "ns":
        return number
    # perf counts time in whole ns; the product of a decimal fraction would not be whole.
    return float(round(number * (_NS_PER_UNIT[row.unit] if row.unit else _ns_per_unit(number, row))))


def _ns_per_unit(number: float, row: _Raw) -> int:
    """The scale of a time without a unit: ns or ms. A fraction is never ns; else a CPU clock reads what it ran."""
    if number != round(number):
        return _NS_PER_MSEC
    if row.running_ns <= 0 or _plain(row.event) in _OWN_CLOCK:
        return 1
    return min((1, _NS_PER_MSEC), key=lambda scale: abs(number * scale - row.running_ns))
