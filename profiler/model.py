"""The nouns that all rooms share: targets, launchers, plans, readings, and the verdict document.

Recording (``launch``, ``measure``) and analysing (``analyze``, ``present``) meet here and in files only.
Units stand in the names; ``None`` means unknown and is never replaced by a number.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

SourceName = Literal["hardware", "callgrind", "software"]
VerdictWord = Literal["slower", "faster", "same", "unresolved"]
LinkMode = Literal["shared", "pic", "static"]
PassKind = Literal["process", "regions", "chunks"]

SCHEMA = "tax-probe/1"


class Noun(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all nouns: immutable, built with keywords only, comparable, JSON-ready."""


# ---------------------------------------------------------------- who runs the work


class Target(Noun, frozen=True, kw_only=True):
    """A CPython installation under test, resolved to real ELF files."""

    path: str
    """As the user named it (or as the default found it)."""
    real_path: str
    """The ELF program behind ``path``, all symbolic links followed."""
    version: str
    """``sys.version_info`` as ``"3.11.2"``."""
    build_id: str | None
    """GNU build-id of the program, hex."""
    program_loads: str | None
    """The libpython that the program itself loads at run time, or None when it holds its own eval loop."""
    shared_library: str | None
    """The ``libpythonX.Y.so`` that an embedder of this target would load, links followed."""
    shared_library_build_id: str | None
    static_library: str | None
    """``libpythonX.Y.a`` in LIBPL, or None."""
    pic_library: str | None
    """``libpythonX.Y-pic.a`` in LIBPL, or None."""
    include_dir: str | None
    """The directory that holds ``Python.h``, or None when the headers are not installed."""
    library_dir: str | None
    """sysconfig's LIBDIR."""
    prefix: str


class Launcher(Noun, frozen=True, kw_only=True):
    """One way to run a Python script: a command with placeholders, and what is known of it."""

    name: str
    argv: tuple[str, ...]
    """``{script}``, ``{m}`` and ``{text}`` (what the script holds) are replaced in each element."""
    env: dict[str, str]
    """Added to the environment that all launchers share."""
    image: str | None
    """The ELF file that holds the eval loop, or None until it is seen at run time."""
    build_id: str | None
    link: str | None
    """``program`` (its own static eval loop), ``shared``, ``pic``, ``static``; None for a user's host."""
    init: str | None
    """``Py_BytesMain``, ``Py_InitializeEx``; None for a user's host."""
    allocator: str | None
    """``pymalloc`` or ``malloc`` as seen inside the process; None until it is seen."""
    base: str | None
    """The launcher of which this one is a variant, None for a launcher in its own right."""
    factor: str | None
    """Name of the toggle, treatment or library swap that makes it one."""


class Workload(Noun, frozen=True, kw_only=True):
    """A script ``script.py M`` that prints one line which depends on M only."""

    name: str
    path: str
    counts_m: tuple[int, int] | None
    """The two M of exact (slow) counting, ascending; None: calibrate on the baseline."""
    timed_m: tuple[int, int] | None
    """The two M of runs at native speed, ascending; None: calibrate on the baseline."""


# ---------------------------------------------------------------- the plan


