"""From several result folders of one workload to what changed between them: ``tax-probe compare``, ``--baseline``."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from profiler.analyze.change_wording import sentence
from profiler.analyze.compare import RARE, RARELY, compare_metrics, paired
from profiler.analyze.opened import Opened, require_same_work
from profiler.analyze.run_differences import ANOTHER, differences, own_right
from profiler.analyze.stats import CONFIDENCE, FAMILY_ERROR, holm, verdict
from profiler.analyze.two_runs import Blocks, Kind, RunRatio, changed
from profiler.catalogue.caveats import OTHER_MACHINE, caveat
from profiler.catalogue.events import BY_NAME
from profiler.catalogue.metrics import METRIC, METRICS, Metric
from profiler.catalogue.variant_rules import is_host
from profiler.errors import UsageError
from profiler.model import Caveat, Interval, Run, SourceName
from profiler.model.across import (
    ACROSS_SCHEMA,
    Across,
    AcrossChange,
    AcrossDifference,
    AcrossFolder,
    MatrixRow,
    Of,
)

if TYPE_CHECKING:
    import pandas as pd

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_POSITIVE = "not above 0 in every block, so that no ratio is known"
_MATRIX = ("instructions", "wall")
"""Of which the first that can be compared is the headline."""


def across(folders: Sequence[Opened]) -> Across:
    """What changed from the first folder to each other one.

    Raises:
        UsageError: fewer than two folders, more than there are labels, or they are of different workloads.
    """
    if not 2 <= len(folders) <= len(LABELS):
        raise UsageError(
            f"{len(folders)} result folder{'s' * (len(folders) != 1)} to compare",
            hint=f"name two to {len(LABELS)}: tax-probe compare REFERENCE OTHER…",
        )
    reference, *others = folders
    unsure = [caution for other in others if (caution := require_same_work(reference, other.run, other.outputs))]
    found = tuple(
        change for label, other in zip(LABELS[1:], others, strict=False) for change in _changes(reference, other, label)
    )
    told = {(change.of, change.metric) for change in found if change.ratio is not None}
    headline = next((name for name in _MATRIX if ("cost", name) in told), _MATRIX[0])
    common = [name for name in own_right(reference.run) if all(name in own_right(other.run) for other in others)]
    named = differences([folder.run for folder in folders], common)
    document = Across(
        schema=ACROSS_SCHEMA,
        workload=reference.run.plan.workload.name,
        headline=headline,
        folders=tuple(_folder(label, folder) for label, folder in zip(LABELS, folders, strict=False)),
        differences=named,
        changes=found,
        matrix=_matrix(folders, headline),
        sentence="",
        warnings=(*_machines(named), *dict.fromkeys(unsure)),
    )
    return msgspec.structs.replace(document, sentence=sentence(document, _subjects(reference.run, common)))


def _subjects(run: Run, common: Sequence[str]) -> tuple[str, ...]:
    """Of whom the sentence is: the user's own hosts, else the first of ours, else the baseline."""
    baseline, *others = common or own_right(run)
    users = tuple(name for name in others if is_host(own_right(run)[name]))
    return users or tuple(others[:1]) or (baseline,)


def _folder(label: str, opened: Opened) -> AcrossFolder:
    return AcrossFolder(
        label=label,
        path=str(opened.path),
        command=opened.run.command,
        started_utc=opened.run.started_utc,
        source=opened.run.plan.source,
        target=opened.run.target.real_path,
        version=opened.run.target.version,
        machine=opened.run.machine.get("cpu_model"),
        blocks=len(opened.run.plan.blocks),
        launchers=tuple(own_right(opened.run)),
        metrics=tuple(metric.name for metric in METRICS if metric.name in opened.costs.table),
    )


def _machines(found: Sequence[AcrossDifference]) -> Iterator[Caveat]:
    told = [difference.what for difference in found if difference.kind == "machine" and difference.what in ANOTHER]
    if told:
        yield caveat(
            OTHER_MACHINE,
            f"the runs are of different machines ({', '.join(told)}): what times changed by is the machines' too, and "
            "caches differ; exact counts, and each run's ratio to its own baseline, bear it better",
        )


@dataclass(frozen=True, kw_only=True)
class _Question:
    """What of whom, from where to where."""

    of: Of
    launcher: str
    metric: Metric
    reference: Opened
    other: Opened
    label: str

    @property
    def runs(self) -> tuple[Opened, Opened]:
        return self.reference, self.other

    @property
    def sources(self) -> tuple[SourceName, SourceName]:
        return _source(self.reference, self.metric), _source(self.other, self.metric)

    @property
    def exact(self) -> bool:
        return all(source in self.metric.exact_by for source in self.sources)


def _changes(reference: Opened, other: Opened, label: str) -> Iterator[AcrossChange]:
    for name in reference.names:
        asked: tuple[Of, ...] = ("cost",) if name in (reference.baseline, other.baseline) else ("cost", "tax")
        for of in asked if name in other.names else ():
            yield from _family(
                [
                    (_cost if of == "cost" else _tax)(
                        _Question(of=of, launcher=name, metric=metric, reference=reference, other=other, label=label)
                    )
                    for metric in METRICS
                ]
            )


def _family(found: list[AcrossChange]) -> Iterator[AcrossChange]:
    for change, chance in zip(found, holm([change.p_value for change in found]), strict=True):
        word, reason = change.verdict, change.reason
        if word in {"slower", "faster"} and (chance is None or chance > FAMILY_ERROR):
            word = "unresolved"
            reason = f"a change as large comes by chance too often among {len(found)} metrics (Holm); more --blocks"
        yield msgspec.structs.replace(change, verdict=word, reason=reason, p_value=chance)


