"""Each caveat written once: what the reader must know, in a few words, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass

from profiler.model import Caveat


@dataclass(frozen=True, kw_only=True)
class CaveatEntry:
    """``code`` is stable, and stands in ``verdict.json``."""

    code: str
    title: str
    remedy: str


A_A_DIFFERS = CaveatEntry(
    code="a-a-differs",
    title="the baseline differs from itself",
    remedy="more --blocks, or a quieter machine",
)
CPU_QUOTA = CaveatEntry(
    code="cpu-quota",
    title="a CPU quota stops every process in mid-run",
    remedy="lift it (docker run without --cpus, systemd's CPUQuota, a pod's CPU limit), or take counts alone: "
    "--source callgrind",
)
A_A_USELESS = CaveatEntry(
    code="a-a-useless",
    title="the baseline's own runs decide nothing",
    remedy="more --blocks or more work per run",
)
ALLOCATOR_BOUNDARY = CaveatEntry(
    code="allocator-boundary",
    title="a process sat on an allocator boundary",
    remedy="nothing has to be done; more --blocks make up for what was set apart",
)
CHILDREN_NOT_COUNTED = CaveatEntry(
    code="children-not-counted",
    title="processes that the work starts are not counted",
    remedy="have the work wait for what it starts",
)
COUNTERS_DISAGREE = CaveatEntry(
    code="counters-disagree",
    title="counters inside and around the process disagree",
    remedy="end other users of the PMU (tax-probe doctor names them), then measure again",
)
COUNTERS_LIED = CaveatEntry(
    code="counters-lied",
    title="figures were not believed",
    remedy="end other perf sessions, debuggers and what stops processes; with tax-probe doctor look at the counters",
)
DAMAGED_ROWS = CaveatEntry(
    code="damaged-rows",
    title="rows are damaged",
    remedy="take the file from where it was measured, or measure again",
)
ENVIRONMENT = CaveatEntry(
    code="environment",
    title="the environment changes what Python does",
    remedy="unset it, unless that is meant",
)
EVAL_LOOP_GONE = CaveatEntry(
    code="eval-loop-gone",
    title="the file of a launcher's eval loop is removed when the program ends",
    remedy="measure a build of it that keeps its files (PyInstaller: --onedir)",
)
HASH_SEED_IGNORED = CaveatEntry(
    code="hash-seed-ignored",
    title="a launcher has another hash seed than the baseline",
    remedy="start it without -I, -E and an isolated configuration, or take more --blocks",
)
HEAP_NOT_PLACED = CaveatEntry(
    code="heap-not-placed",
    title="a launcher's heap could not be placed",
    remedy="take more --blocks, over which the position of its arenas scatters",
)
MISSING_RUNG = CaveatEntry(
    code="missing-rung",
    title="a step of the ladder is missing",
    remedy="install what the target's static libraries come with (Debian, Ubuntu: libpython3-dev)",
)
NESTED_LOOPS = CaveatEntry(
    code="nested-loops",
    title="eval loops run inside eval loops",
    remedy="the sums are exact; for single opcodes take work without calls back into Python from C",
)
NO_OPCODES = CaveatEntry(
    code="no-opcodes",
    title="a launcher's instructions cannot be told by opcode",
    remedy="tax-probe where tells them by file, function and kind",
)
NO_CHUNKS = CaveatEntry(
    code="no-chunks",
    title="a launcher cannot do chunks of work on request",
    remedy="let the host run the script's main module as it is and leave its pipes open; whole processes need more "
    "--blocks",
)
NOT_BUILT = CaveatEntry(
    code="not-built",
    title="a combination could not be built",
    remedy="look at the log that it names; the same command tries again and keeps what is built",
)
NOT_QUIET = CaveatEntry(
    code="not-quiet",
    title="other work disturbed the timing",
    remedy="measure again when the machine is quiet",
)
NOT_STEADY = CaveatEntry(
    code="not-steady",
    title="a ratio has no steady state within a run",
    remedy="give it more work with --m LO,HI, and quote the length of the run with the figure",
)
NOT_THAT_LIBRARY = CaveatEntry(
    code="not-that-library",
    title="a launcher did not run what was built for it",
    remedy="look for LD_LIBRARY_PATH, LD_PRELOAD and rpaths that bring another libpython in front of it",
)
NOT_VERIFIED = CaveatEntry(
    code="not-verified",
    title="a launcher could not be looked at from inside",
    remedy="let the host hand its environment on to Python",
)
PLACEMENT_DIFFERS = CaveatEntry(
    code="placement-differs",
    title="a launcher's heap lay elsewhere than the baseline's",
    remedy="nothing has to be done; more --blocks make up for what was set apart",
)
STAND_IN_MODULES = CaveatEntry(
    code="stand-in-modules",
    title="built-in modules were replaced in a linked host",
    remedy="measure no workload that needs them on that step of the ladder",
)
SYMBOLS_DIFFER = CaveatEntry(
    code="symbols-differ",
    title="files of another revision cost another number of instructions, and name nothing",
    remedy="install the debug information of the installed files, or their newest revision",
)
TOGGLE_UNAVAILABLE = CaveatEntry(
    code="toggle-unavailable",
    title="an intervention does not run here",
    remedy="its cause stays open; the reason says what this machine lacks",
)
TRAINING_DOES_NOT_FIT = CaveatEntry(
    code="training-does-not-fit",
    title="functions were compiled without the training's counts",
    remedy="where they matter, mark the level retrain = true",
)
TRAINING_INCOMPLETE = CaveatEntry(
    code="training-incomplete",
    title="much of a training failed",
    remedy="apt-get build-dep python3, and look at its log",
)
UNFINISHED = CaveatEntry(
    code="unfinished",
    title="the run was interrupted",
    remedy="--resume DIR continues it",
)
MEASURED_BESIDE = CaveatEntry(
    code="measured-beside",
    title="another user measured on this machine when the run began",
    remedy="measure again when that has ended; --wait SECONDS waits for it so long",
)
RESUMED_ELSEWHERE = CaveatEntry(
    code="resumed-elsewhere",
    title="the run went on with another machine or other files than it began with",
    remedy="measure anew where times or machine code matter",
)
OTHER_MACHINE = CaveatEntry(
    code="other-machine",
    title="the runs are of different machines",
    remedy="compare exact counts, or measure both on one machine",
)
WORKLOAD_UNSURE = CaveatEntry(
    code="workload-unsure",
    title="nothing shows that the runs did the same work",
    remedy="measure the older one anew: the text's hash is in every run.json from now on",
)
OTHER_VERSION = CaveatEntry(
    code="other-version",
    title="launchers run another Python than the baseline",
    remedy="compare them with a Python of the same kind through --python PATH",
)

CAVEATS: tuple[CaveatEntry, ...] = tuple(entry for entry in globals().values() if isinstance(entry, CaveatEntry))

BY_CODE: dict[str, CaveatEntry] = {entry.code: entry for entry in CAVEATS}


def caveat(entry: CaveatEntry, message: str, *, remedy: str | None = None) -> Caveat:
    """One that was met: ``message`` says what and where; ``remedy`` in the place of the entry's, where it is known."""
    return Caveat(code=entry.code, message=f"{message}; {remedy or entry.remedy}")
