"""Whether Linux runs in a virtual machine, by what each architecture has to say so.

Rules as of systemd-detect-virt (systemd, src/basic/virt.c): the CPUID bit exists on x86 alone; firmware tables (DMI),
the device tree, Xen's sysfs and IBM Z's sysinfo tell of the others.
"""

from __future__ import annotations

from pathlib import Path

from profiler.system.cgroup import text
from profiler.system.cpu_name import parse_cpuinfo

_DMI = ("product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version", "chassis_vendor")
_MACHINES = (
    "KVM", "OpenStack", "KubeVirt", "QEMU", "VMware", "VMW", "innotek GmbH", "VirtualBox", "Xen",
    "Bochs", "Parallels", "BHYVE", "Hyper-V", "Apple Virtualization", "Google Compute Engine",
)  # fmt: skip
_CLOUD_OR_METAL = "Amazon EC2"
_BOARDS = ("qemu,", "linux,dummy-virt", "xen,", "linux,kvm")
"""``compatible`` of a machine that only emulators and hypervisors make (QEMU's pseries and virt)."""


def is_virtual(root: Path = Path("/")) -> bool:
    """Read ``/proc`` and ``/sys`` under ``root``; False where nothing tells of a hypervisor."""
    return any(rule(root) for rule in (_by_cpu, _by_dmi, _by_device_tree, _by_xen, _by_ibm_z))


def _by_cpu(root: Path) -> bool:
    fields = parse_cpuinfo(text(root / "proc/cpuinfo") or "")
    if "hypervisor" in fields.get("flags", "").split() or fields.get("vendor_id") == "User Mode Linux":
        return True
    # POWER's firmware is a hypervisor itself, whose partitions alone are called so; bare metal is PowerNV.
    return fields.get("platform") == "pSeries"


def _by_dmi(root: Path) -> bool:
    found = {name: text(root / "sys/class/dmi/id" / name) or "" for name in _DMI}
    if any(said.startswith(_MACHINES) for said in found.values()):
        return True
    if any(said.startswith(_CLOUD_OR_METAL) for said in found.values()):
        # The vendor is the same on bare metal, where the instance's type ends so (m6g.metal, i4i.metal-24xl).
        return ".metal" not in found["product_name"]
    return found["sys_vendor"] == "Microsoft Corporation" and found["product_name"] == "Virtual Machine"


def _by_device_tree(root: Path) -> bool:
    tree = root / "proc/device-tree"
    if (tree / "hypervisor").exists() or next(tree.glob("fw-cfg@*"), None) is not None:
        return True
    return any(board.startswith(_BOARDS) for board in (text(tree / "compatible") or "").split("\0"))


def _by_xen(root: Path) -> bool:
    return bool(text(root / "sys/hypervisor/type"))


def _by_ibm_z(root: Path) -> bool:
    return "VM00 Control Program" in (text(root / "proc/sysinfo") or "")
