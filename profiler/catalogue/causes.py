"""The catalogue of causes: each with what shows it, and the ladder from the baseline to the embedder.

``plan`` makes launchers of the rungs, ``analyze`` judges the figures; neither holds a list of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from profiler.model import LinkMode

Shows = Literal["instructions", "cpi", "time"]
"""Where a cause acts: on instructions (any exact source shows it), on CPI (hardware only), or on time alone."""

Role = Literal["cause", "place"]

IMAGE = "eval-loop-image"
"""The cause of which every property of the eval loop's file is a part."""


UNPLACED = ("heap-not-placed", "not-verified", "placement-differs")
"""Codes of the caveats that a launcher's heap lies elsewhere than its block says, or that nobody saw where."""


@dataclass(frozen=True, kw_only=True)
class CauseEntry:
    """One cause. ``observable`` is what is looked at when nothing can be toggled."""

    id: str
    title: str
    shows: Shows
    observable: str
    part_of: str | None = None
    """The cause that this one is always a part of."""
    settled_by_equality: bool = True
    """Equal fingerprints show that it is none; False: they show only a part of what it is."""
    drawn: tuple[str, ...] = ()
    """It is drawn once per block for all launchers, and each process verifies it: codes of the caveats that say of a
    launcher that it has another, or that nobody saw."""


CAUSES: tuple[CauseEntry, ...] = (
    CauseEntry(
        id="version",
        title="another CPython version",
        shows="instructions",
        observable="sys.version, sys.implementation, a free-threaded build",
    ),
    CauseEntry(
        id="eval-loop-image",
        title="eval loop of another file",
        shows="instructions",
        observable="the mapped file that defines _PyEval_EvalFrameDefault, and its build-id",
    ),
    CauseEntry(
        id="pgo",
        title="built without PGO",
        shows="instructions",
        observable="cold fragments in .eh_frame",
        part_of=IMAGE,
    ),
    CauseEntry(id="lto", title="built without LTO", shows="instructions", observable="DW_AT_producer", part_of=IMAGE),
    CauseEntry(
        id="optimisation-level",
        title="another -O level",
        shows="instructions",
        observable="DW_AT_producer",
        part_of=IMAGE,
    ),
    CauseEntry(
        id="pic",
        title="position-independent code",
        shows="instructions",
        observable="ELF type, GOT loads",
        part_of=IMAGE,
    ),
    CauseEntry(
        id="plt",
        title="calls stay interposable",
        shows="instructions",
        observable="JUMP_SLOT to own Py symbols, DW_AT_producer; what the compiler did not inline shows in no file",
        part_of=IMAGE,
        settled_by_equality=False,  # the loader's environment is seen, how calls were compiled is not
    ),
    CauseEntry(
        id="tls",
        title="general-dynamic TLS",
        shows="instructions",
        observable="calls of __tls_get_addr an iteration",
        part_of=IMAGE,
    ),
    CauseEntry(id="usdt", title="USDT semaphores", shows="instructions", observable=".note.stapsdt", part_of=IMAGE),
    CauseEntry(id="allocator", title="allocator", shows="instructions", observable="the allocator in effect"),
    CauseEntry(
        id="arena-placement",
        title="arena placement",
        shows="instructions",
        observable="addresses of pymalloc's arenas",
        drawn=UNPLACED,
    ),
    CauseEntry(id="huge-pages", title="huge pages", shows="cpi", observable="THP_enabled, dTLB misses"),
    CauseEntry(
        id="code-layout",
        title="code layout",
        shows="cpi",
        observable="L1I and iTLB misses",
        settled_by_equality=False,  # two files have two layouts, whatever the address space
    ),
    CauseEntry(id="init-path", title="start-up path and PyConfig", shows="instructions", observable="sys.flags"),
    CauseEntry(
        id="tracing",
        title="trace, profile or monitoring hooks",
        shows="instructions",
        observable="sys.gettrace, sys.getprofile, sys.monitoring",
    ),
    CauseEntry(
        id="dev-mode",
        title="debug hooks or a debug build",
        shows="instructions",
        observable="sys.flags.dev_mode, sys.gettotalrefcount",
    ),
    CauseEntry(id="gc", title="garbage collector settings", shows="instructions", observable="gc.get_threshold"),
    CauseEntry(id="hash-seed", title="hash seed", shows="instructions", observable="hash of a known string"),
    CauseEntry(id="environment-size", title="size of the environment", shows="cpi", observable="the stack's start"),
    CauseEntry(
        id="threads",
        title="other threads, switch interval",
        shows="instructions",
        observable="threads of the process, sys.getswitchinterval",
    ),
    CauseEntry(id="signals", title="signal handlers", shows="instructions", observable="Py_InitializeEx(0) or (1)"),
    CauseEntry(id="mitigations", title="speculation mitigations", shows="cpi", observable="Speculation_* and Seccomp"),
    CauseEntry(id="throttling", title="CPU quota", shows="time", observable="nr_throttled of the cgroup"),
    CauseEntry(id="frequency", title="core frequency", shows="time", observable="cycles ÷ CPU time, or a timed chain"),
    CauseEntry(id="program-location", title="where the program lies", shows="cpi", observable="path, file system"),
    CauseEntry(
        id="extension-modules",
        title="extension modules",
        shows="instructions",
        observable="extension modules that are loaded",
    ),
)


# ---------------------------------------------------------------- the ladder


@dataclass(frozen=True, kw_only=True)
class LadderStep:
    """One rung of the ladder: what changes from the launcher before, at first the baseline, to this one."""

    starts_as: Literal["baseline", "embedder"]
    link: LinkMode
    factor: str
    """What changed, in words; several things joined by " + " share their effect among nobody."""


LADDERS: tuple[tuple[LadderStep, ...], ...] = (
    (
        LadderStep(starts_as="baseline", link="static", factor="static library, linked without cross-module LTO"),
        LadderStep(starts_as="baseline", link="pic", factor="PGO + PIC (the distribution's .a to its -pic.a)"),
        LadderStep(starts_as="baseline", link="shared", factor="shared library"),
        LadderStep(starts_as="embedder", link="shared", factor="start-up path (Py_BytesMain to Py_InitializeEx)"),
    ),
    (
        LadderStep(
            starts_as="embedder",
            link="static",
            factor="static library, linked without cross-module LTO + start-up path",
        ),
        LadderStep(starts_as="embedder", link="pic", factor="PGO + PIC (the distribution's .a to its -pic.a)"),
        LadderStep(starts_as="embedder", link="shared", factor="shared library"),
    ),
)
