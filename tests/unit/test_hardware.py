"""The hardware source end to end on a fake perf: known counts come out, and every failure has its name and remedy."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from profiler.catalogue.events import EVENTS
from profiler.errors import MachineError
from profiler.model import Pass, Workload
from profiler.sources import pmu
from profiler.sources.choose import choose_source
from profiler.sources.hardware import HardwareSource
from profiler.sources.perf_output import NOT_COUNTED
from profiler.sources.source import Outcome
from profiler.system import diagnose
from profiler.system.diagnose import Circumstances, Pmu
from profiler.system.hypervisor import is_virtual
from profiler.system.perf import find_perf
from profiler.system.process import Command
from tests.conftest import FakePerf, needs_extension

WORKLOAD = Workload(name="w", path="w.py", counts_m=(1, 2), timed_m=(1_000, 3_000))
TRUTH = {"python": {"instructions": (50e6, 941.35), "cycles": (20e6, 300.0), "wall": (12e6, 40.0)}}


def bare_metal(**changed: object) -> Circumstances:
    plain = Circumstances(paranoid=2, privileged=False, seccomp=False, hypervisor=False, wsl=False, pmus=())
    return msgspec.structs.replace(plain, **changed)


def command(*argv: str, timeout_s: float = 60.0, env: dict[str, str] | None = None) -> Command:
    return Command(
        argv=argv,
        env=dict(os.environ) | (env or {}),
        cwd="/",
        cpu=None,
        timeout_s=timeout_s,
        max_output_bytes=1 << 16,
    )


def python(code: str, m: int, **options: object) -> Command:
    return command(sys.executable, "-S", "-c", code, str(m), **options)  # type: ignore[arg-type]


def measure(source: HardwareSource, what: Pass, ran: Command, tmp_path: Path) -> Outcome:
    return source.measure(what, ran, tmp_path)


def figures(outcome: Outcome) -> dict[str, float]:
    assert {one.source for one in outcome.readings} == {"hardware"}
    return {one.event: one.value for one in outcome.readings if one.value is not None}


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HardwareSource]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        FakePerf(monkeypatch, tmp_path_factory.mktemp("truth"))
        yield HardwareSource.probe()


@pytest.fixture
def source(probed: HardwareSource, fake_perf: FakePerf) -> HardwareSource:
    fake_perf("normal", truth=TRUTH)
    return probed


# ---------------------------------------------------------------- figures


@needs_extension
def test_the_slope_between_two_m_is_the_planted_truth(source: HardwareSource, tmp_path: Path) -> None:
    what = source.passes(WORKLOAD)[0]
    lo, hi = (figures(measure(source, what, python("print(1)", m), tmp_path)) for m in what.m)
    assert (hi["instructions"] - lo["instructions"]) / 2_000 == pytest.approx(941.35)
    assert (hi["wall"] - lo["wall"]) / 2_000 == 40.0
    assert set(lo) == set(what.events)


@needs_extension
def test_passes_cover_everything_once_and_anchor_everywhere(source: HardwareSource) -> None:
    passes = source.passes(WORKLOAD)
    assert all(what.exclusive and what.repetitions == 1 and what.m == (1_000, 3_000) for what in passes)
    assert all({"instructions", "cycles", "task-clock", "wall"} <= set(what.events) for what in passes)
    counted = {name for what in passes for name in what.events}
    assert not counted & {one.event for one in source.missing}
    assert "clock" in {one.event for one in source.missing}


@needs_extension
def test_readings_come_in_the_order_of_the_pass(source: HardwareSource, tmp_path: Path) -> None:
    for what in source.passes(WORKLOAD):
        outcome = measure(source, what, python("print(1)", 5), tmp_path)
        assert tuple(one.event for one in outcome.readings) == what.events
        assert outcome.stdout == b"1\n"


@needs_extension
def test_a_decimal_comma_changes_no_figure(source: HardwareSource, fake_perf: FakePerf, tmp_path: Path) -> None:
    what = source.passes(WORKLOAD)[0]
    fake_perf("decimal-comma")
    found = figures(measure(source, what, python("", 1_000), tmp_path))
    assert found["instructions"] == 50e6 + 941_350
    assert found["wall"] == 12e6 + 40_000


@needs_extension
@pytest.mark.parametrize("scenario", ["nul", "hybrid", "decimal-comma", "normal"])
def test_probing_works_in_every_notation(fake_perf: FakePerf, scenario: str) -> None:
    fake_perf(scenario)
    assert HardwareSource.probe().self_test.slots == 6


@needs_extension
def test_the_workload_sees_its_own_environment(source: HardwareSource, tmp_path: Path) -> None:
    ran = python("import os; print(os.environ['LC_ALL'])", 1, env={"LC_ALL": "de_DE.UTF-8"})
    assert measure(source, source.passes(WORKLOAD)[0], ran, tmp_path).stdout == b"de_DE.UTF-8\n"


@needs_extension
@pytest.mark.parametrize("scenario", ["multiplexed", "not-counted", "not-supported"])
def test_counters_lost_during_a_run_are_null_with_the_reason(
    source: HardwareSource, fake_perf: FakePerf, tmp_path: Path, scenario: str
) -> None:
    """Another session may take counters after the self-test."""
    fake_perf(scenario)
    readings = {one.event: one for one in measure(source, source.passes(WORKLOAD)[0], python("", 1), tmp_path).readings}
    assert readings["instructions"].value is None
    assert scenario.replace("-", " ") in (readings["instructions"].reason or "")
    assert readings["task-clock"].value is not None


@needs_extension
def test_a_truncated_file_costs_the_last_event_only(
    source: HardwareSource, fake_perf: FakePerf, tmp_path: Path
) -> None:
    fake_perf("truncated")
    *whole, last = measure(source, source.passes(WORKLOAD)[0], python("", 1), tmp_path).readings
    assert last.value is None
    assert all(one.value is not None for one in whole)


# ---------------------------------------------------------------- probing


@needs_extension
def test_a_dead_slot_is_named_and_not_used(fake_perf: FakePerf) -> None:
    fake_perf("dead-slot")
    source = HardwareSource.probe()
    assert (source.self_test.slots, source.self_test.dead) == (5, (6,))
    assert "number 6 counted wrong" in source.describe()


@needs_extension
def test_scarce_slots_make_more_passes(fake_perf: FakePerf) -> None:
    fake_perf("normal", slots=3)
    scarce = HardwareSource.probe()
    fake_perf("normal", slots=6)
    assert len(scarce.passes(WORKLOAD)) > len(HardwareSource.probe().passes(WORKLOAD))
    assert "3 counters at once passed" in scarce.describe()


@needs_extension
def test_where_others_hold_all_but_one_counter_arm_counts_in_more_passes(fake_perf: FakePerf, tmp_path: Path) -> None:
    """Five of six are taken: instructions fit in the last one, cycles in the counter that counts nothing else."""
    fake_perf("normal", slots=1, own=("cycles",), truth=TRUTH)
    source = HardwareSource.probe()
    assert "1 counter passed the self-test, and cycles beside; 2 at once would be multiplexed" in source.describe()
    assert source.describe().endswith(f"; {len(source.passes(WORKLOAD))} passes, no multiplexing")
    first, *rest = source.passes(WORKLOAD)
    found = figures(measure(source, first, python("", 1_000), tmp_path))
    assert (found["instructions"], found["cycles"]) == (50e6 + 941_350, 20e6 + 300_000)
    assert all(set(figures(measure(source, what, python("", 1), tmp_path))) == set(what.events) for what in rest)
    fake_perf("normal")
    everything = {name for what in HardwareSource.probe().passes(WORKLOAD) for name in what.events}
    assert {name for what in (first, *rest) for name in what.events} == everything


@needs_extension
def test_where_others_hold_all_general_counters_intel_counts_instructions_and_cycles(fake_perf: FakePerf) -> None:
    fake_perf("normal", slots=0, own=("instructions", "cycles"))
    source = HardwareSource.probe()
    (only,) = source.passes(WORKLOAD)
    assert {"instructions", "cycles", "task-clock", "wall"} <= set(only.events)
    assert "multiplexed" in next(one.reason for one in source.missing if one.event == "branches")


@needs_extension
@pytest.mark.parametrize("slots", [6, 3, 2])
def test_each_event_is_counted_or_has_its_reason_or_is_the_scripts(fake_perf: FakePerf, slots: int) -> None:
    fake_perf("normal", slots=slots, waiting=("branches",))
    source = HardwareSource.probe()
    counted = {name for what in source.passes(WORKLOAD) for name in what.events}
    missing = {one.event: one.reason for one in source.missing}
    by_script = {event.name for event in EVENTS if event.inside}
    assert sorted((*counted, *missing, *by_script)) == sorted(event.name for event in EVENTS)
    assert missing["branches"] == f"branches:u: {NOT_COUNTED}", "the kernel opened it, and it never ran"


@needs_extension
@pytest.mark.parametrize(
    ("event", "why"),
    [("instructions", "not even one hardware counter"), ("cycles", "cannot count cycles: .*no counter")],
)
def test_an_anchor_that_waits_for_its_counter_is_told(fake_perf: FakePerf, event: str, why: str) -> None:
    fake_perf("normal", waiting=(event,))
    with pytest.raises(MachineError, match=why):
        HardwareSource.probe()


@needs_extension
def test_an_event_that_waits_in_a_run_is_null_with_its_reason(
    source: HardwareSource, fake_perf: FakePerf, tmp_path: Path
) -> None:
    fake_perf("normal", waiting=("cycles",))
    rows = {one.event: one for one in measure(source, source.passes(WORKLOAD)[0], python("", 1), tmp_path).readings}
    assert (rows["cycles"].value, rows["cycles"].running_ns, rows["cycles"].reason) == (None, 0, NOT_COUNTED)
    assert rows["instructions"].value is not None


@needs_extension
@pytest.mark.parametrize(("scenario", "slots"), [("multiplexed", 6), ("wrong", 6), ("normal", 1)])
def test_a_pmu_that_fails_its_self_test_is_refused(fake_perf: FakePerf, scenario: str, slots: int) -> None:
    fake_perf(scenario, slots=slots)
    with pytest.raises(MachineError, match=r"self-test|cannot count") as refused:
        HardwareSource.probe()
    assert refused.value.hint


@needs_extension
def test_an_unknown_event_is_missing_and_the_rest_is_measured(fake_perf: FakePerf) -> None:
    fake_perf("normal", unknown=("dTLB-load-misses:u",))
    source = HardwareSource.probe()
    reason = next(one.reason for one in source.missing if one.event == "dtlb-misses")
    assert "event syntax error" in reason


@needs_extension
def test_events_that_count_nothing_are_missing(fake_perf: FakePerf) -> None:
    fake_perf("zero")
    assert {"branches", "l1d-misses"} <= {one.event for one in HardwareSource.probe().missing}


@needs_extension
def test_without_duration_time_the_drivers_clock_is_used(fake_perf: FakePerf, tmp_path: Path) -> None:
    fake_perf("normal", unknown=("duration_time",))
    source = HardwareSource.probe()
    what = source.passes(WORKLOAD)[0]
    wall = measure(source, what, python("", 1), tmp_path).readings[what.events.index("wall")]
    assert wall.value is not None
    assert wall.value > 0
    assert "no duration_time" in wall.raw_name
    assert "wall" not in {one.event for one in source.missing}


@needs_extension
def test_ordinary_users_get_no_context_switches(fake_perf: FakePerf) -> None:
    fake_perf("user-only")
    source = HardwareSource.probe()
    assert "context-switches" in {one.event for one in source.missing}
    assert "page-faults" in source.passes(WORKLOAD)[0].events


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("paranoid", "forbid|refuse"),
        ("not-supported", "no hardware counters"),
        ("no-syscall", "perf_event_open"),
        ("dies", "perf was killed by signal 9"),
        ("wrapper", "perf not found for kernel"),
        ("silent", "wrote no figures"),
    ],
)
def test_a_machine_that_cannot_count_is_diagnosed(fake_perf: FakePerf, scenario: str, message: str) -> None:
    fake_perf(scenario)
    with pytest.raises(MachineError, match=message) as refused:
        HardwareSource.probe()
    assert refused.value.hint
    assert refused.value.exit_code == 3


def test_a_perf_that_hangs_is_given_up(fake_perf: FakePerf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pmu, "_TIMEOUT_S", 0.5)
    fake_perf("hangs")
    with pytest.raises(MachineError, match="did not end within"):
        HardwareSource.probe()


@pytest.mark.usefixtures("no_perf")
def test_no_perf() -> None:
    with pytest.raises(MachineError, match="perf is not installed") as refused:
        find_perf()
    assert "linux-perf" in (refused.value.hint or "")


@needs_extension
def test_auto_takes_hardware_where_it_works(fake_perf: FakePerf) -> None:
    source, why = choose_source("auto")
    assert source.name == "hardware"
    assert why.startswith("hardware counters through perf 6.1.187: 6 counters at once passed the self-test")


def test_auto_says_why_not_hardware(fake_perf: FakePerf) -> None:
    fake_perf("not-supported")
    source, why = choose_source("auto")
    assert source.name in {"qemu", "callgrind", "software"}
    assert "not hardware: no hardware counters" in why


@pytest.mark.usefixtures("no_perf")
def test_auto_ends_with_software() -> None:
    source, why = choose_source("auto")
    assert source.name == "software"
    assert "not hardware: perf is not installed" in why
    assert "not callgrind: valgrind is not installed" in why


@pytest.mark.usefixtures("no_perf")
def test_hardware_by_name_fails_with_the_remedy() -> None:
    with pytest.raises(MachineError):
        choose_source("hardware")


# ---------------------------------------------------------------- workloads that fail


@needs_extension
def test_the_workloads_exit_code_passes_through(source: HardwareSource, tmp_path: Path) -> None:
    outcome = measure(source, source.passes(WORKLOAD)[0], python("import sys; sys.exit(129)", 1), tmp_path)
    assert outcome.exit == 129
    assert outcome.readings


@needs_extension
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_a_signal_is_seen_although_perf_exits_with_0(
    source: HardwareSource, tmp_path: Path, number: signal.Signals
) -> None:
    ran = python(f"import os; print(1, flush=True); os.kill(os.getpid(), {int(number)})", 1)
    assert measure(source, source.passes(WORKLOAD)[0], ran, tmp_path).exit == -number


@needs_extension
def test_a_workload_that_speaks_like_psignal_is_not_killed(source: HardwareSource, tmp_path: Path) -> None:
    ran = python("import sys; print(sys.executable + ': all is well', file=sys.stderr)", 1)
    assert measure(source, source.passes(WORKLOAD)[0], ran, tmp_path).exit == 0


@needs_extension
def test_a_program_that_does_not_exist(source: HardwareSource, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        measure(source, source.passes(WORKLOAD)[0], command("/nonexistent", "1"), tmp_path)


@needs_extension
def test_a_hanging_workload_is_stopped_with_perf(source: HardwareSource, tmp_path: Path) -> None:
    ran = python("import signal; signal.pause()", 1, timeout_s=1.0)
    outcome = measure(source, source.passes(WORKLOAD)[0], ran, tmp_path)
    assert outcome.timed_out
    assert {one.value for one in outcome.readings} <= {None} or all(
        one.event == "wall" for one in outcome.readings if one.value is not None
    )


@needs_extension
@pytest.mark.parametrize("scenario", ["dies", "silent", "paranoid"])
def test_a_perf_that_fails_in_mid_run_is_no_workload_failure(
    source: HardwareSource, fake_perf: FakePerf, tmp_path: Path, scenario: str
) -> None:
    fake_perf(scenario)
    with pytest.raises(MachineError):
        measure(source, source.passes(WORKLOAD)[0], python("", 1), tmp_path)


# ---------------------------------------------------------------- diagnoses

REFUSED = "Error:\nAccess to performance monitoring and observability operations is limited."


@pytest.mark.parametrize(
    ("stderr", "here", "reason", "remedy"),
    [
        (REFUSED, bare_metal(paranoid=4), "perf_event_paranoid is 4", "sysctl kernel.perf_event_paranoid=2"),
        (REFUSED, bare_metal(paranoid=4, privileged=True, seccomp=True), "seccomp", "--cap-add PERFMON"),
        (REFUSED, bare_metal(seccomp=True), "seccomp", "--cap-add PERFMON"),
        (REFUSED, bare_metal(), "refuses perf_event_open", "SELinux"),
        ("... returned with 38 (Function not implemented)", bare_metal(seccomp=True), "seccomp", "PERFMON"),
        ("... (Function not implemented)", bare_metal(paranoid=None), "does not offer", "CONFIG_PERF_EVENTS"),
    ],
)
def test_why_perf_was_refused(stderr: str, here: Circumstances, reason: str, remedy: str) -> None:
    trouble = diagnose.refused(stderr, here)
    assert reason in trouble.reason
    assert remedy in (trouble.remedy or "")


def test_what_perf_said_is_passed_on_when_nothing_fits() -> None:
    assert diagnose.refused("Error:\nsomething new\n", bare_metal()).reason == "perf failed: something new"


ARM = Pmu(name="armv8_pmuv3_0", events=frozenset({"cpu_cycles", "sw_incr"}))


@pytest.mark.parametrize(
    ("here", "reason", "remedy"),
    [
        (bare_metal(hypervisor=True, wsl=True), "WSL2", ".wslconfig"),
        (bare_metal(hypervisor=True), "virtual machine without a virtual PMU", "pmu=on"),
        (bare_metal(), "no PMU driver", "hw perfevents"),
        (
            bare_metal(hypervisor=True, pmus=(ARM,)),
            "driver (armv8_pmuv3_0) offers none: the PMU says that it lacks INST_RETIRED",
            "-icount",
        ),
        (bare_metal(pmus=(ARM,)), "lacks INST_RETIRED", "hw perfevents"),
        (bare_metal(pmus=(Pmu(name="cpu", events=frozenset()),)), "PMU driver (cpu) offers none", "callgrind"),
    ],
)
def test_why_there_are_no_counters(here: Circumstances, reason: str, remedy: str) -> None:
    trouble = diagnose.not_supported("instructions", software_counts=True, here=here)
    assert reason in trouble.reason
    assert remedy in trouble.remedy
    assert ("INST_RETIRED" in trouble.reason) == ("INST_RETIRED" in reason)


def planted(root: Path, files: Mapping[str, str]) -> Path:
    """A tree of kernel files; a name that ends with a slash is a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text(text)
    return root


