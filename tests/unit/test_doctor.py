"""``tax-probe doctor``: every problem is named with its remedy, and the exit code says whether counting is possible."""

import json

import msgspec
import pytest

from profiler.catalogue.events import EVENTS
from profiler.cli import main
from profiler.model import Check, EventCheck, Health, TargetCheck
from profiler.present.health_tables import show
from profiler.system.cgroup import Cgroup
from profiler.system.machine import MachineFacts
from profiler.system.machine_checks import machine_checks
from tests.conftest import FakePerf, needs_extension

QUIET = MachineFacts(
    cpu_model="AMD",
    vendor="AuthenticAMD",
    family="26",
    model="68",
    stepping="0",
    microcode="0x1",
    cpus_online=2,
    cpus_allowed=(0, 1),
    smt=False,
    governor="performance",
    turbo=False,
    hypervisor=False,
    wsl=False,
    kernel="6.1",
    architecture="x86_64",
    perf_event_paranoid=2,
    nmi_watchdog=False,
    steal_s=0.0,
    cgroup=Cgroup(quota_cpus=None, throttled=0, throttled_ns=0),
    transparent_hugepages="madvise",
    aslr=2,
    mitigations={},
    perf="6.1.187",
    valgrind=None,
    pyperf={"uptime": 1000.0, "load_avg_1min": 0.1},
)


def checks(perf_users: tuple[str, ...] = (), advice: tuple[str, ...] = (), **changed: object) -> dict[str, Check]:
    facts = msgspec.structs.replace(QUIET, **changed)
    return {check.topic: check for check in machine_checks(facts, perf_users, advice)}


def test_a_quiet_machine_has_nothing_to_mend() -> None:
    assert {(check.status, check.remedy) for check in checks().values()} == {("ok", None)}


@pytest.mark.parametrize(
    ("changed", "topic", "status", "remedy"),
    [
        ({"perf": None}, "perf", "problem", "linux-perf"),
        ({"perf_event_paranoid": 4}, "perf_event_paranoid", "problem", "sysctl kernel.perf_event_paranoid=2"),
        ({"nmi_watchdog": True}, "NMI watchdog", "note", "nmi_watchdog"),
        ({"governor": "powersave"}, "frequency governor", "note", "cpupower"),
        ({"turbo": True}, "turbo", "note", "boost"),
        ({"smt": True}, "SMT", "note", "sibling"),
        ({"steal_s": 100.0}, "steal", "note", "CPUs of its own"),
        ({"cgroup": Cgroup(quota_cpus=0.5, throttled=7, throttled_ns=1)}, "CPU quota", "problem", "lift the quota"),
        ({"cgroup": Cgroup(quota_cpus=1.5, throttled=7, throttled_ns=1)}, "CPU quota", "note", "lift the quota"),
        ({"pyperf": {"uptime": 1000.0, "load_avg_1min": 1.9}}, "load", "note", "let other work end"),
        ({"perf_users": ("perf (pid 4)",)}, "other perf users", "note", "end them"),
        ({"advice": ("ASLR: enable it",)}, "pyperf system", "note", "pyperf system tune"),
    ],
)
def test_every_disturbance_has_its_remedy(changed: dict[str, object], topic: str, status: str, remedy: str) -> None:
    check = checks(**changed)[topic]  # type: ignore[arg-type]
    assert check.status == status
    assert remedy in (check.remedy or "")


def test_steal_is_a_share_of_all_cpus() -> None:
    assert checks(steal_s=100.0)["steal"].finding.startswith("5.00% of CPU time")


def test_what_is_not_known_is_said() -> None:
    found = checks(steal_s=None, governor=None, smt=None, pyperf={})
    assert found["steal"].finding == "not known"
    assert found["load"].finding == "not known"
    assert found["SMT"].finding == "not visible"


def test_a_kernel_without_perf_events() -> None:
    assert checks(perf_event_paranoid=None)["perf_event_paranoid"].status == "problem"


# ---------------------------------------------------------------- the command


def doctor(capsys: pytest.CaptureFixture[str]) -> tuple[int, Health]:
    code = main(["doctor", "--format", "json"])
    return code, msgspec.json.decode(capsys.readouterr().out, type=Health)


