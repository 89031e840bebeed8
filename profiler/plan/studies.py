"""What each measuring command asks: its launchers, passes, blocks, and the sections of its verdict. One entry each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from profiler.catalogue.statement_list import NAME as STATEMENTS
from profiler.launch.launchers import DEFAULT
from profiler.model import BASELINE, EMBEDDER, Section, SourceName


@dataclass(frozen=True, kw_only=True)
class Study:
    """One command's question."""

    command: str
    lineup: Literal["chosen", "ladder", "rebuilt"]
    """Who runs: those that are named, every rung and change, or the combinations of a plan of builds."""
    passes: Literal["source", "sweep", "arms", "addresses", "statements"] = "source"
    """What is run: all that the source reads, whole processes over many M and cut in phases, a group per arm, regions
    that are counted by machine instruction, or a loop for each of many statements."""
    source: SourceName | None = None
    """The only one that can; None: whichever is best here."""
    sections: tuple[Section, ...] = ()
    """What the verdict has beside comparisons."""
    blocks: dict[SourceName, int]
    """Enough for intervals within the time of a command."""
    budget_s: dict[SourceName, float] = field(default_factory=dict)
    """Where neither blocks nor a budget were asked for: begin no block that would end later."""
    workload: str = "int_loop"
    launchers: tuple[str, ...] = DEFAULT
    """Where none were named."""
    beside_interpreters: tuple[str, ...] = ()
    """The same, where the user named interpreters and nothing else to compare with; empty: it compares none."""
    parts_suffice: bool = False
    """It can do with parts of processes, where nothing can count whole ones, and may measure to a precision."""
    any_m: bool = False
    """``--m`` takes as many M as there are; elsewhere it takes two."""
    by_function: bool = False
    """Calls of functions are a part of its answer."""
    looks_inside: bool = False
    """What is seen inside the user's hosts adds launchers to the plan."""
    remembers: bool = False
    """What ``rebuild`` found of these very files before is part of the run."""


STUDIES = {
    study.command: study
    for study in (
        Study(
            command="ipc",
            lineup="chosen",
            beside_interpreters=(BASELINE,),
            blocks={"hardware": 10, "qemu": 6, "callgrind": 6, "software": 15},
            budget_s={"qemu": 48.0, "callgrind": 48.0},  # a minute with what comes before and after
            parts_suffice=True,
        ),
        Study(
            command="variants",
            lineup="ladder",
            beside_interpreters=(BASELINE,),
            sections=("causes",),
            by_function=True,
            blocks={
                "hardware": 8,
                "qemu": 5,
                "callgrind": 5,
                "software": 10,
            },  # five minutes with counters, eight without
            looks_inside=True,
            remembers=True,
        ),
        Study(
            command="rebuild",
            lineup="rebuilt",
            sections=("rebuilt",),
            blocks={"hardware": 8, "qemu": 4, "callgrind": 4, "software": 10},
        ),
        Study(
            command="amortize",
            lineup="chosen",
            beside_interpreters=(BASELINE,),
            passes="sweep",
            sections=("sweep",),
            blocks={"hardware": 15, "qemu": 15, "callgrind": 15, "software": 15},  # three to four minutes
            workload="dynamic",  # the PoC's
            any_m=True,
        ),
        Study(
            command="eliminate",
            lineup="chosen",
            passes="arms",
            sections=("eliminations",),
            blocks={"hardware": 8, "qemu": 6, "callgrind": 6, "software": 8},  # three to four minutes
            launchers=(BASELINE, EMBEDDER),
        ),
        Study(
            command="cross",
            lineup="chosen",
            blocks={"emulated": 6},
        ),
        Study(
            command="opcodes",
            lineup="chosen",
            beside_interpreters=(BASELINE,),
            passes="addresses",
            source="callgrind",
            sections=("opcodes",),
            blocks={"callgrind": 4},  # half a minute
            launchers=(EMBEDDER,),
        ),
        Study(
            command="opcodes --statements",
            lineup="chosen",
            beside_interpreters=(BASELINE,),
            passes="statements",
            sections=("statements",),
            blocks={"hardware": 4, "qemu": 2, "callgrind": 2, "software": 5},  # with clocks alone some five minutes
            workload=STATEMENTS,
            launchers=(EMBEDDER,),
        ),
        Study(
            command="where",
            lineup="chosen",
            beside_interpreters=(BASELINE,),
            passes="addresses",
            source="callgrind",
            sections=("places",),
            blocks={"callgrind": 4},
            launchers=(EMBEDDER,),
        ),
    )
}