def test_circumstances_are_read_from_proc(tmp_path: Path) -> None:
    root = planted(
        tmp_path,
        {
            "proc/self/status": "Name:\tx\nCapEff:\t0000004000000000\nSeccomp:\t2\n",
            "proc/sys/kernel/osrelease": "5.15.133.1-microsoft-standard-WSL2\n",
            "proc/sys/kernel/perf_event_paranoid": "4\n",
            "proc/cpuinfo": "flags\t\t: fpu hypervisor avx\n",
        },
    )
    assert diagnose.circumstances(root) == Circumstances(
        paranoid=4, privileged=True, seccomp=True, hypervisor=True, wsl=True, pmus=()
    )


def test_pmus_of_cpus_are_not_those_of_the_rest_of_the_chip(tmp_path: Path) -> None:
    devices = "sys/bus/event_source/devices"
    root = planted(
        tmp_path,
        {
            f"{devices}/armv8_pmuv3_0/cpus": "0-3\n",
            f"{devices}/armv8_pmuv3_0/events/cpu_cycles": "event=0x0011\n",
            f"{devices}/armv8_pmuv3_0/events/sw_incr": "event=0x0000\n",
            f"{devices}/arm_cmn_0/cpumask": "0\n",
            f"{devices}/software/type": "1\n",
            f"{devices}/cpu/type": "4\n",
        },
    )
    assert diagnose.circumstances(root).pmus == (ARM, Pmu(name="cpu", events=frozenset()))


