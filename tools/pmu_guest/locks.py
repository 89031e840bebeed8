"""Which requirements of the lock files the guest gets, with their hashes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.markers import Marker

from profiler.model import Noun

_BEGINS = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))?(?: \\)?$")
_GUEST = {
    "implementation_name": "cpython", "os_name": "posix", "platform_machine": "aarch64",
    "platform_python_implementation": "CPython", "platform_system": "Linux", "sys_platform": "linux",
}  # fmt: skip
"""For the markers of a requirement (PEP 508); pip itself would ask the Python that it runs in."""


class Locked(Noun, frozen=True, kw_only=True):
    """One requirement of a lock file."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    """``sha256:…`` each."""

    def fits(self, python: str) -> bool:
        """Whether it is for the guest's ``python`` (``"3.11"``)."""
        environment = _GUEST | {"python_version": python, "python_full_version": f"{python}.0"}
        return self.marker is None or Marker(self.marker).evaluate(environment)


def locked(lock: str) -> tuple[Locked, ...]:
    """The requirements of a lock file with hashes, as uv writes it."""
    found: list[Locked] = []
    for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        begins = _BEGINS.match(block.partition("\n")[0])
        if begins:
            hashes = tuple(re.findall(r"--hash=(sha256:[0-9a-f]{64})", block))
            found.append(
                Locked(name=begins["name"].lower(), version=begins["version"], marker=begins["marker"], hashes=hashes)
            )
    return tuple(found)


def chosen_requirements(
    lock: Iterable[Locked],
    dev_lock: Iterable[Locked],
    *,
    python: str,
    left_out: tuple[str, ...],
    tests: tuple[str, ...],
) -> tuple[Locked, ...]:
    """All of ``lock`` but ``left_out``, and of ``dev_lock`` the packages ``tests``, as far as they fit ``python``.

    Raises:
        ValueError: a package of ``tests`` is not locked.
    """
    own = {one.name: one for one in lock if one.name not in left_out and one.fits(python)}
    dev = {one.name: one for one in dev_lock if one.fits(python)}
    missing = [name for name in tests if name not in dev]
    if missing:
        raise ValueError(f"requirements-dev.lock has no {', '.join(missing)}")
    own |= {name: dev[name] for name in tests if name not in own}
    return tuple(own[name] for name in sorted(own))


def as_text(chosen: Iterable[Locked]) -> str:
    """A requirements file that pip takes with ``--require-hashes``."""
    return "".join(
        " \\\n    ".join((f"{one.name}=={one.version}", *(f"--hash={digest}" for digest in one.hashes))) + "\n"
        for one in chosen
    )
