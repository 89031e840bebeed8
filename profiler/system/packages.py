"""Which package of the distribution a file belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from profiler.system.rooted import HOST, Rooted
from profiler.system.tools import output_of

_VERSION = re.compile(r"^Package: (\S+)\n(?:.+\n)*?Version: (\S+)$", re.MULTILINE)
"""Name and version of a paragraph of dpkg's status file, whose paragraphs end with an empty line."""
_DIVERSION = re.compile(r"diversion by (\S+) from")


def owners(paths: Sequence[str], at: Rooted = HOST) -> dict[str, str]:
    """For each path that a package owns, the package's name and version, e.g. ``"libpython3.11 3.11.2-6+deb12u6"``.

    ``paths`` are real. Of another root than this machine's the lists of dpkg are read, and no tool is asked.
    """
    if not at.whole:
        return _listed({at.inside(path): path for path in paths}, at)
    return _dpkg(paths) or _rpm(paths)


def _names(inside: str) -> tuple[str, ...]:
    """Since /lib became a link to /usr/lib, the package lists may know a file by either name."""
    return inside, inside.removeprefix("/usr")


def _listed(paths: Mapping[str, str], at: Rooted) -> dict[str, str]:
    """By dpkg's own files (dpkg(1), "FILES"); ``paths``: the real path of each path inside ``at``."""
    info, status = at.folder("/var/lib/dpkg/info"), at.file("/var/lib/dpkg/status")
    if info is None or status is None:
        return {}
    names = {name: real for inside, real in paths.items() for name in _names(inside)}
    versions = dict(_VERSION.findall(Path(status).read_text(errors="replace")))
    found = {}
    for file in sorted(Path(info).glob("*.list")):
        if file.is_symlink() or not file.is_file():
            continue
        package = file.name.removesuffix(".list").partition(":")[0]
        for name in names.keys() & set(file.read_text(errors="replace").splitlines()):
            if package in versions:
                found[names[name]] = f"{package} {versions[package]}"
    return found


def _dpkg(paths: Sequence[str]) -> dict[str, str]:
    names = {name: path for path in paths for name in _names(path)}
    found: dict[str, str] = {}
    diverting: dict[str, str] = {}
    for line in (output_of("dpkg-query", "-S", *names) or "").splitlines():
        packages, _, name = line.rpartition(": ")
        diversion = _DIVERSION.fullmatch(packages)
        if diversion is not None:
            diverting[name] = diversion.group(1)
        elif name in names and not packages.startswith("diversion "):
            # Of several, the one that moved the others' file away (python3.14-nopie) put its own in the place.
            owning = packages.split(", ")
            found[names[name]] = next(
                (package for package in owning if package.partition(":")[0] == diverting.get(name)), owning[0]
            )
    if not found:
        return {}
    query = ("dpkg-query", "-W", "-f", "${binary:Package}\\t${Package} ${Version}\\n")
    listed = (output_of(*query, *set(found.values())) or "").splitlines()
    versions = dict(line.split("\t", 1) for line in listed)
    return {path: versions[package] for path, package in found.items() if package in versions}


def _rpm(paths: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        answer = (output_of("rpm", "-q", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\\n", "-f", path) or "").strip()
        if answer and "not owned" not in answer:
            found[path] = answer.splitlines()[0]
    return found
