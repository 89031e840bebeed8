"""From rows on disk to costs per iteration: one figure per block, launcher and event."""

from __future__ import annotations

import io
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from profiler.analyze.boundary import Boundary, find_boundaries
from profiler.analyze.placement import placements_differ
from profiler.catalogue.events import work_counted
from profiler.errors import UsageError
from profiler.folder import ROWS, load_run, read_lines, recorded
from profiler.folder.marks import MARK
from profiler.model import CHUNKS, REGIONS, PassKind, Row, SourceName

if TYPE_CHECKING:
    import pandas as pd

PER_ITERATION = "per_iteration"
STARTUP = "startup"
_OF_PROCESSES = "instructions"
_KEYS = ["block", "launcher", "event"]
_WORDS = ("pass", "kind", "launcher", "workload", "event", "unit", "output_sha256", "source", "raw_name", "reason")
_LATER = {"kind", "placement"}
"""Columns that rows of earlier versions lack."""
_COLUMNS = {"pass" if name == "pass_name" else name for name in Row.__struct_fields__}
_WHOLE = {"block", "position", "m", "repetition", "exit"}
"""Columns of whole numbers, none of them missing."""
_MOST = 2.0**63
"""No counter and no clock goes further."""
_HINT = "rows.csv is the measurement itself and cannot be made again from the other files: measure again"


