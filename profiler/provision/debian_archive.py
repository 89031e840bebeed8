"""Where this machine's own Debian comes from, as sources of another suite or architecture."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from profiler.catalogue.targets import TargetEntry
from profiler.errors import MachineError
from profiler.provision.private_apt import PrivateApt, answer_of

_SECURITY = "-security"
_GETTING = re.compile(r"Get:\d+ \S+ \S+ \S+ (?P<name>\S+) \S+ (?P<version>\S+) \[(?P<size>[^]]+)\]")
"""What apt-get says of each package that it fetches."""


def sources_here(suite: str, keyring: str) -> str:
    """The sources of ``suite``, signed by ``keyring``, from where this machine gets its own Debian.

    Raises:
        MachineError: this is no Debian, or its sources name no archive.
    """
    return sources_of(
        os_release(Path("/etc/os-release").read_text(encoding="utf-8")), system_targets(), suite=suite, keyring=keyring
    )


def sources_of(system: Mapping[str, str], targets: str, *, suite: str, keyring: str) -> str:
    """The same, of a system as its os-release describes it.

    Raises:
        MachineError: as above.
    """
    if system.get("ID") != "debian":
        named = system.get("PRETTY_NAME", "an unknown system")
        raise MachineError(
            f"the packages come from Debian's archive, and this is {named}", hint="run it on Debian, 12 or newer"
        )
    found = private_sources(targets, system.get("VERSION_CODENAME", ""), suite, keyring)
    if not found:
        raise MachineError(
            f"apt's sources name no archive of {system.get('PRETTY_NAME', 'Debian')}",
            hint="add one to /etc/apt/sources.list.d (apt-get indextargets lists them)",
        )
    return found


def os_release(text: str) -> dict[str, str]:
    """os-release(5) as a mapping."""
    pairs = (line.partition("=")[::2] for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value.strip("\"'") for name, value in pairs}


def private_sources(targets: str, codename: str, suite: str, keyring: str) -> str:
    """The sources of ``suite`` in deb822 form, at the sites that serve this machine's own Debian ``codename``.

    ``targets`` has a line ``SITE RELEASE`` for each index of the system (apt-get indextargets). Empty where none is of
    ``codename``.
    """
    found = [line.rpartition(" ") for line in targets.splitlines()]
    main = next((site for site, _, release in found if release == codename), None)
    security = next((site for site, _, release in found if release == f"{codename}{_SECURITY}"), None)
    stanzas = []
    if main is not None:
        stanzas.append((main, f"{suite} {suite}-updates"))
        if security is not None:
            stanzas.append((security, f"{suite}{_SECURITY}"))
    return "\n".join(
        f"Types: deb\nURIs: {site}\nSuites: {suites}\nComponents: main\nSigned-By: {keyring}\n"
        for site, suites in stanzas
    )


def system_targets() -> str:
    """The sites and releases of the system's own sources, a line ``SITE RELEASE`` each."""
    command = ("apt-get", "-qq", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages")
    return answer_of(command, None)


def archive_of(say: Callable[[str], None]) -> Callable[[Path, str, TargetEntry], PrivateApt]:
    """How the archive of an architecture is opened, with its state in a folder; ``say`` gets what is being fetched.

    Opening raises:
        MachineError: this machine has no apt, no Debian's keyring, or no Debian sources.
    """

    def fetching(line: str) -> None:
        found = _GETTING.match(line)
        if found is not None:
            say(f"  {found['name']} {found['version']} [{found['size']}]")

    def opened(state: Path, architecture: str, entry: TargetEntry) -> PrivateApt:
        lacking = [program for program in ("apt-get", "dpkg-deb") if shutil.which(program) is None]
        if lacking:
            raise MachineError(
                f"packages are fetched and unpacked with {' and '.join(lacking)}, which this machine lacks",
                hint="run it on Debian, 12 or newer",
            )
        if not Path(entry.keyring).is_file():
            raise MachineError(
                f"no {entry.keyring} to check packages by", hint="apt-get install debian-archive-keyring"
            )
        return PrivateApt(state, architecture, sources_here(entry.suite, entry.keyring), fetching)

    return opened
