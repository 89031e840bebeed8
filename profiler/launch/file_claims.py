"""From facts of a file to single claims about it, each with the sentence that carries it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from profiler.launch.binaries.archive import Archive
from profiler.launch.binaries.dwarf import Producers
from profiler.launch.binaries.eh_frame import Frames
from profiler.launch.binaries.elf import Elf
from profiler.launch.binaries.libpython import names_libpython
from profiler.model import Noun

WITH_PROFILE: Final = 0.10
WITHOUT_PROFILE: Final = 0.03
"""Shares of cold entries in ``.eh_frame`` at and above which gcc had a profile, and at and below which it had none.

Seen with gcc 12, against the truth in DW_AT_producer: 0.306 in Debian's program (3131 of 10221, ``-fprofile-use``) and
0.0025 in its libpython (15 of 6102, without); 0.0014–0.0029 in seven more CPythons built without a profile, 0.0165 in
one. Program and libpython of Debian 11 (gcc 10): 0.298 and 0.0045, 13 (gcc 14): 0.310 and 0.0031, testing (gcc 16):
0.276 and 0.0029; of Debian 12 for i386: 0.320 and 0.0024. Between the two nothing is claimed.
"""
SPLITS: Final = frozenset({"EM_X86_64", "EM_386"})
"""Machines for which gcc moves cold code away (-freorder-blocks-and-partition, "enabled for x86"). Debian's programs
and libraries for arm64, ppc64el, riscv64 and s390x have no such entry at all, with a profile and without.
"""
MOSTLY_HOT: Final = 0.5
HARDLY_HOT: Final = 0.1
"""Shares of an archive's members with code that have a section ``.text.hot``, at and above which gcc had a profile, and
at and below which it had none: functions go there by a profile, or where the source says so (three members of CPython
3.11). Seen with gcc 12: 134 and 3 of 174 in Debian's arm64 libpython3.11.a (with a profile) and -pic.a (without), 135
and 3 of 175 in those for amd64, where the cold entries agree.
"""
FEWEST_MEMBERS: Final = 50
"""CPython 3.6 has 141 with code."""
FEWEST_FRAMES: Final = 1000
"""No CPython has fewer functions (3.6 has 4156): with fewer entries the share says nothing of one."""


class Claim(Noun, frozen=True, kw_only=True):
    """Yes, no or unknown, and why."""

    value: bool | None
    because: str


def pgo_claim(elf: Elf, producers: Producers | None) -> Claim:
    """Was the file compiled with a profile? Debug information decides; without it, cold code in ``.eh_frame``."""
    if producers is not None:
        word = "with" if producers.profile_use else "without"
        return Claim(
            value=producers.profile_use,
            because=f"{'PGO' if producers.profile_use else 'no PGO'}: compiled {word} -fprofile-use"
            f" (DW_AT_producer in {producers.path})",
        )
    if elf.frames is None:
        return Claim(value=None, because="PGO unknown: neither debug information nor an .eh_frame that can be judged")
    if elf.bolt:
        return Claim(value=None, because="PGO unknown: BOLT rearranged the code by a profile after it was linked")
    claim = by_frames(elf.frames, elf.compilers, elf.machine)
    if claim.value and elf.landing_pads:
        return Claim(value=None, because="PGO unknown: C++ or Rust clean-up code in the file is cold without a profile")
    return claim


def by_frames(frames: Frames, compilers: tuple[str, ...], machine: str | None) -> Claim:
    if machine not in SPLITS:
        name = "an unknown machine" if machine is None else machine.removeprefix("EM_")
        return Claim(
            value=None,
            because=f"PGO unknown: for {name} gcc moves no cold code away, with a profile or without; debug information"
            " or its static archive would tell",
        )
    if frames.total < FEWEST_FRAMES:
        return Claim(value=None, because=f"PGO unknown: .eh_frame has {frames.total} entries, too few for a CPython")
    share = frames.cold / frames.total
    counted = f"{frames.cold} of {frames.total} .eh_frame entries ({share:.1%}) begin inside a function"
    if share >= WITH_PROFILE:
        return Claim(value=True, because=f"PGO: {counted}, as gcc splits code with a profile")
    if not _by_gcc(compilers):
        because = (
            f"PGO unknown: {_named(compilers)} need not move cold code away as gcc does with a profile ({counted})"
        )
        return Claim(value=None, because=because)
    if share <= WITHOUT_PROFILE:
        return Claim(value=False, because=f"no PGO: only {counted}; with a profile gcc splits far more")
    return Claim(value=None, because=f"PGO unknown: {counted}, between what gcc does with and without a profile")


def archive_pgo_claim(archive: Archive) -> Claim:
    """Were its members compiled with a profile? Cold code decides, and where gcc moves none away, hot functions."""
    if archive.machine in SPLITS or not archive.code_members:
        return by_frames(archive.frames, archive.compilers, archive.machine)
    if archive.code_members < FEWEST_MEMBERS:
        few = f"PGO unknown: {archive.code_members} of its members hold code, too few for a CPython"
        return Claim(value=None, because=few)
    share = archive.hot_members / archive.code_members
    counted = f"{archive.hot_members} of {archive.code_members} members with code have a section .text.hot"
    if share >= MOSTLY_HOT:
        return Claim(value=True, because=f"PGO: {counted}, as gcc sorts functions with a profile")
    if not _by_gcc(archive.compilers):
        because = (
            f"PGO unknown: {_named(archive.compilers)} need not sort functions as gcc does with a profile ({counted})"
        )
        return Claim(value=None, because=because)
    if share <= HARDLY_HOT:
        return Claim(value=False, because=f"no PGO: only {counted}; with a profile gcc sorts functions in most of them")
    return Claim(value=None, because=f"PGO unknown: {counted}, between what gcc does with and without a profile")


def _by_gcc(compilers: tuple[str, ...]) -> bool:
    names = " ".join(compilers).lower()
    return "gcc" in names and "clang" not in names


def _named(compilers: tuple[str, ...]) -> str:
    return compilers[0].strip("[] ") if compilers else "an unknown compiler"


def lto_claim(elf: Elf, producers: Producers | None, package: str | None) -> Claim:
    """Was the file optimised at link time? Debug information or ``.symtab`` decide; a stripped file cannot show it."""
    if producers is not None:
        word = "LTO" if producers.link_time else "no LTO"
        option = "with" if producers.link_time else "without"
        return Claim(
            value=producers.link_time, because=f"{word}: compiled {option} -flto (DW_AT_producer in {producers.path})"
        )
    if elf.lto_names:
        return Claim(value=True, because="LTO: .symtab has symbols that link-time optimisation renamed")
    clang = any("clang" in name.lower() for name in elf.compilers)
    if elf.lists_eval_source and not clang:
        return Claim(value=False, because="no LTO: .symtab names ceval.c, and link-time optimisation drops such names")
    name = re.match(r"(?:lib)?python3\.\d+", Path(elf.path).name)
    if name and package and package.startswith(name.group(0)):
        source = f"its debug package (on Debian and Ubuntu {name.group(0)}-dbg)"
    else:
        source = "a build with -g"
    return Claim(value=None, because=f"LTO unknown: stripped of symbols and debug information; {source} would tell")


def static_libpython(elf: Elf, loads: str | None) -> bool | None:
    """False for a libpython itself; None for a program in which no symbol shows an eval loop and no library has one."""
    if elf.soname is not None and elf.soname.startswith("libpython"):
        return False
    if elf.eval_loop_at is not None:
        return True
    return False if loads_libpython(elf, loads) else None


def loads_libpython(elf: Elf, loads: str | None) -> bool | None:
    """A program that neither shows an eval loop nor names a libpython may have one hidden in it, or open one itself."""
    if loads is not None or any(map(names_libpython, elf.needed)):
        return True
    return False if elf.eval_loop_at is not None else None


def image_sentence(elf: Elf, loads: str | None) -> str:
    if elf.eval_loop_at is not None:
        return "holds the eval loop itself (it defines _PyEval_EvalFrameDefault)"
    if loads is not None:
        return f"holds no eval loop; it loads {loads}: build evidence stands there"
    named = next(filter(names_libpython, elf.needed), None)
    if named is not None:
        return f"holds no eval loop; it names {named}, which is not installed or cannot be read"
    return "no symbol shows an eval loop, and no libpython is needed"


def pic_claim(elf: Elf) -> Claim:
    if elf.fixed_address:
        return Claim(value=False, because="not PIC: linked for a fixed address (ET_EXEC)")
    if elf.text_relocations:
        return Claim(value=False, because="not PIC: the loader has to patch its code (DT_TEXTREL)")
    kind = "a position-independent program (PIE)" if elf.pie else "a shared library without text relocations"
    return Claim(value=True, because=f"PIC: {kind}")


def usdt_claim(elf: Elf) -> Claim:
    sites = dict(elf.python_probes)
    if sites:
        because = (
            f"USDT: {sum(sites.values())} python probes in .note.stapsdt ({', '.join(sites)}),"
            " up to 3.11 tested in the eval loop"
        )
        return Claim(value=True, because=because)
    return Claim(value=False, because="no USDT: no python probes in .note.stapsdt")


def calls_for_tls(elf: Elf) -> bool:
    """Whether the file's thread-local variables are reached by a call, be it of ``__tls_get_addr`` or a descriptor."""
    return tls_claim(elf)[0] in ("general-dynamic", "tls-descriptors")


