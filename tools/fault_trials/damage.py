"""Bytes flipped in rows.csv, and rows.csv cut: it is told or changes no figure, and what is gone is measured again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from profiler.analyze.conclude import conclude
from profiler.errors import ProbeError
from profiler.folder import ROWS, RUN, RowWriter, done_steps
from profiler.folder.marks import intact
from profiler.model import Step, Verdict
from tools.fault_trials.outcome import Result, Tries, counted, lost
from tools.fault_trials.places import CHUNKS, GENEROUS_S, undisturbed

_CONCLUDED = 20
"""Every so manieth damage is analysed as well."""
_TOLD = {"damaged-rows", "unfinished"}


def cut_and_flipped(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """Both, as often each, of a real run: what is left, and what would be measured again, is exactly the run."""
    whole, _ = undisturbed(folder / "whole", CHUNKS)
    assert whole.result is not None
    sound, run = ((whole.result / name).read_bytes() for name in (ROWS, RUN))
    appends = _appends(sound)
    original = conclude(whole.result)
    place = folder / "damaged"
    place.mkdir()
    for what in ("cuts", "flips"):
        losses, outcomes = Counter[str](), Counter[str]()
        mine = Tries(tries.most, tries.budget_s)
        for number in mine:
            data = _damaged(sound, what, rng)
            (place / RUN).write_bytes(run)
            (place / ROWS).write_bytes(data)
            if number % _CONCLUDED == 0:
                _judge_verdict(place, original, outcomes, losses)
                (place / ROWS).write_bytes(data)
            _judge_repair(place, data, appends, outcomes, losses)
        yield Result(f"{what} of rows.csv", mine.made, counted(outcomes), lost(losses))


def resumed(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """The same by ``--resume`` itself: the run is again what it was."""
    whole, _ = undisturbed(folder / "whole", CHUNKS)
    assert whole.result is not None
    rows, sound = whole.result / ROWS, (whole.result / ROWS).read_bytes()
    expected = whole.rows().keys()
    losses, outcomes = Counter[str](), Counter[str]()
    for _ in tries:
        what = rng.choice(("cuts", "flips"))
        rows.write_bytes(_damaged(sound, what, rng))
        with whole.start() as child:
            _, said = child.communicate(timeout=GENEROUS_S)
        outcomes[what] += 1
        losses["tracebacks"] += b"Traceback" in said
        if child.returncode == 0:
            losses["rows missing"] += len(expected - whole.rows().keys())
        else:
            outcomes["refused"] += 1
            losses["refusals without a remedy"] += "→".encode() not in said
    yield Result("damaged rows, resumed", tries.made, counted(outcomes), lost(losses))


def _damaged(sound: bytes, what: str, rng: random.Random) -> bytes:
    at = rng.randrange(1, len(sound))
    if what == "flips":
        return sound[:at] + bytes([sound[at] ^ rng.randrange(1, 256)]) + sound[at + 1 :]
    # Half of them at line ends, where no line is torn.
    return sound[: sound.rfind(b"\n", 0, at) + 1 if rng.random() < 0.5 else at]


def _appends(data: bytes) -> dict[bytes, frozenset[Step]]:
    """The lines that were written at once, each with the processes that they are of."""
    header, _, body = data.partition(b"\n")
    found: dict[bytes, frozenset[Step]] = {}
    lines: list[bytes] = []
    for line in body.splitlines(keepends=True):
        lines.append(line)
        if not line.endswith(b",\n"):
            found[b"".join(lines)] = _steps(header, lines)
            lines = []
    return found


def _steps(header: bytes, lines: list[bytes]) -> frozenset[Step]:
    names = header.decode().split(",")
    return frozenset(
        Step(
            block=int(cells["block"]),
            position=int(cells["position"]),
            pass_name=cells["pass"],
            launcher=cells["launcher"],
            m=int(cells["m"]),
            repetition=int(cells["repetition"]),
        )
        for cells in (dict(zip(names, line.decode().split(","), strict=False)) for line in lines)
    )


def _judge_repair(
    place: Path, data: bytes, appends: dict[bytes, frozenset[Step]], outcomes: Counter[str], losses: Counter[str]
) -> None:
    try:
        writer = RowWriter(place)
        done = done_steps(place)
    except ProbeError:
        outcomes["refused"] += 1
        return
    kept = (place / ROWS).read_bytes() if (place / ROWS).exists() else b""
    present = [append for append in appends if append in kept]
    losses["lines that nobody wrote"] += sum(map(len, present)) != len(kept.partition(b"\n")[2])
    losses["processes counted as done without their rows"] += done != set().union(*(appends[one] for one in present))
    gone = len(appends) - len(present)
    outcomes["that lose nothing" if not gone else "measured again in part"] += 1
    if gone and data.endswith(b"\n") and not intact(data).dropped:
        # A cut between two appends: only run.json knows that there were more.
        outcomes["of these known from run.json alone"] += 1
    elif gone:
        losses["losses that are not told"] += writer.dropped == 0


def _judge_verdict(place: Path, original: Verdict, outcomes: Counter[str], losses: Counter[str]) -> None:
    outcomes["analysed"] += 1
    with suppress(ProbeError):
        verdict = conclude(place)
        told = _TOLD & {warning.code for warning in verdict.warnings}
        losses["other figures, not told"] += verdict.comparisons != original.comparisons and not told
