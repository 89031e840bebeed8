"""What this process is from inside: everything that can differ between launchers and might cost.

Run by the generated script in every launcher, so it is a plain script for any CPython from 3.8 on, imports nothing of
tax-probe, and answers None where this Python cannot tell. A bundled program holds those modules of the library alone
which its makers need, so what must be there is built in (``_signal``, not ``signal``, which needs ``enum``), and
annotations are words.
"""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SAMPLE_NS = 60_000_000
"""How long other threads are watched for using the CPU."""
BUSY = 0.1
"""A thread that takes this part of a CPU or more in that time is busy."""
NOT_SENT_WHILE_IT_WORKS = {2, 4, 6, 7, 8, 11, 32, 33}
"""SIGINT (the python3 program handles it, most embedders do not), faults and abort (Rust's runtime and faulthandler,
which development mode enables, do), glibc's own."""


def read(path: str) -> str:
    """The text of a kernel file, empty where there is none."""
    try:
        with open(path, errors="replace") as lines:
            return lines.read()
    except OSError:
        return ""


def literal(value: "Any") -> "Any":
    """``value`` as whoever reads the answer can rebuild it: what is of no plain type as its text."""
    if isinstance(value, dict):
        return {str(key): literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [literal(item) for item in value]
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def c_api() -> "Any":
    """CPython's own functions, or None where ctypes is missing."""
    try:
        import ctypes
    except ImportError:
        return None
    return ctypes.pythonapi


def py_config() -> "dict[str, Any] | None":
    """PyPreConfig, PyConfig and the global variables, as ``_testinternalcapi.get_configs()`` returns them."""
    import ctypes

    try:
        get = ctypes.pythonapi._Py_GetConfigsAsDict
    except AttributeError:
        try:
            import _testinternalcapi  # type: ignore[import-not-found]
        except ImportError:
            return None
        found: dict[str, Any] = _testinternalcapi.get_configs()
        return found
    get.restype = ctypes.py_object
    result: dict[str, Any] = get()
    return result


def allocator_name(api: "Any", memory_tracing: bool) -> str:
    """pymalloc, malloc, or custom, with ``_debug`` where CPython's debug hooks are around it."""
    import ctypes

    try:
        api._PyMem_GetCurrentAllocatorName.restype = ctypes.c_char_p
        name = api._PyMem_GetCurrentAllocatorName()
    except AttributeError:
        memory_tracing = True
        name = None
    if name is not None:
        return str(name.decode())
    if not memory_tracing:
        return "custom"
    wanted = os.environ.get("PYTHONMALLOC", "debug" if getattr(sys.flags, "dev_mode", False) else "")
    return ("pymalloc" if sys.getallocatedblocks() else "malloc") + "_debug" * wanted.endswith("debug")


def frame_evaluator(api: "Any") -> "str | None":
    """Whether frames are run by CPython's own loop (PEP 523 lets an extension put another before it)."""
    import ctypes

    try:
        api.PyInterpreterState_Get.restype = ctypes.c_void_p
        get = api._PyInterpreterState_GetEvalFrameFunc
        own = ctypes.cast(api._PyEval_EvalFrameDefault, ctypes.c_void_p).value
    except AttributeError:
        return None
    get.restype = ctypes.c_void_p
    return "default" if get(ctypes.c_void_p(api.PyInterpreterState_Get())) == own else "custom"


def cgroup_mounts() -> "list[tuple[bool, str, str]]":
    """Version 1 or not, the group shown there, the place: all mounts of the CPU controller (proc(5))."""
    found = []
    for line in read("/proc/self/mountinfo").splitlines():
        own, _, rest = line.partition(" - ")
        fields, kind, options = own.split(), rest.split()[:1], rest.split()[-1:]
        if len(fields) >= 5 and (kind == ["cgroup2"] or (kind == ["cgroup"] and "cpu" in options[0].split(","))):
            # Blanks stand as octal numbers there.
            shown, place = (field.replace("\\040", " ") for field in fields[3:5])
            found.append((kind == ["cgroup"], shown, place))
    return found


def cgroup_folders() -> "list[str]":
    """Where the kernel keeps the CPU limits of this process's group and its parents, version 2 or 1.

    In a container the group may lie outside of what is mounted: then the mount itself is ours.
    """
    folders = []
    mounts = cgroup_mounts()
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        names = (controllers, "cpu") if controllers else ("", "unified")
        usual = [(bool(controllers), "/", "/sys/fs/cgroup/" + name) for name in names]
        for first, shown, mount in mounts or usual:
            if first == bool(controllers):
                inside = path[len(shown) :] if shown != "/" and (path + "/").startswith(shown + "/") else path
                while inside.strip("/"):
                    folders.append(mount + inside)
                    inside = inside.rpartition("/")[0]
                folders.append(mount)
    return folders


def cpu_limit() -> "dict[str, Any]":
    """The tightest quota in CPUs, and how often and long it has stopped the group so far."""
    quotas: list[float] = []
    stopped: dict[str, int] = {}
    for folder in cgroup_folders():
        allowed, _, period = read(folder + "/cpu.max").partition(" ")
        if not allowed:
            allowed, period = read(folder + "/cpu.cfs_quota_us"), read(folder + "/cpu.cfs_period_us")
        if allowed.strip().isdigit() and (period or "100000").strip().isdigit() and int(period or 100000):
            quotas.append(int(allowed) / int(period or 100000))
        if not stopped:
            pairs = (line.split() for line in read(folder + "/cpu.stat").splitlines())
            stopped = {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and "throttled" in pair[0]}
    return {"quota": min(quotas) if quotas else None, "throttled": stopped or None}


def busy_threads() -> "int | None":
    """How many other threads of this process take a CPU while this one waits for nothing; None where unknown."""
    import time

    def used() -> "dict[str, int]":
        others = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
        found = {thread: read("/proc/self/task/%s/schedstat" % thread).split() for thread in others}
        return {thread: int(figures[0]) for thread, figures in found.items() if figures}

    before = used()
    if not before:
        return 0
    started = time.monotonic_ns()
    while time.monotonic_ns() - started < SAMPLE_NS:
        time.sleep(0.001)
    after = used()
    return sum(after.get(thread, 0) - spent > BUSY * SAMPLE_NS for thread, spent in before.items())


def signals() -> "dict[str, Any]":
    """Signals that somebody handles, and timers that send some."""
    import _signal as signal  # type: ignore[import-not-found]

    mask = int(status().get("SigCgt", "0"), 16)
    caught = {number for number in range(1, 65) if mask >> (number - 1) & 1}
    timers: dict[str, Any] = {
        name: signal.getitimer(getattr(signal, name)) != (0.0, 0.0)
        for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
    }
    timers["posix"] = read("/proc/self/timers").count("ID:")
    return {"signals_caught": sorted(caught - NOT_SENT_WHILE_IT_WORKS), "timers": timers}


def status() -> "dict[str, str]":
    """``/proc/self/status``."""
    pairs = (line.split(":", 1) for line in read("/proc/self/status").splitlines() if ":" in line)
    return {name: value.strip() for name, value in pairs}


def collector() -> "dict[str, Any]":
    """The garbage collector's settings, and the order of magnitude (to base 4) of what it has to look at."""
    return {
        "gc_enabled": gc.isenabled(),
        "gc_threshold": list(gc.get_threshold()),
        "gc_debug": gc.get_debug(),
        "gc_callbacks": len(gc.callbacks),
        "gc_frozen": gc.get_freeze_count() > 0,
        "gc_objects_log4": (len(gc.get_objects()).bit_length() - 1) // 2,
    }


def interpreter() -> "dict[str, Any]":
    """Flags, hooks and limits of the interpreter."""
    import builtins

    monitoring = getattr(sys, "monitoring", None)
    own_keys = ("dev", "tracemalloc", "int_max_str_digits")
    no_flags = ("count", "index", "n_fields", "n_sequence_fields", "n_unnamed_fields", "dev_mode")
    flags = [name for name in dir(sys.flags) if name[0] != "_" and name not in (*no_flags, "int_max_str_digits")]
    return {
        "python": sys.version,
        "version": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "free_threaded": "t" in getattr(sys, "abiflags", ""),
        "executable": sys.executable,
        "exe": os.readlink("/proc/self/exe"),
        "prefix": sys.prefix,
        "flags": {name: getattr(sys.flags, name) for name in flags},
        "xoptions": {key: str(v) for key, v in getattr(sys, "_xoptions", {}).items() if key not in own_keys},
        "dev_mode": bool(getattr(sys.flags, "dev_mode", False)),
        "debug_build": hasattr(sys, "gettotalrefcount"),
        "gil_enabled": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "jit_enabled": getattr(getattr(sys, "_jit", None), "is_enabled", lambda: False)(),
        "switch_interval": sys.getswitchinterval(),
        "recursion_limit": sys.getrecursionlimit(),
        "int_max_str_digits": getattr(sys, "get_int_max_str_digits", lambda: None)(),
        "trace": repr(sys.gettrace() and type(sys.gettrace()).__name__),
        "profile": repr(sys.getprofile() and type(sys.getprofile()).__name__),
        "monitoring": [t for t in range(6) if monitoring and monitoring.get_tool(t) and monitoring.get_events(t)],
        "import_hooks": [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path],
        "replaced_builtins": sorted(name for name, v in vars(builtins).items() if type(v).__name__ == "function"),
        "faulthandler": "faulthandler" in sys.modules and sys.modules["faulthandler"].is_enabled(),
        "string_hash": hash("tax-probe"),
        "encoding": sys.getfilesystemencoding(),
    }


def kernel() -> "dict[str, Any]":
    """What the kernel keeps for this process."""
    stat = status()
    limit = cpu_limit()
    return {
        "threads": len(os.listdir("/proc/self/task")),
        "traced_by_another_process": stat.get("TracerPid") not in (None, "0"),
        "seccomp": stat.get("Seccomp"),
        "speculation_store_bypass": stat.get("Speculation_Store_Bypass"),
        "speculation_indirect_branch": stat.get("SpeculationIndirectBranch"),
        "thp": stat.get("THP_enabled"),
        "personality": read("/proc/self/personality").strip() or None,
        "quota": limit["quota"],
        "throttled": limit["throttled"],
        "affinity": sorted(os.sched_getaffinity(0)),
        "scheduling": [os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)],
    }


