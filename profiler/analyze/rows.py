"""From rows on disk to costs per iteration: one figure per block, launcher and event."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, cast

from profiler.errors import UsageError
from profiler.folder import ROWS
from profiler.model import SourceName

if TYPE_CHECKING:
    import pandas as pd

PER_ITERATION = "per_iteration"
STARTUP = "startup"
_HINT = "rows.csv is the measurement itself and cannot be made again from the other files: measure again"


def read_rows(folder: Path) -> pd.DataFrame:
    """``rows.csv`` as a frame, typed, without warm-ups; a torn last line of an interrupted run is left out.

    Raises:
        UsageError: there is no such file or it is not one of ours.
    """
    import pandas as pd

    path = folder / ROWS
    try:
        data = path.read_bytes()
        frame = pd.read_csv(
            io.BytesIO(data[: data.rfind(b"\n") + 1]),
            dtype={"pass": "category", "launcher": "category", "event": "category", "source": "category"},
            on_bad_lines="skip",
        )
    except (OSError, pd.errors.EmptyDataError) as error:
        raise UsageError(f"cannot read {path}: {error}", hint=_HINT) from error
    needed = {"block", "pass", "launcher", "m", "event", "value", "repetition"}
    if not needed <= set(frame.columns):
        raise UsageError(f"{path} lacks the columns {sorted(needed - set(frame.columns))}", hint=_HINT)
    return frame[frame["repetition"] >= 0]


def slopes(frame: pd.DataFrame) -> pd.DataFrame:
    """Cost per iteration and start-up per (block, launcher, event).

    The median over repetitions at each M, then ``(hi - lo) / (m_hi - m_lo)`` and the intercept, then the mean over the
    passes that counted the event. A (block, pass, launcher) that lacks one of its two M is left out: its block is not
    complete.

    Returns:
        Index (block, launcher, event), columns ``per_iteration`` and ``startup``, in the event's unit.
    """
    keys = ["block", "pass", "launcher", "event"]
    at_m = (
        frame.dropna(subset=["value"])
        .groupby([*keys, "m"], observed=True)["value"]
        .median()
        .reset_index()
        .sort_values([*keys, "m"])
    )
    grouped = at_m.groupby(keys, observed=True)
    ends = grouped.agg(m_lo=("m", "first"), m_hi=("m", "last"), lo=("value", "first"), hi=("value", "last"))
    ends = ends[ends["m_hi"] > ends["m_lo"]]
    ends[PER_ITERATION] = (ends["hi"] - ends["lo"]) / (ends["m_hi"] - ends["m_lo"])
    ends[STARTUP] = ends["lo"] - ends[PER_ITERATION] * ends["m_lo"]
    return ends.groupby(["block", "launcher", "event"], observed=True)[[PER_ITERATION, STARTUP]].mean()


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
