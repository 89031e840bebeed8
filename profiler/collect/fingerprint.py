"""What a launcher was found to be from inside, once before measuring: the probe's answer and the files it maps."""

from __future__ import annotations

from pathlib import Path

from profiler import guest
from profiler.catalogue.properties import Fingerprint
from profiler.launch.binaries import elf
from profiler.launch.binaries.libpython import names_libpython
from profiler.launch.runtime_maps import eval_loop_image, mapped_code

FINGERPRINT_SCRIPT = Path(guest.__file__).with_name("probe.py").read_text(encoding="utf-8")
"""Source of a function that returns the fingerprint; any CPython from 3.8 on runs it."""

_C_LIBRARIES = ("libc.", "libc-", "ld-linux", "ld-musl", "libc.musl")


def image_of(answer: Fingerprint) -> str | None:
    """The file that the eval loop comes from, or None where the maps cannot tell."""
    return eval_loop_image(answer["maps"], answer["exe"])


def gone_library(answer: Fingerprint) -> str | None:
    """The libpython that the process mapped and that is gone since, as where a program unpacks its own; else None."""
    mapped = (Path(path.removesuffix(" (deleted)")) for path in mapped_code(answer["maps"]))
    return next((str(path) for path in mapped if names_libpython(path.name) and not is_file(path)), None)


def is_file(path: Path) -> bool:
    """Whether there is such a file; a path that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def complete(answer: Fingerprint) -> Fingerprint:
    """The probe's answer with the files in place of the memory map: ``images`` {path: build-id} and
    ``malloc_libraries``, the files beside the C library that define ``malloc``.
    """
    images = [path for path in mapped_code(answer["maps"]) if is_file(Path(path))]
    return {key: value for key, value in answer.items() if key != "maps"} | {
        "images": {path: elf.build_id(path) for path in images},
        "malloc_libraries": [
            path for path in images if not Path(path).name.startswith(_C_LIBRARIES) and elf.defines(path, "malloc")
        ],
    }
