"""How pymalloc divides memory (CPython, Objects/obmalloc.c), as far as a heap is placed and its placement read."""

from __future__ import annotations

SIZE_CLASSES = tuple(range(16, 513, 16))
"""Its size classes in bytes (ALIGNMENT 16, SMALL_REQUEST_THRESHOLD 512)."""

POOL_BYTES = 16384
"""Pool size since CPython 3.10; earlier pools of 4 KiB divide it, so one range serves both."""

MIB = 1 << 20
"""Arena size since CPython 3.10, and what a leaf of the radix tree covers (ARENA_BITS 20)."""

PAGE_BYTES = 4096
"""Arenas begin at any page."""

_POOL_HEADER_BYTES = 48


def pool_capacity(size: int) -> int:
    """How many objects of ``size`` bytes one pool holds."""
    return (POOL_BYTES - _POOL_HEADER_BYTES) // size
