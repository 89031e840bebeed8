"""Everything that is decided before the first process starts."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun, SourceName
from profiler.model.elimination import Elimination
from profiler.model.launcher import Launcher, Roles, roles_of
from profiler.model.passes import AnyPass
from profiler.model.workload import Workload

Section = Literal["causes", "rebuilt", "sweep", "eliminations", "opcodes", "places", "statements"]
"""What a verdict may have beside comparisons."""


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
    """The baseline is first, its A/A twin next."""
    passes: tuple[AnyPass, ...]
    blocks: tuple[Block, ...]
    """With a ``precision`` these are the blocks begun so far; more are drawn from the seed as they are needed."""
    precision: Precision | None = None
    eliminations: tuple[Elimination, ...] = ()
    sections: tuple[Section, ...] = ()
    """Which parts of a verdict the plan was made for."""
    most_blocks: int | None = None
    """Where a run for a precision ends at the latest."""

    @property
    def roles(self) -> Roles:
        """Which launchers are the baseline, its twin and the embedder."""
        return roles_of(self.launchers)