def tls_claim(elf: Elf) -> tuple[str | None, str]:
    """The most expensive TLS model in the file, by what it leaves for the loader (Drepper, "ELF Handling For
    Thread-Local Storage").
    """
    if elf.tls_relocations is None:
        return None, f"TLS unknown: relocations of {elf.machine.removeprefix('EM_')} are not known here"
    if "tlsdesc" in elf.tls_relocations:
        return "tls-descriptors", "TLS: descriptors, an indirect call for each access"
    if elf.tls_get_addr or "dtpmod" in elf.tls_relocations:
        return "general-dynamic", "TLS: general-dynamic, a call of __tls_get_addr for each access"
    if elf.tls_relocations:
        return "initial-exec", "TLS: initial-exec, an offset read from the GOT"
    if elf.tls_segment:
        return "local-exec", "TLS: local-exec, an offset known when linked"
    return "none", "TLS: no thread-local variables"


def interposable_claim(elf: Elf, producers: Producers | None) -> tuple[bool | None, str]:
    """What binds the calls of the file's own C API, and whether they stay interposable to the compiler.

    Two things: the linker may bind a call that gcc compiled as interposable, and what gcc did not inline for that
    reason stays a call.
    """
    interposable = producers.interposable if producers is not None else None
    bound = _bound(elf)
    if producers is not None and interposable is not None:
        how = "with -fPIC and semantic interposition: calls stay interposable, none of an exported function is inlined"
        if not interposable:
            how = "without semantic interposition of position-independent code: exported functions may be inlined"
        return interposable, f"{bound}; compiled {how} (DW_AT_producer in {producers.path})"
    return None, (
        f"{bound}; whether calls stay interposable to the compiler, which then inlines none of an exported function,"
        " is not seen in the file: `tax-probe rebuild` decides"
    )


