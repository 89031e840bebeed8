"""Facts of the machine, from planted ``/proc`` and ``/sys`` trees and from this machine."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from profiler.guest import probe
from profiler.system.cgroup import Cgroup, cgroup
from profiler.system.environment import quota_caveats
from profiler.system.machine import MachineFacts, cpuinfo, facts, other_perf_users, pyperf_advice

ZEN = """\
processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 68
model name\t: AMD Ryzen 9 9950X 16-Core Processor
stepping\t: 0
microcode\t: 0xb404023
flags\t\t: fpu vme hypervisor

processor\t: 1
vendor_id\t: SomethingElse
"""


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def cgroup_at(root: Path) -> Cgroup:
    """What we find, and the probe in the target's process as well, which cannot import it."""
    found, read = cgroup(root), probe.read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "read", lambda path: read(f"{root}{path}"))
        inside = probe.cpu_limit()
    assert (inside["quota"], (inside["throttled"] or {}).get("nr_throttled")) == (found.quota_cpus, found.throttled)
    return found


def test_the_first_cpu_speaks_for_all(tmp_path: Path) -> None:
    cpu = cpuinfo(plant(tmp_path, {"proc/cpuinfo": ZEN}))
    assert (cpu["vendor_id"], cpu["cpu family"], cpu["microcode"]) == ("AuthenticAMD", "26", "0xb404023")


def test_facts_of_a_planted_machine(tmp_path: Path) -> None:
    found = facts(
        plant(
            tmp_path,
            {
                "proc/cpuinfo": ZEN,
                "proc/sys/kernel/perf_event_paranoid": "4\n",
                "proc/sys/kernel/nmi_watchdog": "1\n",
                "proc/sys/kernel/randomize_va_space": "2\n",
                "proc/sys/kernel/osrelease": "6.1.0-13-amd64\n",
                "sys/devices/system/cpu/smt/active": "1\n",
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
                "sys/devices/system/cpu/cpufreq/boost": "1\n",
                "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
                "sys/devices/system/cpu/vulnerabilities/retbleed": "Mitigation: untrained return thunk\n",
            },
        )
    )
    assert found.cpu_model == "AMD Ryzen 9 9950X 16-Core Processor"
    assert (found.vendor, found.family, found.hypervisor, found.wsl) == ("AuthenticAMD", "26", True, False)
    assert (found.perf_event_paranoid, found.nmi_watchdog, found.aslr) == (4, True, 2)
    assert (found.smt, found.governor, found.turbo) == (True, "powersave", True)
    assert found.transparent_hugepages == "madvise"
    assert found.mitigations == {"retbleed": "Mitigation: untrained return thunk"}


def test_what_the_kernel_does_not_say_is_unknown(tmp_path: Path) -> None:
    found = facts(tmp_path)
    assert (found.cpu_model, found.smt, found.governor, found.turbo, found.aslr) == (None,) * 5
    assert found.cgroup == Cgroup(quota_cpus=None, throttled=None, throttled_ns=None)


def test_intel_says_no_turbo(tmp_path: Path) -> None:
    assert facts(plant(tmp_path, {"sys/devices/system/cpu/intel_pstate/no_turbo": "1\n"})).turbo is False


def test_the_tightest_quota_on_the_way_to_the_root_counts(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "proc/self/cgroup": "0::/outer/inner\n",
            "sys/fs/cgroup/outer/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/outer/inner/cpu.max": "max 100000\n",
            "sys/fs/cgroup/outer/inner/cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 12\n",
        },
    )
    assert cgroup_at(root) == Cgroup(quota_cpus=1.5, throttled=3, throttled_ns=12_000)


def test_a_container_sees_its_own_group_as_the_mount(tmp_path: Path) -> None:
    root = plant(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"})
    assert cgroup_at(root).quota_cpus == 0.5


def test_cgroup_version_1(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n",
            "sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu/docker/x/cpu.stat": "nr_periods 4\nnr_throttled 2\nthrottled_time 777\n",
            "sys/fs/cgroup/cpu/docker/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/docker/cpu.cfs_period_us": "100000\n",
        },
    )
    assert cgroup_at(root) == Cgroup(quota_cpus=2.0, throttled=2, throttled_ns=777)


