"""What a host may bring along: each property that is looked at inside a process, and what takes it away or gives it.

A new property is one entry in ``PROPERTIES``, a new way to prove a cause one entry in ``TREATMENTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from profiler.catalogue.causes import AS_LIBRARY, SAME_START, TOGGLES
from profiler.model import BASELINE, Launcher

Fingerprint = dict[str, Any]

ALL_REMOVED = "all"
"""Suffix of the launcher that is relieved of everything at once: ``myhost~all``."""
BARE = "bare"
"""``bare@myhost``: nothing but the eval loop of a host, where no launcher of ours runs it."""
GIVEN_ALL = "everything"
"""``python3+everything@myhost``: the reference given all that cannot be taken from the host."""

PROPERTIES: dict[str, str | None] = {
    "implementation": "version",
    "version": "version",
    "free_threaded": "version",
    "trace": "tracing",
    "profile": "tracing",
    "monitoring": "tracing",
    "eval_frame": "tracing",
    "tracemalloc": "tracing",
    "traced_by_another_process": "tracing",
    "dev_mode": "dev-mode",
    "memory_debug": "dev-mode",
    "debug_build": "dev-mode",
    "allocator": "allocator",
    "allocator_environment": "allocator",
    "malloc_libraries": "allocator",
    "gc_enabled": "gc",
    "gc_threshold": "gc",
    "gc_debug": "gc",
    "gc_callbacks": "gc",
    "gc_frozen": "gc",
    "gc_objects_log4": "gc",
    "threads": "threads",
    "busy_threads": "threads",
    "switch_interval": "threads",
    "gil_enabled": "threads",
    "jit_enabled": "init-path",
    "timers": "signals",
    "signals_caught": "signals",
    "flags": "init-path",
    "xoptions": "init-path",
    "recursion_limit": "init-path",
    "int_max_str_digits": "init-path",
    "import_hooks": "init-path",
    "replaced_builtins": "init-path",
    "extension_modules": "extension-modules",
    "linker_environment": "plt",
    "string_hash": "hash-seed",
    "seccomp": "mitigations",
    "speculation_store_bypass": "mitigations",
    "speculation_indirect_branch": "mitigations",
    "thp": "huge-pages",
    "personality": "code-layout",
    "stack_limit": "code-layout",
    "environment_pages": "environment-size",
    "quota": "throttling",
    "affinity": "throttling",
    "scheduling": "throttling",
}
"""Fingerprint keys that can cost per opcode, with the cause they point to. All others cannot."""

CONFIG_PROPERTIES: dict[str, str] = {
    "allocator": "allocator",
    "dev_mode": "dev-mode",
    "tracemalloc": "tracing",
    "optimization_level": "init-path",
    "Py_OptimizeFlag": "init-path",
    "install_signal_handlers": "signals",
    "use_hash_seed": "hash-seed",
    "hash_seed": "hash-seed",
    "perf_profiling": "tracing",
    "pymalloc_hugepages": "huge-pages",
}
"""The same for fields of PyPreConfig and PyConfig; the rest of them is read at start only."""

BRINGS: dict[str, tuple[str, ...]] = {
    # PYTHONMALLOC and PyPreConfig.allocator name an allocator with its hooks: both are given, and removed, together.
    "memory_debug": ("allocator",),
}
"""What a setting brings along of other causes: fingerprint key → keys that whatever removes or gives it changes too.

What ``PROPERTIES`` puts under one cause needs no entry: development mode and a debug build bring the hooks of
``memory_debug``, one ``dev-mode`` all of them. ``-X dev`` brings no more: its flag and option are no ``flags`` and no
``xoptions`` of the probe's, it starts no tracemalloc, and faulthandler's signals are not sent while the work runs.
"""

NOT_COMPARED = frozenset({"maps", "exe", "executable", "images", "throttled"})
"""Fingerprint keys that differ between any two processes, or between any two launchers."""


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
class Treatment:
    """What removes a cause from inside a running host, or gives the reference the same."""

    name: str
    """Suffix of the launcher's name: ``myhost~tracing``, ``python3+dev-mode@myhost``."""
    cause: str
    keys: tuple[str, ...]
    """Fingerprint keys of which a difference calls for this treatment."""
    remove: str | None = None
    """Statements run in the host before the work; ``baseline`` is the baseline's fingerprint."""
    always: bool = False
    """Removed from every host: what it removes can be there unseen."""
    give: Callable[[Fingerprint], Given | None] = lambda host: None
    """From the host's fingerprint; None: it cannot be given."""
    hardware_only: bool = False
    """It changes no instruction, so only hardware counters show it."""


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