class Pass(Noun, frozen=True, kw_only=True):
    """One kind of process run: which events it reads and at which M."""

    name: str
    """Unique in the plan; a pass of an arm is named ``ARM/…``."""
    events: tuple[str, ...]
    """Names from ``events.EVENTS``, in the order in which they are requested."""
    m: tuple[int, ...]
    """Ascending, two or more where a slope is wanted."""
    exclusive: bool
    """True: nothing else may run on the machine (times, caches). False: several may run side by side."""
    repetitions: int
    blocks: tuple[int, int | None]
    """From which block on, and up to which (exclusive; None: to the end). A costly pass need not run in all."""
    kind: PassKind = "process"
    """``process``: whole processes, the slope between two M is the cost. ``regions``: both M in one process, once per
    heap phase, counted without the start-up; ``repetitions`` phases. ``chunks``: all launchers alive at once, taking
    turns at chunks of the lower M; ``repetitions`` turns each. The default reads folders of before there were kinds."""
    once_from: int | None = None
    """From this M on one repetition is enough; None: every M is repeated."""
    warmups: int = 0
    """Runs of each launcher at the smallest M before the first repetition; recorded as repetitions below 0."""
    native: bool = False
    """The workload's own file is run, heap and start-up as the user has them, instead of the placed script."""
    phases: bool = False
    """The process is cut into ``PHASES``; one M is enough."""
    bare: bool = False
    """Run by clock and wait4 alone, whatever the source."""
    workload: Workload | None = None
    """None: the plan's."""
    launchers: tuple[str, ...] = ()
    """Empty: all of the plan."""
    among: Literal["all", "whole", "counted-only"] = "all"
    """Which of the plan's, where ``launchers`` names none: all, those that are measured in every way, or those of
    ``treatments.counted_only``."""
    serial: bool = False
    """Launchers follow each other in their order, each with all its runs; else every repetition is shuffled."""

    @property
    def arm(self) -> str | None:
        """The arm that the pass belongs to."""
        arm, slash, _ = self.name.partition("/")
        return arm if slash else None


PHASES = ("loading", "core", "script", "run", "finalisation")
"""The life of a process: loader, initialisation (with site), the script's loading and compiling, its run, the rest."""


class Block(Noun, frozen=True, kw_only=True):
    """One block: everything that is a nuisance is drawn once and shared by all launchers."""

    index: int
    hash_seed: int
    env_padding: int
    """Bytes added to the environment, 0 to 4095."""
    heap_phase: tuple[int, ...]
    """Live objects kept before the work, one figure per pymalloc size class (16, 32, … 512 bytes)."""
    arena_offset: int = 0
    """Where in their MiB the arenas begin from which the work allocates, in bytes; folders of before have it at 0."""


class Step(Noun, frozen=True, kw_only=True):
    """One process: which launcher, in which block and pass, at which M."""

    block: int
    position: int
    """Order within the block, from 0."""
    pass_name: str
    launcher: str
    m: int
    repetition: int


class Side(Noun, frozen=True, kw_only=True):
    """One side of an elimination: which launchers of which arm, and how their cost is formed."""

    arm: str
    baseline: str
    hosts: tuple[str, ...]
    """The launchers that stand for the baseline and, in their order, for the hosts of the line-up."""
    formulas: tuple[str, ...]
    """Events joined by `` * `` or `` - ``, in order of preference; the first whose events are all known is taken."""


class Elimination(Noun, frozen=True, kw_only=True):
    """One hypothesis on where a tax comes from, and the two ratios that decide on it."""

    name: str
    cause: str | None
    """The catalogue's id, where it has one."""
    hypothesis: str
    intervention: str
    before: tuple[Side, ...]
    """With the suspect, one side per metric, the deciding one first."""
    after: tuple[Side, ...]
    """Without it; the same metrics."""
    margin: float
    """A ratio that moves by less than this part of itself has not moved."""
    part: float | None
    """The hypothesis is that at least this part of the tax goes; None: that the ratio moves at all."""


class Precision(Noun, frozen=True, kw_only=True):
    """When a run whose length is not fixed may stop."""

    metric: str
    half_width: float
    """Of the interval of the ratio to the baseline, relative: 0.005 is ± 0.5 %. Each launcher's must be as narrow."""


class Standing(Noun, frozen=True, kw_only=True):
    """How far a run has come on its way to a precision."""

    reached: bool
    text: str
    """The widest interval so far, for the progress bar."""
    blocks_needed: int | None
    """Estimate of all the blocks that it will take; None while nothing can be said."""
    turns: int | None
    """How many chunks the next processes should do (None: as planned): repetitions go where the variance is."""


class Plan(Noun, frozen=True, kw_only=True):
    """Everything that was decided before the first process started; saved, so that a run can be resumed."""

    seed: int
    source: SourceName
    workload: Workload
    launchers: tuple[Launcher, ...]
    """The baseline is first; its A/A twin is the launcher named by ``AGAIN``."""
    passes: tuple[Pass, ...]
    blocks: tuple[Block, ...]
    """With a ``precision`` these are the blocks begun so far; more are drawn from the seed as they are needed."""
    precision: Precision | None = None
    eliminations: tuple[Elimination, ...] = ()
    most_blocks: int | None = None
    """Where a run for a precision ends at the latest."""


