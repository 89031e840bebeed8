"""Read a factorial plan from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from profiler.catalogue.factorial_design import check
from profiler.errors import UsageError
from profiler.launch.binaries.elf import Elf, read_elf
from profiler.launch.file_claims import calls_for_tls
from profiler.model.factorial import FactorialPlan

DEFAULT = Path(__file__).with_name("rebuild-default.toml")
"""A link into ``experiments/`` in a checkout, a file in an installed package."""

TLS = Path(__file__).with_name("rebuild-tls.toml")

BY_LIBRARY: tuple[tuple[Path, Callable[[Elf], bool], str], ...] = (
    (TLS, calls_for_tls, "its thread-local variables take a call, so the TLS model is a factor"),
    (DEFAULT, lambda library: True, "its thread-local variables take no call"),
)
"""Plans that are taken by themselves, with what the target's library must be like; the first that fits."""

_FORM = {"factor": "factors"}
_EXTENDS = "extends"
_EXAMPLE = "experiments/rebuild-default.toml is an example"


def plan_for(library: str) -> tuple[Path, str]:
    """The plan for a target whose shared library is the file ``library``, and why, in words.

    Raises:
        UsageError: the file is damaged.
        OSError: it cannot be read.
    """
    elf = read_elf(library)
    return next((plan, f"{library}: {why}") for plan, fits, why in BY_LIBRARY if fits(elf))


def load_plan(path: Path) -> FactorialPlan:
    """The plan in ``path``; with ``extends = "OTHER.toml"``, what it says of its own over what the file beside it says.

    Factors are added to the other's; one of the same name takes its place.

    Raises:
        UsageError: it cannot be read, holds something unknown, or contradicts itself.
    """
    try:
        plan = msgspec.convert(_read(path, ()), FactorialPlan, strict=True)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, msgspec.ValidationError) as error:
        raise UsageError(f"cannot read the plan {path}: {error}", hint=_EXAMPLE) from error
    check(plan, str(path))
    return plan


def _read(path: Path, readers: tuple[Path, ...]) -> dict[str, Any]:
    document = tomllib.loads(path.read_text())
    unknown = set(document) - set(FactorialPlan.__struct_fields__) - set(_FORM) - {_EXTENDS}
    if unknown:
        raise UsageError(f"{path}: unknown {', '.join(sorted(unknown))}", hint=_EXAMPLE)
    own = {_FORM.get(key, key): value for key, value in document.items()}
    if (other := own.pop(_EXTENDS, None)) is None:
        return own
    beside = path.resolve().parent / str(other)
    if beside in (path.resolve(), *readers):
        raise UsageError(f"{path}: extends {other}, which extends it", hint="one of them must stand alone")
    base = _read(beside, (path.resolve(), *readers))
    factors = {factor["name"]: factor for factor in (*base.pop("factors", ()), *own.pop("factors", ()))}
    return base | own | {"factors": list(factors.values())}
