"""What differs inside the processes, and whether it can cost per opcode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from profiler.catalogue.properties import CONFIG_PROPERTIES, PROPERTIES, differences
from profiler.model import Run

CONFIG = "config"
_NO_SETTINGS = frozenset({"_config_init", "argv", "orig_argv", "program_name", "run_filename", "parse_argv"})
"""Fields that say how Python was started, not how it runs."""


def fingerprint_differences(run: Run) -> Iterator[tuple[str, str, Any, Any, str | None]]:
    """(launcher, property, the baseline's, its own, the cause it can be) of every difference to the baseline's
    fingerprint, fields of PyConfig one by one; cause None: it cannot cost per opcode.
    """
    reference = run.fingerprints.get(run.plan.roles.baseline, {})
    for launcher in run.plan.launchers:
        own = run.fingerprints.get(launcher.name)
        if launcher.variant is not None or launcher.role in ("baseline", "twin") or own is None:
            continue
        for key, (there, here) in differences(reference, own).items():
            if key != CONFIG:
                yield launcher.name, key, there, here, PROPERTIES.get(key)
        for field, (there, here) in differences(_fields(reference), _fields(own)).items():
            yield launcher.name, field, there, here, CONFIG_PROPERTIES.get(field.rpartition(".")[2])


def _fields(fingerprint: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{group}.{name}": value
        for group, values in (fingerprint.get(CONFIG) or {}).items()
        for name, value in values.items()
        if name not in _NO_SETTINGS and not name.endswith("executable")
    }