BASELINE = "python3"
AGAIN = "python3-again"
"""The baseline's second appearance in every block (A/A): same command, same everything."""


REGIONS, CHUNKS = "regions", "chunks"
"""Names of the passes whose readings are of parts of a process; the readings of all others are of whole processes."""


# ---------------------------------------------------------------- readings


class Reading(Noun, frozen=True, kw_only=True):
    """One event of one process, as the source gave it."""

    event: str
    value: float | None
    unit: str
    enabled_ns: int | None
    running_ns: int | None
    source: SourceName
    raw_name: str
    """What the tool itself called it (perf and kernel versions rename events)."""
    reason: str | None
    """Why ``value`` is None."""


class Row(Noun, frozen=True, kw_only=True):
    """One line of ``rows.csv``: a reading with the process it belongs to."""

    block: int
    position: int
    pass_name: str
    launcher: str
    workload: str
    m: int
    repetition: int
    event: str
    value: float | None
    unit: str
    enabled_ns: int | None
    running_ns: int | None
    exit: int
    output_sha256: str
    source: SourceName
    raw_name: str
    reason: str | None
    placement: int | None = None
    """Where in its MiB a new object of 32 bytes lay when the work began; None: its heap was not placed, or unknown."""


class Calls(Noun, frozen=True, kw_only=True):
    """How often one function was called from another."""

    callee: str
    caller: str
    """As the tool names it: an address (``0x…``) where its file shows no name for it."""
    image: str | None
    """The ELF file that holds the caller."""
    calls: int


class CallRow(Noun, frozen=True, kw_only=True):
    """One line of ``calls.csv``: calls of one process, or of one region of it."""

    block: int
    pass_name: str
    launcher: str
    m: int
    repetition: int
    callee: str
    caller: str
    image: str | None
    calls: int


class Caveat(Noun, frozen=True, kw_only=True):
    """Something the reader of a result must know. ``code`` is stable, ``message`` names the remedy."""

    code: str
    message: str


class Missing(Noun, frozen=True, kw_only=True):
    """An event that this machine cannot count, with the reason and where known the remedy."""

    event: str
    reason: str


class Run(Noun, frozen=True, kw_only=True):
    """``run.json``: everything but the readings that a later analysis needs."""

    schema: str
    command: str
    argv: tuple[str, ...]
    started_utc: str
    target: Target
    plan: Plan
    source_sentence: str
    missing: tuple[Missing, ...]
    machine: dict[str, Any]
    interpreters: dict[str, Any]
    """What ``inspect`` says of the target's files."""
    builds: tuple[dict[str, Any], ...]
    fingerprints: dict[str, dict[str, Any]]
    """What each launcher is from inside (``measure.fingerprint``), by launcher; empty before the first check."""
    warnings: tuple[Caveat, ...]
    measured_s: float | None
    """Wall time of measuring; None while it runs or after an interruption."""
    per_launch_ms: float | None = None
    """The user's own work per launch, for the advice of ``amortize``."""
    rebuilt: dict[str, Any] | None = None
    """A ``factorial.Rebuilt`` where launchers run libraries that were built for this run."""
    known_causes: tuple[Cause, ...] = ()
    """Verdicts on build options that ``rebuild`` reached before, of these very files and this workload."""
    remedy: dict[str, Any] | None = None
    """A ``factorial.Remedy`` where one was asked for."""


# ---------------------------------------------------------------- inspection


