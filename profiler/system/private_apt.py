"""Debian's packages by a private apt: the system's mirrors, keyring and proxies, and nothing else of the system's.

Nothing is installed and no file of the system is written. apt checks the archive's signature and each package's hash;
what was resolved is recorded, and is asked for again only with ``--update``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from profiler.errors import MachineError
from profiler.model import Noun
from profiler.model.provisioning import PackageGroup
from profiler.system.logged import Failed, run_logged

_TIMEOUT_S, _ANSWER_S = 900.0, 120.0
_TOOLS = ("apt-get", "apt-config", "dpkg", "dpkg-deb")
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


class Remedies(Noun, frozen=True, kw_only=True):
    """What whoever asks for packages can do."""

    no_apt: str
    """Where there is no apt."""
    superseded: str
    """Where packages are not in the archive any more."""


class PrivateApt:
    """One architecture's apt state in a folder of the cache."""

    def __init__(
        self,
        state: Path,
        architecture: str | None,
        sources: Callable[[], str],
        remedies: Remedies,
        *,
        on_line: Callable[[str], None] = lambda line: None,
        log: Path | None = None,
    ) -> None:
        """Open it, made where there is none.

        Args:
            state: its folder.
            architecture: as Debian calls it; None: this machine's.
            sources: in deb822 form; asked for when there is an apt.
            remedies: what whoever asks for packages can do.
            on_line: gets each line that apt says.
            log: where these are kept; in ``state`` unless given.

        Raises:
            MachineError: this machine has no apt, or its apt is not set up.
        """
        lacking = [program for program in _TOOLS if shutil.which(program) is None]
        if lacking:
            raise MachineError(
                f"packages are fetched and unpacked with {' and '.join(lacking)}, which this machine lacks",
                hint=remedies.no_apt,
            )
        self._state, self._log = state, log or state / "apt.log"
        self._on_line, self._remedies = on_line, remedies
        self.architecture = architecture or answer_of(("dpkg", "--print-architecture"), None).strip()
        self._env = {
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "APT_CONFIG": str(state / "apt.conf"),
        }
        for folder in ("etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d", "etc/sources.list.d",
                       "lists/partial", "archives/partial"):  # fmt: skip
            (state / folder).mkdir(parents=True, exist_ok=True)
        (state / "status").write_text("")
        (state / "etc/sources.list.d/private.sources").write_text(sources())
        dump = answer_of(("apt-config", "dump"), None)
        (state / "apt.conf").write_text(configuration(state, self.architecture, dump))

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
        except MachineError as error:
            raise MachineError(
                f"the packages of the {group.name} cannot be resolved: {error.message}",
                hint=f"look whether the mirror in apt's sources serves {self.architecture}",
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
                ("apt-get", "-q", "download", *(f"{deb.name}={deb.version}" for deb in lacking)),
                folder,
                "packages",
                f"; where the archive has newer ones by now: {self._remedies.superseded}",
            )
        for deb in lacking:
            if not is_whole(folder / deb.file, deb):
                raise MachineError(f"{deb.file} did not arrive with its hash", hint=self._remedies.superseded)
        return sum(deb.size for deb in lacking)

    def _run(self, command: tuple[str, ...], cwd: Path, what: str, more: str = "") -> None:
        try:
            run_logged(command, cwd=cwd, log=self._log, timeout_s=_TIMEOUT_S, env=self._env, on_line=self._on_line)
        except Failed as error:
            raise MachineError(
                f"{what} cannot be fetched: {why(error.lines)}",
                hint="connect this machine to its package archive, then try again"
                f"{more} (all that apt said: {self._log})",
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
    """What a tool of apt prints.

    Raises:
        MachineError: it is not here, fails, or does not end.
    """
    try:
        done = subprocess.run(
            command, env=env, check=False, capture_output=True, text=True, errors="replace", timeout=_ANSWER_S
        )
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.strip().splitlines()
        reason = why(said) if said else f"exit code {done.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"it did not end in {_ANSWER_S:.0f} s"
    except OSError as error:
        reason = error.strerror or str(error)
    raise MachineError(f"{command[0]} failed: {reason}", hint=f"run it by itself: {' '.join(command)}")
