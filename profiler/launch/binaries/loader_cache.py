"""The dynamic loader's cache, ``/etc/ld.so.cache``, as glibc writes it (sysdeps/generic/dl-cache.h)."""

from __future__ import annotations

import struct

_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = "20sII B3x I 12x"
_ENTRY = "iIII Q"


def cached_libraries(data: bytes) -> dict[str, list[str]]:
    """The paths of each name, in the file's order; empty where it is no such cache, or is damaged.

    Offsets count from the magic: until glibc 2.32 an older table stood before it.
    """
    at = data.find(_MAGIC)
    for order in "<>" if at >= 0 else "":
        header, entry = struct.Struct(order + _HEADER), struct.Struct(order + _ENTRY)
        if at + header.size > len(data):
            continue
        number = header.unpack_from(data, at)[1]
        if at + header.size + number * entry.size > len(data):
            continue
        found: dict[str, list[str]] = {}
        for index in range(number):
            _, key, value, _, _ = entry.unpack_from(data, at + header.size + index * entry.size)
            found.setdefault(_text(data, at + key), []).append(_text(data, at + value))
        return found
    return {}


def _text(data: bytes, at: int) -> str:
    end = data.find(b"\0", at)
    return data[at : end if end >= 0 else len(data)].decode(errors="surrogateescape")
