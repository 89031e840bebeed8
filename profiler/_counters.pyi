"""Loops of known cost, written in Rust (``runner/counters``); the GIL is released while they run."""

__all__ = ["clock_ghz", "count_down"]

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
