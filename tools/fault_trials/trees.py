"""Files of a kernel, as they stand below ``/proc`` and ``/sys``, as one input."""

from __future__ import annotations

import shutil
from pathlib import Path

_FILES = {
    "proc/cpuinfo": b"processor : 0\nvendor_id : GenuineIntel\ncpu family : 6\nmodel : 106\nmodel name : X\n",
    "proc/self/cgroup": b"12:cpu,cpuacct:/docker/abc\n0::/user.slice\n",
    "proc/self/mountinfo": b"30 24 0:26 / /sys/fs/cgroup ro shared:9 - cgroup2 cgroup rw,nsdelegate\n"
    b"31 24 0:27 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
    "proc/self/status": b"Name:\tpython3\nSeccomp:\t0\nCapEff:\t000001ffffffffff\n",
    "proc/sys/kernel/osrelease": b"6.1.0\n",
    "proc/sys/kernel/perf_event_paranoid": b"2\n",
    "sys/fs/cgroup/user.slice/cpu.max": b"50000 100000\n",
    "sys/fs/cgroup/user.slice/cpu.stat": b"usage_usec 5\nnr_throttled 3\nthrottled_usec 500\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": b"-1\n",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": b"100000\n",
    "sys/class/dmi/id/sys_vendor": b"QEMU\n",
    "sys/bus/event_source/devices/cpu/type": b"4\n",
    "sys/bus/event_source/devices/cpu/cpus": b"0-1\n",
    "sys/bus/event_source/devices/cpu/events/instructions": b"event=0xc0\n",
    "sys/devices/system/cpu/cpu0/cache/index0/level": b"1\n",
    "sys/devices/system/cpu/cpu0/cache/index0/type": b"Data\n",
    "sys/devices/system/cpu/cpu0/cache/index0/size": b"32K\n",
    "sys/devices/system/cpu/cpu0/cache/index0/ways_of_associativity": b"8\n",
    "sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size": b"64\n",
    "sys/devices/system/cpu/cpu0/cache/index0/number_of_sets": b"64\n",
}
_BETWEEN = b"\x1e"
TREE = _BETWEEN.join(_FILES.values())


def tree(data: bytes, root: Path) -> Path:
    """``data``, cut into these files below ``root``."""
    shutil.rmtree(root, ignore_errors=True)
    for name, text in zip(_FILES, data.split(_BETWEEN), strict=False):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return root
