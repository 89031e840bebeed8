"""A process that outlives ours by a moment: whatever way ours ends, it kills the process groups that we had started.

SIGKILL and the kernel's out-of-memory killer leave no time for that, and a signal for a parent's death (prctl(2)) would
have to be asked for between fork and exec of every process that is measured, and reaches no grandchild.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

_BEGUN, _ENDED = b"+", b"-"
_ENDS_S = 1.0


class Guardian:
    """Our end of it. Where it cannot be started, or has died, everything else works as ever."""

    def __init__(self) -> None:
        import subprocess

        self._pipe: int | None = None
        ours: int | None = None
        try:
            ours, self._pipe = os.pipe2(os.O_CLOEXEC)
            self._child = subprocess.Popen(
                # Nothing of ours: it is to be there in milliseconds.
                (sys.executable, "-I", "-S", __file__),
                stdin=ours,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # Not ended by what ends our own group.
                start_new_session=True,
            )
        except OSError:
            self._lose()
        finally:
            if ours is not None:
                os.close(ours)

    def is_it(self, pid: int) -> bool:
        """Whether that process is the guardian."""
        return self._pipe is not None and pid == self._child.pid

    def begun(self, group: int) -> None:
        """From now on ``group`` ends with us."""
        self._say(b"%s%d\n" % (_BEGUN, group))

    def ended(self, group: int) -> None:
        """It is gone: its number may be another's soon."""
        self._say(b"%s%d\n" % (_ENDED, group))

    def close(self) -> None:
        """We end in order: it has nothing to do, and ends before us."""
        started = self._pipe is not None
        self._lose()
        if started:
            import subprocess

            with suppress(subprocess.TimeoutExpired):
                self._child.wait(_ENDS_S)

    def _say(self, line: bytes) -> None:
        if self._pipe is not None:
            try:
                os.write(self._pipe, line)
            except OSError:
                self._lose()

    def _lose(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def _guard() -> None:
    """Until the other end of the pipe closes, remember; then kill."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = set()
    for line in sys.stdin.buffer:
        group = int(line[1:])
        if line.startswith(_BEGUN):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    _guard()
