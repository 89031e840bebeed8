"""The archive that a target's packages come from."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from profiler.catalogue.targets import TargetEntry
from profiler.errors import MachineError
from profiler.system.debian_sources import sources_here
from profiler.system.private_apt import PrivateApt, Remedies

_GETTING = re.compile(r"Get:\d+ \S+ \S+ \S+ (?P<name>\S+) \S+ (?P<version>\S+) \[(?P<size>[^]]+)\]")
"""What apt-get says of each package that it fetches."""


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
        if not Path(entry.keyring).is_file():
            raise MachineError(
                f"no {entry.keyring} to check packages by", hint="apt-get install debian-archive-keyring"
            )
        remedies = Remedies(
            no_apt="run it on Debian, 12 or newer", superseded=f"tax-probe provision {entry.name} --update"
        )
        return PrivateApt(
            state, architecture, lambda: sources_here(entry.suite, entry.keyring), remedies, on_line=fetching
        )

    return opened