def read_rows(folder: Path) -> pd.DataFrame:
    """``rows.csv`` without warm-ups; see ``read_all``."""
    return measured(read_all(folder))


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that figures stand on: all but warm-ups, which are repetitions below 0."""
    return frame[frame["repetition"] >= 0]


DAMAGED = "damaged"
"""Key of ``DataFrame.attrs``: how many lines of ``rows.csv`` were left out: no mark, or too many cells."""
LINES = "lines"
"""Key of ``DataFrame.attrs``: how many lines could be relied on."""


def read_all(folder: Path) -> pd.DataFrame:
    """``rows.csv`` as a frame, typed; what lacks its commit mark is left out and counted.

    Raises:
        UsageError: there is no such file or it is not one of ours.
    """
    import pandas as pd

    path = recorded(folder, ROWS)
    try:
        lines = read_lines(folder, ROWS)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", pd.errors.ParserWarning)
            # Text among the figures of a long file; it is refused below.
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            # Words that recur by the million take a byte each as categories.
            frame = pd.read_csv(io.BytesIO(lines.data), dtype=dict.fromkeys(_WORDS, "category"), on_bad_lines="warn")
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}", hint=_HINT) from error
    lacking = _COLUMNS - _LATER - set(frame.columns)
    if lacking:
        raise UsageError(f"{path} lacks the columns {', '.join(sorted(lacking))}", hint=_HINT)
    unknown = set(frame.columns) - _COLUMNS - {MARK}
    if unknown:
        raise UsageError(f"{path} has columns that nobody knows: {', '.join(sorted(map(repr, unknown)))}", hint=_HINT)
    frame = frame.drop(columns=MARK, errors="ignore")
    _require_figures(frame, path)
    if "kind" not in frame:
        frame["kind"] = frame["pass"].astype(str).map(_kinds(folder, frame)).astype("category")
    skipped = sum(str(warning.message).count("Skipping line ") for warning in told)
    frame.attrs[DAMAGED] = skipped + (lines.dropped if lines.marked else 0)
    frame.attrs[LINES] = lines.data.count(b"\n") - 1
    return frame


def _require_figures(frame: pd.DataFrame, path: Path) -> None:
    import pandas as pd

    for name in sorted((_COLUMNS - set(_WORDS)) & set(frame.columns)):
        figures = pd.to_numeric(frame[name], errors="coerce").astype(float)
        wrong = (figures.isna() & frame[name].notna()) | (figures.abs() > _MOST)
        if name in _WHOLE:
            wrong |= figures.isna() | (figures % 1 != 0)
        if wrong.any():
            raise UsageError(
                f"{path}: {name} holds {str(frame[name][wrong].iloc[0])!r}, which is no figure for it", hint=_HINT
            )


def _kinds(folder: Path, frame: pd.DataFrame) -> dict[str, PassKind]:
    """By pass, for rows of before they held it: what the plan says, or else what such passes were called."""
    try:
        kinds = {pass_.name: pass_.kind for pass_ in load_run(folder).plan.passes}
    except UsageError:
        kinds = {}
    by_name: dict[str, PassKind] = {REGIONS: "regions", CHUNKS: "chunks"}
    return {name: kinds.get(name, by_name.get(name, "whole")) for name in map(str, frame["pass"].unique())}


def slopes(frame: pd.DataFrame) -> pd.DataFrame:
    """Cost per iteration and start-up per (block, launcher, event), from all passes.

    Whole processes: the median over repetitions at each M, then ``(hi - lo) / (m_hi - m_lo)`` and the intercept, then
    the mean over the passes that counted the event. Regions: the slope in each heap phase, then the median over phases,
    without those at which a launcher steps off its level; no start-up. Chunks: see ``turns``; no start-up. Where
    several kinds read an event, that which did so in most blocks is the cost, in all of them; of equals the first of
    chunks, regions, whole processes. What lacks one of its two M is left out: its block is not complete.

    Returns:
        Index (block, launcher, event), columns ``per_iteration`` and ``startup``, in the event's unit.
    """
    return _slopes(frame)[0]


def spans(frame: pd.DataFrame) -> dict[str, int]:
    """Over how many iterations one reading behind ``slopes`` goes, by event: the difference of the two M of processes
    and regions, the M of a chunk.
    """
    parts = _slopes(frame)[1]
    found = {}
    for event, rows in frame.groupby("event", observed=True):
        kind = parts.get(str(event))
        inside = rows["kind"].isin([REGIONS, CHUNKS])
        m = rows["m"][~inside if kind is None else rows["kind"] == kind]
        if not m.empty:
            found[str(event)] = int(m.min() if kind == CHUNKS else m.max() - m.min())
    return found


def _slopes(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, PassKind]]:
    """What ``slopes`` gives, and by event whether it is of regions or of chunks; of processes where it says nothing."""
    import pandas as pd

    parts: dict[str, PassKind] = {}
    whole = of_processes(frame[~frame["kind"].isin([REGIONS, CHUNKS])])
    costs = whole[[PER_ITERATION]]
    if _OF_PROCESSES not in costs.index.get_level_values("event"):
        own = pd.DataFrame({PER_ITERATION: inside(frame, _OF_PROCESSES)}).assign(event=_OF_PROCESSES)
        costs = pd.concat([costs, own.set_index("event", append=True)])
    finest: tuple[tuple[PassKind, pd.DataFrame], ...] = (("regions", _of_regions(frame)), ("chunks", of_chunks(frame)))
    for kind, finer in finest:
        blocks = _blocks(finer).sub(_blocks(costs), fill_value=0)
        better = blocks.index[blocks >= 0].intersection(finer.index.get_level_values("event"))
        replaced = costs.index.get_level_values("event").isin(better)
        costs = pd.concat([costs[~replaced], finer[finer.index.isin(better, level="event")]])
        parts |= dict.fromkeys(map(str, better), kind)
    return costs.join(whole[[STARTUP]], how="outer"), parts


def _blocks(costs: pd.DataFrame) -> pd.Series:
    """In how many blocks each event was read."""
    found: pd.Series = costs.reset_index().groupby("event", observed=True)["block"].nunique()
    return found


def of_processes(frame: pd.DataFrame) -> pd.DataFrame:
    """What ``slopes`` says of whole processes."""
    ends = _between_m(frame, [*_KEYS[:1], "pass", *_KEYS[1:]])
    ends[STARTUP] = ends["lo"] - ends[PER_ITERATION] * ends["m_lo"]
    return ends.groupby(_KEYS, observed=True)[[PER_ITERATION, STARTUP]].mean()


def _of_regions(frame: pd.DataFrame) -> pd.DataFrame:
    by_phase = phases(frame)
    if by_phase.empty:
        return by_phase
    stepped = {
        (boundary.block, boundary.phase)
        for boundary in steps_between_phases(by_phase, placements=placements_differ(frame))
    }
    places = zip(by_phase.index.get_level_values("block"), by_phase.index.get_level_values("repetition"), strict=True)
    ordinary = by_phase[[place not in stepped for place in places]]
    return ordinary.groupby(_KEYS, observed=True)[[PER_ITERATION]].median()


def of_chunks(frame: pd.DataFrame, *, instructions: bool = False) -> pd.DataFrame:
    """The typical level of each process: median over turns of its logarithm, free of what all had in common. Like
    ``turns``.
    """
    import numpy as np
    import pandas as pd

    logs = turns(frame, instructions=instructions)
    if logs.empty:
        return pd.DataFrame({PER_ITERATION: []}, index=pd.MultiIndex.from_arrays([[], [], []], names=_KEYS))
    common = logs.mean(axis=1)
    keys = ["block", "event"]
    own = logs.sub(common, axis=0).groupby(keys, observed=True).median()
    level = own.add(common.groupby(keys, observed=True).median(), axis=0)
    found = pd.DataFrame({PER_ITERATION: np.exp(level.stack())})
    found.index = found.index.set_names("launcher", level=-1)
    return found.reorder_levels(_KEYS).sort_index()


def phases(frame: pd.DataFrame) -> pd.DataFrame:
    """Cost per iteration in each heap phase of each process that counted regions.

    Returns:
        Index (block, launcher, event, repetition), column ``per_iteration``; empty where no regions were counted.
    """
    return _between_m(frame[frame["kind"] == REGIONS], [*_KEYS, "repetition"])[[PER_ITERATION]]


def inside(frame: pd.DataFrame, event: str) -> pd.Series:
    """Slope of ``event`` between chunks at both M of the same process; index (block, launcher)."""
    chosen = frame[(frame["kind"] == CHUNKS) & (frame["event"] == event)]
    slope: pd.Series = _between_m(chosen, _KEYS[:2])[PER_ITERATION]
    return slope


def steps_between_phases(by_phase: pd.DataFrame, *, placements: bool = False) -> tuple[Boundary, ...]:
    """Phases at which a launcher left its level; ``by_phase`` as from ``phases``, ``placements`` as of
    ``find_boundaries``.

    The level is that of the process, its lowest phase: a boundary only adds instructions, and what moves all phases of
    a process is not the heap's phase but the block's hash seed or environment, which its launchers share.
    """
    counted = work_counted(set(by_phase.index.get_level_values("event")))
    if counted is None:
        return ()
    counts = by_phase[PER_ITERATION].xs(counted, level="event")
    lowest = counts.groupby(level=["block", "launcher"], observed=True).transform("min")
    return find_boundaries(counts, levels=lowest, placements=placements)


def turns(frame: pd.DataFrame, *, instructions: bool = False) -> pd.DataFrame:
    """Logarithm of the cost per iteration of each launcher in each pair of turns, there and back (A B B A).

    A drift that is linear over the two turns adds the same to every launcher. Pairs that lack a launcher are left out,
    and ``instructions`` unless they are asked for: as a cost of their own those of ``perf stat`` are the reference, and
    without perf it is the slope that cancels the rest.

    Returns:
        Index (block, event, pair of turns), one column per launcher.
    """
    import numpy as np
    import pandas as pd

    chunks = frame[frame["kind"] == CHUNKS]
    chosen = chunks[(chunks["value"] > 0) & (chunks["m"] == chunks["m"].min())]
    if not instructions:
        chosen = chosen[chosen["event"] != _OF_PROCESSES]
    pair = (chosen["repetition"] // 2).rename("pair")
    logs = pd.Series(np.log(chosen["value"] / chosen["m"]), index=chosen.index)
    launchers = chosen["launcher"].astype(str)
    return logs.groupby([chosen["block"], chosen["event"], pair, launchers], observed=True).mean().unstack().dropna()


def _between_m(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Slope between the median readings at the lowest and the highest M of each group."""
    at_m = (
        frame.dropna(subset=["value"])
        .groupby([*keys, "m"], observed=True)["value"]
        .median()
        .reset_index()
        .sort_values([*keys, "m"])
    )
    grouped = at_m.groupby(keys, observed=True)
    ends = grouped.agg(m_lo=("m", "first"), m_hi=("m", "last"), lo=("value", "first"), hi=("value", "last"))
    ends = ends[ends["m_hi"] > ends["m_lo"]].copy()
    ends[PER_ITERATION] = (ends["hi"] - ends["lo"]) / (ends["m_hi"] - ends["m_lo"])
    return ends


def levels(frame: pd.DataFrame, event: str) -> pd.Series:
    """Median reading per (block, launcher) of an event that is a level and no cost, such as the core clock."""
    chosen = frame[frame["event"] == event].dropna(subset=["value"])
    return chosen.groupby(["block", "launcher"], observed=True)["value"].median()


def sources(frame: pd.DataFrame) -> dict[str, SourceName]:
    """Which source each event's readings came from."""
    return {
        str(event): cast("SourceName", str(source))
        for event, source in frame[["event", "source"]].drop_duplicates("event").itertuples(index=False)
    }


def reasons(frame: pd.DataFrame) -> dict[str, str]:
    """Why an event has no value at all, for the events of which every reading is empty."""
    empty = frame.groupby("event", observed=True)["value"].count()
    return {str(event): str(frame.loc[frame["event"] == event, "reason"].iloc[0]) for event in empty[empty == 0].index}
