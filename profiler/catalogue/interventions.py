"""The catalogue of interventions: what can be done to a launcher, on which ends, and what its result licenses to say.

A toggle, a treatment, a library swap or a change to the start-up is one entry here: ``plan`` makes variants of the
entries, ``collect`` sees that they were taken, ``analyze`` judges their figures; none holds a list of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from profiler.catalogue.causes import IMAGE, Role
from profiler.catalogue.properties import Fingerprint


@dataclass(frozen=True, kw_only=True)
class Given:
    """What is added to a launcher from outside, or to its process before the work."""

    env: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    """Python's own, before the script."""
    prefix: tuple[str, ...] = ()
    """A program put before the command; it must exec."""
    statements: str = ""


@dataclass(frozen=True, kw_only=True)
class AtStart:
    """A change to the start of a launcher: arguments where ``main`` reads them, environment where it does not."""

    options: tuple[str, ...] = ()
    """Put before the script, for launchers that start through ``Py_BytesMain``."""
    env: dict[str, str] = field(default_factory=dict)
    """For launchers that start through ``Py_InitializeEx``."""
    loader_env: dict[str, str] = field(default_factory=dict)
    """For all: the dynamic loader reads it."""


End = Literal["baseline", "embedder", "host"]


@dataclass(frozen=True, kw_only=True)
class Intervention:
    """One thing that can be done to a launcher, in one or several ways."""

    id: str
    """Suffix of the variant's shown name."""
    cause: str
    title: str
    role: Role = "place"
    """Of ``change``. ``place``: on ends whose setting is equal it says where the difference sits. ``cause``: it takes
    away, or gives, what only one end has."""

    change: Given | None = None
    """Changed from outside, on ``ends``."""
    ends: tuple[End, ...] = ()
    """The target's program, our embedder, the user's hosts."""
    takes: str | None = None
    """Fingerprint key that must be seen to have changed, else the launcher has not taken it (it discards the
    environment, say)."""
    sets: tuple[str, ...] = ()
    """Fingerprint keys that it makes equal, where they are more than those of its cause."""
    where: str = ""
    """Of a ``place``: what sits there, for "of the difference 34 % sits in …"."""
    part_of: str | None = None
    """The cause that an embedder brings this one along with."""

    keys: tuple[str, ...] = ()
    """Fingerprint keys of which a difference between a host and the baseline calls for it."""
    remove: str | None = None
    """Statements run in the host before the work; ``baseline`` is the baseline's fingerprint."""
    always: bool = False
    """Removed from every host: what it removes can be there unseen."""
    give: Callable[[Fingerprint], Given | None] = lambda host: None
    """What gives a host's property to its twin, from the host's fingerprint; None: it cannot be given."""

    start: AtStart | None = None
    """Changed for one start-up, which is cut into its phases."""

    hardware_only: bool = False
    """It changes no instruction, or callgrind's own process hides it: only hardware counters show it."""
    shown: bool = False
    """Measured in every pass and block, as a launcher in its own right; the others are counted in the first blocks."""
    moves_heap: bool = False
    """It puts the work's objects elsewhere than the block says."""


IN_HEAD, IN_TAIL = "arena-head", "arena-tail"
"""The two ends of where the work's objects can lie in their arenas."""

BARE = "bare"
"""Nothing but the eval loop of a host, where no launcher of ours runs it."""
SWAPPED = "swapped"
"""The unchanged embedder on the libpython of ``--libpython``."""
AS_LIBRARY = "relinked"
"""A host of ours on a shared library linked from the very objects of ``-pic.a``."""
MATCHED = "symbols"
"""On the files of another revision, of which there is debug information; it is to change no figure."""
REBUILT = "rebuilt"
"""On a library or program built for the run."""
ALL_REMOVED = "all"
"""A host that is relieved of everything at once."""
GIVEN_ALL = "everything"
"""The reference given all that cannot be taken from a host."""


_ALLOCATORS = frozenset({"malloc", "pymalloc", "mimalloc"})
"""Those that ``PYTHONMALLOC`` knows; it takes each with ``_debug`` too."""


def _prefix(*command: str) -> Callable[[Fingerprint], Given | None]:
    return lambda host: Given(prefix=command)


