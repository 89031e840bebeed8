"""Functions and source lines by address, from debug information that is at hand: in the file, or beside it.

Debug files are found by build-id where gdb looks for them: /usr/lib/debug/.build-id (Debian's -dbg and -dbgsym
packages), in what was fetched for a matched set, and in the cache of debuginfod-find(1). Nothing is downloaded.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from profiler.errors import MachineError
from profiler.launch.binaries.elf import is_elf, opened
from profiler.launch.binaries.function_ranges import whole_name
from profiler.model import Noun
from profiler.system.home import cache_folder
from profiler.system.process import helper, run

_ROOT = "usr/lib/debug/.build-id"
KEPT = "symbols"
"""Folder of the cache in which packages with debug information are unpacked (``launch.matched_set``)."""
_TIMEOUT_S = 120.0
_AT_ONCE = 2000
"""Addresses on one command line."""
_MOST_BYTES = 1 << 24
_BUILD_FOLDER = re.compile(r"^.*?/(?=(Objects|Python|Modules|Parser|Include|Programs)/)")
"""Builds of one source lie in folders of their own."""


class Frame(Noun, frozen=True, kw_only=True):
    """A function, and where in it."""

    function: str | None
    file: str | None
    line: int | None


def frames_of(image: str, build_id: str | None, addresses: Sequence[int]) -> dict[int, tuple[Frame, ...]]:
    """The functions that each address stands in, the innermost inlined one first; empty without debug information.

    Asked of binutils' ``addr2line``; where that is not installed, nothing is known.
    """
    tool = shutil.which("addr2line")
    source = debug_file(image, build_id)
    if tool is None or source is None or not addresses:
        return {}
    found: dict[int, tuple[Frame, ...]] = {}
    for first in range(0, len(addresses), _AT_ONCE):
        asked = (f"{address:#x}" for address in addresses[first : first + _AT_ONCE])
        command = helper((tool, "-a", "-i", "-f", "-e", source, *asked), timeout_s=_TIMEOUT_S)
        done = run(msgspec.structs.replace(command, max_output_bytes=_MOST_BYTES))
        found |= parse_frames(done.stdout.decode(errors="replace"))
    return found


def debug_file(image: str, build_id: str | None) -> str | None:
    """The file with the debug information of ``image``; None where none is at hand."""
    if not is_elf(image):
        return None
    with opened(image) as elf:
        if elf.get_section_by_name(".debug_line") is not None:
            return image
    if build_id is None:
        return None
    cache = Path(os.environ.get("DEBUGINFOD_CACHE_PATH") or Path.home() / ".cache" / "debuginfod_client")
    beside = (
        *(root / build_id[:2] / f"{build_id[2:]}.debug" for root in _roots()),
        cache / build_id / "debuginfo",
    )
    return next((str(path) for path in beside if path.is_file() and is_elf(str(path))), None)


def _roots() -> Iterator[Path]:
    yield Path("/") / _ROOT
    with suppress(MachineError):
        yield from sorted((cache_folder() / KEPT).glob(f"*/*/{_ROOT}"))


def parse_frames(text: str) -> dict[int, tuple[Frame, ...]]:
    """What ``addr2line -a -i -f`` prints: an address, then two lines for each frame, the innermost first. Addresses of
    which it knows nothing are left out.
    """
    found: dict[int, tuple[Frame, ...]] = {}
    lines = text.splitlines()
    begins = [at for at, line in enumerate(lines) if line.startswith("0x")]
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        pairs = zip(lines[begin + 1 : end : 2], lines[begin + 2 : end : 2], strict=False)
        frames = tuple(_frame(function, place) for function, place in pairs)
        if any(frame.function is not None or frame.file is not None for frame in frames):
            found[int(lines[begin], 16)] = frames
    return found


def _frame(function: str, place: str) -> Frame:
    file, _, line = place.partition(" (discriminator")[0].rpartition(":")
    return Frame(
        function=None if function == "??" else whole_name(function),
        file=None if file == "??" else _BUILD_FOLDER.sub("", os.path.normpath(file)),
        line=int(line) if line.isdigit() and int(line) else None,
    )
