"""CPU time of one process between points of its own code: breakpoints by ptrace(2), the clock is the scheduler's.

Nothing is built into the program and no symbol but exported ones is needed. ``/proc/<pid>/schedstat`` counts the time
on the CPU in ns and stands still while the process is stopped, so the stops themselves are not counted.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from profiler.launch.binaries.elf import load_bias, symbol_address
from profiler.system.process import Command, input_of

TRACEME, PEEK, POKE, CONT, GETREGS, SETREGS, SETOPTIONS = 0, 1, 4, 7, 12, 13, 0x4200
"""linux/ptrace.h."""
_EXITKILL = 0x100000
_AT_ENTRY = 9
"""elf.h: the program's entry point in the auxiliary vector."""
_RIP, _RSP, _REGISTERS = 16, 19, 27
"""Positions in user_regs_struct (sys/user.h, x86-64)."""
_INT3 = 0xCC


class UnwatchableError(Exception):
    """This process or machine does not allow it; the text says why."""


class Stopwatch:
    """One traced process, stopped before its first instruction; use from one thread."""

    def __init__(self, command: Command) -> None:
        if platform.machine() != "x86_64":
            raise UnwatchableError(f"breakpoints are known for x86-64 only, not for {platform.machine()}")
        self._late = False
        libc = ctypes.CDLL(None, use_errno=True)
        self._ptrace = libc.ptrace
        self._ptrace.restype = ctypes.c_long
        self._ptrace.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        restore = os.sched_getaffinity(0)
        if command.cpu is not None:
            os.sched_setaffinity(0, {command.cpu})
        try:
            with input_of(command) as stdin:
                self.child = subprocess.Popen(
                    command.argv,
                    env=command.env,
                    cwd=command.cwd,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    preexec_fn=lambda: self._ptrace(TRACEME, 0, None, None),  # noqa: PLW1509 - nothing else stops it
                )
        finally:
            os.sched_setaffinity(0, restore)
        # A wait that polls would leave the process stopped for longer, and its caches to others.
        self._timer = threading.Timer(command.timeout_s, self._give_up)
        self._timer.daemon = True
        self._timer.start()
        if self._wait() is not None:
            raise UnwatchableError("the process could not be traced (ptrace is not permitted here)")
        self._call(SETOPTIONS, 0, _EXITKILL)

    def cpu_ns(self) -> int:
        """Time on the CPU so far."""
        return int(Path(f"/proc/{self.child.pid}/schedstat").read_text().split()[0])

    def entry(self) -> int:
        """Where the program begins, after the loader."""
        data = Path(f"/proc/{self.child.pid}/auxv").read_bytes()
        words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
        return dict(zip(words[::2], words[1::2], strict=False))[_AT_ENTRY]

    def address(self, symbol: str, wanted: Callable[[str], bool]) -> int:
        """Of an exported ``symbol`` in the first mapped file that is ``wanted`` (by path)."""
        for path, start in self._mapped():
            if wanted(path):
                offset = symbol_address(path, symbol)
                if offset is not None:
                    return offset + load_bias(path, start)
        raise UnwatchableError(f"no mapped file exports {symbol}")

    def run_to(self, address: int) -> None:
        """Let it run until it is about to execute ``address`` for the first time."""
        word = self._call(PEEK, address, 0)
        self._call(POKE, address, (word & ~0xFF) | _INT3)
        if self._continue() is not None:
            raise UnwatchableError("the process ended before it came there")
        registers = self._registers()
        if registers[_RIP] != address + 1:
            raise UnwatchableError("the process stopped elsewhere")
        registers[_RIP] = address
        self._call(SETREGS, 0, ctypes.addressof(registers))
        self._call(POKE, address, word)

    def return_address(self) -> int:
        """Where the function that is about to begin will return to."""
        return self._call(PEEK, self._registers()[_RSP], 0) & 0xFFFFFFFFFFFFFFFF

    def finish(self) -> tuple[int, int]:
        """Let it run to its end: exit code (negative: signal) and all its time on the CPU."""
        exit_ = self._continue()
        if exit_ is None:
            raise UnwatchableError("the process stopped where nothing was asked")
        return exit_, self._total

    def close(self) -> None:
        """End it if it lives."""
        self._timer.cancel()
        if self.child.returncode is None:
            self.child.kill()
            self.child.wait()
        for stream in (self.child.stdout, self.child.stderr):
            if stream is not None:
                stream.close()

    def _give_up(self) -> None:
        self._late = True
        self.child.kill()

    def _mapped(self) -> Iterator[tuple[str, int]]:
        seen = set()
        for line in Path(f"/proc/{self.child.pid}/maps").read_text().splitlines():
            parts = line.split(maxsplit=5)
            if len(parts) == 6 and parts[5].startswith("/") and parts[5] not in seen:
                seen.add(parts[5])
                yield parts[5], int(line.split("-")[0], 16)

    def _registers(self) -> ctypes.Array[ctypes.c_ulonglong]:
        registers = (ctypes.c_ulonglong * _REGISTERS)()
        self._call(GETREGS, 0, ctypes.addressof(registers))
        return registers

    def _continue(self) -> int | None:
        self._call(CONT, 0, 0)
        return self._wait()

    def _wait(self) -> int | None:
        """None when it stopped at a breakpoint or at exec; its exit code when it ended. Other signals are passed on."""
        pid = self.child.pid
        while True:
            seen = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
            if self._late:
                raise UnwatchableError("the process did not end in time")
            assert seen is not None
            if seen.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
                self._total = self.cpu_ns()
                return self.child.wait()
            _, status = os.waitpid(pid, 0)
            if os.WSTOPSIG(status) == signal.SIGTRAP:
                return None
            self._call(CONT, 0, os.WSTOPSIG(status))

    def _call(self, request: int, address: int, data: int) -> int:
        ctypes.set_errno(0)
        if request == PEEK:
            # glibc's wrapper returns the word itself; errno alone tells an error.
            found = int(self._ptrace(request, self.child.pid, address, None))
        else:
            found = int(self._ptrace(request, self.child.pid, address, data))
        if ctypes.get_errno():
            raise UnwatchableError(f"ptrace: {os.strerror(ctypes.get_errno())}")
        return found & 0xFFFFFFFFFFFFFFFF
