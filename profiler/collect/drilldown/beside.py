"""What a drill-down looks for before it begins: counters of the CPU, and files with symbols."""

from __future__ import annotations

from collections.abc import Callable

from profiler.catalogue.on_hardware import ON_HARDWARE
from profiler.errors import MachineError
from profiler.launch.matched_set import MatchedSet, fetched_set, lacks_symbols
from profiler.model import Missing, Target
from profiler.sources.choose import probe


def not_by_hardware() -> tuple[Missing, ...]:
    """Why no counter of the CPU has a part in a drill-down."""
    try:
        probe("hardware")
    except MachineError as error:
        return tuple(Missing(event=part, reason=error.message) for part in ON_HARDWARE)
    return tuple(Missing(event=part, reason=why) for part, why in ON_HARDWARE.items())


def matched_files(target: Target, say: Callable[[str], None]) -> MatchedSet | None:
    """Files with symbols to run beside the installed ones; None: these have their own at hand.

    Raises:
        UsageError, MachineError: they cannot be had; with the remedy.
    """
    if not lacks_symbols(target):
        say("symbols: those of the installed files are at hand, nothing is fetched")
        return None
    found = fetched_set(target, say)
    say(f"symbols: of revision {found.revision}, whose files run beside the installed ones")
    return found
