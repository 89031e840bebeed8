"""SIGKILL at random moments, resumed until it is through: the undisturbed run, to the instruction."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tools.fault_trials.outcome import Result, Tries, lost
from tools.fault_trials.places import CHUNKS, EXACT, Place, compared, undisturbed, until_gone

_LEAST_S = 0.2


def killed_exact(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """Whole processes, counted by callgrind, and timed ones."""
    yield _killed("whole processes, exact counts", EXACT, tries, folder, rng)


def killed_chunks(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """Chunks of work on request, and timed processes."""
    yield _killed("chunks", CHUNKS, tries, folder, rng)


def _killed(name: str, plan: tuple[str, ...], tries: Tries, folder: Path, rng: random.Random) -> Result:
    whole, took = undisturbed(folder / "whole", plan)
    outcomes, losses = Counter[str](), Counter[str]()
    for chain in itertools.count():
        place = Place(folder / f"chain-{chain}", plan)
        while tries.more():
            before = place.lines()
            with place.start() as child:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(rng.uniform(_LEAST_S, took))
                if child.poll() is not None:
                    break
                tries.made += 1
                if rng.random() < 0.5:
                    child.kill()
                    outcomes["driver"] += 1
                else:
                    os.killpg(child.pid, signal.SIGKILL)
                    outcomes["group"] += 1
            losses["processes left"] += until_gone(place.temporary)
            losses["acknowledged rows"] += place.lines()[: len(before)] != before
        said = place.finish()
        losses["resumes that fail"] += bool(said)
        if not said:
            compared(whole, place, losses)
        losses.update(place.left_behind())
        shutil.rmtree(folder / f"chain-{chain}")
        if not tries.more():
            break
    how = f"{outcomes['driver']} of the driver, {outcomes['group']} of its group; {chain + 1} runs completed"
    return Result(f"SIGKILL at random moments, {name}", tries.made, how, lost(losses))
