"""The interpreter under test."""

from __future__ import annotations

from profiler.model.base import Noun


class Target(Noun, frozen=True, kw_only=True, omit_defaults=True):
    """A CPython installation under test, resolved to real ELF files.

    A document names a virtual environment where there is one, so that those of before stay what they were.
    """

    path: str
    """As the user named it (or as the default found it)."""
    real_path: str
    """The ELF program behind ``path``, all symbolic links followed."""
    version: str
    """``sys.version_info`` as ``"3.11.2"``."""
    build_id: str | None
    """GNU build-id of the program, hex."""
    program_loads: str | None
    """The libpython that the program itself loads at run time, or None when it holds its own eval loop."""
    shared_library: str | None
    """The ``libpythonX.Y.so`` that an embedder of this target would load, links followed."""
    shared_library_build_id: str | None
    static_library: str | None
    """``libpythonX.Y.a`` in LIBPL, or None."""
    pic_library: str | None
    """``libpythonX.Y-pic.a`` in LIBPL, or None."""
    include_dir: str | None
    """The directory that holds ``Python.h``, or None when the headers are not installed."""
    library_dir: str | None
    """sysconfig's LIBDIR; told in documents alone."""
    prefix: str
    venv_program: str | None = None
    """The program of a virtual environment, where one was named: the baseline runs as that, so that CPython finds the
    environment. Absolute; ``real_path`` is the file behind it."""

    triple: str | None = None
    """Of another machine than this one, as Rust calls it (``"aarch64-unknown-linux-gnu"``); its files are read and run
    by an emulator."""

    @property
    def where_it_runs(self) -> str:
        """In which virtual environment, as the end of a line; empty where in none."""
        return "" if self.venv_program is None else f", in the virtual environment of {self.venv_program}"
