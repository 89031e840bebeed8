"""Where this machine's own Debian comes from, as sources of another suite or architecture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from profiler.errors import MachineError
from profiler.system.private_apt import answer_of

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""What signs Debian's own archive (package debian-archive-keyring)."""
_SECURITY = "-security"


def own_suite() -> str:
    """The code name of this machine's Debian; empty where it has none.

    Raises:
        OSError: the system does not say what it is.
    """
    return os_release(Path("/etc/os-release").read_text(encoding="utf-8")).get("VERSION_CODENAME", "")


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
