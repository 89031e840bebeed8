"""A disk that is full at some moment: a clear error, and it goes on when there is room again."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tools.fault_trials.outcome import Result, Tries, counted, lost
from tools.fault_trials.places import GENEROUS_S, TIMED, Place, compared, undisturbed

_SMALLEST_KIB, _LARGEST_KIB = 4, 160
_RESUMABLE = (3, 5)


def limited(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """No file may grow beyond a limit (RLIMIT_FSIZE)."""
    whole, _ = undisturbed(folder / "whole", TIMED)
    size = sum(len(line) + 1 for line in whole.lines())
    losses, codes = Counter[str](), Counter[str]()
    for number in tries:
        place = Place(folder / f"run-{number}", TIMED)
        limit = rng.randrange(1, size)
        with place.start(before=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))) as child:
            _, said = child.communicate(timeout=GENEROUS_S)
        _judge(child.returncode, said, codes, losses)
        if place.result is not None:
            losses["resumes that fail"] += bool(place.finish())
            compared(whole, place, losses)
        shutil.rmtree(place.folder)
    yield Result("files that may not grow (RLIMIT_FSIZE)", tries.made, counted(codes), lost(losses))


def full(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """A file system of so many KiB for the results, or for temporary files; only root can mount one."""
    if os.geteuid() != 0:
        return
    whole, _ = undisturbed(folder / "whole", TIMED)
    losses, codes = Counter[str](), Counter[str]()
    for number in tries:
        place = Place(folder / f"run-{number}", TIMED)
        small = place.out if number % 3 else place.temporary
        small.mkdir(exist_ok=True)
        size = rng.randint(_SMALLEST_KIB, _LARGEST_KIB)
        if _mount("-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(small)):
            codes["× no mount"] += 1
            break
        try:
            with place.start() as child:
                _, said = child.communicate(timeout=GENEROUS_S)
            _judge(child.returncode, said, codes, losses)
            losses["files left beside"] += len([*place.out.rglob("*.part")])
            _mount("-o", "remount,size=64m", str(small))
            if place.result is not None:
                losses["resumes that fail"] += bool(place.finish())
                compared(whole, place, losses)
        finally:
            subprocess.run(("umount", "-l", str(small)), check=False)
        shutil.rmtree(place.folder)
    yield Result(
        f"a full disk, {_SMALLEST_KIB} to {_LARGEST_KIB} KiB, of results or of temporary files",
        tries.made,
        counted(codes),
        lost(losses),
    )


def _mount(*options: str) -> int:
    return subprocess.run(("mount", *options), check=False, stderr=subprocess.DEVNULL).returncode


def _judge(code: int, said: bytes, codes: Counter[str], losses: Counter[str]) -> None:
    codes[f"× exit {code}"] += 1
    losses["tracebacks"] += b"Traceback" in said
    losses["other exit codes than 0, 3 and 5"] += code not in (0, *_RESUMABLE)
    losses["errors without a remedy"] += code != 0 and "→".encode() not in said
