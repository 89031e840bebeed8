"""What an ELF file is."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun


class Hardening(Noun, frozen=True, kw_only=True):
    """What hardens a file, as far as it shows."""

    relro: Literal["full", "partial", "none"]
    """The loader makes relocated data read-only: all, all but the PLT's addresses, or nothing."""
    executable_stack: bool | None
    """None: the file does not say."""
    stack_protector: bool
    """It imports what a stack protector calls; False may be code without buffers."""
    fortified: int
    """Checked functions that it imports (``_FORTIFY_SOURCE``)."""
    branch_protection: tuple[str, ...]
    """Of all its code: ``IBT``, ``SHSTK`` on x86."""


class Program(Noun, frozen=True, kw_only=True):
    """What one ELF file is, by evidence from the file itself (never from sysconfig)."""

    role: Literal["program", "library", "host"]
    path: str
    real_path: str
    build_id: str | None
    package: str | None
    static_libpython: bool | None
    """The eval loop is linked into this program, or would be from this ``.a``; False for a shared libpython itself."""
    loads_libpython: bool | None
    """It names a libpython (DT_NEEDED), or one was seen in its process; None: no symbol shows an eval loop in it, and
    it may open one itself. (Folders of before 2026-11-26 hold the library's path or null here.)"""
    eval_loop_image: str | None
    pie: bool | None
    pgo: bool | None
    lto: bool | None
    pic: bool | None
    usdt: bool | None
    tls_model: str | None
    dt_symbolic: bool | None
    optimisation_level: str | None = None
    """As gcc was told, ``"-O2"``; None without debug information, or where the units differ."""
    debug_build: bool | None = None
    """Counts all references (``--with-pydebug``)."""
    loads: str | None = None
    """The libpython that it loads, a path; None where it loads none or that is not installed."""
    usdt_probes: dict[str, int] | None = None
    """Sites of the python probes, by name."""
    own_api_slots: int | None = None
    """Functions of its own C API that it calls through the PLT; 0: all such calls are bound to its own."""
    interposable: bool | None = None
    """Its calls stay interposable: gcc had to expect another library's function in place of each exported one, and so
    inlined none (``-fPIC`` without ``-fno-semantic-interposition``). None: the file does not show it."""
    kind: (
        Literal[
            "interpreter", "libpython", "extension-module", "frozen-program", "host", "archive", "library", "program"
        ]
        | None
    ) = None
    """What ``inspect`` takes the file for, finer than ``role``; None in older folders."""
    machine: str | None = None
    """What it is built for, e.g. ``"x86_64 64-bit little-endian"``."""
    hardening: Hardening | None = None
    """None: not asked for."""
    evidence: tuple[str, ...]


class Inspection(Noun, frozen=True, kw_only=True):
    """Answer of ``tax-probe inspect``."""

    programs: tuple[Program, ...]
    contradictions: tuple[str, ...]
    expectation: str
