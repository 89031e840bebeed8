"""Choose where readings come from: the best source that works here, or the one that was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from profiler.errors import MachineError
from profiler.sources.source import Source

EXACT = ("hardware", "qemu", "callgrind")
"""Sources that count instructions, best first."""
BY_FUNCTION = ("hardware", "callgrind", "qemu")
"""The same, where of two that emulate the better one is that which counts calls of functions too."""


def choose_source(name: str, *, chunks_suffice: bool = False, by_function: bool = False) -> tuple[Source, str]:
    """The source, and one sentence on which and why. ``name``: auto, hardware, qemu, callgrind or software.

    ``auto`` takes hardware before qemu before callgrind before software, and callgrind before qemu where calls of
    functions are wanted ``by_function``; the sentence says why better ones were rejected. Where ``chunks_suffice``,
    hardware needs no perf.

    Raises:
        MachineError: the source that was asked for by name does not work here; with its remedy.
    """
    if name != "auto":
        source = probe(name, chunks_suffice=chunks_suffice)
        return source, source.describe()
    rejected: dict[str, MachineError] = {}
    for candidate in BY_FUNCTION if by_function else EXACT:
        try:
            return (source := probe(candidate, chunks_suffice=chunks_suffice)), sentence(source, rejected)
        except MachineError as error:
            rejected[candidate] = error
    source = probe("software")
    return source, sentence(source, rejected)


def probe(name: str, *, chunks_suffice: bool = False) -> Source:
    """The source of that name, tried.

    Raises:
        MachineError: it does not work here; with its remedy.
    """
    if name == "hardware":
        from profiler.sources.hardware import HardwareSource
        from profiler.sources.own_counters import OwnCountersSource
        from profiler.system.perf import NoPerfError

        try:
            return HardwareSource.probe()
        except NoPerfError as error:
            if not chunks_suffice:
                raise
            try:
                return OwnCountersSource.probe()
            except MachineError as own:
                raise NoPerfError(f"{error.message}; {own.message}", hint=own.hint) from own
    if name == "qemu":
        from profiler.sources.qemu import QemuSource

        return QemuSource.probe()
    if name == "callgrind":
        from profiler.sources.callgrind import CallgrindSource

        return CallgrindSource.probe()
    from profiler.sources.software import SoftwareSource

    return SoftwareSource()


def sentence(source: Source, rejected: Mapping[str, MachineError]) -> str:
    """What was taken, and why nothing better."""
    return source.describe() + "".join(f"; not {name}: {error.message}" for name, error in rejected.items())
