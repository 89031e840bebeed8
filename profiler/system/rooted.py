"""The files below a directory, as a process sees them whose root it is: links are followed inside it, never outside."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from profiler.system.home import expanded

_MOST_LINKS = 40
"""As Linux follows them in one path (path_resolution(7))."""


class Rooted:
    """Paths "inside" begin at ``directory``; "real" ones are this machine's, with no link left below ``directory``.

    The directory itself may be a link: ``/proc/PID/root`` is one that only the kernel can follow.
    """

    def __init__(self, directory: str = "/") -> None:
        self.directory = str(expanded(directory).absolute())
        self._base = self.directory.rstrip("/")

    @property
    def whole(self) -> bool:
        """It is this machine's own root."""
        return not self._base

    def real(self, inside: str) -> str | None:
        """The real path of ``inside``, as the kernel resolves it in a chroot; None for links that go round in circles.

        What does not exist is taken as no link.
        """
        left = [part for part in reversed(inside.split("/")) if part]
        done: list[str] = []
        links = 0
        while left:
            part = left.pop()
            if part == ".":
                continue
            if part == "..":
                # Above the root there is the root.
                del done[-1:]
                continue
            try:
                leads = str(Path("/".join((self._base, *done, part))).readlink())
            except OSError:
                done.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            if leads.startswith("/"):
                done.clear()
            left += [name for name in reversed(leads.split("/")) if name]
        return "/".join((self._base, *done)) or "/"

    def inside(self, real: str) -> str:
        """The path inside of a real one; a path that does not begin with the directory is taken as one from inside."""
        if self._base and (real == self._base or real.startswith(f"{self._base}/")):
            return real[len(self._base) :] or "/"
        return real

    def file(self, inside: str) -> str | None:
        """The real path of a regular file; None where there is none (a pipe or a device is never opened)."""
        found = self.real(inside)
        return found if found is not None and Path(found).is_file() else None

    def folder(self, inside: str) -> str | None:
        """The real path of a directory; None where there is none."""
        found = self.real(inside)
        return found if found is not None and Path(found).is_dir() else None

    def named(self, inside: str) -> str:
        """``inside`` as this machine names it: links are kept where that is no way out, in this machine's own root."""
        return inside if self.whole else self.real(inside) or f"{self._base}{inside}"


HOST: Final = Rooted()
"""This machine as it is."""
