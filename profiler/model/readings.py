"""What was counted, and of which process."""

from __future__ import annotations

from profiler.model.base import Noun, SourceName
from profiler.model.passes import PassKind


class Reading(Noun, frozen=True, kw_only=True):
    """One event of one process, as the source gave it."""

    event: str
    value: float | None
    unit: str
    enabled_ns: int | None
    running_ns: int | None
    source: SourceName
    raw_name: str
    """What the tool itself called it (perf and kernel versions rename events)."""
    reason: str | None
    """Why ``value`` is None."""


class Row(Noun, frozen=True, kw_only=True):
    """One line of ``rows.csv``: a reading with the process it belongs to."""

    block: int
    position: int
    pass_name: str
    kind: PassKind
    launcher: str
    workload: str
    m: int
    repetition: int
    event: str
    value: float | None
    unit: str
    enabled_ns: int | None
    running_ns: int | None
    exit: int
    output_sha256: str
    source: SourceName
    raw_name: str
    reason: str | None
    placement: int | None = None
    """Where in its MiB a new object of 32 bytes lay when the work began; None: its heap was not placed, or unknown."""


class Calls(Noun, frozen=True, kw_only=True):
    """How often one function was called from another."""

    callee: str
    caller: str
    """As the tool names it: an address (``0x…``) where its file shows no name for it."""
    image: str | None
    """The ELF file that holds the caller."""
    calls: int


class CallRow(Noun, frozen=True, kw_only=True):
    """One line of ``calls.csv``: calls of one process, or of one region of it."""

    block: int
    pass_name: str
    launcher: str
    m: int
    repetition: int
    callee: str
    caller: str
    image: str | None
    calls: int
