"""Nouns that many tests need, with everything filled in that a test does not care about."""

import re
from typing import Any

from profiler.model import Kind, Launcher, LauncherRole, Roles, Row, Variant

ROLES = Roles(baseline="python3", twin="python3-again", embedder="pyo3", same_start="runmain", as_program="runmain-pic")
"""As in a plan with the whole ladder."""
_ROLES: dict[str, LauncherRole] = {"python3": "baseline", "python3-again": "twin", "pyo3": "embedder"}
_BUNDLED = re.compile(r"^(pyo3|runmain)")


def unmarked(text: str) -> str:
    """The text of a file of rows as earlier versions wrote it, which may be edited: without commit marks."""
    return "".join(f"{line.rpartition(',')[0]}\n" for line in text.splitlines())


def whole_row(**chosen: Any) -> Row:
    """One reading of a whole process: instructions, by callgrind, of ``python3``."""
    plain: dict[str, Any] = {
        "block": 0, "position": 0, "pass_name": "p", "kind": "whole", "launcher": "python3", "workload": "w", "m": 10,
        "repetition": 0, "event": "instructions", "value": 1.5, "unit": "instructions", "enabled_ns": None,
        "running_ns": None, "exit": 0, "output_sha256": "00", "source": "callgrind", "raw_name": "Ir", "reason": None,
    }  # fmt: skip
    return Row(**(plain | chosen))


def launcher(
    name: str,
    *argv: str,
    link: str | None = "shared",
    image: str | None = None,
    base: str | None = None,
    kind: Kind | None = None,
) -> Launcher:
    """A launcher that nobody starts. With a ``base`` it is the variant of it that its shown name says."""
    root = base or name
    if kind is None:
        kind = "program" if root.startswith("python3") else "bundled" if _BUNDLED.match(root) or link else "user"
    return Launcher(
        name=name,
        kind=kind,
        argv=argv or ("/bin/true", "{script}", "{m}"),
        env={},
        image=image,
        build_id=None,
        link=link,
        init="Py_InitializeEx" if root.startswith("pyo3") else None if link is None else "Py_BytesMain",
        allocator=None,
        variant=None if base is None else variant(name, base),
        role=None if base is not None else _ROLES.get(name),
    )


def variant(name: str, base: str) -> Variant:
    """What ``name`` is to ``base``: ``h~x``, ``h+x``, ``t+x@h``, ``bare@h``, ``h@swapped``."""
    if name.startswith("bare@") and base != name.partition("+")[0]:
        return Variant(of=base, intervention="bare", way="replaced", given_by=name.partition("@")[2])
    rest = name.removeprefix(base)
    what, _, by = rest[1:].partition("@")
    ways = {"~": "removed", "@": "replaced", "+": "given" if by else "changed"}
    return Variant(of=base, intervention=what, way=ways[rest[0]], given_by=by or None)  # type: ignore[arg-type]
