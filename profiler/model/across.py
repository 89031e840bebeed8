"""``compare.json``: what several runs of one workload say of each other. And a gate, which such a change may miss."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Caveat, Noun, SourceName
from profiler.model.verdict import Interval, VerdictWord

ACROSS_SCHEMA = "tax-probe/compare/1"

Of = Literal["cost", "tax"]
"""Of what a change is. ``cost``: the launcher's own, per iteration or per launch, as the metric is. ``tax``: its ratio
to the baseline of its own run."""

Pairing = Literal["blocks", "placements", "none"]
"""What two runs share, so that it cancels in their ratio: the draws of every block (one seed), the part of the arena
in which the heap lay, or nothing: independent samples."""

DifferenceKind = Literal["machine", "target", "image", "measurement", "tool"]


class AcrossFolder(Noun, frozen=True, kw_only=True):
    """One result folder; the first of a document is the reference."""

    label: str
    """``A`` for the reference, then ``B``, ``C``, …"""
    path: str
    """As the user named it."""
    command: str
    started_utc: str
    source: SourceName
    target: str
    """The ELF program of the baseline."""
    version: str
    """Of the target, as ``3.11.2``."""
    machine: str | None
    """Model of the CPU; None: not known."""
    blocks: int
    launchers: tuple[str, ...]
    """Those that are no variant of another; the baseline first."""
    metrics: tuple[str, ...]
    """Of which the run has figures, in the order of tables; also those that A/A withdrew."""


class AcrossDifference(Noun, frozen=True, kw_only=True):
    """Something in which the runs differ beside their figures."""

    kind: DifferenceKind
    what: str
    """For people: ``kernel``, ``build-id of pyo3's image``."""
    values: tuple[str | None, ...]
    """One per folder, in their order; None: not known, or there is no such thing."""


class AcrossChange(Noun, frozen=True, kw_only=True):
    """One launcher in one metric: a folder against the reference."""

    of: Of
    launcher: str
    metric: str
    reference: str
    """Label of the folder that the change is from."""
    folder: str
    """Label of the folder that the change is to."""
    before: float | None
    """In the reference: the mean over its blocks, in the metric's unit; of a tax the ratio."""
    after: float | None
    """The same in the folder."""
    ratio: float | None
    """Of the second to the first, from the blocks that can be compared (``blocks``); None with a ``reason``."""
    lo: float | None
    hi: float | None
    confidence: float
    exact: bool
    """Counts that a second run of the same process repeats to the digit, on both sides."""
    pairing: Pairing | None
    """None: nothing could be compared."""
    blocks: tuple[int, int]
    """How many blocks the ratio stands on, in the reference and in the folder."""
    verdict: VerdictWord
    """Of the whole interval against the metric's margin, and of Holm."""
    p_value: float | None
    """Of "within the margin", adjusted for all metrics of this launcher, folder and ``of`` (Holm); None: not tested."""
    detectable: float | None
    """The relative change that so many blocks of this scatter show with 80 % power."""
    reason: str | None
    """Why there is no ratio, or no verdict."""


class MatrixRow(Noun, frozen=True, kw_only=True):
    """A launcher's ratio to the baseline of the same run, in the document's ``headline`` metric."""

    launcher: str
    ratios: tuple[Interval | None, ...]
    """One per folder, in their order; None: the run has no such launcher, or the metric is not known of it."""


class Across(Noun, frozen=True, kw_only=True):
    """``compare.json`` (schema ``tax-probe/compare/1``). A field may be added, none is renamed; unknown is null."""

    schema: str
    workload: str
    headline: str
    """The metric of ``matrix`` and ``sentence``: instructions, or wall where these cannot be compared."""
    folders: tuple[AcrossFolder, ...]
    differences: tuple[AcrossDifference, ...]
    changes: tuple[AcrossChange, ...]
    """Of every launcher and metric that the reference and another folder both have, in each of these folders."""
    matrix: tuple[MatrixRow, ...]
    sentence: str
    warnings: tuple[Caveat, ...]


class Gate(Noun, frozen=True, kw_only=True):
    """A ratio that must not be proven to be exceeded."""

    metric: str | None
    """Name in ``catalogue.metrics``; None: instructions, or wall where they are not counted."""
    max_ratio: float


class GateLine(Noun, frozen=True, kw_only=True):
    """What a gate says of one launcher."""

    metric: str
    max_ratio: float
    subject: str
    """What was held against the gate, for people: ``pyo3``, ``pyo3 on B``, ``the tax of pyo3 on B``."""
    ratio: float | None
    lo: float | None
    hi: float | None
    word: Literal["within", "undecided", "exceeded", "unknown"]
    """``exceeded``: the whole interval lies above; ``undecided``: a part of it does; ``unknown``: there is none."""
    reason: str | None
    """Why it is unknown, or nothing can be decided."""
