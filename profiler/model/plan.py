"""Everything that is decided before the first process starts."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun, SourceName
from profiler.model.elimination import Elimination
from profiler.model.launcher import Launcher
from profiler.model.workload import Workload

PassKind = Literal["process", "regions", "chunks"]


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
    ``variants.counted_only``."""
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


REGIONS, CHUNKS = "regions", "chunks"
"""Names of the passes whose readings are of parts of a process; the readings of all others are of whole processes."""
