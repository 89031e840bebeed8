"""Why a valgrind that is installed does not run here, by what it says, and what would have to change."""

from __future__ import annotations

import re

from profiler.errors import MachineError
from profiler.system.install import how_to_install

_REMEDIES = (
    (
        ("must-be-redirected", "debuginfo", "debug info"),
        "it must find the names of the C library's own functions: {symbols}",
    ),
    (
        ("failed to start tool", "cannot execute", "No such file"),
        "a part of it is missing: install it anew: {valgrind}",
    ),
    (
        ("nhandled instruction", "nrecognised instruction", "SIGILL", "Illegal opcode"),
        "this CPU's programs use instructions that it does not know: install a newer valgrind (https://valgrind.org)",
    ),
    (
        ("Operation not permitted", "Permission denied", "personality", "seccomp"),
        "the container, or the folder for temporary files, forbids what it needs: measure outside, or set TMPDIR",
    ),
    (("Unknown option", "Bad option", "unknown option"), "it is too old: install a newer valgrind: {valgrind}"),
)
"""Valgrind's own words (coregrind/m_main.c, launcher-linux.c, m_redir.c, m_signals.c) and the one thing to do."""

_BY_HAND = "run {path} --tool=callgrind /bin/sh -c : by hand: what it says there is in the way"
_LONGEST = 300
_MARK = re.compile(r"^(==\d+==|valgrind:)")
_PREAMBLE = ("Callgrind,", "Copyright", "Using Valgrind", "Command:", "Parent PID:", "For interactive control")
"""Its log begins with who wrote it."""


def does_not_run(path: str, said: str) -> MachineError:
    """The error of a valgrind at ``path`` that counts nothing and ``said`` something."""
    remedy = next((remedy for words, remedy in _REMEDIES if any(word in said for word in words)), _BY_HAND)
    hint = remedy.format(path=path, valgrind=how_to_install("valgrind"), symbols=how_to_install("libc-symbols"))
    return MachineError(f"valgrind is installed, but does not count: {_gist(said)}", hint=hint)


def _gist(said: str) -> str:
    """Its words in one line, without the marks of its process."""
    told = [_MARK.sub("", line).strip() for line in said.splitlines()]
    own = [line for line in told if line and not line.startswith(_PREAMBLE)]
    return " ".join(own)[:_LONGEST] or "it said nothing"
