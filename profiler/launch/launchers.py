"""The launchers by name: the target's program, our hosts on its libpython, and the user's own hosts."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from profiler.errors import UsageError
from profiler.launch.host_builds import HostBuild
from profiler.launch.proof import emulated, host_environment
from profiler.model import AGAIN, BASELINE, EMBEDDER, Emulator, Launcher, LauncherRole, LinkMode, Noun, Target


class Own(Noun, frozen=True, kw_only=True):
    """One of our own hosts: which binary of a build, linked how, started how."""

    name: str
    binary: str
    """``pyo3`` or ``runmain``."""
    link: LinkMode
    init: str
    role: LauncherRole | None = None


OWN: tuple[Own, ...] = (
    Own(name=EMBEDDER, binary="pyo3", link="shared", init="Py_InitializeEx", role="embedder"),
    Own(name="runmain", binary="runmain", link="shared", init="Py_BytesMain"),
    Own(name="runmain-static", binary="runmain", link="static", init="Py_BytesMain"),
    Own(name="runmain-pic", binary="runmain", link="pic", init="Py_BytesMain"),
    Own(name="pyo3-static", binary="pyo3", link="static", init="Py_InitializeEx"),
    Own(name="pyo3-pic", binary="pyo3", link="pic", init="Py_InitializeEx"),
)

DEFAULT = (BASELINE, EMBEDDER, "runmain")
ALL = (BASELINE, *(own.name for own in OWN))


def names_measured(own: Sequence[Own]) -> tuple[str, ...]:
    """What the launchers of a run are called: the baseline and those of ``own``."""
    return (BASELINE, *(launcher.name for launcher in own))


def names_to_own(names: Sequence[str]) -> tuple[Own, ...]:
    """Our hosts among ``names``, in the order of the table.

    Raises:
        UsageError: a name that is neither the baseline nor in the table.
    """
    known = {own.name for own in OWN} | {BASELINE}
    for name in names:
        if name not in known:
            raise UsageError(
                f"no launcher {name!r}; there are {', '.join(sorted(known))}",
                hint="your own program is a launcher too: --host NAME='CMD {script} {m}'",
            )
    return tuple(own for own in OWN if own.name in names)


def baseline_launcher(target: Target, emulator: Emulator | None = None) -> Launcher:
    """The target's own program, run by the ``emulator`` where there is one."""
    return Launcher(
        name=BASELINE,
        kind="program",
        argv=emulated((target.venv_program or target.real_path, "{script}", "{m}"), emulator),
        env=host_environment(target, emulator),
        image=None,
        build_id=None,
        link="shared" if target.program_loads else "program",
        init="Py_BytesMain",
        allocator=None,
        variant=None,
        role="baseline",
    )


def own_launcher(own: Own, build: HostBuild, target: Target, emulator: Emulator | None = None) -> Launcher:
    """One of our hosts, as built, run by the ``emulator`` where there is one."""
    return Launcher(
        name=own.name,
        kind="bundled",
        argv=emulated((build.pyo3 if own.binary == "pyo3" else build.runmain, "{script}", "{m}"), emulator),
        env=host_environment(target, emulator),
        image=None,
        build_id=None,
        link=own.link,
        init=own.init,
        allocator=None,
        variant=None,
        role=own.role,
    )


def require_free(given: str, name: str, taken: Sequence[str] = ()) -> None:
    """``name``, of the option that was ``given``, is neither one of ours nor ``taken``.

    Raises:
        UsageError: it is.
    """
    if name in (*ALL, AGAIN):
        raise UsageError(f"{given}: that name belongs to a launcher of ours", hint="choose another name")
    if name in taken:
        raise UsageError(f"{given}: another launcher has that name", hint="choose another name")


def user_host(spec: str) -> Launcher:
    """The user's program from ``NAME=CMD``; ``CMD`` is split as a shell would, but never run by one.

    Raises:
        UsageError: no name, a name that is taken, no ``{script}``, or a program that does not exist.
    """
    name, equals, command = spec.partition("=")
    form = "--host NAME='PROGRAM … {script} {m}'"
    if not equals or not name or not name.isprintable() or not command.strip():
        raise UsageError(f"--host {spec!r} is not NAME=CMD", hint=form)
    require_free(f"--host {name}", name)
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--host {name}: {error} in {command!r}", hint=form) from error
    if not any("{script}" in part for part in argv):
        raise UsageError(f"--host {name}: the command has no {{script}}", hint=form)
    program = shutil.which(argv[0])
    if program is None:
        raise UsageError(f"--host {name}: no executable program {argv[0]!r}", hint="give its path")
    return Launcher(
        name=name,
        kind="user",
        # A run is resumed from any directory.
        argv=(str(Path(program).absolute()), *argv[1:]),
        env={},
        image=None,
        build_id=None,
        link=None,
        init=None,
        allocator=None,
        variant=None,
    )
