"""What the compiler wrote into the debug information of a CPython, where there is any."""

from __future__ import annotations

import re
from pathlib import Path

from elftools.elf.elffile import ELFFile

from profiler.launch.binaries.elf import DAMAGE, Elf
from profiler.launch.binaries.elf_sections import contents
from profiler.model import Noun

DEBUG_ROOT = Path("/usr/lib/debug")
"""Where distributions put separate debug files, by build-id (gdb's manual, "Separate Debug Files")."""

_LEVEL = re.compile(r"(?<=\s)-O(?:\d|fast|g|s|z)?(?=\s|$)")
_PLACE = re.compile(r"(?<=\s)-f((?:no-)?(?:PIC|pic|PIE|pie))(?=\s|$)")
_SEMANTIC = re.compile(r"(?<=\s)-f(no-)?semantic-interposition(?=\s|$)")
_PRODUCER = re.compile(rb"(?<![^\0])GNU (?:C\d*|GIMPLE) \d[^\0]*")


class Producers(Noun, frozen=True, kw_only=True):
    """The distinct DW_AT_producer strings of gcc: its version and its options (``-grecord-gcc-switches``, default)."""

    path: str
    """The file that holds the debug information."""
    strings: tuple[str, ...]

    @property
    def profile_use(self) -> bool:
        """Some unit was compiled with a profile."""
        return any("-fprofile-use" in string for string in self.strings)

    @property
    def optimisation_level(self) -> str | None:
        """``"-O3"``, the last in each unit's options; None where units of sources differ."""
        levels = {(_LEVEL.findall(string) or ["-O0"])[-1] for string in self._sources}
        return levels.pop() if len(levels) == 1 else None

    @property
    def interposable(self) -> bool | None:
        """gcc had to expect another library's function in place of each exported one, and so inlined none (``-fPIC``
        without ``-fno-semantic-interposition``); None where units of sources differ.
        """
        found = {
            (_PLACE.findall(string) or [""])[-1] in {"PIC", "pic"} and (_SEMANTIC.findall(string) or [""])[-1] != "no-"
            for string in self._sources
        }
        return found.pop() if len(found) == 1 else None

    @property
    def _sources(self) -> list[str]:
        """CPython's own, which its Makefile gives the language's version (``-std=c99`` or ``c11``, since 3.6), if there
        are any: other units may be linked in, as Debian 12's have one without any option.
        """
        units = [string for string in self.strings if string.startswith("GNU C")]
        return [string for string in units if " -std=" in string] or units

    @property
    def link_time(self) -> bool:
        """Some unit was compiled for, or by, link-time optimisation."""
        return any(option in string for string in self.strings for option in ("-flto", "-fltrans"))


def gcc_producers(elf: Elf, debug_root: Path = DEBUG_ROOT) -> Producers | None:
    """What gcc says of the C units of ``elf``; None without debug information or with another compiler (clang writes
    no options).

    They are looked for in ``.debug_str``, which holds each once: with link-time optimisation the unit that owns the
    eval loop's addresses (``GNU GIMPLE … -fltrans``) no longer knows about profiles, and only the units of the
    sources do (``GNU C11 … -flto -fprofile-use``).
    """
    places = [elf.path]
    if elf.build_id:
        places.append(str(debug_root / ".build-id" / elf.build_id[:2] / f"{elf.build_id[2:]}.debug"))
    for place in places:
        found = dict.fromkeys(match.group(0).decode(errors="replace") for match in _PRODUCER.finditer(_strings(place)))
        if any(string.startswith("GNU C") for string in found):
            return Producers(path=place, strings=tuple(found))
    return None


def _strings(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            section = ELFFile(file).get_section_by_name(".debug_str")
            return contents(section) if section is not None else b""
    except DAMAGE:
        return b""
