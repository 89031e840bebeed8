"""What all nouns share. Units stand in names; ``None`` means unknown and is never replaced by a number."""

from __future__ import annotations

from typing import Literal

import msgspec

SourceName = Literal["hardware", "qemu", "callgrind", "emulated", "software"]

SCHEMA = "tax-probe/1"


class Noun(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all nouns: immutable, built with keywords only, comparable, JSON-ready."""


class Caveat(Noun, frozen=True, kw_only=True):
    """Something the reader of a result must know. ``code`` is stable, ``message`` names the remedy."""

    code: str
    message: str
