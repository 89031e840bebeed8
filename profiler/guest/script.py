"""The script that every launcher runs (``placed.py``): one per block, generated from the block alone.

It places the heap, keeps the block's heap phase alive, verifies from inside what the environment asked for, and then
runs the workload in ``__main__``. All launchers run the same text, so whatever it costs cancels in the slope.

Placing the heap: since CPython 3.10 every ``free`` asks a radix tree whether an address belongs to an arena, and the
number of instructions depends on which side of a 1 MiB boundary of its arena the object lies (Objects/obmalloc.c,
``address_in_range``): two tests in the arena's head, one in its tail. Arenas come from ``mmap`` at any page, so without
care one process pays one to two per cent more instructions than the next, and two launchers differ by as much for no
reason of their own. The script therefore maps padding until arenas begin at the block's offset in their MiB, the same
for all launchers of a block and another in the next, as it is in real processes; it fills each size class until it
allocates there, and only then the phase is counted, so it means the same position in a pool for every launcher. At
the end it plugs the holes that its own work left in full pools: a single such hole makes two pools take turns at every
allocation, another per cent, and a pool of an older arena that became free again is used up. Where a fresh object lies
then is reported. What is left is the boundary itself, when the work's own objects straddle a full pool.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from profiler.catalogue.heap import MIB, POOL_BYTES, SIZE_CLASSES
from profiler.model import Block, Noun, Workload

ENV_M = "TAX_PROBE_M"
"""M travels in the environment too: many programs that embed Python hand no arguments to a script."""
ENV_SIDE = "TAX_PROBE_SIDE"
"""Where the script writes what it saw."""
NO_M = "tax-probe: M did not reach the script"
"""What the script says on stderr where it got none by either way."""
PRINTED = ".printed"
"""Ends the name of a pipe beside it: through that comes what the work prints."""
ENV_CHECK = "TAX_PROBE_CHECK"
"""Path of ``fingerprint.FINGERPRINT_SCRIPT``; set in the one run per launcher that reports its fingerprint."""
ENV_ARENA_OFFSET = "TAX_PROBE_ARENA_OFFSET"
"""Set by the toggles that put arenas at another offset in their MiB than the block's, in bytes."""
ENV_TREATMENT = "TAX_PROBE_TREATMENT"
"""Statements that relieve a host of a cause before the work begins."""
ENV_SITE = "TAX_PROBE_SITE"
"""A folder of packages, with ``.pth`` files, for a program that finds none by itself."""
ENV_NO_PHASE = "TAX_PROBE_NO_PHASE"
"""Set by the toggle that keeps no live objects before the work."""
ENV_WATCH = "TAX_PROBE_WATCH"
"""Set where the script shall say how long the work waited for a CPU."""
ENV_PADDING = "TAX_PROBE_PADDING"
ENV_SERVER = "TAX_PROBE_SERVER"
"""Path of ``guest/server.py``; set where the script does its work in chunks on request."""
ENV_COUNT, ENV_COUNTERS = "TAX_PROBE_COUNT", "TAX_PROBE_COUNTERS"
"""What counts around a chunk (``server.make_counter``), and the file of the extension module that does it."""
ENV_REQUESTS, ENV_ANSWERS = "TAX_PROBE_REQUESTS", "TAX_PROBE_ANSWERS"
"""Where requests come from and answers go to: files or FIFOs."""

PLACED = Path(__file__).with_name("placed.py")
"""The text of the script, with values that stand for those of a block."""
OPCODE_NAMES = Path(__file__).with_name("opcode_names.py")
"""A script of its own: which opcodes the interpreter has, into the side file."""
PYPERF_SCRIPT = Path(__file__).with_name("pyperf_script.py")
"""The text of a workload that does what a script asks of pyperf's runner, with values that stand for those of one."""


class ProcessFingerprint(Noun, frozen=True, kw_only=True):
    """What the script saw from inside the process."""

    string_hash: int
    """``hash("tax-probe")``: a function of the hash seed in effect."""
    pymalloc: bool
    placed: bool
    """The heap phase stands in arenas that begin where the block says."""
    placement: int | None
    """Where in its MiB the work's first new object of 32 bytes lay; None: its heap was not placed, or unknown."""
    properties: dict[str, Any] | None
    """See ``fingerprint.FINGERPRINT_SCRIPT``; in check runs only."""
    queued_ns: int | None
    """How long the work waited for a CPU, being ready to run; in watched runs only."""


def render(block: Block, workload: Workload, script: Path) -> str:
    """The text of ``block``'s script; ``script`` is where it will stand."""
    return _filled(PLACED, "block", values(block, workload, script))


