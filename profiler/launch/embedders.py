"""The programs and plugins installed on this machine that load a libpython, and so run its eval loop."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from profiler.errors import UsageError
from profiler.launch.binaries.elf import Elf, needed, read_elf
from profiler.launch.binaries.libpython import names_libpython
from profiler.launch.evidence import describe_elf
from profiler.launch.file_inspection import direction
from profiler.launch.installation import image_of, read_installed
from profiler.launch.interpreters import find_targets
from profiler.model import Inspection, Noun, Program, Target
from profiler.system.packages import owners

ROOTS: Final = (
    *("/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/lib", "/usr/lib64", "/usr/local", "/opt"),
    *("/bin", "/sbin", "/lib", "/lib64"),
)
TIME_LIMIT_S: Final = 60.0

_PYTHON = re.compile(r"python3?(\.\d+)?")

EXPECTED_TO_PAY: Final = "expected to pay"
"""How the sentence of a host begins that runs a slower build than its python program."""

Progress = Callable[[int, str], None]
"""Called for each directory, with the number of files seen so far and the directory."""


class Scan(Noun, frozen=True, kw_only=True):
    """ELF files that name a libpython (DT_NEEDED), with that name."""

    hosts: tuple[tuple[str, str], ...]
    files: int
    complete: bool
    """False: the time ran out."""


def scan(progress: Progress, *, roots: Sequence[str] = ROOTS, time_limit_s: float = TIME_LIMIT_S) -> Scan:
    """Look at every program and library below ``roots`` (links are not followed, each file counts once)."""
    deadline = time.monotonic() + time_limit_s
    hosts: list[tuple[str, str]] = []
    files = 0
    seen: set[tuple[int, int]] = set()
    for root in roots:
        for directory, _, names in os.walk(root) if not Path(root).is_symlink() else ():
            progress(files, directory)
            if time.monotonic() > deadline:
                return Scan(hosts=tuple(hosts), files=files, complete=False)
            for path, identity in _candidates(directory, names):
                if identity not in seen:
                    seen.add(identity)
                    files += 1
                    wanted = next(filter(names_libpython, _needed(path)), None)
                    if wanted is not None and not names_libpython(Path(path).name):
                        hosts.append((path, wanted))
    return Scan(hosts=tuple(hosts), files=files, complete=True)


def inspect_system(progress: Progress, *, roots: Sequence[str] = ROOTS) -> Inspection:
    """Find the hosts below ``roots``, and say for each which libpython it loads and what to expect of it.

    Programs and plugins that open a libpython themselves (dlopen) name none in their file and are not found.
    """
    found = scan(progress, roots=roots)
    hosts = {elf: path_of_image(elf) for path, _ in found.hosts if (elf := _intact(path)) is not None}
    targets = _targets([elf.path for elf in hosts if _PYTHON.fullmatch(Path(elf.path).name)])
    images = [elf for path in dict.fromkeys(hosts.values()) if path is not None and (elf := _intact(path)) is not None]
    baselines = [elf for target in targets if (elf := _intact(target.real_path)) is not None]
    packages = owners([elf.path for elf in (*hosts, *images, *baselines)])

    def described(elf: Elf, role: Literal["program", "library", "host"], loads: str | None) -> Program:
        return describe_elf(elf, role=role, path=elf.path, package=packages.get(elf.path), loads=loads)

    libraries = {elf.path: described(elf, "library", None) for elf in images}
    programs = {elf.path: described(elf, "program", None) for elf in baselines}
    listed = []
    for elf, image in hosts.items():
        host = described(elf, "program" if elf.path in programs else "host", image)
        sentence = _expectation(libraries.get(image or ""), targets, programs)
        listed.append(msgspec.structs.replace(host, evidence=(*host.evidence, sentence)))
    paying = [program.path for program in listed if program.evidence[-1].startswith(EXPECTED_TO_PAY)]
    return Inspection(
        programs=(*listed, *libraries.values()),
        contradictions=(),
        expectation=_summary(found, len(listed), paying),
    )


def _expectation(library: Program | None, targets: list[Target], programs: dict[str, Program]) -> str:
    """What a host that runs ``library`` has to expect, against the python programs that belong to the library."""
    if library is None:
        return "unknown: no installed file is found under that name"
    for target in targets:
        if target.program_loads == library.path:
            return f"no difference expected: {target.real_path} runs the same eval loop"
    for target in targets:
        if target.shared_library == library.path:
            program = programs[target.real_path]
            if program.pgo and library.pgo is False:
                return f"{EXPECTED_TO_PAY}: {target.real_path} was compiled with PGO, {library.path} without"
            return f"other machine code than {target.real_path} runs: {direction(program, library)}"
    return "unknown: no python program on this machine belongs to that library"


def _summary(found: Scan, hosts: int, paying: list[str]) -> str:
    bound = "" if found.complete else f" in the {TIME_LIMIT_S:.0f} s allowed (not all were reached)"
    text = f"{hosts} of {found.files} programs and libraries{bound} load a libpython."
    if paying:
        text += f" Expected to run more instructions for the same bytecode than python3: {', '.join(paying)}."
    return text


def _targets(named: list[str]) -> list[Target]:
    """The python programs to compare with: those that are known and those among the hosts, read and not run."""
    targets = []
    for path in dict.fromkeys((*find_targets(), *named)):
        with suppress(UsageError, OSError):
            installed = read_installed(path, read_elf(str(Path(path).resolve())))
            if installed is not None:
                targets.append(installed.target)
    return targets


def path_of_image(elf: Elf) -> str | None:
    """Where the libpython lies that ``elf`` loads; None where it loads none, or none is found."""
    found = image_of(elf)
    return None if found is None else found.path


def _needed(path: str) -> tuple[str, ...]:
    try:
        return needed(path)
    except (OSError, UsageError):
        return ()


def _intact(path: str) -> Elf | None:
    try:
        return read_elf(path)
    except (OSError, UsageError):
        return None


def _candidates(directory: str, names: list[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Files that may be programs or libraries: executable, or ``.so`` in the name (Debian's libraries are not)."""
    for name in names:
        path = f"{directory}/{name}"
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and (status.st_mode & 0o111 or ".so" in name):
            yield path, (status.st_dev, status.st_ino)
