"""The program of known cost, for another machine: by it a counter shows that it counts right."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from profiler.errors import MachineError
from profiler.launch.cargo import Toolchain
from profiler.sources.qemu_plugin import SOURCES
from profiler.system.build_environment import for_builders
from profiler.system.logged import Failed, run_logged

_SOURCE = SOURCES / "src" / "bin" / "known.rs"
_TIMEOUT_S = 300.0


def known_program(toolchain: Toolchain, cache: Path) -> Path:
    """Built, or taken from ``cache``.

    Raises:
        MachineError: it cannot be built.
    """
    key = hashlib.sha256(f"{toolchain.identity}{_SOURCE.read_text(encoding='utf-8')}".encode()).hexdigest()[:16]
    place = cache / f"known-{key}"
    if not place.is_file():
        beside, log = place.with_suffix(".new"), cache / "known.log"
        words = (toolchain.rustc, "-O", "--target", toolchain.triple, "-C", f"linker={toolchain.linker}")
        try:
            run_logged(
                (*words, "-o", str(beside), str(_SOURCE)),
                cwd=cache,
                log=log,
                timeout_s=_TIMEOUT_S,
                env=for_builders(os.environ),
            )
        except Failed as error:
            raise MachineError(
                f"the unpacked compiler builds no program for {toolchain.triple}: {error.said}",
                hint=f"all that it said is in {log}",
            ) from error
        beside.replace(place)
    return place