def _cost(asked: _Question) -> AcrossChange:
    figures = [_own(run, asked.launcher, asked.metric.name) for run in asked.runs]
    means = [None if figure.empty else float(figure.mean()) for figure in figures]
    unknown = _unknown(asked, [figure.empty for figure in figures])
    if unknown is None and all(mean is not None and abs(mean) < RARE for mean in means):
        unknown = RARELY
    return _told(asked, _change(asked, figures) if unknown is None else RunRatio(reason=unknown), means)


def _tax(asked: _Question) -> AcrossChange:
    """The ratio of two ratios: paired by block within each run, so that what a block has to itself cancels there."""
    pairs = [paired(run.costs, run.baseline, asked.launcher, asked.metric.name) for run in asked.runs]
    unknown = _unknown(asked, [both.empty for both in pairs])
    if unknown is None and all(float(both.abs().mean().max()) < RARE for both in pairs):
        unknown = RARELY
    elif unknown is None and any((both <= 0).any(axis=None) for both in pairs):
        unknown = _NOT_POSITIVE
    if unknown is not None:
        return _told(asked, RunRatio(reason=unknown), (None, None))
    ratios = [both["other"] / both["base"] for both in pairs]
    return _told(asked, _change(asked, ratios), [_geometric(ratio) for ratio in ratios])


def _own(opened: Opened, name: str, metric: str) -> pd.Series:
    """The launcher's cost per block, of the baseline the mean of its two runs; empty where the metric is withdrawn."""
    column = "base" if name == opened.baseline else "other"
    found = paired(opened.costs, opened.baseline, name, metric)[column]
    # The baseline's figures stay in a withdrawn metric, as the proof.
    return found.iloc[:0] if metric in opened.costs.doubts else found


def _geometric(ratios: pd.Series) -> float | None:
    return None if ratios.empty else math.exp(sum(map(math.log, ratios)) / len(ratios))


def _unknown(asked: _Question, empty: Sequence[bool]) -> str | None:
    """Why one of the runs has no figures at all; None: both have."""
    metric = asked.metric
    for label, run, none in zip((LABELS[0], asked.label), asked.runs, empty, strict=True):
        if none:
            doubt, reasons = run.costs.doubts.get(metric.name), run.costs.reasons
            if doubt is not None:
                return f"withdrawn in {label}: {doubt.reason}"
            return f"{label}: {reasons.get(metric.name) or reasons.get(metric.event) or 'no complete block'}"
    return None


def _change(asked: _Question, figures: Sequence[pd.Series]) -> RunRatio:
    """``figures``: one per block, of the reference and of the other run; neither is empty."""
    metric = asked.metric
    timed = BY_NAME[metric.event].unit == "ns"
    source, another = asked.sources
    if source != another and not (timed and metric.per == "iteration"):
        # Between two M what each has around the process cancels, but not what it counts.
        return RunRatio(reason=f"figures of {source} and of {another} are not of the same things")
    if any((found <= 0).any() for found in figures):
        return RunRatio(reason=_NOT_POSITIVE)
    kind: Kind = "exact" if asked.exact else "timed" if timed else "counted"
    before, after = (_blocks(run, found) for run, found in zip(asked.runs, figures, strict=True))
    level = max(run.costs.level for run in asked.runs)
    return changed(before, after, kind=kind, margin=metric.margin, confidence=level)


def _source(run: Opened, metric: Metric) -> SourceName:
    return run.costs.sources.get(metric.event, run.costs.fallback_source)


def _blocks(run: Opened, figures: pd.Series) -> Blocks:
    draws: dict[int, Hashable] = {block.index: block for block in run.run.plan.blocks}
    return Blocks(
        logs={int(block): math.log(value) for block, value in zip(figures.index, figures.tolist(), strict=True)},
        draws=draws,
        sides=run.costs.sides,
    )


def _told(asked: _Question, found: RunRatio, means: Sequence[float | None]) -> AcrossChange:
    interval = Interval(ratio=found.ratio, lo=found.lo, hi=found.hi)
    return AcrossChange(
        of=asked.of,
        launcher=asked.launcher,
        metric=asked.metric.name,
        reference=LABELS[0],
        folder=asked.label,
        before=means[0],
        after=means[1],
        ratio=found.ratio,
        lo=found.lo,
        hi=found.hi,
        confidence=CONFIDENCE,
        exact=asked.exact and found.ratio is not None,
        pairing=found.pairing,
        blocks=found.blocks,
        verdict=verdict(interval, margin=asked.metric.margin, better=asked.metric.better),
        p_value=found.p_value,
        detectable=found.detectable,
        reason=found.reason,
    )


def _matrix(folders: Sequence[Opened], headline: str) -> tuple[MatrixRow, ...]:
    """Launchers in their own right, in the order in which the folders name them."""
    names = dict.fromkeys(name for folder in folders for name in own_right(folder.run) if name != folder.baseline)
    return tuple(
        MatrixRow(launcher=name, ratios=tuple(_ratio(folder, name, headline) for folder in folders)) for name in names
    )


def _ratio(opened: Opened, name: str, metric: str) -> Interval | None:
    if name not in opened.names:
        return None
    (found,) = compare_metrics(opened.costs, opened.baseline, name, (METRIC[metric],))
    return None if found.ratio is None else Interval(ratio=found.ratio, lo=found.lo, hi=found.hi)