def resource_limits() -> "dict[str, Any] | None":
    """By name without ``RLIMIT_``; None where the module is missing, as in a Python built without extension modules."""
    try:
        import resource
    except ImportError:
        return None
    names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
    return {name[7:].lower(): list(resource.getrlimit(getattr(resource, name))) for name in names}


VALUES_MATTER = """
PYTHON_CPU_COUNT PYTHON_FROZEN_MODULES PYTHON_GC_PRESET PYTHON_GIL PYTHON_JIT PYTHON_PERF_JIT_SUPPORT
PYTHONASYNCIODEBUG PYTHONCOERCECLOCALE PYTHONDEBUG PYTHONDEVMODE PYTHONDONTWRITEBYTECODE PYTHONEXECUTABLE
PYTHONFAULTHANDLER PYTHONHOME PYTHONINTMAXSTRDIGITS PYTHONIOENCODING PYTHONLEGACYWINDOWSSTDIO PYTHONMALLOC
PYTHONMALLOCSTATS PYTHONNODEBUGRANGES PYTHONNOUSERSITE PYTHONOPTIMIZE PYTHONPATH PYTHONPERFSUPPORT PYTHONPLATLIBDIR
PYTHONPROFILEIMPORTTIME PYTHONPYCACHEPREFIX PYTHONSAFEPATH PYTHONSTARTUP PYTHONTRACEMALLOC PYTHONUNBUFFERED
PYTHONUSERBASE PYTHONUTF8 PYTHONVERBOSE PYTHONWARNDEFAULTENCODING PYTHONWARNINGS MALLOC_ARENA_MAX MALLOC_ARENA_TEST
MALLOC_CHECK_ MALLOC_MMAP_MAX_ MALLOC_MMAP_THRESHOLD_ MALLOC_PERTURB_ MALLOC_TOP_PAD_ MALLOC_TRIM_THRESHOLD_
GLIBC_TUNABLES LD_PRELOAD LD_BIND_NOW LD_AUDIT LD_DEBUG LD_PROFILE
"""
"""Of these the value is kept; of others that an interpreter, allocator or loader might read, that they are set: a
program of the user may call its own variables so, and hold secrets in them."""


