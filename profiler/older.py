"""``run.json`` as earlier versions wrote it: read as if it were of today.

Until 2026-11-26 a launcher's identity and role stood in its name (``h~x``, ``bare@h``, ``python3+x@h``), and what a
verdict has in the command's. Nowhere else is either asked. And passes were one kind of record with flags, of which
three became kinds first.
"""

from __future__ import annotations

from typing import Any

Raw = dict[str, Any]

_PROGRAM = ("python3", "python3-again")
_SECTIONS = {
    "variants": ("causes",),
    "rebuild": ("rebuilt",),
    "amortize": ("sweep",),
    "eliminate": ("eliminations",),
}
_ROLES = {"python3": "baseline", "python3-again": "twin", "pyo3": "embedder"}
_REPLACED = ("bare", "swapped", "relinked", "rebuilt")


def up_to_date(run: Raw) -> Raw:
    """The document with today's fields; one of today is left as it is."""
    plan = run.get("plan", {})
    launchers = plan.get("launchers", [])
    if any("factor" in launcher for launcher in launchers):
        sections = _SECTIONS.get(run.get("command", ""), ())
        launchers = [_launcher(launcher, launchers) for launcher in launchers]
        plan |= {"sections": sections}
    plan |= {"launchers": [{"role": _ROLES.get(launcher["name"])} | launcher for launcher in launchers]}
    plan |= {"passes": [_pass(pass_) for pass_ in plan.get("passes", [])]}
    return run | {"plan": plan}


def _pass(raw: Raw) -> Raw:
    kind = raw.get("kind", "process")
    if kind == "process":
        return raw | {"kind": "phased" if raw.get("phases") else "native" if raw.get("native") else "whole"}
    inside = {"regions": "phases", "chunks": "turns"}.get(kind)
    return raw | {inside: raw["repetitions"]} if inside is not None and "repetitions" in raw else raw


def _launcher(raw: Raw, launchers: list[Raw]) -> Raw:
    base, factor = raw["base"], raw["factor"]
    kept = {name: value for name, value in raw.items() if name not in ("base", "factor")}
    return kept | {
        "kind": _kind(raw, launchers),
        "variant": None if base is None else _variant(raw["name"], base, factor),
    }


def _kind(raw: Raw, launchers: list[Raw]) -> str:
    by_name = {other["name"]: other for other in launchers}
    while raw["base"] is not None and raw["base"] in by_name:
        raw = by_name[raw["base"]]
    if raw["name"] in _PROGRAM:
        return "program"
    return "user" if raw["link"] is None else "bundled"


def _variant(name: str, base: str, factor: str) -> Raw:
    if factor in _REPLACED:
        given_by = name.partition("@")[2] if factor == "bare" else None
        return {"of": base, "intervention": factor, "way": "replaced", "given_by": given_by}
    if name == f"{base}~{factor}":
        return {"of": base, "intervention": factor, "way": "removed", "given_by": None}
    given_by = name.removeprefix(f"{base}+{factor}@") if name.startswith(f"{base}+{factor}@") else None
    return {
        "of": base,
        "intervention": factor,
        "way": "changed" if given_by is None else "given",
        "given_by": given_by,
    }
