"""Kinds of process runs. Each has a runner of its own (``collect.runners``), and stands by name in ``rows.csv``."""

from __future__ import annotations

from typing import ClassVar, Literal, cast

from profiler.model.base import Noun
from profiler.model.workload import Workload

PassKind = Literal["whole", "native", "phased", "regions", "chunks"]
REGIONS, CHUNKS, PHASED = "regions", "chunks", "phased"
"""Kinds whose readings are of parts of a process."""

PHASES = ("loading", "core", "script", "run", "finalisation")
"""The life of a process: loader, initialisation (with site), the script's loading and compiling, its run, the rest."""


class Pass(Noun, frozen=True, kw_only=True, tag_field="kind"):
    """What passes of all kinds have: which events are read, at which M, in which blocks, of which launchers."""

    name: str
    """Unique in the plan; a pass of an arm is named ``ARM/…``."""
    events: tuple[str, ...]
    """Names from ``events.EVENTS``, in the order in which they are requested."""
    m: tuple[int, ...]
    """Ascending, two or more where a slope is wanted."""
    blocks: tuple[int, int | None]
    """From which block on, and up to which (exclusive; None: to the end). A costly pass need not run in all."""
    launchers: tuple[str, ...] = ()
    """Empty: all of the plan."""

    @property
    def kind(self) -> PassKind:
        """As in ``rows.csv``."""
        return cast("PassKind", self.__struct_config__.tag)

    @property
    def arm(self) -> str | None:
        """The arm that the pass belongs to."""
        arm, slash, _ = self.name.partition("/")
        return arm if slash else None


class Whole(Pass, frozen=True, kw_only=True, tag="whole"):
    """Whole processes, each at one M; the slope between two M is the cost per iteration."""

    exclusive: bool
    """True: nothing else may run on the machine (times, caches). False: several may run side by side."""
    repetitions: int
    warmups: int = 0
    """Runs of each launcher at the smallest M before the first repetition; recorded as repetitions below 0."""
    workload: Workload | None = None
    """None: the plan's."""
    among: Literal["all", "whole", "counted-only"] = "all"
    """Which of the plan's, where ``launchers`` names none: all, those that are measured in every way, or those of
    ``variants.counted_only``."""
    serial: bool = False
    """Launchers follow each other in their order, each with all its runs; else every repetition is shuffled."""


class Native(Pass, frozen=True, kw_only=True, tag="native"):
    """Whole processes that run the workload's own file, heap and start-up as the user has them."""

    exclusive: bool
    repetitions: int
    bare: bool
    """Run by clock and wait4 alone, whatever the source."""
    once_from: int | None = None
    """From this M on one repetition is enough; None: every M is repeated."""
    warmups: int = 0
    """As in ``Whole``."""


class Phased(Pass, frozen=True, kw_only=True, tag=PHASED):
    """Processes that are cut into ``PHASES``; one M is enough."""

    exclusive: bool
    repetitions: int


class Regions(Pass, frozen=True, kw_only=True, tag=REGIONS):
    """Both M in one process, once per heap phase, counted without the start-up."""

    exclusive: ClassVar[bool] = False
    phases: int
    """Heap phases that a process goes through."""
    by_address: bool = False
    """Each machine instruction is counted, for ``profile.csv``."""


class Chunks(Pass, frozen=True, kw_only=True, tag=CHUNKS):
    """All launchers alive at once, taking turns at chunks of the lower M."""

    exclusive: ClassVar[bool] = True
    turns: int
    """How many of each launcher, unless the scatter so far says otherwise (``Standing.turns``)."""


AnyPass = Whole | Native | Phased | Regions | Chunks