def surroundings() -> "dict[str, Any]":
    """Locale, limits and environment."""
    import _locale as locale

    limits = resource_limits()
    env = os.environ
    values_matter = set(VALUES_MATTER.split())

    def chosen(*beginnings: str) -> "dict[str, str]":
        return {
            key: value if key in values_matter else "set"
            for key, value in env.items()
            if key.startswith(beginnings) and key != "PYTHONHASHSEED"
        }

    return {
        "locale": locale.setlocale(locale.LC_CTYPE),
        "stack_limit": None if limits is None else limits.pop("stack", None),
        "rlimits": limits,
        "python_environment": chosen("PYTHON"),
        "allocator_environment": chosen("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD"),
        "linker_environment": chosen("LD_BIND_NOW", "LD_AUDIT", "LD_DEBUG", "LD_PROFILE"),
        "environment_pages": sum(len(key) + len(value) + 2 for key, value in env.items()) // 4096,
    }


def fingerprint() -> "dict[str, Any]":
    """Everything above, in literals alone. Extension modules come first: looking further loads some."""
    import _tracemalloc

    modules = list(sys.modules.items())
    found: dict[str, Any] = {
        "extension_modules": sorted(
            name for name, module in modules if str(getattr(module, "__file__", "") or "").endswith(".so")
        )
    }
    found.update(collector())
    found.update(interpreter())
    found.update(kernel())
    found["tracemalloc"] = _tracemalloc.is_tracing()
    found["busy_threads"] = busy_threads()
    found.update(signals())
    found.update(surroundings())
    found["maps"] = read("/proc/self/maps")
    api = c_api()
    name = "pymalloc" if sys.getallocatedblocks() else "malloc"
    if api is not None:
        name = allocator_name(api, found["tracemalloc"])
        found["eval_frame"] = frame_evaluator(api)
        found["config"] = py_config()
    found["allocator"], _, debug = name.partition("_")
    found["memory_debug"] = bool(debug)
    return {name: literal(value) for name, value in found.items()}
