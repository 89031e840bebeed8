"""What ``doctor`` makes of the machine's facts: pure rules, one check each."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from profiler.model import Check
from profiler.system.environment import quota_caveats
from profiler.system.machine import MachineFacts
from profiler.system.perf import INSTALL

_STEAL_SHARE = 0.01
_BUSY_PER_CPU = 0.5


def machine_checks(facts: MachineFacts, perf_users: Sequence[str], advice: Sequence[str]) -> Iterator[Check]:
    """Whatever may disturb counts or times, each with its remedy."""
    yield from _perf_checks(facts, perf_users)
    yield from _clock_checks(facts)
    yield from _sharing_checks(facts)
    if advice:
        yield Check(
            topic="pyperf system",
            status="note",
            finding="; ".join(advice),
            remedy=f"sudo {sys.executable} -m pyperf system tune",
        )


def _perf_checks(facts: MachineFacts, perf_users: Sequence[str]) -> Iterator[Check]:
    yield Check(
        topic="perf",
        status="ok" if facts.perf else "problem",
        finding=f"version {facts.perf}" if facts.perf else "no perf that runs",
        remedy=None if facts.perf else INSTALL,
    )
    level = facts.perf_event_paranoid
    if level is None:
        yield Check(topic="perf_event_paranoid", status="problem", finding="this kernel has no perf events")
    elif level > 2:
        yield Check(
            topic="perf_event_paranoid",
            status="problem",
            finding=f"{level}: ordinary users may count nothing",
            remedy="sudo sysctl kernel.perf_event_paranoid=2",
        )
    else:
        yield Check(topic="perf_event_paranoid", status="ok", finding=str(level))
    if facts.nmi_watchdog:
        yield Check(
            topic="NMI watchdog",
            status="note",
            finding="on: where it counts with perf, as on most x86 kernels, it holds one hardware counter",
            remedy="echo 0 | sudo tee /proc/sys/kernel/nmi_watchdog",
        )
    yield Check(
        topic="other perf users",
        status="note" if perf_users else "ok",
        finding=", ".join(perf_users) or "none",
        remedy="end them: they take hardware counters" if perf_users else None,
    )


def _clock_checks(facts: MachineFacts) -> Iterator[Check]:
    steady = facts.governor in {None, "performance"}
    yield Check(
        topic="frequency governor",
        status="ok" if steady else "note",
        finding=facts.governor or "not visible (often: a virtual machine)",
        remedy=None if steady else "sudo cpupower frequency-set -g performance",
    )
    if facts.turbo:
        yield Check(
            topic="turbo",
            status="note",
            finding="on: times depend on heat and on the neighbours; cycles do not",
            remedy="echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost (Intel: 1 into intel_pstate/no_turbo)",
        )
    yield Check(
        topic="SMT",
        status="note" if facts.smt else "ok",
        finding={None: "not visible", False: "off", True: "on: a busy sibling costs cycles and time"}[facts.smt],
        remedy="leave the sibling CPUs idle, or echo off | sudo tee /sys/devices/system/cpu/smt/control"
        if facts.smt
        else None,
    )


def _sharing_checks(facts: MachineFacts) -> Iterator[Check]:
    uptime = facts.pyperf.get("uptime")
    steal = None
    if facts.steal_s is not None and isinstance(uptime, int | float) and uptime > 0:
        steal = facts.steal_s / (uptime * facts.cpus_online)
    yield Check(
        topic="steal",
        status="note" if steal is not None and steal > _STEAL_SHARE else "ok",
        finding="not known" if steal is None else f"{steal:.2%} of CPU time since boot went to other guests",
        remedy="an instance with CPUs of its own" if steal is not None and steal > _STEAL_SHARE else None,
    )
    limited = facts.cgroup.quota_cpus is not None
    throttled = facts.cgroup.throttled
    yield Check(
        topic="CPU quota",
        status="ok" if not limited else "problem" if quota_caveats(facts.cgroup) else "note",
        finding=f"{facts.cgroup.quota_cpus:g} CPUs, stopped {throttled if throttled is not None else '?'} times so far"
        if limited
        else "none",
        remedy="lift the quota (docker run without --cpus): it stops processes in mid-run" if limited else None,
    )
    load = facts.pyperf.get("load_avg_1min")
    busy = isinstance(load, int | float) and load > _BUSY_PER_CPU * facts.cpus_online
    yield Check(
        topic="load",
        status="note" if busy else "ok",
        finding="not known" if load is None else f"{load} over the last minute on {facts.cpus_online} CPUs",
        remedy="let other work end first" if busy else None,
    )
