"""Read a factorial plan from TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from profiler.errors import UsageError
from profiler.factorial import FactorialPlan, check

DEFAULT = Path(__file__).with_name("default-plan.toml")
"""A link into ``experiments/`` in a checkout, a file in an installed package."""

_FORM = {"factor": "factors"}


def load_plan(path: Path) -> FactorialPlan:
    """The plan in ``path``.

    Raises:
        UsageError: it cannot be read, holds something unknown, or contradicts itself.
    """
    hint = "experiments/rebuild-default.toml is an example"
    try:
        document = tomllib.loads(path.read_text())
        unknown = set(document) - set(FactorialPlan.__struct_fields__) - set(_FORM)
        if unknown:
            raise UsageError(f"{path}: unknown {', '.join(sorted(unknown))}", hint=hint)
        renamed = {_FORM.get(key, key): value for key, value in document.items()}
        plan = msgspec.convert(renamed, FactorialPlan, strict=True)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"cannot read the plan {path}: {error}", hint=hint) from error
    check(plan, str(path))
    return plan
