"""Tools, hosts and workloads that never end, or leave something behind: every wait is bounded, and nothing is left."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tools.fault_trials.outcome import Result, Tries, counted, lost
from tools.fault_trials.places import Place, until_gone

_BOUND_S = 240
_HANGS = "#!/bin/sh\nsleep 100000 & wait\n"
_MEASURED = ("--m", "20,60", "--blocks", "1", "--timeout", "3")
_SOFTWARE = ("--launcher", "python3", "--source", "software", *_MEASURED)
_HOST = ("--source", "software", *_MEASURED, "--host", "mine={program} {{script}} {{m}}")

_TOOLS = ("perf", "valgrind", "qemu-x86_64")
CASES: dict[str, tuple[tuple[str, ...], str | None, str | None]] = {
    **{f"{tool} hangs": (("--launcher", "python3", *_MEASURED), tool, _HANGS) for tool in _TOOLS},
    "a host hangs": (_HOST, None, _HANGS),
    "a host ignores SIGTERM": (_HOST, None, "#!/bin/sh\ntrap '' TERM INT HUP\nsleep 100000\n"),
    "a host writes without end": (_HOST, None, "#!/bin/sh\nyes\n"),
    "a host leaves a daemon": (_HOST, None, "#!/bin/sh\nsetsid sleep 100000 >/dev/null 2>&1 &\nexec python3 \"$@\"\n"),
    "a host leaves a child with its stdout": (_HOST, None, "#!/bin/sh\nsleep 100000 &\nexec python3 \"$@\"\n"),
    "a workload loops": ((*_SOFTWARE, "--workload", "{workload}"), None, "import sys\nwhile True: pass\n"),
    "a workload forks daemons": (
        (*_SOFTWARE, "--workload", "{workload}"), None,
        "import os, subprocess, sys\nsubprocess.Popen(['sleep', '100000'], start_new_session=True)\n"
        "print(sum(range(int(sys.argv[1]) * 1000)))\n",
    ),
    "a workload kills its parent's group": (
        (*_SOFTWARE, "--workload", "{workload}"), None, "import os, signal\nos.killpg(0, signal.SIGKILL)\n",
    ),
}  # fmt: skip
"""Name → arguments, the tool on PATH that is replaced (None: a program of its own), and what it does."""


def hung(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """Each case in turn."""
    losses, codes = Counter[str](), Counter[str]()
    longest = 0.0
    for number in tries:
        name = list(CASES)[number % len(CASES)]
        options, tool, text = CASES[name]
        place = Place(folder / f"case-{number}", ())
        program = place.folder / (tool or ("load.py" if "{workload}" in options else "program"))
        program.write_text(text or "")
        program.chmod(0o755)
        if tool is not None:
            place.env["PATH"] = f"{place.folder}{os.pathsep}{os.environ['PATH']}"
        place.plan = tuple(word.format(program=program, workload=program) for word in options)
        began = time.monotonic()
        with place.start() as child:
            try:
                _, said = child.communicate(timeout=_BOUND_S)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                _, said = child.communicate()
                losses["never ended"] += 1
        longest = max(longest, time.monotonic() - began)
        codes[f"× exit {child.returncode}"] += 1
        left = until_gone(place.folder)
        wrong = {
            "tracebacks": b"Traceback" in said,
            "bugs": child.returncode == 1 or child.returncode < 0,
            "processes left": bool(left),
        }
        for what in (what for what, is_so in wrong.items() if is_so):
            losses[what] += 1
            print(f"  {what}: {name}: {said[-600:]!r}", flush=True)  # noqa: T201
        shutil.rmtree(place.folder)
    how = f"{counted(codes)}; the longest took {longest:.0f} s"
    yield Result(
        f"tools, hosts and workloads that hang or leave processes ({len(CASES)} cases)", tries.made, how, lost(losses)
    )