def _bound(elf: Elf) -> str:
    if elf.own_api_slots is None:
        return f"calls of its own C API: relocations of {elf.machine.removeprefix('EM_')} are not known here"
    if elf.own_api_slots:
        return f"calls of {elf.own_api_slots} functions of its own C API go through the PLT (JUMP_SLOT)"
    if elf.own_api_addresses:
        return (
            f"no call of its own C API goes through the PLT, but the loader fills in the addresses of"
            f" {elf.own_api_addresses} of its functions (GLOB_DAT), as for calls with -fno-plt"
        )
    if elf.fixed_address or elf.pie:
        by = "a program's own functions come first"
    elif elf.symbolic:
        by = "DT_SYMBOLIC"
    else:
        by = "no JUMP_SLOT, as -Bsymbolic-functions leaves it"
    return f"calls of its own C API are bound to its own functions ({by})"


def optimisation_level(producers: Producers | None) -> tuple[str | None, str]:
    if producers is None:
        return None, "optimisation level unknown: no debug information of gcc's"
    if producers.optimisation_level is None:
        return None, f"optimisation level: units differ (DW_AT_producer in {producers.path})"
    level = producers.optimisation_level
    return level, f"optimisation level {level} (DW_AT_producer in {producers.path})"


def debug_sentence(elf: Elf) -> str:
    if elf.debug_build:
        return "a debug build: it counts all references (it exports _Py_NegativeRefcount)"
    return "no debug build: none of the functions that count all references"
