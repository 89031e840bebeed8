"""Run one process under ``perf stat`` and tell three things apart: its counts, a failing workload, a failing perf."""

from __future__ import annotations

import gettext
import os
import re
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from profiler.errors import MachineError
from profiler.model import Noun, Reading
from profiler.sources.perf_output import Asked, read
from profiler.system import diagnose, process
from profiler.system.perf import INSTALL, QUIET, NoPerfError, Perf
from profiler.system.process import Command

_ROUNDING_PERF, _ONE_CONTEXT, _UNKNOWN = (6, 14), (6, 2), (1 << 30, 0)
_NO_JSON = "unknown switch `j'"
_NEWER = f"install perf 6.0 or newer; {INSTALL}"
_OTHER = "install the perf of this kernel, or choose --source callgrind; please report this perf's version"
_EXEC_FAILED = "Workload failed: "
_CATALOGUES = ("/usr/share/locale", "/usr/share/locale-langpack")


class Counted(Noun, frozen=True, kw_only=True):
    """What perf read, and how the workload ended (not perf: ``completed.exit`` is the workload's)."""

    readings: tuple[Reading, ...]
    completed: process.Completed


def stat(perf: Perf, asked: Sequence[Asked], command: Command, scratch: Path) -> Counted:
    """Run ``command`` once under ``perf stat`` with exactly the events ``asked``.

    perf gets the command's environment as it is but for ``QUIET``: another locale would reach the workload too and
    change how CPython starts, and a wrapper that changes it back would be counted. The parser reads any locale instead.

    Raises:
        MachineError: perf itself failed: unknown event, no permission, killed by a signal, nothing written.
        OSError: the workload could not be started, as from ``process.run``.
    """
    out = scratch / "perf.json"
    out.unlink(missing_ok=True)
    specs = ",".join(event.spec for event in asked)
    argv = (perf.path, "stat", "-j", "-o", str(out), "-e", specs, "--", *command.argv)
    done = process.run(msgspec.structs.replace(command, argv=argv, env=command.env | QUIET))
    data = out.read_bytes() if out.exists() else b""
    stopped = done.timed_out or done.output_exceeded
    if not stopped and done.exit < 0:
        raise MachineError(
            f"perf was killed by signal {-done.exit} while it ran {command.argv[0]}",
            hint="run perf stat by hand; if it crashes there too, install another version of perf",
        )
    if not stopped and b'"counter-value"' not in data:
        raise _no_figures(perf, data, done, command)
    killed_by = None if stopped else _killed_by(done, command)
    completed = done if killed_by is None else msgspec.structs.replace(done, exit=-killed_by)
    return Counted(
        readings=read(data, asked, percent_is_exact=percent_is_exact(perf.version, os.uname().release)),
        completed=completed,
    )


def percent_is_exact(perf: str, kernel: str) -> bool:
    """Does 100.00 % say all there is to know of the time that a counter ran?

    perf before 6.14 cuts the percentage to an integer. And before kernel 6.2 software events have a context of their
    own (perf_sw_context), whose time differs from the counters' by some ns at each switch: it cannot be compared.
    """
    return _version(perf) < _ROUNDING_PERF or _version(kernel) < _ONE_CONTEXT


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else _UNKNOWN


def _no_figures(perf: Perf, data: bytes, done: process.Completed, command: Command) -> Exception:
    if _EXEC_FAILED in done.stderr_tail:
        why = done.stderr_tail.rpartition(_EXEC_FAILED)[2].strip()
        return OSError(f"{command.argv[0]} cannot be started: {why}")
    if _NO_JSON in done.stderr_tail:
        return NoPerfError(f"perf {perf.version} is too old: it writes no JSON (perf stat -j)", hint=_NEWER)
    shown = next((line for line in data.decode(errors="replace").splitlines() if line.strip() and line[0] != "#"), None)
    if done.exit == 0 and shown is not None:
        return NoPerfError(
            f"perf {perf.version} writes figures in a form that is not known: {shown[:100]}", hint=_OTHER
        )
    if done.exit == 0:
        return MachineError("perf ended well, but wrote no figures", hint="is the disk of the temporary folder full?")
    trouble = diagnose.refused(done.stderr_tail, diagnose.circumstances())
    return MachineError(trouble.reason, hint=trouble.remedy)


def _killed_by(done: process.Completed, command: Command) -> int | None:
    """The signal that ended the workload, or None.

    perf stat exits with WEXITSTATUS of its child even when a signal killed it, which is 0; all that remains is the line
    that it prints last, ``psignal(3)``: "PROGRAM: DESCRIPTION" in the user's language (tools/perf/builtin-stat.c).
    """
    last_line = done.stderr_tail.rstrip().rpartition("\n")[2]
    if done.exit != 0 or f"{command.argv[0]}: " not in last_line:
        return None
    for number in signal.valid_signals():
        english = signal.strsignal(number)
        if english is not None and any(
            last_line.endswith(f"{command.argv[0]}: {name}") for name in (english, *_translations(english, command.env))
        ):
            return number
    return None


def _translations(text: str, env: Mapping[str, str]) -> list[str]:
    locale = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or "C"
    languages = [language for language in (*env.get("LANGUAGE", "").split(":"), locale) if language]
    return [gettext.translation("libc", place, languages, fallback=True).gettext(text) for place in _CATALOGUES]
