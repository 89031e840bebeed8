"""What every process must have done: ended well, printed what the baseline prints, with the hash seed and heap asked.

What prints something else ends the run; what only makes figures scatter is a caveat.
"""

from __future__ import annotations

from profiler.catalogue.caveats import (
    CHILDREN_NOT_COUNTED,
    COUNTERS_LIED,
    HASH_SEED_IGNORED,
    HEAP_NOT_PLACED,
    NESTED_LOOPS,
    NO_OPCODES,
    NOT_VERIFIED,
    CaveatEntry,
    caveat,
)
from profiler.collect.missing_module import explained
from profiler.collect.workplace import MAX_OUTPUT_BYTES
from profiler.errors import WorkloadError
from profiler.guest import script
from profiler.model import Block, Caveat, Launcher, Work, Workload
from profiler.sources.source import Outcome
from profiler.system.process import Completed


class Checker:
    """The expected outputs and hashes of one plan, learnt from the baseline, and the caveats so far."""

    def __init__(self, timeout_s: float, baseline: Launcher | None) -> None:
        self.caveats: dict[tuple[str, str], Caveat] = {}
        """By code and launcher."""
        self._timeout_s = timeout_s
        self._baseline = baseline
        self._name = "" if baseline is None else baseline.name
        self._expected: dict[tuple[Work, int], bytes] = {}
        self._shared: set[str] = set()
        self._hashes: dict[int, int] = {}

    def knows(self, workload: Workload, m: int) -> bool:
        """Is it known what is to be printed?"""
        return (workload.work, m) in self._expected

    def printed(self, workload: Workload) -> dict[int, bytes]:
        """What is to be printed, by M."""
        return {m: text for (work, m), text in self._expected.items() if work == workload.work}

    def smallest_m(self) -> int:
        """Of those of which the output is known, whatever the workload."""
        return min(m for _, m in self._expected)

    def learn_hash(self, block: Block, fingerprint: script.ProcessFingerprint | None) -> None:
        """How the baseline hashes in ``block``."""
        if fingerprint is not None:
            self._hashes[block.index] = fingerprint.string_hash

    def require_success(self, launcher: Launcher, workload: Workload, m: int, outcome: Outcome | Completed) -> None:
        """The process ended by itself, in time, and well.

        Raises:
            WorkloadError: it did not; with what it printed last.
        """
        which = f"{launcher.name}: workload {workload.name} with M = {m}"
        if outcome.timed_out and outcome.stdout and outcome.stdout == self._expected.get((workload.work, m)):
            raise WorkloadError(
                f"{which} did its work, and {launcher.name} did not end after it",
                hint=f"let the command of {launcher.name} end by itself when the script has ended (vim: -c qa!)",
            )
        if outcome.timed_out:
            raise WorkloadError(
                f"{which} did not end in time ({self._timeout_s:g} s at native speed)",
                hint="give it more with --timeout SECONDS, or less work with --m LO,HI",
            )
        if outcome.output_exceeded:
            raise WorkloadError(
                f"{which} printed more than {MAX_OUTPUT_BYTES} bytes and was stopped",
                hint="a workload prints one line that depends on M only",
            )
        if outcome.exit != 0:
            if script.NO_M in outcome.stderr_tail:
                raise WorkloadError(
                    f"M does not reach the script in {launcher.name}: neither TAX_PROBE_M, as its environment is not "
                    "handed on, nor a number as the script's last argument does",
                    hint="end the command of --host with {m}, or let the host hand on its environment",
                )
            lacking = None if self._baseline is None else explained(launcher, self._baseline, outcome.stderr_tail)
            if lacking is not None:
                raise lacking
            how = (
                f"was killed by signal {-outcome.exit}" if outcome.exit < 0 else f"ended with exit code {outcome.exit}"
            )
            raise WorkloadError(
                f"{which} {how}\n{outcome.stderr_tail.strip() or '(nothing on stderr)'}",
                hint=f"run the workload by itself in {self._name}; where {launcher.name} alone fails, its host "
                "lacks what the workload needs",
            )

    def learn_stdout(self, launcher: Launcher, beside: bytes) -> None:
        """What stood ``beside`` the output on the stdout of ``launcher``: it has not left that to the workload."""
        if beside:
            self._shared.add(launcher.name)

    def learn_uncounted(self, launcher: Launcher, processes: int) -> None:
        """So many processes that the work started in ``launcher`` are missing in the counts."""
        if processes:
            self._warn(
                CHILDREN_NOT_COUNTED,
                launcher,
                f"{processes} of the processes that the work starts are not counted: they still ran when it had "
                "ended, or their counts did not come to an end",
            )

    def learn_doubted(self, launcher: Launcher, what: str) -> None:
        """Figures of ``launcher`` were not believed: all of them so far."""
        self.caveats.pop((COUNTERS_LIED.code, launcher.name), None)
        self._warn(COUNTERS_LIED, launcher, f"of its processes and chunks {what}")

    def learn_no_opcodes(self, launcher: Launcher, why: str) -> None:
        """No instruction of ``launcher`` can be given to an opcode."""
        self._warn(NO_OPCODES, launcher, why)

    def learn_nested(self, launcher: Launcher, part: float) -> None:
        """Eval loops ran inside calls of eval loops of ``launcher``, and were that part of what was counted."""
        self._warn(
            NESTED_LOOPS,
            launcher,
            f"{part:.0%} of its instructions run in an eval loop that another one's opcode called: what is called "
            "around it is not separable by opcode, and divided in proportion",
        )

    def compare_output(
        self, launcher: Launcher, workload: Workload, m: int, printed: bytes, *, bare: bool = False
    ) -> bytes:
        """The first output of a workload at an M is what all others must be.

        ``bare``: what was printed was read on the process's own stdout, where some hosts write too; it has to be among
        that.

        Returns:
            What the workload printed.

        Raises:
            WorkloadError: this is another.
        """
        expected = self._expected.setdefault((workload.work, m), printed)
        if printed == expected or (bare and launcher.name in self._shared and expected in printed):
            return expected
        raise WorkloadError(
            f"outputs differ for M = {m}\n  {self._name:<14} printed {_shorten(expected)}\n"
            f"  {launcher.name:<14} printed {_shorten(printed)}",
            hint=_why_other(launcher.name, expected, printed),
        )

    def verify(self, block: Block, launcher: Launcher, fingerprint: script.ProcessFingerprint | None) -> None:
        """What the script saw inside is what was asked for; else a caveat, once per launcher."""
        expected = self._hashes.get(block.index)
        if fingerprint is None:
            self._warn(
                NOT_VERIFIED,
                launcher,
                "hash seed and allocator could not be verified inside the process: it did not hand the environment "
                "to the script",
            )
            return
        if fingerprint.pymalloc and not fingerprint.placed:
            self._warn(
                HEAP_NOT_PLACED,
                launcher,
                "its heap could not be placed (no mmap module, or no arena where expected), so its instructions may "
                "differ by some 1 to 2 % through the position of its arenas alone",
            )
        own_seed = "PYTHONHASHSEED" in launcher.env
        if expected is not None and not own_seed and fingerprint.string_hash != expected:
            self._warn(
                HASH_SEED_IGNORED,
                launcher,
                "runs with another hash seed than the baseline: PYTHONHASHSEED is discarded (-I, -E or an isolated "
                "configuration), so its counts scatter with the seed",
            )

    def _warn(self, entry: CaveatEntry, launcher: Launcher, message: str) -> None:
        self.caveats.setdefault((entry.code, launcher.name), caveat(entry, f"{launcher.name}: {message}"))


def _why_other(name: str, expected: bytes, printed: bytes) -> str:
    """What would have to change, by what is different."""
    if not printed.strip():
        return f"run {name}'s command by hand: it must run the script that it is given, and not end before that does"
    if printed.splitlines().count(expected.strip()) > 1:
        return f"{name} runs the script more than once: let its command run it once"
    if expected.strip() in printed:
        return f"let {name} print nothing of its own on stdout (stderr is free)"
    return "a workload's output must depend on M only: no times, no addresses, no order of a set"


def _shorten(printed: bytes, limit: int = 200) -> str:
    text = repr(printed[:limit].decode(errors="replace"))
    return text if len(printed) <= limit else f"{text}… ({len(printed)} bytes)"
