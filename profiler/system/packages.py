"""Which package of the distribution a file belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from profiler.system.tools import output_of

_DIVERSION = re.compile(r"diversion by (\S+) from")


def owners(paths: Sequence[str]) -> dict[str, str]:
    """For each path that a package owns, the package's name and version, e.g. ``"libpython3.11 3.11.2-6+deb12u6"``."""
    return _dpkg(paths) or _rpm(paths)


def _dpkg(paths: Sequence[str]) -> dict[str, str]:
    # Since /lib became a link to /usr/lib, the package lists may know a file by either name.
    names = {name: path for path in paths for name in (path, path.removeprefix("/usr"))}
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
                (one for one in owning if one.partition(":")[0] == diverting.get(name)), owning[0]
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
