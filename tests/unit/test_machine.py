"""Facts of the machine, from planted ``/proc`` and ``/sys`` trees and from this machine."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from profiler.measure.cgroup import Cgroup, cgroup
from profiler.measure.machine import MachineFacts, cpuinfo, facts, other_perf_users, pyperf_advice

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
    assert cgroup(root) == Cgroup(quota_cpus=1.5, throttled=3, throttled_ns=12_000)


def test_a_container_sees_its_own_group_as_the_mount(tmp_path: Path) -> None:
    root = plant(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"})
    assert cgroup(root).quota_cpus == 0.5


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
    assert cgroup(root) == Cgroup(quota_cpus=2.0, throttled=2, throttled_ns=777)


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
