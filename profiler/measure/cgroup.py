"""The CPU bandwidth limit of our control group: what stops a container's processes in mid-run."""

from __future__ import annotations

from pathlib import Path

from profiler.model import Noun


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
            stats = dict(
                line.split(maxsplit=1) for line in (text(folder / "cpu.stat") or "").splitlines() if " " in line
            )
    micro, nano = integer(stats.get("throttled_usec")), integer(stats.get("throttled_time"))
    return Cgroup(
        quota_cpus=min(quotas, default=None),
        throttled=integer(stats.get("nr_throttled")),
        throttled_ns=nano if micro is None else micro * 1000,
    )


def _cgroup_folders(root: Path) -> list[Path]:
    """Our group's folder and its parents. In a container the path may lie outside: then the mount itself is ours."""
    folders = []
    for line in (text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        own = mount / path.lstrip("/")
        folders += [folder for folder in (own, *own.parents) if folder.is_relative_to(mount)]
    return folders


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = (text(folder / "cpu.max") or "max").partition(" ")
    return None if quota == "max" else int(quota) / int(period)


def _quota_v1(folder: Path) -> float | None:
    quota = integer(text(folder / "cpu.cfs_quota_us"))
    period = integer(text(folder / "cpu.cfs_period_us"))
    return None if quota is None or period is None or quota < 0 else quota / period


def text(path: Path) -> str | None:
    """The stripped content of a kernel file, or None where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None


def integer(figure: str | None) -> int | None:
    """A whole number, or None for anything else."""
    try:
        return None if figure is None else int(figure)
    except ValueError:
        return None
