"""Damaged input for every parser: its own error or a result, soon; nothing else."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from tools.fault_trials.mutation import mutated
from tools.fault_trials.outcome import Result, Tries, counted, lost
from tools.fault_trials.parsers import PARSERS

_LONGEST_S = 10.0
_MEMORY = 4 << 30
_REPORTED = 5


class _TooLong(BaseException):
    """A case took longer than any may."""


def fuzzed(name: str, tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """The parser ``name`` in a process of its own, with a limit of memory."""
    seed = rng.random()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_work, args=(theirs, name, tries, folder, seed))
    child.start()
    theirs.close()
    made, wrong, examples = 0, Counter[str](), list[str]()
    try:
        made, wrong, examples = ours.recv()
    except EOFError:
        wrong["crash of the interpreter"] += 1
    child.join()
    for example in examples:
        print(example, flush=True)  # noqa: T201
    yield Result(
        f"fuzzed input: {name}", made, counted(Counter({"read or refused": made - wrong.total()})), lost(wrong)
    )


def _work(to: Connection, name: str, tries: Tries, below: Path, seed: float) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    folder = below / "fuzzed"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    parser, rng = PARSERS[name], random.Random(f"{seed} {name}")
    seeds = parser.seeds(folder)
    for good in seeds:
        parser.read(good, folder)
    wrong, examples = Counter[str](), list[str]()
    for _ in tries:
        data = mutated(rng.choice(seeds), rng)
        signal.setitimer(signal.ITIMER_REAL, _LONGEST_S)
        try:
            parser.read(data, folder)
        except parser.own_errors:
            pass
        except (Exception, _TooLong) as error:
            kind = type(error).__name__.strip("_")
            wrong[kind] += 1
            if wrong[kind] <= _REPORTED:
                at = traceback.extract_tb(error.__traceback__)[-1]
                examples.append(f"  {name}: {kind}: {error} ({at.filename}:{at.lineno}) of {data[:200]!r}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    to.send((tries.made, wrong, examples))
    to.close()


def _too_long(number: int, frame: FrameType | None) -> None:
    raise _TooLong
