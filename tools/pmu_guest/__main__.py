"""make test-pmu: boot the Arm guests, run tests/perf, doctor, ipc and variants in them, and check every figure.

Exit codes: 0 all checks passed, or the guest cannot run here (then the last line says why); 1 a check or a step failed;
2 usage; 5 interrupted.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

import msgspec
from filelock import FileLock, Timeout

from profiler.errors import MachineError
from profiler.present.answer import keep
from profiler.system.home import cache_folder
from profiler.system.process_groups import stop_all
from tools.pmu_guest.console import elapsed_s, say
from tools.pmu_guest.errors import CannotRun, GuestFailed
from tools.pmu_guest.guests import SCRATCH, TIMEOUT_S, run_guests
from tools.pmu_guest.jobs import JOBS, RECORDED
from tools.pmu_guest.judge import REFERENCE, judge, result_folder
from tools.pmu_guest.limits import Limit
from tools.pmu_guest.preflight import require_this_machine
from tools.pmu_guest.prepare import RECORD, prepare
from tools.pmu_guest.table import read_table

_TIMES = "seconds.json"


def main(arguments: list[str]) -> int:
    """Run it; gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (CannotRun, MachineError) as error:
        said = f"{error.message} ({error.hint})" if isinstance(error, MachineError) else str(error)
        say(f"SKIPPED, nothing was checked: {said}")
        return int(options.skipped_exit)
    except GuestFailed as error:
        say(f"FAILED: {error}")
        for line in error.tail.splitlines():
            say(f"  {line}")
        return 1
    except KeyboardInterrupt:
        stop_all()
        say("interrupted; what was fetched and built so far is kept")
        return 5


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/test-pmu", description="Test tax-probe on the PMU of an Arm guest.")
    parser.add_argument(
        "--budget", type=float, metavar="SECONDS", default=os.environ.get("TAX_PROBE_PMU_BUDGET") or None,
        help="skip, with the reason, what would take longer (default: $TAX_PROBE_PMU_BUDGET, or none)",
    )  # fmt: skip
    parser.add_argument("--update", action="store_true", help="resolve the packages anew instead of those kept")
    parser.add_argument(
        "--job", metavar="NAME", action="append", choices=[job.name for job in JOBS],
        help=f"only this guest of {', '.join(job.name for job in JOBS)} (repeatable)",
    )  # fmt: skip
    parser.add_argument("--record", action="store_true", help="keep the results as those of results/pmu-guest")
    parser.add_argument("--skipped-exit", type=int, metavar="N", default=0, help="exit code of a skip (default: 0)")
    return parser


def _run(options: argparse.Namespace) -> int:
    limit, table = Limit(options.budget), read_table()
    require_this_machine(table)
    cache = cache_folder() / "pmu-guest"
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(cache / ".lock", timeout=0):
            return _locked(options, limit, cache)
    except Timeout:
        raise CannotRun("another make test-pmu is running", "wait for it to end") from None


def _locked(options: argparse.Namespace, limit: Limit, cache: Path) -> int:
    for left in (*cache.glob(f"{SCRATCH}*"), *cache.glob(".making-*")):
        shutil.rmtree(left, ignore_errors=True)
    table, times = read_table(), cache / _TIMES
    jobs = tuple(job for job in JOBS if options.job is None or job.name in options.job)
    before = msgspec.json.decode(times.read_bytes(), type=dict[str, float]) if times.is_file() else {}
    limit.require_room_for(before.get("guests"), "running the guests")
    places = prepare(table, cache, update=options.update, limit=limit)
    prepared_s = elapsed_s()
    say("everything is there")
    limit.require_room_for(before.get("guests"), "running the guests")
    out = cache / "last"
    shutil.rmtree(out, ignore_errors=True)
    timeout_s = min(TIMEOUT_S, max(limit.left_s(), 1.0))
    try:
        took = run_guests(jobs, places, out, python=table.wheels.python, timeout_s=timeout_s)
    except GuestFailed:
        limit.require("the guests had done their jobs")
        raise
    guests_s = elapsed_s() - prepared_s
    if jobs == JOBS:
        times.write_bytes(msgspec.json.encode({"guests": guests_s}))
    findings = judge(jobs, out)
    for finding in findings:
        say(str(finding))
    failed = sum(not finding.passed for finding in findings)
    for name, seconds in took.items():
        say(f"{name}: {seconds:.0f} s")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(one.ru_utime + one.ru_stime for one in used)
    say(f"prepared in {prepared_s:.0f} s, guests {guests_s:.0f} s; in all {elapsed_s():.0f} s, CPU time {cpu_s:.0f} s")
    say(f"results: {out}; packages: {cache / RECORD}")
    if options.record and jobs == JOBS and not failed:
        _record(out, cache)
    print(f"test-pmu: {len(findings) - failed} passed, {failed} failed")  # noqa: T201
    return 1 if failed else 0


def _record(out: Path, cache: Path) -> None:
    for job, step in RECORDED:
        kept = REFERENCE / step
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(result_folder(out / job, step), kept)
        keep(kept)
    resolved = msgspec.json.decode((cache / RECORD).read_bytes())
    lines = sorted({deb["file"] for group in ("guest", "tools") for deb in resolved["packages"][group]})
    (REFERENCE / "packages.txt").write_text("".join(f"{line}\n" for line in lines))
    say(f"recorded in {REFERENCE}; now make record")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    sys.exit(main(sys.argv[1:]))