ARM_CPU = "processor\t: 0\nFeatures\t: fp asimd evtstrm\nCPU implementer\t: 0x41\n"


@pytest.mark.parametrize(
    ("files", "virtual"),
    [
        ({"proc/cpuinfo": "flags\t\t: fpu hypervisor avx\n"}, True),
        ({"proc/cpuinfo": "flags\t\t: fpu avx\n"}, False),
        ({"proc/cpuinfo": "model name\t: a hypervisor by name\nflags\t\t: fpu\n"}, False),
        ({"proc/cpuinfo": "vendor_id\t: User Mode Linux\n"}, True),
        # QEMU's virt board, booted with a kernel: no DMI, and of the hypervisor no node.
        ({"proc/device-tree/compatible": "linux,dummy-virt\0", "proc/device-tree/fw-cfg@9020000/": ""}, True),
        ({"proc/device-tree/fw-cfg@9020000/": ""}, True),
        ({"proc/device-tree/hypervisor/compatible": "linux,kvm\0"}, True),
        ({"proc/device-tree/compatible": "IBM,9009-42A\0"}, False),
        ({"proc/device-tree/compatible": "qemu,pseries\0"}, True),
        ({"proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0"}, False),
        ({"sys/class/dmi/id/sys_vendor": "QEMU\n", "sys/class/dmi/id/product_name": "KVM Virtual Machine\n"}, True),
        ({"sys/class/dmi/id/sys_vendor": "Hetzner\n", "sys/class/dmi/id/chassis_vendor": "QEMU\n"}, True),
        ({"sys/class/dmi/id/sys_vendor": "Amazon EC2\n", "sys/class/dmi/id/product_name": "m6g.large\n"}, True),
        ({"sys/class/dmi/id/sys_vendor": "Amazon EC2\n", "sys/class/dmi/id/product_name": "m6g.metal\n"}, False),
        (
            {
                "sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
                "sys/class/dmi/id/product_name": "Virtual Machine\n",
            },
            True,
        ),
        (
            {"sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n", "sys/class/dmi/id/product_name": "Surface\n"},
            False,
        ),
        ({"sys/class/dmi/id/sys_vendor": "Dell Inc.\n"}, False),
        ({"sys/hypervisor/type": "xen\n"}, True),
        ({"proc/sysinfo": "LPAR Number: 1\nVM00 Control Program: KVM/Linux\n"}, True),
        ({"proc/sysinfo": "LPAR Number: 1\n"}, False),
    ],
)
def test_virtual_machines_of_every_architecture(tmp_path: Path, files: dict[str, str], virtual: bool) -> None:
    assert is_virtual(planted(tmp_path, {"proc/cpuinfo": ARM_CPU} | files)) is virtual


@pytest.mark.parametrize("text", ["", "\n", "unreadable", "0x2 2", "CapEff:"])
def test_fields_that_a_sandbox_fills_otherwise_are_unknown(tmp_path: Path, text: str) -> None:
    for name in ("self/status", "sys/kernel/perf_event_paranoid", "cpuinfo", "sys/kernel/osrelease"):
        (tmp_path / "proc" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc" / name).write_text(text)
    found = diagnose.circumstances(tmp_path)
    assert (found.paranoid, found.privileged, found.seccomp) == (None, False, False)


def test_a_kernel_without_perf_events_has_no_level(tmp_path: Path) -> None:
    assert diagnose.circumstances(tmp_path).paranoid is None