class Program(Noun, frozen=True, kw_only=True):
    """What one ELF file is, by evidence from the file itself (never from sysconfig)."""

    role: Literal["program", "library", "host"]
    path: str
    real_path: str
    build_id: str | None
    package: str | None
    static_libpython: bool | None
    """The eval loop is linked into this program, or would be from this ``.a``; False for a shared libpython itself."""
    loads_libpython: bool | None
    """It names a libpython (DT_NEEDED), or one was seen in its process; None: no symbol shows an eval loop in it, and
    it may open one itself. (Folders of before 2026-11-26 hold the library's path or null here.)"""
    eval_loop_image: str | None
    pie: bool | None
    pgo: bool | None
    lto: bool | None
    pic: bool | None
    usdt: bool | None
    tls_model: str | None
    dt_symbolic: bool | None
    optimisation_level: str | None = None
    """As gcc was told, ``"-O2"``; None without debug information, or where the units differ."""
    debug_build: bool | None = None
    """Counts all references (``--with-pydebug``)."""
    loads: str | None = None
    """The libpython that it loads, a path; None where it loads none or that is not installed."""
    usdt_probes: dict[str, int] | None = None
    """Sites of the python probes, by name."""
    own_api_slots: int | None = None
    """Functions of its own C API that it calls through the PLT; 0: all such calls are bound to its own."""
    interposable: bool | None = None
    """Its calls stay interposable: gcc had to expect another library's function in place of each exported one, and so
    inlined none (``-fPIC`` without ``-fno-semantic-interposition``). None: the file does not show it."""
    evidence: tuple[str, ...]


class Inspection(Noun, frozen=True, kw_only=True):
    """Answer of ``tax-probe inspect``."""

    programs: tuple[Program, ...]
    contradictions: tuple[str, ...]
    expectation: str


# ---------------------------------------------------------------- the verdict document


class Interval(Noun, frozen=True, kw_only=True):
    """A ratio with its interval; ``None`` bounds are unbounded or unknown."""

    ratio: float | None
    lo: float | None
    hi: float | None


class Comparison(Noun, frozen=True, kw_only=True):
    """One launcher against a baseline in one metric, per iteration."""

    baseline: str
    launcher: str
    metric: str
    baseline_value: float | None
    value: float | None
    ratio: float | None
    lo: float | None
    hi: float | None
    confidence: float
    verdict: VerdictWord
    chance: float | None
    """p-value of "within the margin", adjusted for all metrics of the pair (Holm); None where it cannot be tested."""
    blocks: int
    smallest_effect: float | None
    """The relative difference that this many blocks of this scatter show with 80 % power."""
    source: SourceName
    reason: str | None
    """Why a figure is missing, or why the verdict is unresolved."""
    over: Literal["placements"] | None = None
    """What alone makes the figure differ between blocks, so that the interval is one over it; None: not one thing."""


class Scatter(Noun, frozen=True, kw_only=True):
    """Variance components of the baseline in one metric, as relative standard deviations; None: not measured."""

    metric: str
    block: float | None
    """What blocks have to themselves (hash seed, environment, heap phase, and the hour): pairing removes it."""
    process: float | None
    """Between two processes of the same block."""
    chunk: float | None
    """Between pairs of turns of one process, less what all launchers had in common."""
    turns: int | None
    """Turns per process at which a given time buys most precision (Kalibera & Jones 2013)."""


class Series(Noun, frozen=True, kw_only=True):
    """The chunks of a launcher's processes in their order: are they in a steady state?"""

    launcher: str
    metric: str
    turns: tuple[int, ...]
    """From the first run on, which is below 0: turns below 0 warm up and stand in no other figure."""
    relative: tuple[float, ...]
    """Per turn, median over blocks: cost relative to the median of the second half of the process."""
    first: Interval
    """The first run, likewise."""
    shift: Interval
    """Ratio to the baseline in the second half of the turns, relative to that in the first half."""
    steady: VerdictWord
    """``same``: the ratio does not move by the metric's margin."""


class Term(Noun, frozen=True, kw_only=True):
    """One factor of a product; ``share`` is its part of the log ratio (the shares add up to 1)."""

    term: str
    ratio: float | None
    lo: float | None
    hi: float | None
    share: float | None


class Decomposition(Noun, frozen=True, kw_only=True):
    """``of`` = product of ``terms``; ``residual`` is what the terms leave of the log ratio."""

    launcher: str
    of: str
    terms: tuple[Term, ...]
    residual: float | None
    reason: str | None