def test_facts_of_this_machine_survive_json() -> None:
    found = facts()
    assert msgspec.json.decode(msgspec.json.encode(found), type=MachineFacts) == found
    assert found.cpus_online >= len(found.cpus_allowed) >= 1
    assert found.kernel == os.uname().release
    assert "hostname" not in found.pyperf
    assert found.pyperf["platform"]


def test_a_process_named_perf_is_found(tmp_path: Path) -> None:
    import subprocess

    program = tmp_path / "perf"
    program.symlink_to("/bin/cat")
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write(b"x")
        other.stdin.flush()
        other.stdout.read(1)
        assert f"perf (pid {other.pid})" in other_perf_users()
    assert f"perf (pid {other.pid})" not in other_perf_users()


def test_we_are_no_other_perf_user() -> None:
    assert not any(f"(pid {os.getpid()})" in user for user in other_perf_users())


def test_pyperf_without_an_answer_is_no_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    assert pyperf_advice() == []


# ---------------------------------------------------------------- other architectures, other containers

FIELD = Path(__file__).parents[1] / "data" / "field" / "machine"
RISCV = "processor\t: 0\nhart\t\t: 1\nisa\t\t: rv64imafdc_zicntr\nmmu\t\t: sv39\nuarch\t\t: sifive,u74-mc\n"
POWER = """\
processor\t: 0
cpu\t\t: POWER9 (raw), altivec supported
clock\t\t: 2300.000000MHz
revision\t: 2.2 (pvr 004e 1202)

timebase\t: 512000000
platform\t: PowerNV
model\t\t: 9006-22C
machine\t\t: PowerNV 9006-22C
"""
LOONGARCH = "system type\t: generic-loongson-machine\n\nprocessor\t: 0\nModel Name\t: Loongson-3A5000-HV\n"
ARMV7 = """\
processor\t: 0
model name\t: ARMv7 Processor rev 3 (v7l)
CPU implementer\t: 0x41
CPU part\t: 0xc0f

Hardware\t: ODROID-XU4
"""
ARM_SERVER = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\nprocessor\t: 1\nCPU part\t: 0xd08\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("arm64-rpi4", "Cortex-A72 (Raspberry Pi 4 Model B)"),
        ("s390x", "IBM 8561 (z15)"),
        ("x86-empty-bugs", "Intel(R) Xeon(R) Platinum 8481C"),
    ],
)
def test_the_cpu_is_named_on_every_architecture(name: str, expected: str) -> None:
    assert facts(FIELD / name).cpu_model == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RISCV, "sifive,u74-mc"),
        (RISCV.replace("uarch", "other"), "RISC-V rv64imafdc"),
        (POWER, "POWER9 (PowerNV 9006-22C)"),
        (LOONGARCH, "Loongson-3A5000-HV"),
        (ARMV7, "Cortex-A15"),
        (ARMV7.replace("0xc0f", "0xfff"), "ARMv7 Processor rev 3 (v7l)"),
        (ARM_SERVER, "Neoverse-N1"),
        (ARM_SERVER.replace("0xd0c", "0xfff"), "Arm implementer 0x41, part 0xfff"),
        ("system type\t: MIPS Malta\n\ncpu model\t\t: MIPS 24Kc V0.0  FPU V0.0\n", "MIPS 24Kc V0.0  FPU V0.0"),
        ("cpu\t\t: UltraSparc T2 (Niagara2)\n", "UltraSparc T2 (Niagara2)"),
        ("processor\t: 0\n", None),
        ("", None),
    ],
)
def test_the_cpu_of_a_planted_cpuinfo(tmp_path: Path, text: str, expected: str | None) -> None:
    assert facts(plant(tmp_path, {"proc/cpuinfo": text})).cpu_model == expected


def arm(implementer: int, part: int, more: str = "") -> str:
    """As arm64's /proc/cpuinfo (arch/arm64/kernel/cpuinfo.c), which names no model."""
    first = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm aes pmull crc32\n"
    numbers = f"CPU implementer\t: {implementer:#04x}\nCPU architecture: 8\nCPU part\t: {part:#05x}\n"
    return f"{first}{numbers}CPU revision\t: 1\n\n{more}"


