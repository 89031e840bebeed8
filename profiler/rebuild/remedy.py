"""A rebuilt libpython as a drop-in for the target's: what has to hold, checked on the very file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from profiler.errors import MachineError
from profiler.folder import require_own_folder, write_atomically
from profiler.launch.binaries.elf import read_elf
from profiler.launch.binaries.exports import exported
from profiler.model import Launcher, Target
from profiler.model.factorial import Built, FactorialPlan, Remedy, RemedyCheck
from profiler.rebuild.build_progress import BuildListener
from profiler.rebuild.builder import Builder
from profiler.system.install import how_to_install
from profiler.system.own_folder import own_folder
from profiler.system.process import helper, run
from profiler.system.tools import output_of

TESTS = (
    "test_embed", "test_capi", "test_builtin", "test_descr", "test_dict", "test_exceptions", "test_gc",
    "test_generators", "test_import", "test_list", "test_long", "test_sys", "test_types", "test_unicode",
)  # fmt: skip
"""CPython's own: embedding, the C API, and the objects and statements that optimisation moves most."""

_ABI_CHANGED = 4
"""abidiff's exit code is a bit mask: 1 error, 2 usage, 4 changes, 8 incompatible ones (its manual, "RETURN VALUES")."""
_SHOWN = 5
_IMPORT_ALL = """\
import importlib, os, sys, sysconfig
folder = os.path.join(sysconfig.get_path("stdlib"), "lib-dynload")
names = sorted({name.partition(".")[0] for name in os.listdir(folder)} - {"_tkinter", "__pycache__"})
failed = []
for name in names:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed.append("%s: %s" % (name, error))
print(len(names), *sys.builtin_module_names)
print("\\n".join(failed))
"""


def remedy_of(
    *,
    target: Target,
    plan: FactorialPlan,
    best: Built,
    host: Launcher,
    builder: Builder,
    folder: Path,
    watch: BuildListener,
) -> Remedy:
    """Check the library ``best`` and lay it into ``folder``.

    ``host`` is the launcher of the unchanged embedder on it.

    Raises:
        MachineError: the folder cannot be written, or a build fails.
    """
    assert target.shared_library is not None
    watch.say(f"remedy: checking {best.launcher}")
    elf = read_elf(best.product)
    place = folder / "remedy"
    try:
        require_own_folder(place)
        write_atomically(place / Path(best.product).name, Path(best.product).read_bytes())
    except OSError as error:
        raise MachineError(f"cannot write to {place}: {error.strerror}", hint="make room, or choose --out") from error
    tested, told = builder.tested(best.levels, best.product, TESTS, watch)
    checks = (
        _same_soname(target.shared_library, best.product),
        _symbols(target.shared_library, best.product),
        _abi(target.shared_library, best.product),
        *_modules(target, host),
        RemedyCheck(name="CPython's own tests", passed=tested, evidence=told),
    )
    return Remedy(
        launcher=best.launcher,
        library=f"remedy/{Path(best.product).name}",
        build_id=elf.build_id,
        soname=elf.soname,
        build=tuple(_changes(plan, best)),
        checks=checks,
    )


def _changes(plan: FactorialPlan, best: Built) -> Iterable[str]:
    """What to change in the build that the distribution's library comes from."""
    today = plan.reproduces.get("library", {})
    for name, level in best.levels.items():
        if today.get(name) != level:
            chosen = plan.factor(name).level(level)
            how = chosen.remedy or " ".join((*chosen.configure, *chosen.cflags, *chosen.core_ldflags, *chosen.ldflags))
            yield f"{plan.factor(name).title}: {level} instead of {today.get(name, 'what it has')}: {how}"


def _same_soname(old: str, new: str) -> RemedyCheck:
    names = [read_elf(path).soname for path in (old, new)]
    return RemedyCheck(name="same soname", passed=names[0] == names[1], evidence=f"{names[0]}, {names[1]}")


def _symbols(old: str, new: str) -> RemedyCheck:
    before, after = exported(old), exported(new)
    lost = sorted(before - after)
    told = f"{len(before)} exported by {old}, {len(after)} by the remedy"
    if lost:
        told += f"; lost: {', '.join(lost[:_SHOWN])}" + (
            f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        )
    return RemedyCheck(name="every exported symbol and version kept", passed=not lost, evidence=told)


def _abi(old: str, new: str) -> RemedyCheck:
    name = "ABI compared by abidiff"
    if shutil.which("abidiff") is None:
        return RemedyCheck(name=name, passed=None, evidence=f"abidiff is not installed: {how_to_install('abidiff')}")
    with own_folder() as scratch:
        done = run(
            helper(
                ("abidiff", "--no-added-syms", old, new),
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                cwd=str(scratch),
                timeout_s=300,
            )
        )
    said = done.stdout.decode(errors="replace").strip().splitlines()
    what = "; ".join(line.strip() for line in said[:3]) or "no difference"
    passed = None if done.exit < 0 or done.exit & 3 else not done.exit & _ABI_CHANGED
    return RemedyCheck(name=name, passed=passed, evidence=f"exit code {done.exit}: {what}")


def _modules(target: Target, host: Launcher) -> Iterable[RemedyCheck]:
    """The target's standard library is built for the modules that its libpython has built in."""
    with own_folder() as scratch:
        script = scratch / "modules.py"
        script.write_text(_IMPORT_ALL)
        done = run(
            helper(
                [part.replace("{script}", str(script)).replace("{m}", "1") for part in host.argv],
                env=os.environ | host.env,
                timeout_s=120,
            )
        )
    counted, _, failed = done.stdout.decode(errors="replace").partition("\n")
    number, *builtins = counted.split() or ["0"]
    theirs = (output_of(target.real_path, "-ISc", "import sys; print(*sys.builtin_module_names)") or "").split()
    lost = sorted(set(theirs) - set(builtins))
    yield RemedyCheck(
        name="every built-in module kept",
        passed=bool(builtins) and not lost,
        evidence=f"{len(builtins)}" + (f"; lost: {', '.join(lost)}" if lost else f" of {len(theirs)}"),
    )
    yield RemedyCheck(
        name="every extension module of the standard library loads",
        passed=done.exit == 0 and not failed.strip(),
        evidence=failed.strip() or f"{number} of {number} in {host.name}",
    )
