"""Does a measurement survive what happens to it? Faults of a kind each, tried many times; a table in results/faults.

Each fault says how often it was tried, how that came out, and what was lost. Exit code 1 if anything was.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tools.fault_trials.damage import cut_and_flipped, resumed
from tools.fault_trials.disks import full, limited
from tools.fault_trials.fuzz import fuzzed
from tools.fault_trials.hostile import planted
from tools.fault_trials.hung import CASES, hung
from tools.fault_trials.kills import killed_chunks, killed_exact
from tools.fault_trials.limits import clock_steps, in_a_group, starved
from tools.fault_trials.load import loaded
from tools.fault_trials.outcome import Fault, Tries
from tools.fault_trials.parsers import PARSERS
from tools.fault_trials.sessions import sequences
from tools.fault_trials.table import keep
from tools.fault_trials.terminals import interrupted

FAULTS: dict[str, tuple[Fault, int, int]] = {
    "terminals": (interrupted, 60, 0),
    "disk-limited": (limited, 30, 0),
    "disk-full": (full, 30, 0),
    "damage": (cut_and_flipped, 1000, 20),
    "damage-resumed": (resumed, 30, 0),
    "hostile": (planted, 336, 12),
    "hung": (hung, 2 * len(CASES), 0),
    "limits": (starved, 40, 0),
    "cgroup": (in_a_group, 10, 0),
    "clock": (clock_steps, 5, 0),
    "sessions": (sequences, 2000, 10),
    "load": (loaded, 100_000, 200),
    **{f"fuzz-{re.sub('[^a-z0-9]+', '-', name.lower())}": (partial(fuzzed, name), 100_000, 20) for name in PARSERS},
    "kill-exact": (killed_exact, 100, 0),
    "kill-chunks": (killed_chunks, 100, 1),
}
"""By name, what is cheap first: what is done, how often in the long form, and in the short one (0: not there)."""

_SHORT_S = 45.0
"""After so long the short form begins no other fault."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/faults", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help=f"one, or those that hold it: {', '.join(FAULTS)}")
    parser.add_argument("--tries", type=int, help="of each fault (default: by fault)")
    parser.add_argument("--budget", type=float, default=1800.0, metavar="SECONDS", help="for the tries of each fault")
    parser.add_argument("--short", action="store_true", help="within a minute")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep the table there")
    args = parser.parse_args()
    well = True
    ends = time.monotonic() + (_SHORT_S if args.short else float("inf"))
    for name, (fault, usual, few) in FAULTS.items():
        most = args.tries or (few if args.short else usual)
        if not most or (args.only != name if args.only in FAULTS else args.only not in name):
            continue
        if time.monotonic() > ends:
            print(f"{name}: not tried, the minute is over", flush=True)  # noqa: T201
            continue
        results = []
        budget_s = min(args.budget, ends - time.monotonic())
        with tempfile.TemporaryDirectory(prefix="tax-probe-faults-") as folder:
            for result in fault(Tries(most, budget_s), Path(folder), random.Random(f"{args.seed} {name}")):
                print(f"{result.fault}: {result.tries} tries; {result.outcome}; lost: {result.lost}", flush=True)  # noqa: T201
                results.append(result)
                well = well and result.is_well
        if args.out is not None and results:
            made = max((result.tries for result in results), default=0)
            command = f"tools/faults --only {name} --seed {args.seed} --tries {made}"
            keep(args.out, name, results, command, list(FAULTS))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
