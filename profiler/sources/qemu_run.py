"""A program under a qemu with our plugin; and the loop of known cost, which shows that it counts right."""

from __future__ import annotations

from pathlib import Path

import msgspec

from profiler.errors import MachineError
from profiler.sources.emulated import SETTLES_S
from profiler.sources.qemu_output import read_processes
from profiler.system import process
from profiler.system.process import Command

COUNTED_BY_PLUGIN = "instructions"
"""What the plugin calls what it counts, whatever the architecture."""
TRIAL_TIMEOUT_S = 1.0

_SLOWDOWN = 100
"""With the model a program runs up to 100 times slower than on the bare machine; limits stretch by it."""
_TURNS = 1000
_KNOWN = 2 * _TURNS + 3
"""Instructions of the loop of ``runner/qemu/src/bin/known.rs``."""
_STATIC = "unknown option 'plugin'"


def run_plugged(command: Command, *argv: str) -> process.Completed:
    """Run ``argv``, which begins with qemu, in the place of what ``command`` says, and with the time that it takes."""
    return process.run(
        msgspec.structs.replace(command, argv=argv, timeout_s=command.timeout_s * _SLOWDOWN, settles_s=SETTLES_S)
    )


def known_loop(program: str) -> tuple[str, ...]:
    """The command whose instructions are known; ``program`` is what ``known.rs`` was built to."""
    return program, "loop", str(_TURNS)


def require_known(qemu: str, done: process.Completed, out: Path, *, instead: str, by_hand: str) -> None:
    """The plugin counted the loop right, into ``out``.

    Raises:
        MachineError: it did not, or ``qemu`` has no plugins; ``instead`` is what can be done then.
    """
    if _STATIC in done.stderr_tail:
        raise MachineError(
            f"{qemu} has no plugins (a static build has none, as Debian's from 13 on)",
            hint=f"put a qemu built with --enable-plugins first on PATH{instead}",
        )
    processes, _ = read_processes(out, done.pid)
    counted = [region[COUNTED_BY_PLUGIN] for found in processes for region in found.regions]
    if done.exit != 0 or counted != [_KNOWN]:
        said = done.stderr_tail.strip().rpartition("\n")[2] or f"exit {done.exit}, instructions {counted}"
        raise MachineError(
            f"{qemu} does not count {_KNOWN} instructions of a loop that takes as many: {said}",
            hint=f"run {by_hand} by hand",
        )
