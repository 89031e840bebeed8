"""Which CPython of a minor version needs the fewest instructions, and in what the others are built unlike it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from profiler.catalogue.build_options import BUILD_OPTIONS, BuildOption
from profiler.catalogue.metrics import METRIC
from profiler.model.installed import BuildDifference, InstalledPython

VERSION: Final = "version"
SAME: Final = METRIC["instructions"].margin
"""The relative difference up to which two counts are called the same."""


def minor_of(python: InstalledPython) -> str | None:
    """``"3.11"``."""
    return None if python.version is None else ".".join(python.version.split(".")[:2])


def ranked(pythons: Sequence[InstalledPython]) -> tuple[InstalledPython, ...]:
    """``pythons`` with each count's ratio to the fastest of its minor version, and with what differs.

    The fastest is told by workload; what differs is told to the fastest of the first one on which this one is slower.
    """
    return tuple(_against(python, pythons) for python in pythons)


def differences(
    python: InstalledPython, fastest: InstalledPython
) -> tuple[tuple[BuildDifference, ...], tuple[str, ...]]:
    """In what ``one`` is built unlike ``fastest``, another patch level first; and the options that either file does
    not show. An option that follows from another stands with that one.
    """
    found: dict[str, BuildDifference] = {}
    if python.version is not None and fastest.version is not None and python.version != fastest.version:
        here, there = f"patch level {python.version}", fastest.version
        found[VERSION] = BuildDifference(option=VERSION, cause=VERSION, here=here, fastest=there, costs=None)
    not_told = []
    for option in BUILD_OPTIONS:
        here_, there_ = option.read(python), option.read(fastest)
        if here_ is None or there_ is None:
            not_told.append(option.title)
        elif here_ != there_:
            found[option.id] = BuildDifference(
                option=option.id, cause=option.cause, here=here_, fastest=there_, costs=_costs(option, here_, there_)
            )
    for option in BUILD_OPTIONS:
        if option.id in found:
            by = found[option.id]
            brought = [id_ for id_ in option.brings if id_ in found and found[id_].costs == by.costs]
            found[option.id] = msgspec.structs.replace(by, brings=tuple(found.pop(id_).here for id_ in brought))
    return tuple(found.values()), tuple(not_told)


def _costs(option: BuildOption, here: str, there: str) -> bool | None:
    order = option.cheap_first
    return order.index(here) > order.index(there) if here in order and there in order else None


def _against(python: InstalledPython, pythons: Sequence[InstalledPython]) -> InstalledPython:
    siblings = [other for other in pythons if minor_of(other) == minor_of(python) is not None] or [python]
    counts = []
    reference: InstalledPython | None = None
    for count in python.counts:
        if count.instructions is None:
            counts.append(count)
            continue
        figures = {
            other.file.real_path: own.instructions
            for other in siblings
            for own in other.counts
            if own.workload == count.workload and own.instructions is not None
        }
        least = min(figures, key=lambda path: (figures[path], path))
        if figures[least] > 0:
            ratio = count.instructions / figures[least]
            counts.append(msgspec.structs.replace(count, fastest=least, ratio=ratio))
            if reference is None and ratio > 1 + SAME:
                reference = next(other for other in siblings if other.file.real_path == least)
        else:
            counts.append(msgspec.structs.replace(count, reason="the work took no instructions that M explains"))
    told, not_told = differences(python, reference) if reference is not None else ((), ())
    return msgspec.structs.replace(python, counts=tuple(counts), differences=told, not_told=not_told)
