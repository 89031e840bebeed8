"""The CPU bandwidth limit of our control group: what stops a container's processes in mid-run."""

from __future__ import annotations

import re
from pathlib import Path

from profiler.model import Noun

_DEFAULT_PERIOD_US = "100000"
"""cpu.max "$MAX $PERIOD": the period may be left out (admin-guide/cgroup-v2.rst)."""


class Cgroup(Noun, frozen=True, kw_only=True):
    """The CPU bandwidth limit that applies to us, the tightest on the way to the root."""

    quota_cpus: float | None
    """Allowed CPU time per wall time; None: no limit."""
    throttled: int | None
    """How often the group was stopped so far (``nr_throttled``)."""
    throttled_ns: int | None


def cgroup(root: Path = Path("/")) -> Cgroup:
    """The CPU limit of our control group, version 2 or 1.

    Files as in the kernel's documentation: admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst.
    """
    quotas: list[float] = []
    stats: dict[str, str] = {}
    for folder in _cgroup_folders(root):
        allowed = _quota_v2(folder) or _quota_v1(folder)
        if allowed is not None:
            quotas.append(allowed)
        if not stats.get("nr_throttled"):
            lines = (line.split() for line in (text(folder / "cpu.stat") or "").splitlines())
            stats = {words[0]: words[1] for words in lines if len(words) == 2}
    micro, nano = integer(stats.get("throttled_usec")), integer(stats.get("throttled_time"))
    return Cgroup(
        quota_cpus=min(quotas, default=None),
        throttled=integer(stats.get("nr_throttled")),
        throttled_ns=nano if micro is None else micro * 1000,
    )


def _cgroup_folders(root: Path) -> list[Path]:
    """Our group's folder and its parents. In a container the path may lie outside: then the mount itself is ours."""
    mounts = _mounts(root)
    folders = []
    for line in (text(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        places = [mount for mount in mounts if mount[0] == bool(controllers)] if mounts else _usual(root, controllers)
        for _, shown, mount in places:
            inside = path.removeprefix(shown) if shown != "/" and f"{path}/".startswith(f"{shown}/") else path
            own = mount / inside.lstrip("/")
            folders += [folder for folder in (own, *own.parents) if folder.is_relative_to(mount)]
    return folders


def _mounts(root: Path) -> list[tuple[bool, str, Path]]:
    """Version 1 or not, the group that is shown there, and the place: all mounts of the CPU controller (proc(5))."""
    found = []
    for line in (text(root / "proc/self/mountinfo") or "").splitlines():
        own, _, rest = line.partition(" - ")
        fields, kind, options = own.split(), rest.split()[:1], rest.split()[-1:]
        if len(fields) < 5 or kind not in (["cgroup"], ["cgroup2"]):
            continue
        if kind == ["cgroup2"] or "cpu" in options[0].split(","):
            shown, place = (re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field) for field in fields[3:5])
            found.append((kind == ["cgroup"], shown, root / place.lstrip("/")))
    return found


def _usual(root: Path, controllers: str) -> list[tuple[bool, str, Path]]:
    """Where they are on most systems, for a process that cannot read its mounts."""
    names = (controllers, "cpu") if controllers else ("", "unified")
    return [(bool(controllers), "/", root / "sys/fs/cgroup" / name) for name in names]


def _quota_v2(folder: Path) -> float | None:
    quota, period = [*(text(folder / "cpu.max") or "").split(), "", ""][:2]
    allowed, per = integer(quota), integer(period or _DEFAULT_PERIOD_US)
    return None if allowed is None or not per else allowed / per


def _quota_v1(folder: Path) -> float | None:
    quota = integer(text(folder / "cpu.cfs_quota_us"))
    period = integer(text(folder / "cpu.cfs_period_us"))
    return None if quota is None or not period or quota < 0 else quota / period


def text(path: Path) -> str | None:
    """The stripped content of a kernel file, or None where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except (OSError, ValueError):  # The latter for a path of the kernel's that is none.
        return None


def integer(figure: str | None) -> int | None:
    """A whole number that a kernel can say, or None for anything else."""
    try:
        found = None if figure is None else int(figure)
    except ValueError:
        return None
    return found if found is None or abs(found) < 1 << 64 else None
