"""Debian's packages by a private apt: the system's mirrors, keyring and proxies, and nothing else of the system's.

Nothing is installed and no file of the system is written. apt checks the archive's signature and each package's hash;
what was resolved is recorded, and is asked for again only with ``--update``.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from profiler.errors import MachineError
from profiler.model import Noun
from profiler.model.provisioning import PackageGroup
from profiler.system.logged import Failed, run_logged

_TIMEOUT_S = 900.0
_KEPT = re.compile(r"^Acquire::(?:https?|Check-|ForceIP|Retries)")
"""What of the system's configuration concerns the way to the mirrors."""
_LINE = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$")


class Deb(Noun, frozen=True, kw_only=True):
    """One package file, as the archive's signed index has it."""

    file: str
    """``NAME_VERSION_ARCHITECTURE.deb``, where a colon is ``%3a``."""
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The package's name."""
        return self.file.partition("_")[0]

    @property
    def version(self) -> str:
        """The package's version."""
        return self.file.split("_")[1].replace("%3a", ":")


def configuration(state: Path, architecture: str, dump: str) -> str:
    """An APT_CONFIG of its own below ``state``; of the system's ``dump`` (apt-config dump) the way to the mirrors."""
    kept = [line for line in dump.splitlines() if _KEPT.match(line) and not line.endswith(' "";')]
    own = {
        "APT::Architecture": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Acquire::ForceHash": "SHA256",
        "Dir::Etc": str(state / "etc"),
        "Dir::Etc::netrc": "/etc/apt/auth.conf",
        "Dir::Etc::netrcparts": "/etc/apt/auth.conf.d",
        "Dir::State": str(state),
        "Dir::State::status": str(state / "status"),
        "Dir::Cache": str(state),
        "Dir::Log": str(state),
    }
    architectures = f'APT::Architectures {{ "{architecture}"; }};'
    return "\n".join([*kept, architectures, *(f'{name} "{value}";' for name, value in own.items())]) + "\n"


def parse_uris(text: str) -> tuple[Deb, ...]:
    """What ``apt-get --print-uris`` lists; lines that are none of its are passed over."""
    found = (_LINE.match(line) for line in text.splitlines())
    return tuple(
        Deb(file=match["file"], size=int(match["size"]), sha256=match["sha256"]) for match in found if match is not None
    )


def chosen(resolved: Iterable[Deb], group: PackageGroup) -> tuple[Deb, ...]:
    """What of it the group takes."""
    out = re.compile("|".join(f"(?:{one})" for one in group.left_out) or r"(?!)")
    return tuple(deb for deb in resolved if not out.fullmatch(deb.name) and (not group.only or deb.name in group.only))


class PrivateApt:
    """One architecture's apt state in a folder of the cache."""

    def __init__(
        self, state: Path, architecture: str, sources: str, on_line: Callable[[str], None] = lambda line: None
    ) -> None:
        self._state = state
        self._on_line = on_line
        self._architecture = architecture
        self._env = {
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "APT_CONFIG": str(state / "apt.conf"),
        }
        for folder in ("etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d", "etc/sources.list.d",
                       "lists/partial", "archives/partial"):  # fmt: skip
            (state / folder).mkdir(parents=True, exist_ok=True)
        (state / "status").write_text("")
        (state / "etc/sources.list.d/private.sources").write_text(sources)
        (state / "apt.conf").write_text(configuration(state, architecture, answer_of(("apt-config", "dump"), None)))

    def update(self) -> None:
        """Fetch the indexes.

        Raises:
            MachineError: no mirror answers, or its signature is wrong.
        """
        self._run(("apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update"), self._state, "package lists")

    def resolve(self, group: PackageGroup) -> tuple[Deb, ...]:
        """The group's packages and what they depend on, all from the archive.

        Raises:
            MachineError: the archive lacks one.
        """
        command = ("apt-get", "-qq", "-y", "--print-uris", "install", *group.names)
        try:
            return chosen(parse_uris(answer_of(command, self._env)), group)
        except subprocess.CalledProcessError as error:
            said = error.stderr.strip().splitlines()
            raise MachineError(
                f"the packages of the {group.name} cannot be resolved: {said[-1] if said else 'apt-get failed'}",
                hint=f"look whether the mirror in apt's sources serves {self._architecture}",
            ) from error

    def download(self, debs: Sequence[Deb], folder: Path) -> int:
        """Fetch into ``folder`` what is not there with its very hash; gives the bytes that were fetched.

        Raises:
            MachineError: a package cannot be had.
        """
        folder.mkdir(parents=True, exist_ok=True)
        lacking = [deb for deb in debs if not is_whole(folder / deb.file, deb)]
        if lacking:
            self._run(
                ("apt-get", "-q", "download", *(f"{deb.name}={deb.version}" for deb in lacking)), folder, "packages"
            )
        for deb in lacking:
            if not is_whole(folder / deb.file, deb):
                raise MachineError(f"{deb.file} did not arrive with its hash", hint="try again with --update")
        return sum(deb.size for deb in lacking)

    def _run(self, command: tuple[str, ...], cwd: Path, what: str) -> None:
        log = self._state / "apt.log"
        try:
            run_logged(command, cwd=cwd, log=log, timeout_s=_TIMEOUT_S, env=self._env, on_line=self._on_line)
        except Failed as error:
            raise MachineError(
                f"{what} cannot be fetched: {why(error.lines)}",
                hint=f"connect this machine to its package archive, then try again (all that apt said: {log})",
            ) from error


def why(lines: Sequence[str]) -> str:
    """Why apt-get failed, by its own words: its errors say more than what it met on the way."""
    for begins in ("E:", "W:", "Err:"):
        found = next((line for line in lines if line.startswith(begins)), None)
        if found is not None:
            return found.removeprefix(begins).strip()
    return lines[-1] if lines else "apt-get said nothing"


def is_whole(path: Path, deb: Deb) -> bool:
    """Whether the file is there with the hash of the archive's index."""
    if not path.is_file() or path.stat().st_size != deb.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == deb.sha256


def answer_of(command: Sequence[str], env: dict[str, str] | None) -> str:
    """What a tool of apt prints."""
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout
