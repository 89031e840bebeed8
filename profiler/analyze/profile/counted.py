"""``profile.csv`` and ``symbols.csv`` of a folder, as instructions an iteration of those blocks that are compared."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.analyze.compare import Costs, paired
from profiler.errors import UsageError
from profiler.folder import PROFILE, SYMBOLS, read_lines, recorded
from profiler.folder.marks import MARK
from profiler.model import ProfileRow, SymbolRow

if TYPE_CHECKING:
    import pandas as pd

PER_ITERATION = "instructions"
DISPATCHES, OWN = "begun", "own"
RARELY_RUN = "work that runs rarely, in the installed files"
_METRIC = "instructions"
_HINT = "the file is the measurement itself and cannot be made again from the others: measure again"
_WORDS = ("launcher", "image", "build_id", "function", "opcode", "file", "kind", "entry")


@dataclass(frozen=True, kw_only=True)
class ProfileCounts:
    """What a folder's processes executed, instruction by instruction."""

    profile: pd.DataFrame
    """A line for each block, launcher, instruction and opcode: ``instructions`` an iteration, ``begun`` (dispatches
    that arrived there), ``own`` (in a function that holds an eval loop)."""
    symbols: pd.DataFrame
    """``symbols.csv``."""
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    """Launcher → the one whose lines stand in the place of its own: files that cost the same, and have symbols."""

    def of(self, costs: Costs, launcher: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The baseline's lines and the launcher's in the blocks of their comparison, weighted so that a sum over them
        is the mean over blocks. Where the baseline ran twice, its figures are the mean of both runs, as there. Where
        both have stand-ins, theirs, of the blocks that have both.
        """
        shared = self.stood_in(costs, launcher)
        blocks = shared or set(paired(costs, costs.roles.baseline, launcher, _METRIC).index)
        compared = self.profile[self.profile["block"].isin(blocks)]
        here = compared[compared["launcher"] == launcher]
        twin = costs.roles.twin if launcher != costs.roles.twin else None
        base = compared[compared["launcher"].isin([costs.roles.baseline, twin])]
        found = _weighted(base, base["launcher"].nunique() * len(blocks)), _weighted(here, len(blocks))
        if not shared:
            return found
        others = (compared[compared["launcher"] == self.stand_ins[name]] for name in (costs.roles.baseline, launcher))
        base, here = (_in_place(own, _weighted(other, len(blocks))) for own, other in zip(found, others, strict=True))
        return base, here

    def stood_in(self, costs: Costs, launcher: str) -> set[int]:
        """The blocks of the comparison in which the stand-ins of the baseline and of the launcher were counted."""
        names = costs.roles.baseline, launcher
        if not self.stand_ins.keys() >= set(names):
            return set()
        blocks = set(paired(costs, *names, _METRIC).index)
        for name in names:
            blocks &= set(self.profile.loc[self.profile["launcher"] == self.stand_ins[name], "block"])
        return blocks


def _in_place(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """``other``, with what it lacks of the sum of ``own``: that hardly ever runs, and is in a file of its own."""
    import pandas as pd

    rest = other.head(1).assign(
        image=RARELY_RUN, build_id=None, function=RARELY_RUN, address=0, opcode=None, entry=None,
        weighted_dispatches=0.0, weighted=float(own["weighted"].sum() - other["weighted"].sum()),
    )  # fmt: skip
    rest[OWN] = False
    # No line of the profile has this number.
    rest.index = pd.Index([-1 - int(other.index.max())])
    return pd.concat([other, rest])


def _weighted(frame: pd.DataFrame, runs: int) -> pd.DataFrame:
    return frame.assign(
        weighted=frame[PER_ITERATION] / max(1, runs), weighted_dispatches=frame[DISPATCHES] / max(1, runs)
    )


def counted(folder: Path) -> ProfileCounts:
    """Read both files.

    Raises:
        UsageError: one is missing, or no file of ours.
    """
    profile, symbols = _read(folder, PROFILE, ProfileRow), _read(folder, SYMBOLS, SymbolRow)
    # A process that was interrupted and measured again left its lines twice.
    keys = ["block", "phase", "launcher", "image", "function", "address", "opcode"]
    profile = profile.drop_duplicates(keys, keep="last")
    symbols = symbols.drop_duplicates(["image", "build_id", "address", "depth"], keep="last")
    phases = profile.groupby(["block", "launcher"], observed=True)["phase"].transform("nunique")
    profile[PER_ITERATION] = profile["executions"] / profile["iterations"] / phases
    begins = symbols.loc[symbols["entry"].notna() & (symbols["depth"] == 0), ["image", "build_id", "address", "entry"]]
    profile = profile.merge(begins, on=["image", "build_id", "address"], how="left")
    loops = profile.loc[profile["entry"].notna(), ["image", "function"]].drop_duplicates().assign(own=True)
    profile = profile.merge(loops, on=["image", "function"], how="left")
    profile[OWN] = profile[OWN].notna()
    profile[DISPATCHES] = profile["dispatches"] / profile["iterations"] / phases
    return ProfileCounts(profile=profile, symbols=symbols)


def _read(folder: Path, name: str, row: type[ProfileRow | SymbolRow]) -> pd.DataFrame:
    import pandas as pd

    path = recorded(folder, name)
    try:
        lines = io.BytesIO(read_lines(folder, name).data)
        frame = pd.read_csv(lines, dtype=dict.fromkeys(_WORDS, "str"), keep_default_na=False, na_values=[""])
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}", hint=_HINT) from error
    lacking = set(row.__struct_fields__) - set(frame.columns)
    if lacking:
        raise UsageError(f"{path} lacks the columns {', '.join(sorted(lacking))}", hint=_HINT)
    return frame.drop(columns=MARK, errors="ignore")
