"""Plan and resume as a state machine (``tests/unit/test_plan_and_resume.py``), in as many sequences as wanted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.test_plan_and_resume import Sessions
from tools.fault_trials.outcome import Result, Tries, lost

_BATCH = 50
_STEPS = 30


def sequences(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """Of appends, kills, cuts, flips and resumes, in batches."""
    losses = Counter[str]()
    while tries.more():
        batch = min(_BATCH, tries.most - tries.made)
        some = settings(
            max_examples=batch, stateful_step_count=_STEPS, deadline=None, database=None, print_blob=False,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        try:
            run_state_machine_as_test(Sessions, settings=some)
        except AssertionError as error:
            losses["invariants broken"] += 1
            print(f"  {error}", flush=True)  # noqa: T201
        tries.made += batch
    yield Result("plan and resume as a state machine", tries.made, f"sequences of up to {_STEPS} steps", lost(losses))