TREATMENTS: tuple[Treatment, ...] = (
    Treatment(
        name="tracing",
        cause="tracing",
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
    Treatment(
        name="gc",
        cause="gc",
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
    Treatment(
        name="threads",
        cause="threads",
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
    Treatment(
        name="signals",
        cause="signals",
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
    Treatment(
        name="allocator",
        cause="allocator",
        keys=("allocator",),
        remove="""\
from ctypes import c_void_p, pythonapi
for domain in (1, 2):
    pythonapi._PyMem_SetDefaultAllocator(domain, (c_void_p * 5)())
""",
        give=lambda host: Given(env={"PYTHONMALLOC": "malloc"}) if host.get("allocator") == "malloc" else None,
    ),
    Treatment(
        name="preload",
        cause="allocator",
        keys=("allocator_environment",),
        give=lambda host: Given(env=dict(host["allocator_environment"])),
    ),
    Treatment(name="dev-mode", cause="dev-mode", keys=("dev_mode", "memory_debug"), give=_debug),
    Treatment(
        name="limits",
        cause="init-path",
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
    Treatment(name="options", cause="init-path", keys=("flags", "xoptions"), give=_options),
    Treatment(
        name="modules",
        cause="extension-modules",
        keys=("extension_modules",),
        give=lambda host: Given(statements="".join(f"import {name}\n" for name in host["extension_modules"])),
    ),
    Treatment(
        name="linking",
        cause="plt",
        keys=("linker_environment",),
        give=lambda host: Given(env=dict(host["linker_environment"])),
    ),
    Treatment(
        name="ssbd",
        cause="mitigations",
        keys=("speculation_store_bypass",),
        give=_prefix("{confine}", "ssbd"),
        hardware_only=True,
    ),
    Treatment(
        name="stibp",
        cause="mitigations",
        keys=("speculation_indirect_branch",),
        give=_prefix("{confine}", "stibp"),
        hardware_only=True,
    ),
    Treatment(
        name="seccomp",
        cause="mitigations",
        keys=("seccomp",),
        give=_prefix("{confine}", "seccomp"),
        hardware_only=True,
    ),
    Treatment(
        name="no-thp", cause="huge-pages", keys=("thp",), give=_prefix("{confine}", "no-thp"), hardware_only=True
    ),
    Treatment(
        name="no-aslr",
        cause="code-layout",
        keys=("personality",),
        give=_prefix("setarch", "--addr-no-randomize"),
        hardware_only=True,
    ),
    Treatment(
        name="environment",
        cause="environment-size",
        keys=("environment_pages",),
        give=lambda host: Given(env={"TAX_PROBE_BALLAST": "x" * 4096 * host["environment_pages"]}),
        hardware_only=True,
    ),
)


def differences(baseline: Fingerprint, other: Fingerprint) -> dict[str, tuple[Any, Any]]:
    """Keys of which the values differ: ``{key: (baseline's, other's)}``, without what always differs."""
    return {
        key: (baseline.get(key), other.get(key))
        for key in sorted((baseline.keys() | other.keys()) - NOT_COMPARED)
        if baseline.get(key) != other.get(key)
    }


def brought_by(cause: str, own: Collection[str], different: Collection[str]) -> str | None:
    """The cause that brings ``own``, keys of ``cause``, along, of all that are ``different``. None: it came alone."""
    parents = (
        PROPERTIES[key]
        for key, brought in BRINGS.items()
        if key in different and set(own) <= set(brought) and cause in {PROPERTIES[one] for one in brought}
    )
    return next(parents, None)


_COUNTED_ONLY = frozenset(
    {toggle.name for toggle in TOGGLES if not toggle.shown}
    | {one.name for one in TREATMENTS}
    | {ALL_REMOVED, GIVEN_ALL, AS_LIBRARY}
)


def counted_only(launcher: Launcher) -> bool:
    """It answers one question about instructions, so exact counts of few blocks are enough, and no times."""
    return launcher.base is not None and launcher.factor in _COUNTED_ONLY


def is_host(launcher: Launcher) -> bool:
    """One of the user's own programs, as given."""
    return launcher.link is None and launcher.base is None


def twin_of(host: Launcher, launchers: dict[str, Launcher]) -> Launcher | None:
    """The launcher that runs nothing but the host's eval loop, through ``Py_BytesMain``; None where there is none."""
    named = (launchers.get(name) for name in (BASELINE, SAME_START, f"{BARE}@{host.name}"))
    return next((one for one in named if one is not None and one.image == host.image is not None), None)
