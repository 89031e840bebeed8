"""Build options that a CPython's file shows, as data: how each is read, in which words, and which setting costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from profiler.model.installed import InstalledPython

_LEVELS: Final = ("-O3", "-Ofast", "-O2", "-O1", "-O", "-Os", "-Oz", "-Og", "-O0")
_TLS: Final = ("none", "local-exec", "initial-exec", "tls-descriptors", "general-dynamic")


@dataclass(frozen=True, kw_only=True)
class BuildOption:
    """One option. ``read`` gives its setting in words, None where the file does not show it."""

    id: str
    title: str
    read: Callable[[InstalledPython], str | None]
    cause: str | None = None
    """Id in ``catalogue.causes``."""
    cheap_first: tuple[str, ...] = ()
    """Its settings by what they are known to cost in instructions; empty: not known."""
    brings: tuple[str, ...] = ()
    """Options that this one changes with it, where its costlier setting and theirs go together."""


def _either(value: bool | None, yes: str, no: str) -> str | None:
    return None if value is None else yes if value else no


def _hardened(name: str, yes: str, no: str) -> BuildOption:
    return BuildOption(
        id=name.replace(" ", "-").lower(),
        title=name,
        read=lambda python: _either(None if python.hardening is None else name in python.hardening, yes, no),
        cheap_first=(no, yes),
    )


def _calls(python: InstalledPython) -> str | None:
    """How calls of its own C API are bound, by the linker and before that by the compiler."""
    if python.file.own_api_slots:
        return "calls by PLT"
    if python.file.interposable:
        return "calls stay interposable"
    bound = python.file.own_api_slots is not None and (python.file.interposable is False or python.kind == "program")
    return "calls bound" if bound else None


BUILD_OPTIONS: Final = (
    BuildOption(
        id="free-threaded",
        title="GIL",
        cause="version",
        read=lambda python: _either(python.free_threaded, "no GIL", "GIL"),
        cheap_first=("GIL", "no GIL"),
    ),
    BuildOption(
        id="debug",
        title="debug build",
        cause="dev-mode",
        read=lambda python: _either(python.file.debug_build, "debug build", "no debug build"),
        cheap_first=("no debug build", "debug build"),
        # Configure's --with-pydebug lowers the level, and without one nothing is fortified.
        brings=("optimisation", "fortify"),
    ),
    BuildOption(
        id="optimisation",
        title="-O level",
        cause="optimisation-level",
        read=lambda python: python.file.optimisation_level,
        cheap_first=_LEVELS,
    ),
    BuildOption(
        id="pgo",
        title="PGO",
        cause="pgo",
        read=lambda python: _either(python.file.pgo, "PGO", "no PGO"),
        cheap_first=("PGO", "no PGO"),
    ),
    BuildOption(
        id="lto",
        title="LTO",
        cause="lto",
        read=lambda python: _either(python.file.lto, "LTO", "no LTO"),
        cheap_first=("LTO", "no LTO"),
    ),
    BuildOption(
        id="shared",
        title="shared library",
        cause="eval-loop-image",
        read=lambda python: "in a shared library" if python.kind == "library" else "in the program itself",
        cheap_first=("in the program itself", "in a shared library"),
        # What a library cannot do without, or has by default.
        brings=("pic", "calls", "tls"),
    ),
    BuildOption(
        id="pic",
        title="PIC",
        cause="pic",
        read=lambda python: _either(python.file.pic, "PIC", "no PIC"),
        cheap_first=("no PIC", "PIC"),
    ),
    BuildOption(
        id="calls",
        title="own calls",
        cause="plt",
        read=_calls,
        cheap_first=("calls bound", "calls stay interposable", "calls by PLT"),
    ),
    BuildOption(
        id="tls",
        title="TLS model",
        cause="tls",
        read=lambda python: None if python.file.tls_model is None else f"TLS {python.file.tls_model}",
        cheap_first=tuple(f"TLS {model}" for model in _TLS),
    ),
    BuildOption(
        id="usdt",
        title="USDT",
        cause="usdt",
        read=lambda python: _either(python.file.usdt, "USDT probes", "no USDT"),
        cheap_first=("no USDT", "USDT probes"),
    ),
    _hardened("stack protector", "stack protector", "no stack protector"),
    _hardened("fortify", "fortified", "not fortified"),
    _hardened("CET", "CET", "no CET"),
    BuildOption(id="compiler", title="compiler", read=lambda python: python.compiler),
)
"""What costs most comes first; what brings others along before them."""
