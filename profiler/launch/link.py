"""The recipe of one link mode: which libpython of the target a host is linked with, and how PyO3 and rustc are told.

PyO3 would ask sysconfig, which describes how the distribution built its packages and not the file that is linked, so
everything is written into a configuration of our own (https://pyo3.rs/main/building-and-distribution#advanced-config).
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from profiler.errors import MachineError
from profiler.launch.binaries.elf import needed
from profiler.model import LinkMode, Noun, Target
from profiler.system.install import has_debians_packages, how_to_install

_C_LIBRARY = ("libc.so", "libpython", "ld-linux")
"""Beginnings of the names that a static host does not take over from the program: rustc links these itself."""


class LinkRecipe(Noun, frozen=True, kw_only=True):
    """How to link a host."""

    library: str
    """The libpython that is linked, links followed."""
    config: str
    """The content of PYO3_CONFIG_FILE."""
    rustflags: tuple[str, ...]
    features: tuple[str, ...]
    """Cargo features of the host crate."""
    libraries: tuple[str, ...]
    """Names of the libraries that a static host takes over from the program, e.g. ``"libz.so.1"``."""


def recipe(target: Target, link: LinkMode, *, archive: str | None = None) -> LinkRecipe:
    """The recipe for ``target``; ``archive`` is linked in place of the target's own static library.

    Raises:
        MachineError: the target has no headers or not the library that ``link`` asks for; the hint names the package.
    """
    if target.include_dir is None:
        raise MachineError(f"no headers (Python.h) for {target.real_path}", hint=_headers(target))
    return _shared(target) if link == "shared" else _archive(target, link, archive)


def _shared(target: Target) -> LinkRecipe:
    if target.shared_library is None:
        message = f"no {_library_name(target, 'shared')} for {target.real_path}"
        raise MachineError(message, hint=_how_to_get(target, "shared"))
    library = Path(target.shared_library)
    directory = library.parent
    stem = library.name.partition(".so")[0]
    linked = directory / f"{stem}.so"
    if not linked.exists():
        message = f"{target.real_path} has {library}, but not {linked.name} beside it, by which a linker finds it"
        own = f"ln -s {library.name} {shlex.quote(str(linked))}"
        raise MachineError(message, hint=_headers(target) if target.prefix == "/usr" else own)
    if linked.resolve() != library.resolve():
        message = f"{linked}, by which a linker finds {library.name}, leads to {linked.resolve()}"
        raise MachineError(message, hint=f"let it lead to {library}, or name the Python that it belongs to: --python")
    config = (
        *_common(target),
        "shared=true",
        f"lib_name={stem.removeprefix('lib')}",
        f"lib_dir={directory}",
    )
    # DT_RUNPATH and not DT_RPATH: LD_LIBRARY_PATH must be able to put another libpython in its place.
    link_args = ("-Wl,--enable-new-dtags", "-Xlinker", "-rpath", "-Xlinker", str(directory))
    return LinkRecipe(
        library=str(library.resolve()),
        config=_lines(config),
        rustflags=_link_args(link_args),
        features=("auto-initialize",),
        libraries=(),
    )


def _archive(target: Target, link: LinkMode, instead: str | None) -> LinkRecipe:
    named = instead or (target.static_library if link == "static" else target.pic_library)
    if named is None:
        message = f"no {_library_name(target, link)} for {target.real_path}"
        raise MachineError(message, hint=_how_to_get(target, link))
    archive = Path(named).resolve()
    # The archive's objects are those of the program or of the shared library, and so need what these need. All
    # objects are taken: an extension module may call a function that the host itself does not.
    like = target.real_path if target.program_loads is None else target.program_loads
    libraries = tuple(name for name in needed(like) if not name.startswith(_C_LIBRARY))
    config = (
        *_common(target),
        "shared=false",
        "suppress_build_script_link_lines=true",
        f"extra_build_script_line=cargo:rustc-link-search=native={archive.parent}",
        f"extra_build_script_line=cargo:rustc-link-lib=static:-bundle,+whole-archive,+verbatim={archive.name}",
        *(f"extra_build_script_line=cargo:rustc-link-lib=dylib:+verbatim={name}" for name in libraries),
    )
    rustflags = _link_args(("-Wl,--export-dynamic",))
    if link == "static":
        rustflags += ("-C", "relocation-model=static", *_link_args(("-no-pie",)))
    return LinkRecipe(
        library=str(archive), config=_lines(config), rustflags=rustflags, features=(), libraries=libraries
    )


def _common(target: Target) -> tuple[str, ...]:
    name = _library_name(target, "shared")
    flags = [flag for letter, flag in (("t", "Py_GIL_DISABLED"), ("d", "Py_DEBUG")) if letter in _abi_flags(name)]
    return (
        "implementation=CPython",
        f"version={_major_minor(target)}",
        f"executable={target.real_path}",
        f"build_flags={','.join(flags)}",
    )


def _lines(config: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in config)


def _link_args(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for argument in arguments for part in ("-C", f"link-arg={argument}"))


def _library_name(target: Target, link: LinkMode) -> str:
    """The file name that the target's library has or would have, without version suffix."""
    suffix = {"shared": ".so", "pic": "-pic.a", "static": ".a"}[link]
    for known in (target.shared_library, target.static_library):
        if known is not None:
            stem = Path(known).name.partition(".so")[0].removesuffix(".a")
            return f"{stem}{suffix}"
    return f"libpython{_major_minor(target)}{suffix}"


def _abi_flags(library_name: str) -> str:
    """``"t"``, ``"d"``, ``"td"`` or nothing: the letters that stand after the version in ``libpython3.13t.so``."""
    match = re.match(r"libpython\d\.\d+([a-z]*)", library_name)
    return match.group(1) if match else ""


def _how_to_get(target: Target, link: LinkMode) -> str:
    own = target.prefix == "/usr"
    if own and (link == "shared" or has_debians_packages()):
        return _headers(target)
    if own or link == "pic":
        return "only Debian's and Ubuntu's own Python comes with such a library: use --python /usr/bin/python3"
    option = "with" if link == "shared" else "without"
    return f"build this Python {option} --enable-shared, or name another with --python (tax-probe doctor lists them)"


def _headers(target: Target) -> str:
    if target.prefix == "/usr":
        return how_to_install("headers", version=_major_minor(target))
    return "install this Python with its headers, or name another with --python (tax-probe doctor lists them)"


def _major_minor(target: Target) -> str:
    return ".".join(target.version.split(".")[:2])