class Rung(Noun, frozen=True, kw_only=True):
    """One step of the ladder."""

    from_: str = msgspec.field(name="from")
    to: str
    factor: str
    metric: str
    ratio: float | None
    lo: float | None
    hi: float | None
    share: float | None
    orders: int | None = None
    """The ratio is a mean over so many orders of the factors, and no two launchers have it; None: it is that of
    ``from`` and ``to``."""
    least: float | None = None
    """Of the ratios of measured pairs that the mean is of."""
    most: float | None = None


class Cause(Noun, frozen=True, kw_only=True):
    """One cause of the catalogue with its verdict.

    Confirmed causes that act on one metric, are part of none (``part_of``) and have the role ``cause`` add up, with the
    launcher's ``Unexplained``, to the tax in that metric.
    """

    cause: str
    launcher: str | None
    status: Literal["confirmed", "refuted", "unresolved", "not-tested"]
    """Of a ``place``: whether the setting is a cause, which equality decides and no share."""
    strength: Literal["intervened", "correlated"] | None
    share: float | None
    """Part of the tax; of a ``place`` the part of the difference that sits there; a mean where ``share_least`` is."""
    lo: float | None
    hi: float | None
    evidence: str
    role: Literal["cause", "place"] = "cause"
    """``place``: a change made on both ends of a setting that is equal there, which says where the difference sits."""
    part_of: str | None = None
    """Id of the cause that brings this one along: its share stands in that cause's too."""
    metric: str | None = None
    """In which the tax is that the share is a part of."""
    share_least: float | None = None
    """Where other causes decide how much this one takes: the least over the orders in which they are met; ``share`` is
    the mean over the orders. None: there is one order, or none is known."""
    share_most: float | None = None
    without: float | None = None
    """Measured ratio to the baseline when this cause alone is taken away; None where that cannot be."""


class Unexplained(Noun, frozen=True, kw_only=True):
    """What the confirmed causes leave of the tax; below 0 where they overlap: one takes away what another does too."""

    share: float | None
    lo: float | None
    hi: float | None
    all_met: float | None = None
    """What is left when all that differs is removed or given at once, as a measured pair has it; None: no such pair."""


class Doubt(Noun, frozen=True, kw_only=True):
    """A metric that is withdrawn, of all launchers, because of what the baseline's two runs (A/A) show of it."""

    metric: str
    kind: Literal["differs", "useless"]
    """``differs``: the baseline is not itself; ``useless``: the interval is so wide that nothing could be seen."""
    ratio: float | None
    lo: float | None
    hi: float | None
    """Of A/A; of a quotient of metrics that stands on a withdrawn one, its own."""
    proven: bool
    """The difference stays one among all metrics (Holm), and does not stand on a wide interval alone."""
    reason: str
    """For people, with the figures of the A/A that it stands on."""


class WorkloadResult(Noun, frozen=True, kw_only=True):
    """The workload as the verdict document names it."""

    name: str
    bit_exact: bool | None


class LauncherResult(Noun, frozen=True, kw_only=True):
    """A launcher as the verdict document names it."""

    name: str
    image: str | None
    build_id: str | None
    link: str | None
    init: str | None
    allocator: str | None


class Verdict(Noun, frozen=True, kw_only=True):
    """``verdict.json`` (schema ``tax-probe/1``)."""

    schema: str
    command: str
    source: SourceName
    target: Target
    workload: WorkloadResult
    launchers: tuple[LauncherResult, ...]
    comparisons: tuple[Comparison, ...]
    scatter: tuple[Scatter, ...]
    series: tuple[Series, ...]
    decomposition: tuple[Decomposition, ...]
    ladder: tuple[Rung, ...]
    causes: tuple[Cause, ...]
    unexplained: Unexplained
    """Of the embedder of the ladder."""
    sentence: str
    warnings: tuple[Caveat, ...]
    unexplained_of: dict[str, Unexplained] = msgspec.field(default_factory=dict)
    """By launcher, for all whose causes were judged."""
    withdrawn: tuple[Doubt, ...] = ()
    """Metrics in which nothing is claimed of any launcher."""
