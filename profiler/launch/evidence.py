"""From facts of a file to claims about it: each with the sentence that carries it, or None with the reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from profiler.launch.archive import Archive
from profiler.launch.dwarf import DEBUG_ROOT, Producers, gcc_producers
from profiler.launch.eh_frame import Frames
from profiler.launch.elf import Elf
from profiler.model import Noun, Program

WITH_PROFILE: Final = 0.10
WITHOUT_PROFILE: Final = 0.03
"""Shares of cold entries in ``.eh_frame`` at and above which gcc had a profile, and at and below which it had none.

Seen with gcc 12, against the truth in DW_AT_producer: 0.306 in Debian's program (3131 of 10221, ``-fprofile-use``) and
0.0025 in its libpython (15 of 6102, without); 0.0014–0.0029 in seven more CPythons built without a profile, 0.0165 in
one. Between the two nothing is claimed.
"""
FEWEST_FRAMES: Final = 1000
"""No CPython has fewer functions (3.6 has 4156): with fewer entries the share says nothing of one."""


class Claim(Noun, frozen=True, kw_only=True):
    """Yes, no or unknown, and why."""

    value: bool | None
    because: str


def describe_elf(
    elf: Elf,
    *,
    role: Literal["program", "library", "host"],
    path: str,
    package: str | None,
    loads_libpython: str | None,
    debug_root: Path = DEBUG_ROOT,
) -> Program:
    """Everything that can be said of one program or shared library.

    ``path`` is the name by which the user knows it, ``loads_libpython`` the library that it loads.
    """
    holds = elf.eval_loop_at is not None
    evidence = [_image_sentence(elf, loads_libpython)]
    pgo = lto = usdt = None
    tls_model = None
    pic = _pic(elf)
    if holds:
        producers = gcc_producers(elf, debug_root)
        claims = pgo_claim(elf, producers), lto_claim(elf, producers, package), _usdt(elf)
        pgo, lto, usdt = (claim.value for claim in claims)
        tls_model, tls_because = tls_claim(elf)
        evidence += [claim.because for claim in claims] + [pic.because, tls_because, _binding_sentence(elf)]
    else:
        evidence.append(pic.because)
    return Program(
        role=role,
        path=path,
        real_path=elf.path,
        build_id=elf.build_id,
        package=package,
        static_libpython=_static(elf, loads_libpython),
        loads_libpython=loads_libpython,
        eval_loop_image=elf.path if holds else loads_libpython,
        pie=elf.pie,
        pgo=pgo,
        lto=lto,
        pic=pic.value,
        usdt=usdt,
        tls_model=tls_model,
        dt_symbolic=elf.symbolic,
        evidence=tuple(evidence),
    )


def describe_archive(archive: Archive, *, package: str | None) -> Program:
    """What a program linked with this ``libpythonX.Y.a`` would carry itself."""
    pgo = _by_frames(archive.frames, archive.compilers)
    if archive.lto_members:
        lto = Claim(value=True, because=f"LTO: {archive.lto_members} of {archive.members} members hold code for it")
    else:
        lto = Claim(value=False, because="no LTO across its objects: no member holds the compiler's code for it")
    pic: bool | None = None
    because = "PIC unknown: the relocations of its code show neither absolute addresses nor a GOT"
    if archive.absolute_code:
        pic, because = False, "not PIC: its code holds absolute addresses, only a non-PIE program can link it"
    elif archive.got_code:
        pic, because = True, "PIC: its code takes addresses from the GOT and holds no absolute ones"
    return Program(
        role="library",
        path=archive.path,
        real_path=archive.path,
        build_id=None,
        package=package,
        static_libpython=True,
        loads_libpython=None,
        eval_loop_image=None,
        pie=None,
        pgo=pgo.value,
        lto=lto.value,
        pic=pic,
        usdt=None,
        tls_model=None,
        dt_symbolic=None,
        evidence=(
            "a static library: a program linked with it holds the eval loop itself",
            pgo.because,
            lto.because,
            because,
        ),
    )


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
        return Claim(value=None, because="PGO unknown: neither debug information nor .eh_frame")
    if elf.bolt:
        return Claim(value=None, because="PGO unknown: BOLT rearranged the code by a profile after it was linked")
    claim = _by_frames(elf.frames, elf.compilers)
    if claim.value and elf.landing_pads:
        return Claim(value=None, because="PGO unknown: C++ or Rust clean-up code in the file is cold without a profile")
    return claim


def _by_frames(frames: Frames, compilers: tuple[str, ...]) -> Claim:
    if frames.total < FEWEST_FRAMES:
        return Claim(value=None, because=f"PGO unknown: .eh_frame has {frames.total} entries, too few for a CPython")
    share = frames.cold / frames.total
    counted = f"{frames.cold} of {frames.total} .eh_frame entries ({share:.1%}) begin inside a function"
    if share >= WITH_PROFILE:
        return Claim(value=True, because=f"PGO: {counted}, as gcc splits code with a profile")
    if not any("gcc" in name.lower() for name in compilers) or any("clang" in name.lower() for name in compilers):
        compiler = compilers[0].strip("[] ") if compilers else "an unknown compiler"
        because = f"PGO unknown: {compiler} need not move cold code away as gcc does with a profile ({counted})"
        return Claim(value=None, because=because)
    if share <= WITHOUT_PROFILE:
        return Claim(value=False, because=f"no PGO: only {counted}; with a profile gcc splits far more")
    return Claim(value=None, because=f"PGO unknown: {counted}, between what gcc does with and without a profile")


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
    if elf.lists_eval_source:
        return Claim(value=False, because="no LTO: .symtab names ceval.c, and link-time optimisation drops such names")
    name = re.match(r"(?:lib)?python3\.\d+", Path(elf.path).name)
    if name and package and package.startswith(name.group(0)):
        source = f"its debug package (on Debian and Ubuntu {name.group(0)}-dbg)"
    else:
        source = "a build with -g"
    return Claim(value=None, because=f"LTO unknown: stripped of symbols and debug information; {source} would tell")


def _static(elf: Elf, loads_libpython: str | None) -> bool | None:
    """False for a libpython itself; None for a program in which no symbol shows an eval loop and no library has one."""
    if elf.soname is not None and elf.soname.startswith("libpython"):
        return False
    if elf.eval_loop_at is not None:
        return True
    return False if loads_libpython is not None else None


def _image_sentence(elf: Elf, loads_libpython: str | None) -> str:
    if elf.eval_loop_at is not None:
        return "holds the eval loop itself (it defines _PyEval_EvalFrameDefault)"
    if loads_libpython is not None:
        return f"holds no eval loop; it loads {loads_libpython}: build evidence stands there"
    return "no symbol shows an eval loop, and no libpython is needed"


def _pic(elf: Elf) -> Claim:
    if elf.fixed_address:
        return Claim(value=False, because="not PIC: linked for a fixed address (ET_EXEC)")
    if elf.text_relocations:
        return Claim(value=False, because="not PIC: the loader has to patch its code (DT_TEXTREL)")
    kind = "a position-independent program (PIE)" if elf.pie else "a shared library without text relocations"
    return Claim(value=True, because=f"PIC: {kind}")


def _usdt(elf: Elf) -> Claim:
    if elf.python_probes:
        because = f"USDT: {elf.python_probes} python probes in .note.stapsdt, up to 3.11 tested in the eval loop"
        return Claim(value=True, because=because)
    return Claim(value=False, because="no USDT: no python probes in .note.stapsdt")


def calls_for_tls(elf: Elf) -> bool:
    """Whether the file's thread-local variables are reached by a call, be it of ``__tls_get_addr`` or a descriptor."""
    return tls_claim(elf)[0] in ("general-dynamic", "tls-descriptors")


def tls_claim(elf: Elf) -> tuple[str, str]:
    """The most expensive TLS model in the file, by what it leaves for the loader (Drepper, "ELF Handling For
    Thread-Local Storage").
    """
    if any("TLSDESC" in kind for kind in elf.tls_relocations):
        return "tls-descriptors", "TLS: descriptors, an indirect call for each access"
    if elf.tls_get_addr or any("DTPMOD" in kind for kind in elf.tls_relocations):
        return "general-dynamic", "TLS: general-dynamic, a call of __tls_get_addr for each access"
    if elf.tls_relocations:
        return "initial-exec", "TLS: initial-exec, an offset read from the GOT"
    if elf.tls_segment:
        return "local-exec", "TLS: local-exec, an offset known when linked"
    return "none", "TLS: no thread-local variables"


def _binding_sentence(elf: Elf) -> str:
    if elf.own_api_slots:
        return f"interposition: calls to {elf.own_api_slots} of its own C API functions go through the PLT"
    return "no interposition: no call to its own C API goes through the PLT"
