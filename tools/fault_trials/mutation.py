"""Damage as fuzzers do it: 1 to 16 places of a good input, each changed in one of several ways."""

from __future__ import annotations

import random

_TOKENS = (
    b"", b"0", b"-1", b"1e400", b"1e308", b"nan", b"inf", b"-inf", b"99999999999999999999999999",
    b"9223372036854775808", b"null", b"true", b"[]", b"{}", b'""', b'"', b"'", b"[" * 2000, b"(" * 300, b"\n", b"\r",
    b"\t", b" ", b",", b":", b"=", b"\x00", b"\xff\xfe", b"\xed\xb2\x80", b"\xe2\x80\xae", b"\x1b]0;x\x07",
    b"../../", b"/", b"%s%n", b"{0}", b"a" * 5000, b"\xd9\xa3", b"1_0", b"0x10", b"+", b"#",
)  # fmt: skip
_RANDOM_PART = 0.1


def mutated(good: bytes, rng: random.Random) -> bytes:
    """``good`` with damage; now and then nothing but random bytes."""
    if rng.random() < _RANDOM_PART:
        return rng.randbytes(rng.randrange(300))
    data = bytearray(good)
    for _ in range(rng.randint(1, 16)):
        at = rng.randrange(len(data) + 1)
        length = rng.choice((1, 1, 2, 4, 8, 64))
        kind = rng.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at : at + length] = rng.randbytes(length)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length]
        elif kind == 4:
            data[at : at + length] = rng.choice(_TOKENS)
        elif kind == 5:
            _replace_a_figure(data, at, rng)
        elif rng.random() < 0.2:
            del data[at:]
    return bytes(data)


def _replace_a_figure(data: bytearray, at: int, rng: random.Random) -> None:
    """The next digits become another token: damage that a parser of figures meets."""
    begin = next((place for place in range(at, min(at + 200, len(data))) if data[place : place + 1].isdigit()), None)
    if begin is None:
        return
    end = begin
    while end < len(data) and data[end : end + 1].isdigit():
        end += 1
    data[begin:end] = rng.choice(_TOKENS)
