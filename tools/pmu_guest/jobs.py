"""What each guest does: its clock's shift, and its steps. One entry each."""

from __future__ import annotations

from profiler.model import Noun

IPC_SEED = VARIANTS_SEED = 18


class Step(Noun, frozen=True, kw_only=True):
    """One command in the guest; its output is ``/out/NAME.log``."""

    name: str
    command: str
    """For bash, in the tree."""


class Job(Noun, frozen=True, kw_only=True):
    """One guest, from power-on to power-off."""

    name: str
    shift: int
    """An instruction takes ``2**shift`` ns of its clock."""
    steps: tuple[Step, ...]


def _self_check() -> Step:
    return Step(name="self-check", command="python tools/pmu_guest/inside/self_check.py >/out/self-check.json")


def _ipc(more: str) -> Step:
    return Step(name="ipc", command=f"tax-probe ipc --precision 0.5% --seed {IPC_SEED} --out /out/ipc {more}")


JOBS = (
    Job(
        name="counters",
        shift=0,
        steps=(
            _self_check(),
            Step(
                name="perf-tests",
                command="python -m pytest -q -p no:cacheprovider --junitxml=/out/perf-tests.xml tests/perf",
            ),
            Step(name="doctor", command="tax-probe doctor --format json >/out/doctor.json"),
            _ipc("--blocks 3 --m 20000,120000"),
        ),
    ),
    Job(
        name="variants",
        shift=0,
        steps=(
            Step(
                name="variants",
                command=f"tax-probe variants --seed {VARIANTS_SEED} --out /out/variants --blocks 2 --m 2000,10000",
            ),
        ),
    ),
    Job(name="half-speed", shift=1, steps=(_self_check(), _ipc("--blocks 2 --m 5000,25000"))),
)


RECORDED = (("counters", "ipc"), ("variants", "variants"))
"""Whose results are kept as reference: job and step. What has other blocks or M has other heap placements, and is
compared with none.
"""

KINDS = {"ipc": ("chunks", "whole"), "variants": ("whole",)}
"""How each command counts instructions here."""

CAUSES = {"eval-loop-image": "confirmed"} | dict.fromkeys(
    ("version", "tls", "usdt", "tracing", "dev-mode", "gc", "threads", "mitigations", "extension-modules"), "refuted"
)
"""Verdicts that Debian's CPython 3.11 must get: what hangs on no interval, and the one whose effect is twenty times its
scatter between blocks."""


def steps_of(job: Job) -> str:
    """The file that ``inside/run`` reads."""
    return "".join(f"{step.name}\t{step.command}\n" for step in job.steps)