def _filled(text: Path, of: str, values: Mapping[str, object]) -> str:
    """The text with ``values`` in the place of its marked lines."""
    head, begin, rest = text.read_text(encoding="utf-8").partition(f"# Values of one {of}: begin.\n")
    _, end, tail = rest.partition(f"# Values of one {of}: end.\n")
    assert begin
    assert end
    lines = (f"{name} = {value!r}\n" for name, value in values.items())
    return "".join((head, begin, *lines, end, tail))


def values(block: Block, workload: Workload, script: Path) -> dict[str, int | str | tuple[object, ...]]:
    """What stands in the marked lines of ``placed.py`` when it is ``block``'s script."""
    return {
        "_tax_probe_offset": block.arena_offset,
        "_tax_probe_mib": MIB,
        "_tax_probe_pool_bits": POOL_BYTES.bit_length() - 1,
        "_tax_probe_classes": tuple(reversed(SIZE_CLASSES)),
        "_tax_probe_phase": tuple(reversed(tuple(zip(SIZE_CLASSES, block.heap_phase, strict=True)))),
        "_tax_probe_script": str(script),
        "_tax_probe_workload": workload.path,
        "_tax_probe_arguments": workload.arguments,
    }


def render_pyperf(workload: Workload) -> str:
    """A script that reads M itself and does as many loops of what ``workload`` asks of pyperf's runner."""
    return _filled(PYPERF_SCRIPT, "workload", pyperf_values(workload))


def pyperf_values(workload: Workload) -> dict[str, str | tuple[str, ...]]:
    """What stands in the marked lines of ``pyperf_script.py`` when it does the work of ``workload``."""
    assert workload.pyperf is not None
    return {
        "_SCRIPT": workload.path,
        "_BENCHMARK": workload.pyperf.benchmark or "",
        "_ARGUMENTS": workload.pyperf.arguments,
    }


def render_native(workload: Workload) -> str:
    """A script that runs the workload as it is, with M from the environment."""
    return (
        f"import os, sys\nsys.argv = [{workload.path!r}, str(int(os.environ[{ENV_M!r}])), *{workload.arguments!r}]\n"
        f"__file__ = {workload.path!r}\nwith open(__file__, 'rb') as source:\n"
        "    code = compile(source.read(), __file__, 'exec')\nexec(code)\n"
    )


def render_marked(workload: Workload) -> str:
    """The workload with a mark of ``startup`` at its beginning and its end, as one script that is compiled as one."""
    # posix and sys are there from the start; os would be imported here where site is left out.
    folder = str(Path(workload.path).parent)
    return (
        f"import posix, sys\nposix.getsid(0)\nsys.path.insert(0, {folder!r})\n"
        f"sys.argv = [{workload.path!r}, str(int(posix.environ[{ENV_M.encode()!r}])), *{workload.arguments!r}]\n"
        f"{Path(workload.path).read_text()}\nsys.stdout.flush()\nposix.getpgid(0)\nposix.sched_get_priority_max(0)\n"
    )


def environment(
    block: Block, *, m: int, side: Path, extra: dict[str, str], probe: Path | None = None, watch: bool = False
) -> dict[str, str]:
    """The whole environment of one process: the user's, the block's nuisances, the launcher's own.

    M is written with a fixed width, so that both M give environments of one size.
    """
    env = {key: value for key, value in os.environ.items() if key != "PYTHONHASHSEED"}
    env["PYTHONHASHSEED"] = str(block.hash_seed)
    env[ENV_PADDING] = "x" * block.env_padding
    env[ENV_M] = f"{m:012d}"
    env[ENV_SIDE] = str(side)
    if probe is not None:
        env[ENV_CHECK] = str(probe)
    if watch:
        env[ENV_WATCH] = "1"
    return env | extra


def read_fingerprint(side: Path) -> ProcessFingerprint | None:
    """What the script wrote, or None when it wrote nothing readable (the host drops the environment, say)."""
    try:
        first, answer, last = [*side.read_text(errors="replace").splitlines(), "", ""][:3]
        string_hash, pymalloc, placed = map(int, first.split())
        placement, queued = ([*last.split(), "None", "None"])[:2]
        return ProcessFingerprint(
            string_hash=string_hash,
            pymalloc=pymalloc == 1,
            placed=placed == 1,
            placement=None if placement == "None" else int(placement),
            properties=_properties(answer) if answer else None,
            queued_ns=None if queued == "None" else int(queued),
        )
    except (OSError, ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _properties(answer: str) -> dict[str, Any]:
    """What the probe wrote.

    Raises:
        ValueError, TypeError, SyntaxError, MemoryError, RecursionError: that is none of its answers.
    """
    found: dict[str, Any] = ast.literal_eval(answer)
    texts = [found.get(name) for name in ("maps", "exe")] if isinstance(found, dict) else []
    if not texts or not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise ValueError("no answer of the probe")
    return found
