"""The catalogue: every cause of a tax with what shows it and what proves it, each written once.

A new cause, toggle, treatment or rung is one entry in one table. ``launch`` and ``measure`` make launchers of the
entries, ``analyze`` judges their figures; neither holds a list of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from profiler.model import BASELINE

Shows = Literal["instructions", "cpi", "time"]
"""Where a cause acts: on instructions (any exact source shows it), on CPI (hardware only), or on time alone."""


@dataclass(frozen=True, kw_only=True)
class CauseEntry:
    """One cause. ``observable`` is what is looked at when nothing can be toggled."""

    id: str
    title: str
    shows: Shows
    observable: str


CAUSES: tuple[CauseEntry, ...] = (
    CauseEntry(
        id="eval-loop-image",
        title="another file's machine code",
        shows="instructions",
        observable="the mapped file that defines _PyEval_EvalFrameDefault, and its build-id",
    ),
    CauseEntry(id="pgo", title="built without PGO", shows="instructions", observable="cold fragments in .eh_frame"),
    CauseEntry(id="lto", title="built without LTO", shows="instructions", observable="DW_AT_producer"),
    CauseEntry(id="pic", title="position-independent code", shows="instructions", observable="ELF type, GOT loads"),
    CauseEntry(id="plt", title="calls through the PLT", shows="instructions", observable="JUMP_SLOT to own Py symbols"),
    CauseEntry(id="tls", title="general-dynamic TLS", shows="instructions", observable="imports of __tls_get_addr"),
    CauseEntry(id="usdt", title="USDT semaphores", shows="instructions", observable=".note.stapsdt"),
    CauseEntry(id="allocator", title="allocator", shows="instructions", observable="the allocator in effect"),
    CauseEntry(
        id="arena-placement",
        title="arena placement",
        shows="instructions",
        observable="addresses of pymalloc's arenas",
    ),
    CauseEntry(id="huge-pages", title="huge pages", shows="cpi", observable="THP_enabled, dTLB misses"),
    CauseEntry(id="code-layout", title="code layout", shows="cpi", observable="L1I and iTLB misses"),
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


EMBEDDER = "pyo3"
"""The launcher whose tax the ladder climbs to, and the other end of every toggle."""

SAME_START = "runmain"
"""The launcher that shares the embedder's image and the baseline's start-up path."""

SWAPPED = f"{EMBEDDER}@swapped"
"""The unchanged embedder on the libpython of ``--libpython``."""


# ---------------------------------------------------------------- toggles on both ends


@dataclass(frozen=True, kw_only=True)
class Toggle:
    """One factor that can be changed from outside, on the baseline and on an embedder alike."""

    name: str
    """Suffix of the launcher's name: ``pyo3+malloc``."""
    cause: str
    title: str
    env: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """A program put before the command; it must exec."""
    hardware_only: bool = False
    """Callgrind cannot show it: its process has a layout of its own and no clock."""
    ends: tuple[str, ...] = (BASELINE, EMBEDDER)
    """Which launchers get it; where the baseline has it anyway, the embedder alone."""


TOGGLES: tuple[Toggle, ...] = (
    Toggle(name="malloc", cause="allocator", title="pymalloc off", env={"PYTHONMALLOC": "malloc"}),
    Toggle(
        name="unplaced", cause="arena-placement", title="arenas left where they fall", env={"TAX_PROBE_UNPLACED": "1"}
    ),
    Toggle(name="seed-0", cause="hash-seed", title="hash seed 0", env={"PYTHONHASHSEED": "0"}),
    Toggle(
        name="big-env",
        cause="environment-size",
        title="64 KiB more environment",
        env={"TAX_PROBE_BALLAST": "x" * 65536},
    ),
    Toggle(name="bind-now", cause="plt", title="all symbols bound at start", env={"LD_BIND_NOW": "1"}),
    Toggle(
        name="signals",
        cause="signals",
        title="signal handlers installed, Py_InitializeEx(1)",
        env={"TAX_PROBE_SIGNALS": "1"},
        ends=(EMBEDDER,),
    ),
    Toggle(
        name="copied",
        cause="program-location",
        title="program copied to another place",
        prefix=("{confine}", "copied"),
        hardware_only=True,
    ),
    Toggle(
        name="free-cpu",
        cause="throttling",
        title="free to run on every CPU",
        prefix=("{confine}", "free-cpu"),
        hardware_only=True,
    ),
    Toggle(
        name="no-aslr",
        cause="code-layout",
        title="address space not randomised",
        prefix=("setarch", "--addr-no-randomize"),
        hardware_only=True,
    ),
    Toggle(
        name="no-thp",
        cause="huge-pages",
        title="transparent huge pages off",
        prefix=("{confine}", "no-thp"),
        hardware_only=True,
    ),
)


# ---------------------------------------------------------------- what a host may bring along


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """What removes a cause from inside a running host, or adds it to the baseline from outside."""

    name: str
    """Suffix of the launcher's name: ``myhost~tracing``, ``python3+dev-mode``."""
    cause: str
    keys: tuple[str, ...]
    """Fingerprint keys of which a difference to the baseline calls for this treatment."""
    remove: str | None = None
    """Statements run in the host before the work; ``baseline`` is the baseline's fingerprint."""
    add_env: dict[str, str] = field(default_factory=dict)
    """Environment that gives the baseline the same property, where nothing can take it from the host."""
    add_prefix: tuple[str, ...] = ()
    hardware_only: bool = False


TREATMENTS: tuple[Treatment, ...] = (
    Treatment(
        name="tracing",
        cause="tracing",
        keys=("trace", "profile", "monitoring"),
        remove=(
            "sys.settrace(None); sys.setprofile(None)\n"
            "if hasattr(sys, 'monitoring'):\n"
            "    for tool in range(6):\n"
            "        if sys.monitoring.get_tool(tool): sys.monitoring.set_events(tool, 0)\n"
        ),
    ),
    Treatment(
        name="gc",
        cause="gc",
        keys=("gc_enabled", "gc_threshold"),
        remove=(
            "import gc\n"
            "gc.set_threshold(*baseline['gc_threshold'])\n"
            "(gc.enable if baseline['gc_enabled'] else gc.disable)()\n"
        ),
    ),
    Treatment(
        name="switch",
        cause="threads",
        keys=("switch_interval",),
        remove="sys.setswitchinterval(baseline['switch_interval'])\n",
    ),
    Treatment(name="malloc", cause="allocator", keys=("pymalloc",), add_env={"PYTHONMALLOC": "malloc"}),
    Treatment(name="dev-mode", cause="dev-mode", keys=("dev_mode",), add_env={"PYTHONDEVMODE": "1"}),
    Treatment(
        name="ssbd",
        cause="mitigations",
        keys=("speculation_store_bypass",),
        add_prefix=("{confine}", "ssbd"),
        hardware_only=True,
    ),
    Treatment(
        name="stibp",
        cause="mitigations",
        keys=("speculation_indirect_branch",),
        add_prefix=("{confine}", "stibp"),
        hardware_only=True,
    ),
)

SEEN_ONLY: dict[str, str] = {
    "debug_build": "dev-mode",
    "threads": "threads",
    "seccomp": "mitigations",
    "quota": "throttling",
    "thp": "huge-pages",
    "extension_modules": "extension-modules",
    "flags": "init-path",
    "xoptions": "init-path",
    "recursion_limit": "init-path",
    "int_max_str_digits": "init-path",
}
"""Fingerprint keys that point at a cause which neither side can be given or relieved of from here."""