PI = "Hardware\t: BCM2835\nRevision\t: c04170\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
PI3 = """\
processor\t: 0
model name\t: ARMv7 Processor rev 4 (v7l)
BogoMIPS\t: 38.40
Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32
CPU implementer\t: 0x41
CPU architecture: 7
CPU variant\t: 0x0
CPU part\t: 0xd03
CPU revision\t: 4

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 3 Model B Plus Rev 1.3
"""
POWER10 = """\
processor\t: 0
cpu\t\t: POWER10 (architected), altivec supported
clock\t\t: 2950.000000MHz
revision\t: 2.0 (pvr 0080 0200)

timebase\t: 512000000
platform\t: pSeries
model\t\t: IBM,9105-22A
machine\t\t: CHRP IBM,9105-22A
"""
Z16 = """\
vendor_id       : IBM/S390
# processors    : 2
bogomips per cpu: 3331.00
max thread id   : 0
features\t: esan3 zarch stfle msa ldisp eimm dfp edat etf3eh highgprs te vx vxd vxe gs vxe2 vxp sort dflt
facilities      : 0 1 2 3 4 6 7 8 9
processor 0: version = FF,  identification = 12E3F8,  machine = 3931
processor 1: version = FF,  identification = 12E3F8,  machine = 3931
"""
RISCV_SERVER = """\
processor\t: 0
hart\t\t: 2
isa\t\t: rv64imafdcv_zicbom_zicboz_zicntr_zicond
mmu\t\t: sv39
uarch\t\t: thead,c920
mvendorid\t: 0x5b7
marchid\t\t: 0x0
"""
LOONGSON = """\
system type\t\t: generic-loongson-machine

processor\t\t: 0
package\t\t\t: 0
core\t\t\t: 0
CPU Family\t\t: Loongson-64bit
Model Name\t\t: Loongson-3A6000
CPU Revision\t\t: 0x00
CPU MHz\t\t\t: 2500.00
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (arm(0x41, 0xD0C), "Neoverse-N1"),  # Graviton2, Ampere Altra
        (arm(0x41, 0xD40), "Neoverse-V1"),  # Graviton3
        (arm(0x41, 0xD4F), "Neoverse-V2"),  # Graviton4, Grace
        (arm(0xC0, 0xAC3), "Ampere-1"),
        (arm(0x48, 0xD01), "TaiShan-v110"),  # Kunpeng 920
        (arm(0x46, 0x001), "A64FX"),
        (arm(0x61, 0x022, arm(0x61, 0x023)), "Icestorm-M1"),
        (arm(0x61, 0x039), "Avalanche-M2-Max"),
        (arm(0x41, 0xD0B, PI), "Cortex-A76 (Raspberry Pi 5 Model B)"),
        (PI3, "Cortex-A53"),
        (POWER10, "POWER10 (CHRP IBM,9105-22A)"),
        (Z16, "IBM 3931 (z16)"),
        (Z16.replace("3931", "9999"), "IBM 9999"),
        (RISCV_SERVER, "thead,c920"),
        (LOONGSON, "Loongson-3A6000"),
    ],
)
def test_the_cpu_of_other_machines(tmp_path: Path, text: str, expected: str) -> None:
    found = facts(plant(tmp_path, {"proc/cpuinfo": text}))
    assert found.cpu_model == expected
    assert found.family is None
    assert found.microcode is None


DMI = "sys/class/dmi/id"


@pytest.mark.parametrize(
    ("files", "virtual"),
    [
        ({"proc/cpuinfo": "flags\t\t: fpu vme hypervisor lahf_lm\n"}, True),
        ({"proc/cpuinfo": "flags\t\t: fpu vme lahf_lm\n"}, False),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "m7g.large\n"}, True),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "m7g.metal\n"}, False),
        ({f"{DMI}/sys_vendor": "QEMU\n", f"{DMI}/product_name": "KVM Virtual Machine\n"}, True),
        ({f"{DMI}/sys_vendor": "Microsoft Corporation\n", f"{DMI}/product_name": "Virtual Machine\n"}, True),
        ({f"{DMI}/sys_vendor": "Microsoft Corporation\n", f"{DMI}/product_name": "Surface Pro X\n"}, False),
        ({f"{DMI}/sys_vendor": "Ampere(R)\n", f"{DMI}/product_name": "Mt. Jade\n"}, False),
        ({"proc/device-tree/hypervisor/compatible": "linux,kvm\0"}, True),
        ({"sys/hypervisor/type": "xen\n"}, True),
        ({"proc/sysinfo": "Type: 3931\nVM00 Name: LINUX1\nVM00 Control Program: KVM/Linux\n"}, True),
        ({"proc/sysinfo": "Type: 3931\nLPAR Number: 5\n"}, False),
        ({"proc/cpuinfo": POWER10}, True),
        ({}, False),
    ],
)
def test_a_virtual_machine_is_known_on_every_architecture(tmp_path: Path, files: dict[str, str], virtual: bool) -> None:
    assert facts(plant(tmp_path, files)).hypervisor is virtual


def test_a_board_is_named_by_its_device_tree(tmp_path: Path) -> None:
    root = plant(tmp_path, {"proc/cpuinfo": RISCV, "proc/device-tree/model": "StarFive VisionFive 2 v1.3B\0"})
    assert facts(root).cpu_model == "sifive,u74-mc (StarFive VisionFive 2 v1.3B)"


def test_an_empty_field_is_empty_and_not_the_next_line() -> None:
    cpu = cpuinfo(FIELD / "x86-empty-bugs")
    assert (cpu["bugs"], cpu["bogomips"], cpu["power management"]) == ("", "5400.00", "")
    assert cpu["model name"] == "Intel(R) Xeon(R) Platinum 8481C"


@pytest.mark.parametrize(("name", "quota"), [("v1-comount-nosymlink", 0.5), ("v2-no-period", 1.5)])
def test_the_quota_of_a_container(name: str, quota: float) -> None:
    assert cgroup_at(FIELD / name).quota_cpus == quota


@pytest.mark.parametrize(("quota", "codes"), [(0.5, ["cpu-quota"]), (0.999, ["cpu-quota"]), (1.0, []), (None, [])])
def test_a_quota_that_stops_one_process_is_told_beforehand(quota: float | None, codes: list[str]) -> None:
    found = quota_caveats(Cgroup(quota_cpus=quota, throttled=7, throttled_ns=1))
    assert [one.code for one in found] == codes
    assert all(f"{quota:g} CPUs" in one.message for one in found)


V1_MOUNT = (
    "29 25 0:26 /docker/abc /sys/fs/cgroup/one\\040place rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "30 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)
V2_MOUNT = "31 25 0:28 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw\n"


def test_mounts_are_where_the_kernel_says(tmp_path: Path) -> None:
    """Not below /sys/fs/cgroup/cpu, a nested group, and the container's own group at the mount's root."""
    here = "sys/fs/cgroup/one place"
    root = plant(
        tmp_path,
        {
            "proc/self/cgroup": "6:cpu,cpuacct:/docker/abc/inner\n0::/system.slice\n",
            "proc/self/mountinfo": V1_MOUNT + V2_MOUNT,
            f"{here}/cpu.cfs_quota_us": "150000\n",
            f"{here}/cpu.cfs_period_us": "100000\n",
            f"{here}/inner/cpu.cfs_quota_us": "25000\n",
            f"{here}/inner/cpu.cfs_period_us": "50000\n",
            f"{here}/inner/cpu.stat": "nr_periods 4\nnr_throttled 2\nthrottled_time 777\n",
            "sys/fs/cgroup/memory/cpu.cfs_quota_us": "1\n",
            "sys/fs/cgroup/memory/cpu.cfs_period_us": "100000\n",
        },
    )
    assert cgroup_at(root) == Cgroup(quota_cpus=0.5, throttled=2, throttled_ns=777)


def test_both_versions_side_by_side(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "proc/self/cgroup": "6:cpu,cpuacct:/docker/abc\n0::/system.slice\n",
            "proc/self/mountinfo": V1_MOUNT + V2_MOUNT,
            "sys/fs/cgroup/one place/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/one place/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/unified/system.slice/cpu.max": "75000 100000\n",
        },
    )
    assert cgroup_at(root).quota_cpus == 0.75


@pytest.mark.parametrize("limit", ["max", "max 100000", "", "nonsense", "100000 0", "100000 soon"])
def test_no_quota_and_no_readable_quota_is_none(tmp_path: Path, limit: str) -> None:
    root = plant(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": f"{limit}\n"})
    assert cgroup_at(root).quota_cpus is None


def test_torn_kernel_files_are_no_group(tmp_path: Path) -> None:
    root = plant(tmp_path, {"proc/self/cgroup": "6\n\n:\n", "proc/self/mountinfo": "29 25\n - \n1 2 3 4 5 - cgroup\n"})
    assert cgroup_at(root) == Cgroup(quota_cpus=None, throttled=None, throttled_ns=None)
