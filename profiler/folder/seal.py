"""Whose run it is: a seal on everything that going on with it would start, which its user alone can make.

A result folder goes from hand to hand, and ``--resume`` runs what its ``run.json`` names. With a seal of this user's it
names what this user has run before.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from profiler.folder.documents import json_document
from profiler.folder.secrets import redacted
from profiler.model import Run


def sealed(run: Run, key: bytes | None) -> Run:
    """``run`` as it is to be saved; without a ``key`` it has no seal."""
    return msgspec.structs.replace(run, seal=None if key is None else _seal(redacted(run), key))


def is_sealed(run: Run, key: bytes | None) -> bool:
    """Whether ``run``, as it was read, starts what it started when it was sealed with this ``key``.

    What looks like a secret in it counts as it stands: in its place anything else could be started.
    """
    return key is not None and run.seal is not None and hmac.compare_digest(run.seal.encode(), _seal(run, key).encode())


def _seal(run: Run, key: bytes) -> str:
    """HMAC-SHA-256 (RFC 2104), hex, of what is run."""
    started = (run.command, run.target, run.plan, run.rebuilt, run.programs)
    return hmac.new(key, json_document(started), hashlib.sha256).hexdigest()