def _options(host: Fingerprint) -> Given | None:
    """Options of python3 that set the host's flags; ``-I`` and ``-E`` would lose the hash seed, so their parts do."""
    of_flag = {
        "optimize": "-O", "dont_write_bytecode": "-B", "no_user_site": "-s", "no_site": "-S", "bytes_warning": "-b",
        "verbose": "-v", "safe_path": "-P", "debug": "-d",
    }  # fmt: skip
    flags = [option for flag, option in of_flag.items() for _ in range(int(host["flags"].get(flag, 0)))]
    more = [key if value == "True" else f"{key}={value}" for key, value in host["xoptions"].items()]
    options = (*flags, *(part for option in more for part in ("-X", option)))
    return Given(options=options) if options else None


def _debug(host: Fingerprint) -> Given | None:
    """Development mode, and the host's debug hooks around the host's allocator, or none where the host has none."""
    env = {"PYTHONDEVMODE": "1"} if host.get("dev_mode") else {}
    if host.get("memory_debug") and host["allocator"] in _ALLOCATORS:
        env["PYTHONMALLOC"] = f"{host['allocator']}_debug"
    elif env and host.get("memory_debug") is False:
        env["PYTHONMALLOC"] = "pymalloc"
    return Given(env=env) if env else None


INTERVENTIONS: tuple[Intervention, ...] = (
    Intervention(
        id="malloc",
        cause="allocator",
        title="pymalloc off",
        change=Given(env={"PYTHONMALLOC": "malloc"}),
        ends=("baseline", "embedder", "host"),
        shown=True,
        takes="allocator",
        where="pymalloc's own code (same allocator on both ends)",
        sets=("allocator", "allocator_environment", "malloc_libraries", "memory_debug"),
    ),
    Intervention(
        id=IN_HEAD,
        cause="arena-placement",
        title="every object in the head of its arena (arenas at a multiple of 1 MiB)",
        change=Given(env={"TAX_PROBE_ARENA_OFFSET": "0"}),
        ends=("baseline", "embedder", "host"),
        moves_heap=True,
        where="the tests of where an object lies in its arena (the same placement on both ends)",
    ),
    Intervention(
        id=IN_TAIL,
        cause="arena-placement",
        title="every object in the tail of its arena (arenas one page below a multiple of 1 MiB)",
        change=Given(env={"TAX_PROBE_ARENA_OFFSET": "1044480"}),
        ends=("baseline", "embedder", "host"),
        moves_heap=True,
        where="the tests of where an object lies in its arena (the same placement on both ends)",
    ),
    Intervention(
        id="no-phase",
        cause="arena-placement",
        title="no heap phase, pools begun anew",
        change=Given(env={"TAX_PROBE_NO_PHASE": "1"}),
        ends=("baseline", "embedder", "host"),
        moves_heap=True,
        where="the position in pymalloc's pools (the same on both ends)",
    ),
    Intervention(
        id="seed-0",
        cause="hash-seed",
        title="hash seed 0",
        change=Given(env={"PYTHONHASHSEED": "0"}),
        ends=("baseline", "embedder", "host"),
        takes="string_hash",
        where="the order of hash tables (same seed on both ends)",
    ),
    Intervention(
        id="big-env",
        cause="environment-size",
        title="64 KiB more environment",
        change=Given(env={"TAX_PROBE_BALLAST": "x" * 65536}),
        ends=("baseline", "embedder", "host"),
        takes="environment_pages",
        where="the place of the stack (same size of the environment on both ends)",
    ),
    Intervention(
        id="bind-now",
        cause="plt",
        title="all symbols bound at start",
        change=Given(env={"LD_BIND_NOW": "1"}),
        ends=("baseline", "embedder", "host"),
        takes="linker_environment",
        where="the first calls of symbols (bound when called on both ends)",
        start=AtStart(loader_env={"LD_BIND_NOW": "1"}),
    ),
    Intervention(
        id="isolated",
        cause="init-path",
        title="isolated configuration without site",
        change=Given(env={"TAX_PROBE_ISOLATED": "1"}, options=("-S", "-s")),
        ends=("baseline", "embedder"),
        takes="flags",
        where="what site and the environment set up (the same on both ends)",
        start=AtStart(options=("-I",)),
    ),
    Intervention(
        id="copied",
        cause="program-location",
        title="program copied to another place",
        change=Given(prefix=("{confine}", "copied")),
        ends=("baseline", "embedder", "host"),
        hardware_only=True,
        role="cause",  # the ends lie in different places, and beside each other once they are copied
    ),
    Intervention(
        id="free-cpu",
        cause="throttling",
        title="free to run on every CPU",
        change=Given(prefix=("{confine}", "free-cpu")),
        ends=("baseline", "embedder", "host"),
        hardware_only=True,
        where="the choice of CPUs (the same on both ends)",
    ),
    Intervention(
        id="tracing",
        cause="tracing",
        title="trace, profile and monitoring hooks",
        keys=("trace", "profile", "monitoring", "eval_frame", "tracemalloc"),
        always=True,  # hooks set in C without an object show neither in sys.gettrace nor in sys.getprofile
        remove="""\
sys.settrace(None)
sys.setprofile(None)
if hasattr(sys, 'monitoring'):
    for tool in range(6):
        if sys.monitoring.get_tool(tool):
            sys.monitoring.set_events(tool, 0)
import _tracemalloc
_tracemalloc.stop()
try:
    from ctypes import c_void_p, cast, pythonapi as api
    api.PyInterpreterState_Get.restype = c_void_p
    own = cast(api._PyEval_EvalFrameDefault, c_void_p)
    api._PyInterpreterState_SetEvalFrameFunc(c_void_p(api.PyInterpreterState_Get()), own)
except (ImportError, AttributeError):
    pass
""",
    ),
    Intervention(
        id="gc",
        cause="gc",
        title="settings and callbacks of the collector",
        keys=("gc_enabled", "gc_threshold", "gc_debug", "gc_callbacks", "gc_frozen", "gc_objects_log4"),
        remove="""\
import gc
gc.set_threshold(*baseline['gc_threshold'])
gc.set_debug(baseline['gc_debug'])
del gc.callbacks[:]
if not baseline['gc_frozen']:
    gc.unfreeze()
if len(gc.get_objects()) >> 2 * baseline['gc_objects_log4'] > 3:
    gc.freeze()
(gc.enable if baseline['gc_enabled'] else gc.disable)()
""",
    ),
    Intervention(
        id="threads",
        cause="threads",
        title="other threads and the switch interval",
        keys=("threads", "busy_threads", "switch_interval"),
        remove="""\
import threading
import time
sys.setswitchinterval(baseline['switch_interval'])
others = set(sys._current_frames()) - {threading.get_ident()}
if others:
    from ctypes import c_ulong, py_object, pythonapi
    for one in others:
        pythonapi.PyThreadState_SetAsyncExc(c_ulong(one), py_object(SystemExit))
    # One wait and no polling, whose count would depend on the clock. A thread that does not run does not end either.
    time.sleep(0.3)
""",
    ),
    Intervention(
        id="signals",
        cause="signals",
        title="signal handlers installed, Py_InitializeEx(1)",
        change=Given(env={"TAX_PROBE_SIGNALS": "1"}),
        ends=("embedder",),
        role="cause",
        part_of="init-path",
        keys=("timers", "signals_caught"),
        remove="""\
import signal
for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
    signal.setitimer(which, 0)
with open('/proc/self/status') as lines:
    caught = int(next(line for line in lines if line.startswith('SigCgt')).split()[1], 16)
for number in set(range(1, 65)) - {2, 4, 6, 7, 8, 11, 32, 33} - set(baseline['signals_caught']):
    if caught >> number - 1 & 1:
        signal.signal(number, signal.SIG_IGN)
""",
    ),
    Intervention(
        id="allocator",
        cause="allocator",
        title="the allocator",
        keys=("allocator",),
        remove="""\
from ctypes import c_void_p, pythonapi
for domain in (1, 2):
    pythonapi._PyMem_SetDefaultAllocator(domain, (c_void_p * 5)())
""",
        give=lambda host: Given(env={"PYTHONMALLOC": "malloc"}) if host.get("allocator") == "malloc" else None,
    ),
    Intervention(
        id="preload",
        cause="allocator",
        title="the loader's and allocator's environment",
        keys=("allocator_environment",),
        give=lambda host: Given(env=dict(host["allocator_environment"])),
    ),
    Intervention(
        id="dev-mode",
        cause="dev-mode",
        title="development mode and debug hooks",
        keys=("dev_mode", "memory_debug"),
        give=_debug,
    ),
    Intervention(
        id="limits",
        cause="init-path",
        title="limits and import hooks",
        keys=("recursion_limit", "int_max_str_digits", "import_hooks"),
        remove="""\
sys.setrecursionlimit(baseline['recursion_limit'])
if baseline['int_max_str_digits'] is not None:
    sys.set_int_max_str_digits(baseline['int_max_str_digits'])
sys.meta_path[:] = [
    one for one in sys.meta_path if getattr(one, '__name__', type(one).__name__) in baseline['import_hooks']
]
""",
    ),
    Intervention(id="options", cause="init-path", title="Python's options", keys=("flags", "xoptions"), give=_options),
    Intervention(
        id="modules",
        cause="extension-modules",
        title="extension modules",
        keys=("extension_modules",),
        give=lambda host: Given(statements="".join(f"import {name}\n" for name in host["extension_modules"])),
    ),
    Intervention(
        id="linking",
        cause="plt",
        title="the linker's environment",
        keys=("linker_environment",),
        give=lambda host: Given(env=dict(host["linker_environment"])),
    ),
    Intervention(
        id="ssbd",
        cause="mitigations",
        title="speculative store bypass off",
        keys=("speculation_store_bypass",),
        give=_prefix("{confine}", "ssbd"),
        hardware_only=True,
    ),
    Intervention(
        id="stibp",
        cause="mitigations",
        title="indirect branch speculation off",
        keys=("speculation_indirect_branch",),
        give=_prefix("{confine}", "stibp"),
        hardware_only=True,
    ),
    Intervention(
        id="seccomp",
        cause="mitigations",
        title="a system call filter",
        keys=("seccomp",),
        give=_prefix("{confine}", "seccomp"),
        hardware_only=True,
    ),
    Intervention(
        id="no-thp",
        cause="huge-pages",
        title="transparent huge pages off",
        change=Given(prefix=("{confine}", "no-thp")),
        ends=("baseline", "embedder", "host"),
        hardware_only=True,
        where="transparent huge pages (allowed alike on both ends)",
        keys=("thp",),
        give=_prefix("{confine}", "no-thp"),
    ),
    Intervention(
        id="no-aslr",
        cause="code-layout",
        title="address space not randomised",
        change=Given(prefix=("setarch", "--addr-no-randomize")),
        ends=("baseline", "embedder", "host"),
        hardware_only=True,
        where="where the address space begins (drawn alike on both ends)",
        keys=("personality",),
        give=_prefix("setarch", "--addr-no-randomize"),
    ),
    Intervention(
        id="environment",
        cause="environment-size",
        title="the environment's size",
        keys=("environment_pages",),
        give=lambda host: Given(env={"TAX_PROBE_BALLAST": "x" * 4096 * host["environment_pages"]}),
        hardware_only=True,
    ),
    Intervention(id=BARE, cause=IMAGE, title="nothing but the host's eval loop", role="cause"),
    Intervention(id=SWAPPED, cause=IMAGE, title="another libpython", role="cause", shown=True),
    Intervention(id=AS_LIBRARY, cause="tls", title="the same objects as a library", role="cause"),
    Intervention(
        id=REBUILT, cause=IMAGE, title="a libpython or program built in another way", role="cause", shown=True
    ),
    Intervention(
        id="no-site",
        cause="init-path",
        title="without site",
        start=AtStart(options=("-S",), env={"TAX_PROBE_NO_SITE": "1"}),
    ),
    Intervention(
        id="command", cause="init-path", title="the script as an argument", start=AtStart(options=("-c", "{text}"))
    ),
    Intervention(
        id="finalize", cause="init-path", title="finalised at the end", start=AtStart(env={"TAX_PROBE_FINALIZE": "1"})
    ),
)

BY_ID = {entry.id: entry for entry in INTERVENTIONS}
