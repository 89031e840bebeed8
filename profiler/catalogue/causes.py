"""The catalogue: every cause of a tax with what shows it and what proves it, each written once.

A new cause, toggle, treatment or rung is one entry in one table. ``launch`` and ``measure`` make launchers of the
entries, ``analyze`` judges their figures; neither holds a list of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from profiler.model import EMBEDDER

Shows = Literal["instructions", "cpi", "time"]
"""Where a cause acts: on instructions (any exact source shows it), on CPI (hardware only), or on time alone."""

Role = Literal["cause", "place"]

IMAGE = "eval-loop-image"
"""The cause of which every property of the eval loop's file is a part."""


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
        title="another file's machine code",
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
        drawn=("heap-not-placed", "not-verified", "placement-differs"),
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
class Step:
    """One rung of the ladder: what changes from one launcher to the next."""

    from_: str
    to: str
    factor: str
    """What changed, in words; several things joined by " + " share their effect among nobody."""


LADDERS: tuple[tuple[Step, ...], ...] = (
    (
        Step(from_="python3", to="runmain-static", factor="static library, linked without cross-module LTO"),
        Step(from_="runmain-static", to="runmain-pic", factor="PGO + PIC (the distribution's .a to its -pic.a)"),
        Step(from_="runmain-pic", to="runmain", factor="shared library"),
        Step(from_="runmain", to="pyo3", factor="start-up path (Py_BytesMain to Py_InitializeEx)"),
    ),
    (
        Step(
            from_="python3", to="pyo3-static", factor="static library, linked without cross-module LTO + start-up path"
        ),
        Step(from_="pyo3-static", to="pyo3-pic", factor="PGO + PIC (the distribution's .a to its -pic.a)"),
        Step(from_="pyo3-pic", to="pyo3", factor="shared library"),
    ),
)


ARCHIVE_LINKS = ("-static", "-pic")
"""Endings of the launchers that are linked with an archive: such a link has no LTO across the archive's modules."""

SAME_START = "runmain"
"""The launcher that shares the embedder's image and the baseline's start-up path."""

SWAPPED = f"{EMBEDDER}@swapped"
"""The unchanged embedder on the libpython of ``--libpython``."""

AS_PROGRAM = f"{SAME_START}-pic"
"""The program that is linked with the objects of ``-pic.a``."""

AS_LIBRARY = "relinked"
"""Factor of the launcher that runs a shared library linked from the very objects of ``-pic.a``."""

RELINKED = f"{SAME_START}@{AS_LIBRARY}"

REBUILT = "rebuilt"
"""Factor of the launchers that run a library or program built for the run."""


# ---------------------------------------------------------------- toggles on both ends


@dataclass(frozen=True, kw_only=True)
class Toggle:
    """One factor that can be changed from outside, on the baseline and on an embedder alike."""

    name: str
    """Suffix of the launcher's name: ``pyo3+malloc``."""
    cause: str
    title: str
    env: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    """Python's own, for launchers that start as the python3 program does."""
    prefix: tuple[str, ...] = ()
    """A program put before the command; it must exec."""
    hardware_only: bool = False
    """Callgrind cannot show it: its process has a layout of its own and no clock."""
    embedder_only: bool = False
    """The baseline has it anyway, so the embedder alone gets it."""
    hosts_too: bool = True
    """It reaches a program of the user's as well."""
    shown: bool = False
    """Measured in every pass and block, as a launcher in its own right; the others are counted in the first blocks."""
    moves_heap: bool = False
    """It puts the work's objects elsewhere than the block says."""
    takes: str | None = None
    """Fingerprint key that must change, else the launcher has not taken it (it discards the environment, say)."""
    role: Role = "place"
    """``place``: on ends whose setting is equal it says where the difference sits. ``cause``: it takes away, or gives,
    what only one end has."""
    where: str = ""
    """Of a ``place``: what sits there, for "of the difference 34 % sits in …"."""
    sets: tuple[str, ...] = ()
    """Fingerprint keys that it makes equal, where they are more than those of its cause."""
    part_of: str | None = None
    """The cause that an embedder brings this one along with."""


