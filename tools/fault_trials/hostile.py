"""Result folders of a stranger's: nothing is written outside, nothing is run, nothing waited for."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from profiler.analyze.conclude import conclude
from profiler.folder import ROWS, RUN
from tools.fault_trials.children import ran
from tools.fault_trials.outcome import Result, Tries, counted, lost
from tools.fault_trials.samples import result_folder

_LIMIT_S = 120.0
_KEPT = "kept"
_BUG = 1

Plant = Callable[[Path, Path], None]
"""(result folder, folder outside with a victim) → it is hostile now."""


def _in_run(change: Callable[[dict[str, object], Path], None]) -> Plant:
    def plant(folder: Path, outside: Path) -> None:
        document = json.loads((folder / RUN).read_bytes())
        change(document, outside)
        (folder / RUN).write_text(json.dumps(document))

    return plant


def _linked(name: str) -> Plant:
    def plant(folder: Path, outside: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(outside / "victim")

    return plant


def _instead(name: str, make: Callable[[Path], object]) -> Plant:
    def plant(folder: Path, outside: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return plant


def _named(name: str) -> Plant:
    """The host has another name, in the plan and in the rows."""

    def plant(folder: Path, outside: Path) -> None:
        run = json.loads((folder / RUN).read_bytes())
        for launcher in run["plan"]["launchers"]:
            launcher["name"] = name if launcher["name"] == "mine" else launcher["name"]
        (folder / RUN).write_text(json.dumps(run))
        rows = (folder / ROWS).read_text().splitlines()
        cell = '"' + name.replace('"', '""') + '"'
        plain = (line.rpartition(",")[0].replace(",mine,", f",{cell},") for line in rows)
        (folder / ROWS).write_text("\n".join(plain) + "\n")

    return plant


def _command(document: dict[str, object], outside: Path) -> None:
    for launcher in document["plan"]["launchers"]:  # type: ignore[index]
        launcher["argv"] = ["/bin/sh", "-c", f"touch {outside / 'mark'}", "{script}"]


def _preload(document: dict[str, object], outside: Path) -> None:
    for launcher in document["plan"]["launchers"]:  # type: ignore[index]
        launcher["env"] = {"LD_PRELOAD": str(outside / "victim"), "BASH_ENV": str(outside / "victim")}


def _script(document: dict[str, object], outside: Path) -> None:
    (outside / "evil.py").write_text(f"open({str(outside / 'mark')!r}, 'w')")
    document["plan"]["workload"] |= {"path": str(outside / "evil.py"), "sha256": None}  # type: ignore[index]


def _interpreter(document: dict[str, object], outside: Path) -> None:
    evil = outside / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {outside / 'mark'}\n")
    evil.chmod(0o755)
    document["target"]["path"] = str(evil)  # type: ignore[index]


def _deep(folder: Path, outside: Path) -> None:
    (folder / RUN).write_text("[" * 1_000_000)


_WRITTEN = ("verdict.json", "summary.csv", "finding.md", "report.html", "causes.csv", "points.csv", RUN, ROWS)
PLANTS: dict[str, Plant] = {
    **{f"{name}.part → elsewhere": _linked(f"{name}.part") for name in _WRITTEN},
    **{f"{name} → elsewhere": _linked(name) for name in _WRITTEN},
    **{f"{name} a FIFO": _instead(name, os.mkfifo) for name in (RUN, ROWS, "verdict.json", "verdict.json.part")},
    **{f"{name} a folder": _instead(name, Path.mkdir) for name in (RUN, ROWS, "verdict.json")},
    **{f"{name} → /dev/zero": _instead(name, lambda path: path.symlink_to("/dev/zero")) for name in (RUN, ROWS)},
    "figures → elsewhere": lambda folder, outside: (folder / "figures").symlink_to(outside),
    "export → elsewhere": lambda folder, outside: (folder / "export").symlink_to(outside),
    "a command": _in_run(_command),
    "a preloaded library": _in_run(_preload),
    "a script": _in_run(_script),
    "an interpreter": _in_run(_interpreter),
    "rows of 5 GB": _instead(ROWS, lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 5 << 30)),
    "deep JSON": _deep,
    **{
        f"a name {name!r}": _named(name)
        for name in (
            "\x1b]0;owned\x07", "\x1b[2J", "a[/b]", "[red]x", "$x^$", "<script>alert(1)</script>", "![x](http://x/)",
            "a\n# Heading", "=cmd|' /C calc'!A0", "@SUM(A1)", "\u202ereversed", "../../etc/passwd", "%s%n", "g++",
            "x@y",
        )
    },
}  # fmt: skip
"""By what is planted."""

_COMMANDS: dict[str, Callable[[Path, Path], tuple[str, ...]]] = {
    "report": lambda folder, outside: ("report", str(folder)),
    "report -v": lambda folder, outside: ("report", "-v", str(folder)),
    "report as JSON": lambda folder, outside: ("report", "--format", "json", str(folder)),
    "compare": lambda folder, outside: ("compare", str(folder), str(folder)),
    "attach": lambda folder, outside: ("attach", str(folder), str(folder.parent / "own.md")),
    "export": lambda folder, outside: ("export", "--pyperf", "--parquet", str(folder)),
    "--resume": lambda folder, outside: ("ipc", "--resume", str(folder)),
}


def planted(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """Each plant with each command that reads a folder."""
    losses, codes = Counter[str](), Counter[str]()
    pairs = [(plant, command) for plant in PLANTS for command in _COMMANDS]
    rng.shuffle(pairs)
    # What is imported once here is there in every child.
    for module in ("across_told", "answer", "attached", "exported"):
        import_module(f"profiler.present.{module}")
    conclude(result_folder(folder))
    for number in tries:
        plant, command = pairs[number % len(pairs)]
        place, outside = result_folder(folder), folder / "outside"
        shutil.rmtree(outside, ignore_errors=True)
        outside.mkdir()
        (outside / "victim").write_text(_KEPT)
        PLANTS[plant](place, outside)
        before = sorted(path.name for path in outside.iterdir())
        ended = ran(
            _COMMANDS[command](place, outside), folder, limit_s=_LIMIT_S, env={"TAX_PROBE_LOCK_DIR": str(folder)}
        )
        codes[f"× exit {ended.code}"] += 1
        wrong = {
            "never ended": ended.code is None,
            "tracebacks": b"Traceback" in ended.said or ended.code == _BUG,
            "written outside": (outside / "victim").read_text() != _KEPT,
            "run": (outside / "mark").exists(),
            "made outside": sorted(path.name for path in outside.iterdir() if path.name != "mark") != before,
            "escape sequences printed": b"\x1b]" in ended.said or b"\x1b[2J" in ended.said,
        }
        for what in (what for what, is_so in wrong.items() if is_so):
            losses[what] += 1
            print(f"  {what}: {command} of a folder with {plant}: {ended.said[-600:]!r}", flush=True)  # noqa: T201
    yield Result(
        f"folders of a stranger ({len(PLANTS)} plants, {len(_COMMANDS)} commands)",
        tries.made,
        counted(codes),
        lost(losses),
    )
