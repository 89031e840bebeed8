"""Run a builder (cargo, make, apt-get) to its end: its output line by line to a log and to whoever watches."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from profiler.system.process_groups import kill_group, started

_KEPT_LINES = 4000
_SAID_LINES = 12
_ERROR = re.compile(
    r"\berror\b|^E: |\bError [0-9]+$|undefined reference|cannot find|unrecognized|No rule to make", re.IGNORECASE
)


class Failed(Exception):  # noqa: N818 - the caller makes an error with a remedy of it
    """A builder ended with a failure or did not end; ``exit`` is None for the latter."""

    def __init__(self, exit_: int | None, lines: Sequence[str]) -> None:
        super().__init__(exit_, lines)
        self.exit = exit_
        self.lines = tuple(lines)

    @property
    def said(self) -> str:
        """The builder's own words: from its first error line on, or its last lines."""
        if self.exit is None:
            return "it did not come to an end"
        start = next((number for number, line in enumerate(self.lines) if _ERROR.search(line)), None)
        lines = self.lines[-_SAID_LINES:] if start is None else self.lines[start : start + _SAID_LINES]
        return "\n".join(lines) or f"exit code {self.exit} and no output"


def run_logged(
    command: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Run ``command``; each line of stdout and stderr is appended to ``log`` and handed to ``on_line``.

    It gets a session of its own, so that everything it started can be ended with it: after ``timeout_s``, or when
    ``on_line`` or an interruption raises.

    Raises:
        Failed: another exit code than 0, or the time is over; with its last lines.
        OSError: it could not be started.
    """
    lines: list[str] = []
    with (
        log.open("a", encoding="utf-8") as file,
        started(
            lambda: subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        ) as process,
        process,
    ):
        late = threading.Event()

        def give_up() -> None:
            late.set()
            kill_group(process.pid)

        timer = threading.Timer(timeout_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                file.write(line)
                lines.append(line.rstrip())
                del lines[:-_KEPT_LINES]
                if on_line is not None and line.strip():
                    on_line(line.strip())
        except BaseException:
            kill_group(process.pid)
            raise
        finally:
            timer.cancel()
    if late.is_set():
        raise Failed(None, lines)
    if process.returncode != 0:
        raise Failed(process.returncode, lines)
