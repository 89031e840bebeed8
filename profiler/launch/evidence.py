"""What one ELF file or archive is: all claims about it, or None with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from profiler.launch.binaries.archive import Archive
from profiler.launch.binaries.dwarf import DEBUG_ROOT, gcc_producers
from profiler.launch.binaries.elf import Elf
from profiler.launch.file_claims import (
    Claim,
    archive_pgo_claim,
    debug_sentence,
    image_sentence,
    interposable_claim,
    loads_libpython,
    lto_claim,
    optimisation_level,
    pgo_claim,
    pic_claim,
    static_libpython,
    tls_claim,
    usdt_claim,
)
from profiler.model import Program


def describe_elf(
    elf: Elf,
    *,
    role: Literal["program", "library", "host"],
    path: str,
    package: str | None,
    loads: str | None,
    debug_root: Path = DEBUG_ROOT,
) -> Program:
    """Everything that can be said of one program or shared library.

    ``path`` is the name by which the user knows it, ``loads`` the libpython that it loads, where that is known.
    """
    holds = elf.eval_loop_at is not None
    evidence = [image_sentence(elf, loads)]
    pgo = lto = usdt = None
    tls_model = level = interposable = None
    pic = pic_claim(elf)
    if holds:
        producers = gcc_producers(elf, debug_root)
        claims = pgo_claim(elf, producers), lto_claim(elf, producers, package), usdt_claim(elf)
        pgo, lto, usdt = (claim.value for claim in claims)
        tls_model, tls_because = tls_claim(elf)
        level, level_because = optimisation_level(producers)
        interposable, binding = interposable_claim(elf, producers)
        evidence += [claim.because for claim in claims]
        evidence += [pic.because, tls_because, binding, level_because, debug_sentence(elf)]
    else:
        evidence.append(pic.because)
    return Program(
        role=role,
        path=path,
        real_path=elf.path,
        build_id=elf.build_id,
        package=package,
        static_libpython=static_libpython(elf, loads),
        loads_libpython=loads_libpython(elf, loads),
        loads=loads,
        eval_loop_image=elf.path if holds else loads,
        pie=elf.pie,
        pgo=pgo,
        lto=lto,
        pic=pic.value,
        usdt=usdt,
        tls_model=tls_model,
        dt_symbolic=elf.symbolic,
        optimisation_level=level,
        debug_build=elf.debug_build,
        usdt_probes=dict(elf.python_probes) if usdt is not None else None,
        own_api_slots=elf.own_api_slots if holds else None,
        interposable=interposable,
        evidence=tuple(evidence),
    )


def describe_archive(archive: Archive, *, package: str | None) -> Program:
    """What a program linked with this ``libpythonX.Y.a`` would carry itself."""
    pgo = archive_pgo_claim(archive)
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
        loads_libpython=False,
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
