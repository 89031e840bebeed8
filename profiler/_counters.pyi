"""Loops of known cost, and counters around regions of a process's own work, written in Rust (``runner/counters``)."""

from typing import final

__all__ = [
    "Region",
    "clock_ghz",
    "count_down",
    "cpuid_leaf",
    "qemu_start",
    "qemu_stop",
    "valgrind_depth",
    "valgrind_start",
    "valgrind_stop",
]

def count_down(n: int) -> None:
    """Execute exactly ``2 * n`` instructions, ``n`` of them branches, apart from the few around the loop.

    Raises:
        NotImplementedError: on anything but x86-64 and aarch64.
        OverflowError: ``n`` is negative or does not fit in 64 bits.
    """

def clock_ghz(chain: int) -> float:
    """Estimate the core's clock in GHz from the time that ``chain`` dependent multiplications take.

    ``chain`` is rounded up to a multiple of 16; the shortest of seven timings counts, so a call takes about
    ``21 * chain`` cycles. One million gives three valid digits on a quiet core.

    Raises:
        NotImplementedError: on anything but x86-64.
        OverflowError: ``chain`` is negative or does not fit in 64 bits.
    """

def valgrind_depth() -> int:
    """How deep in valgrinds this process runs; 0 on the bare machine."""

def valgrind_start() -> None:
    """Begin a region under callgrind: instrumentation on, costs at zero. Nothing on the bare machine."""

def valgrind_stop() -> None:
    """End the region: callgrind writes its costs to the out file. Nothing on the bare machine."""

def qemu_start() -> None:
    """Begin a region under qemu with our plugin. Nothing on the bare machine."""

def qemu_stop() -> None:
    """End the region: the plugin writes what it counted to its file. Nothing on the bare machine."""

def cpuid_leaf(leaf: int, subleaf: int) -> tuple[int, int, int, int] | None:
    """What the CPU says of itself: (eax, ebx, ecx, edx); None where it has no such leaf, and on anything but x86-64."""

@final
class Region:
    """Counters that start and stop together, in user mode of this thread (``perf_event_open``)."""

    def __new__(cls, events: list[str]) -> Region:
        """Open a group; ``events`` are names of the event table, e.g. ``instructions``, ``task-clock``.

        Raises:
            OSError: an unknown name, or the kernel refuses (ENOENT: no PMU; EACCES: not allowed).
        """

    def start(self) -> None:
        """Begin a region; what came before it is none of it.

        Raises:
            OSError: as the kernel answers.
        """

    def stop(self) -> tuple[list[int], int, int]:
        """End the region: values in the order of ``events``, and the ns that the group was enabled and running
        in it.

        Raises:
            OSError: as the kernel answers; no region was begun.
        """