IN_HEAD, IN_TAIL = "arena-head", "arena-tail"
"""The two ends of where the work's objects can lie in their arenas."""

TOGGLES: tuple[Toggle, ...] = (
    Toggle(
        name="malloc",
        cause="allocator",
        title="pymalloc off",
        env={"PYTHONMALLOC": "malloc"},
        shown=True,
        takes="allocator",
        where="pymalloc's own code (same allocator on both ends)",
        sets=("allocator", "allocator_environment", "malloc_libraries", "memory_debug"),
    ),
    Toggle(
        name=IN_HEAD,
        cause="arena-placement",
        title="every object in the head of its arena (arenas at a multiple of 1 MiB)",
        env={"TAX_PROBE_ARENA_OFFSET": "0"},
        moves_heap=True,
        where="the tests of where an object lies in its arena (the same placement on both ends)",
    ),
    Toggle(
        name=IN_TAIL,
        cause="arena-placement",
        title="every object in the tail of its arena (arenas one page below a multiple of 1 MiB)",
        env={"TAX_PROBE_ARENA_OFFSET": "1044480"},
        moves_heap=True,
        where="the tests of where an object lies in its arena (the same placement on both ends)",
    ),
    Toggle(
        name="no-phase",
        cause="arena-placement",
        title="no heap phase, pools begun anew",
        env={"TAX_PROBE_NO_PHASE": "1"},
        moves_heap=True,
        where="the position in pymalloc's pools (the same on both ends)",
    ),
    Toggle(
        name="seed-0",
        cause="hash-seed",
        title="hash seed 0",
        env={"PYTHONHASHSEED": "0"},
        takes="string_hash",
        where="the order of hash tables (same seed on both ends)",
    ),
    Toggle(
        name="big-env",
        cause="environment-size",
        title="64 KiB more environment",
        env={"TAX_PROBE_BALLAST": "x" * 65536},
        takes="environment_pages",
        where="the place of the stack (same size of the environment on both ends)",
    ),
    Toggle(
        name="bind-now",
        cause="plt",
        title="all symbols bound at start",
        env={"LD_BIND_NOW": "1"},
        takes="linker_environment",
        where="the first calls of symbols (bound when called on both ends)",
    ),
    Toggle(
        name="isolated",
        cause="init-path",
        title="isolated configuration without site",
        env={"TAX_PROBE_ISOLATED": "1"},
        options=("-S", "-s"),
        hosts_too=False,
        takes="flags",
        where="what site and the environment set up (the same on both ends)",
    ),
    Toggle(
        name="signals",
        cause="signals",
        title="signal handlers installed, Py_InitializeEx(1)",
        env={"TAX_PROBE_SIGNALS": "1"},
        embedder_only=True,
        hosts_too=False,
        role="cause",
        part_of="init-path",
    ),
    Toggle(
        name="copied",
        cause="program-location",
        title="program copied to another place",
        prefix=("{confine}", "copied"),
        hardware_only=True,
        role="cause",  # the ends lie in different places, and beside each other once they are copied
    ),
    Toggle(
        name="free-cpu",
        cause="throttling",
        title="free to run on every CPU",
        prefix=("{confine}", "free-cpu"),
        hardware_only=True,
        where="the choice of CPUs (the same on both ends)",
    ),
    Toggle(
        name="no-aslr",
        cause="code-layout",
        title="address space not randomised",
        prefix=("setarch", "--addr-no-randomize"),
        hardware_only=True,
        where="where the address space begins (drawn alike on both ends)",
    ),
    Toggle(
        name="no-thp",
        cause="huge-pages",
        title="transparent huge pages off",
        prefix=("{confine}", "no-thp"),
        hardware_only=True,
        where="transparent huge pages (allowed alike on both ends)",
    ),
)
