"""What a target and an embedder of it would run, where its sysconfig is wrong about that, and what to expect."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from profiler.launch.binaries.archive import read_archive
from profiler.launch.binaries.dwarf import DEBUG_ROOT
from profiler.launch.binaries.elf import Elf, read_elf
from profiler.launch.evidence import describe_archive, describe_elf
from profiler.launch.interpreters import ask
from profiler.launch.runtime_maps import eval_loop_image
from profiler.model import Inspection, Program, Target
from profiler.system.packages import owners
from profiler.system.rooted import HOST, Rooted


def inspect_target(target: Target) -> Inspection:
    """Read the program, the libraries an embedder could link, and compare them with what sysconfig claims.

    Runs the target once more for its claims and its memory map, and no workload: for runs that run it anyhow.
    ``file_reading`` does without.

    Raises:
        UsageError: a file is damaged, or the target no longer answers.
    """
    answer = ask(target.real_path)
    running = eval_loop_image(answer.maps, target.real_path)
    proof = () if running is None else (f"running it takes the eval loop from {running} (/proc/self/maps)",)
    return inspection_of(target, read_elf(target.real_path), answer.sysconfig, proof)


def inspection_of(
    target: Target, elf: Elf, says: Mapping[str, str], proof: tuple[str, ...], at: Rooted = HOST
) -> Inspection:
    """What ``target`` is, whose program is ``elf`` and whose sysconfig ``says`` that; ``proof``: sentences on whose
    eval loop it runs.

    Raises:
        UsageError: a file is damaged.
        OSError: it cannot be read.
    """
    libraries = [path for path in (target.shared_library, target.program_loads) if path is not None]
    archives = [path for path in (target.static_library, target.pic_library) if path is not None]
    packages = owners([target.real_path, *libraries, *archives], at)
    roots = debug_root(elf, at)
    program = describe_elf(
        elf,
        role="program",
        path=target.path,
        package=packages.get(target.real_path),
        loads=target.program_loads,
        debug_root=roots,
    )
    program = msgspec.structs.replace(
        program, kind="interpreter", evidence=(program.evidence[0], *proof, *program.evidence[1:])
    )
    programs = [program]
    for path in dict.fromkeys(libraries):
        library = read_elf(path)
        described = describe_elf(
            library,
            role="library",
            path=at.inside(path),
            package=packages.get(path),
            loads=None,
            debug_root=debug_root(library, at),
        )
        programs.append(msgspec.structs.replace(described, kind="libpython"))
    for path in archives:
        described = describe_archive(read_archive(path), package=packages.get(path))
        programs.append(msgspec.structs.replace(described, kind="archive", path=at.inside(path)))
    return Inspection(
        programs=tuple(programs),
        contradictions=contradictions(programs, says),
        expectation=expectation(programs, target),
    )


def debug_root(elf: Elf, at: Rooted) -> Path:
    """Where separate debug files of ``elf`` are looked for: nowhere, where the way there leads out of ``at``."""
    if at.whole or elf.build_id is None:
        return DEBUG_ROOT
    place = f"{DEBUG_ROOT}/.build-id/{elf.build_id[:2]}/{elf.build_id[2:]}.debug"
    real = at.file(place)
    return Path(real).parents[2] if real is not None and real.endswith(place) else Path(os.devnull)


def together(inspections: list[Inspection]) -> Inspection:
    """Several inspections as one document; a file that several share stands in it once."""
    programs = {(program.role, program.path): program for inspection in inspections for program in inspection.programs}
    return Inspection(
        programs=tuple(programs.values()),
        contradictions=tuple(
            dict.fromkeys(sentence for inspection in inspections for sentence in inspection.contradictions)
        ),
        expectation="\n".join(inspection.expectation for inspection in inspections),
    )


def contradictions(programs: list[Program], says: Mapping[str, str]) -> tuple[str, ...]:
    """Where sysconfig claims something that the files refute. Claims that no file can refute are not listed."""
    program = programs[0]
    found = []
    shared = says.get("Py_ENABLE_SHARED")
    if shared == "1" and program.static_libpython:
        found.append(
            f"sysconfig says Py_ENABLE_SHARED=1, but {program.real_path} loads no libpython: it holds its own eval loop"
        )
    if shared == "0" and program.loads is not None:
        found.append(f"sysconfig says Py_ENABLE_SHARED=0, but {program.real_path} loads {program.loads}")
    options = says.get("CONFIG_ARGS", "")
    for option, name in (("--enable-optimizations", "pgo"), ("--with-lto", "lto")):
        claimed = option in options
        for file in programs:
            seen = getattr(file, name)
            if seen is not None and seen != claimed and (claimed or file.role == "program"):
                found.append(
                    f"sysconfig's CONFIG_ARGS {'name' if claimed else 'do not name'} {option},"
                    f" but {file.real_path} is {'' if seen else 'not '}built with {name.upper()}"
                )
    versions = {program.package.split(" ", 1)[1] for program in programs if program.package is not None}
    if len(versions) > 1:
        of = "; ".join(
            f"{program.real_path} is from {program.package}" for program in programs if program.package is not None
        )
        found.append(f"program and libraries come from different package versions: {of}")
    return tuple(found)


def expectation(programs: list[Program], target: Target) -> str:
    """What to expect of embedding ``target``, in words: files tell the direction at most, never the size."""
    program = programs[0]
    shared = next((program for program in programs[1:] if program.real_path == target.shared_library), None)
    archives = [program for program in programs[1:] if program.static_libpython]
    if shared is None and not archives:
        return (
            f"No libpython of {program.real_path} is installed: nothing can embed it"
            f" (on Debian and Ubuntu install libpython{_minor(target)}-dev)."
        )
    if shared is None:
        return (
            f"No shared libpython of {program.real_path} is installed. A host can only link"
            f" {' or '.join(archive.real_path for archive in archives)} and holds the eval loop itself."
        )
    if program.eval_loop_image == shared.real_path:
        return (
            f"{program.real_path} and an embedder run the same eval loop, from {shared.real_path}:"
            " expect no difference in instructions for the same bytecode."
        )
    better = next((archive for archive in archives if archive.pgo and shared.pgo is False), None)
    return " ".join(
        (
            f"An embedder runs other machine code than {program.real_path} does: that of {shared.real_path}"
            f"{_differences(program, shared)}.",
            direction(program, shared),
            *((f"A host linked with {better.real_path}, which has PGO, should lose less.",) if better else ()),
        )
    )


def direction(program: Program, library: Program) -> str:
    """What the difference in PGO, the one cause that files show to be large, lets expect of ``library``."""
    if program.pgo and library.pgo is False:
        return "Expect more instructions for the same bytecode, most of all in interpreter-bound work."
    if program.pgo is False and library.pgo:
        return "Expect fewer instructions for the same bytecode than in the program."
    return "The files do not tell which is slower: measure it with `tax-probe ipc`."


def _differences(program: Program, library: Program) -> str:
    seen = []
    for name in ("pgo", "lto", "pic", "usdt"):
        ours, theirs = getattr(program, name), getattr(library, name)
        if ours is not None and theirs is not None and ours != theirs:
            seen.append(f"{'with' if theirs else 'without'} {name.upper()}")
    if program.tls_model != library.tls_model:
        seen.append(f"TLS model {library.tls_model}")
    return f", built {', '.join(seen)}, unlike the program" if seen else ""


def _minor(target: Target) -> str:
    return ".".join(target.version.split(".")[:2])
