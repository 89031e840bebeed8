"""A compiler and linker for another machine, from unpacked packages: scripts that give them the libraries they need."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from profiler.errors import MachineError
from profiler.launch.cargo import Toolchain, find_cargo
from profiler.system.tools import output_of


def cross_toolchain(tools: Path, root: Path, scripts: Path, *, triple: str, multiarch: str) -> Toolchain:
    """This machine's cargo with the rustc and the gcc of ``tools``, for ``triple``; ``root`` is the other machine's
    system, and the folder ``scripts`` gets what calls them.

    The path to the tools' libraries is set for these programs alone: what they start is this machine's own.

    Raises:
        MachineError: there is no cargo, or the compiler does not run here.
    """
    usr = tools / "usr"
    libraries = f"{usr}/lib/{platform.machine()}-linux-gnu"
    scripts.mkdir(parents=True, exist_ok=True)
    with_libraries = f"export LD_LIBRARY_PATH={libraries} PATH={usr}/bin:$PATH\n"
    rustc = _script(scripts / "rustc", f'exec env LD_LIBRARY_PATH={libraries} {usr}/bin/rustc --sysroot {usr} "$@"')
    linker = _script(
        scripts / "linker",
        f'{with_libraries}exec {usr}/bin/{multiarch}-gcc-12 -B{usr}/{multiarch}/bin --sysroot={root} "$@"',
    )
    ar = _script(scripts / "ar", f'{with_libraries}exec {usr}/bin/{multiarch}-ar "$@"')
    try:
        said = subprocess.run((str(rustc), "-vV"), capture_output=True, text=True, check=True).stdout
        version = next(line.removeprefix("release: ") for line in said.splitlines() if line.startswith("release: "))
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        raise MachineError(
            f"the unpacked compiler does not run here: {error}", hint="tax-probe provision TARGET --update"
        ) from error
    linked_by = (output_of(str(linker), "--version") or "none").partition("\n")[0]
    return Toolchain(
        cargo=find_cargo().cargo,
        rustc=str(rustc),
        version=version,
        triple=triple,
        identity=f"{said}linker: {linked_by}\n",
        linker=str(linker),
        ar=str(ar),
    )


def _script(path: Path, body: str) -> Path:
    text = f"#!/bin/sh\n{body}\n"
    # Cargo looks at the time of the compiler: what is the same stays.
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return path
