"""Other interpreters as launchers: what ``--against`` names is started as it was named, virtual environment and all."""

from __future__ import annotations

from pathlib import Path

import msgspec

from profiler.errors import UsageError
from profiler.launch.interpreters import resolve_target
from profiler.launch.launchers import baseline_launcher, require_free
from profiler.model import Launcher, Target


def second_pythons(specs: tuple[str, ...], target: Target, taken: tuple[str, ...] = ()) -> tuple[Launcher, ...]:
    """The launchers of ``--against [NAME=]PATH``; ``taken``: names that other launchers have.

    Without a name one is called by its version, ``python3.12.1``.

    Raises:
        UsageError: no CPython ≥ 3.8 for this machine is named, it is the target itself, or two have one name.
    """
    found: list[Launcher] = []
    for spec in specs:
        name, path = _split(spec)
        second = resolve_target(path)
        if (second.real_path, second.venv_program) == (target.real_path, target.venv_program):
            raise UsageError(
                f"--against {path} is the target itself, {target.real_path}",
                hint="name another interpreter; tax-probe pythons lists what there is",
            )
        if name is None:
            name = _free(f"python{second.version}", (*taken, *(launcher.name for launcher in found)))
        else:
            require_free(f"--against {spec}", name, (*taken, *(launcher.name for launcher in found)))
        found.append(msgspec.structs.replace(baseline_launcher(second), name=name, role=None))
    return tuple(found)


def _split(spec: str) -> tuple[str | None, str]:
    """``NAME=PATH``, or a path, which may hold an equals sign too."""
    name, equals, path = spec.partition("=")
    return (name, path) if equals and name and path and "/" not in name and not Path(spec).exists() else (None, spec)


def _free(name: str, taken: tuple[str, ...]) -> str:
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
