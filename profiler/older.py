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
    if any("factor" in one for one in launchers):
        sections = _SECTIONS.get(run.get("command", ""), ())
        launchers = [_launcher(one, launchers) for one in launchers]
        plan |= {"sections": sections}
    plan |= {"launchers": [{"role": _ROLES.get(one["name"])} | one for one in launchers]}
    plan |= {"passes": [_pass(one) for one in plan.get("passes", [])]}
    return run | {"plan": plan}


def _pass(one: Raw) -> Raw:
    kind = one.get("kind", "process")
    if kind == "process":
        return one | {"kind": "phased" if one.get("phases") else "native" if one.get("native") else "whole"}
    inside = {"regions": "phases", "chunks": "turns"}.get(kind)
    return one | {inside: one["repetitions"]} if inside is not None and "repetitions" in one else one


def _launcher(one: Raw, launchers: list[Raw]) -> Raw:
    base, factor = one["base"], one["factor"]
    kept = {name: value for name, value in one.items() if name not in ("base", "factor")}
    return kept | {
        "kind": _kind(one, launchers),
        "variant": None if base is None else _variant(one["name"], base, factor),
    }


def _kind(one: Raw, launchers: list[Raw]) -> str:
    by_name = {other["name"]: other for other in launchers}
    while one["base"] is not None and one["base"] in by_name:
        one = by_name[one["base"]]
    if one["name"] in _PROGRAM:
        return "program"
    return "user" if one["link"] is None else "bundled"


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