@needs_extension
def test_with_counters(fake_perf: FakePerf, capsys: pytest.CaptureFixture[str]) -> None:
    fake_perf("dead-slot", unknown=("dTLB-load-misses:u",))
    code, health = doctor(capsys)
    assert (code, health.source, health.counts_instructions) == (0, "hardware", True)
    hardware = next(check for check in health.checks if check.topic == "hardware")
    assert hardware.status == "ok"
    assert "dead slot" in hardware.finding
    events = {event.event: event for event in health.events}
    assert events["instructions"].hardware == "instructions:u"
    assert events["dtlb-misses"].hardware is None
    assert "event syntax error" in (events["dtlb-misses"].why_not or "")
    assert set(events) == {event.name for event in EVENTS}
    assert all((event.hardware is None) is (event.why_not is not None) for event in events.values())
    queued = events["queued"]
    assert (queued.hardware, queued.timed) == (None, True), "no counter reads it"
    assert "the script reads it" in (queued.why_not or "")


@needs_extension
def test_an_event_that_the_kernel_opens_and_never_counts(
    fake_perf: FakePerf, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_perf("normal", waiting=("l1d-misses",))
    _, health = doctor(capsys)
    (event,) = (event for event in health.events if event.event == "l1d-misses")
    assert event.hardware is None
    assert "not counted: no counter was free" in (event.why_not or "")


def test_without_a_pmu(fake_perf: FakePerf, capsys: pytest.CaptureFixture[str]) -> None:
    fake_perf("not-supported")
    code, health = doctor(capsys)
    assert health.source in {"qemu", "callgrind", "software"}
    assert code == (3 if health.source == "software" else 0)
    assert "not hardware: no hardware counters" in health.source_sentence
    hardware = next(check for check in health.checks if check.topic == "hardware")
    assert (hardware.status, bool(hardware.remedy)) == ("problem", True)
    assert {event.hardware for event in health.events} == {None}


@pytest.mark.usefixtures("no_perf")
def test_with_nothing_that_counts(capsys: pytest.CaptureFixture[str]) -> None:
    code, health = doctor(capsys)
    assert (code, health.source, health.counts_instructions) == (3, "software", False)
    problems = {check.topic: check for check in health.checks if check.status == "problem"}
    assert {"hardware", "callgrind", "perf"} <= set(problems)
    assert all(check.remedy for topic, check in problems.items() if topic != "perf_event_paranoid")


# ---------------------------------------------------------------- the table

HEALTH = Health(
    schema="tax-probe/1",
    command="doctor",
    source="software",
    source_sentence="times only [not a tag]",
    counts_instructions=False,
    checks=(Check(topic="perf", status="problem", finding="none [at all]", remedy="install [linux-perf]"),),
    events=(
        EventCheck(event="cycles", title="cycles", hardware=None, why_not="no [PMU]", callgrind=None, timed=False),
        EventCheck(
            event="branches", title="branches", hardware="branches:u", why_not=None, callgrind="exact", timed=False
        ),
    ),
    targets=(
        TargetCheck(
            path="/opt/python3.12",
            version="3.12.1",
            program_loads="/opt/libpython3.12.so.1.0",
            shared_library=None,
            static_library=None,
            pic_library=None,
            include_dir=None,
            problem=None,
        ),
    ),
    machine={},
)


def test_the_table_says_it_all_and_takes_no_text_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show(HEALTH, format_="table", verbose=True)
    out = capsys.readouterr().out
    for text in (
        "--source auto takes software: times only [not a tag]",
        "problem: perf\n             none [at all]",
        "→ install [linux-perf]",
        "Not counted  by hardware: cycles (no [PMU])",
        "branches:u",
        "target /opt/python3.12: CPython 3.12.1, loads /opt/libpython3.12.so.1.0",
        "no libpython found",
        "libpython3-dev",
    ):
        assert text in out


def test_json_is_one_document_with_null_for_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    show(HEALTH, format_="json")
    document = json.loads(capsys.readouterr().out)
    assert document["events"][0]["hardware"] is None
    assert document["targets"][0]["shared_library"] is None


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_terminal_shows_it_on_one_screen(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("profiler.present.text.WITHOUT_TERMINAL", width)
    show(HEALTH, format_="table")
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) <= 40
    assert shown[0].startswith("--source auto takes software")
    assert shown[-1] == "Next         tax-probe ipc"
