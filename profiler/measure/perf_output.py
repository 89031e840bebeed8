"""Read what ``perf stat -j -o FILE`` wrote: pure, never raising, and never guessing a figure.

Format, from perf's own source (tools/perf/util/stat-display.c, kernel 6.1 to 6.12): one JSON object per line and
event. ``counter-value`` is a string with six decimals, or ``<not supported>`` or ``<not counted>``; a value is already
scaled up when the counter did not run all the time. ``event-runtime`` is the time the counter *ran* in ns,
``pcnt-running`` that time in per cent of the time it was enabled, cut to an integer: so 100.00 means that both times
are equal, and below that the enabled time is not known. ``<not supported>`` rows carry 100.00 as well. Rows without
``counter-value`` are metrics. perf writes numbers in the user's locale, and a decimal comma breaks the JSON; here both
notations are read, so that no locale has to be forced on perf, whose environment is the workload's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import msgspec

from profiler.model import Noun, Reading

NOT_SUPPORTED = "not supported by this CPU, kernel or hypervisor"
NOT_COUNTED = "not counted: no counter was free, or the process never ran where the event exists"
MISSING = "perf wrote no row for this event"
UNREADABLE = "perf's row for this event is not readable"

_NS_PER_UNIT = {"msec": 1_000_000, "ns": 1, "": 1}
"""task-clock is written in msec; duration_time in ns, by newer versions without a unit."""

_DECIMAL_MARKS = ",\u066b"
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


def read(data: bytes, asked: Sequence[Asked]) -> tuple[Reading, ...]:
    """One reading per event of ``asked``, in that order; a figure that cannot be trusted is None with its reason.

    Rows belong to events by order; their names (perf adds and drops ``:u`` and prefixes PMUs) only guard against rows
    that were lost. A hybrid CPU's rows, one per kind of core, are added up.
    """
    text = data.decode(errors="replace").replace("\0", "")
    groups = _groups([row for line in text.split("\n") if (row := _row(line.strip())) is not None])
    names = [_plain(one.spec) for one in asked]
    rows: list[list[_Row]] = [[] for _ in asked]
    found = [_plain(group[0].event) for group in groups]
    for kind, from_, to, at, end in SequenceMatcher(None, names, found, autojunk=False).get_opcodes():
        renamed = kind == "replace" and to - from_ == end - at and not set(found[at:end]) & set(names)
        if kind == "equal" or renamed:
            rows[from_:to] = groups[at:end]
    return tuple(_reading(one, group) for one, group in zip(asked, rows, strict=True))


def is_user_only(raw_name: str) -> bool:
    """Did perf restrict this event to user mode, as it does silently for those who may not watch the kernel?"""
    return any("u" in part for part in _MODIFIERS.findall(raw_name))


def _row(line: str) -> _Row | None:
    if '"counter-value"' not in line:
        return None
    for attempt in (line, _BARE_COMMA.sub(r"\1.\2", line)):
        try:
            return msgspec.json.decode(attempt, type=_Raw)
        except (msgspec.MsgspecError, UnicodeError):
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
    """Put neighbours together that are one event on different PMUs (``cpu_core/…/``, ``cpu_atom/…/``)."""
    groups: list[list[_Row]] = []
    for row in rows:
        pmus = {_pmu(other.event) for other in groups[-1]} if groups else set()
        same_event = bool(groups) and _plain(groups[-1][0].event) == _plain(row.event)
        if same_event and None not in pmus and _pmu(row.event) not in {None, *pmus}:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _reading(one: Asked, rows: list[_Row]) -> Reading:
    readable = [row for row in rows if isinstance(row, _Raw)]
    value, reason = _judge(one, rows, readable)
    known = [row for row in readable if row.value != "<not supported>"]
    running = sum(row.running_ns for row in known) if known else None
    return Reading(
        event=one.event,
        value=value,
        unit=one.unit,
        enabled_ns=running if value is not None else None,
        running_ns=running,
        source="hardware",
        raw_name="+".join(row.event for row in rows) or one.spec,
        reason=reason,
    )


def _judge(one: Asked, rows: list[_Row], readable: list[_Raw]) -> tuple[float | None, str | None]:
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
    figures = [_figure(one, row) for row in counted]
    known = [figure for figure in figures if figure is not None]
    return (sum(known), None) if len(known) == len(figures) else (None, UNREADABLE)


def _figure(one: Asked, row: _Raw) -> float | None:
    matched = _FIGURE.fullmatch(row.value)
    scale = _NS_PER_UNIT.get(row.unit) if one.unit == "ns" else 1 if row.unit == "" else None
    if matched is None or scale is None:
        return None
    number = float(f"{matched[1]}.{matched[2] or matched[3] or 0}") * scale
    # perf counts time in whole ns; the product of a decimal fraction would not be whole.
    return float(round(number)) if one.unit == "ns" else number
