"""How an interpreter dispatches its opcodes, where it is not by computed gotos: what its own configuration says."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from profiler.model import Noun

_TAIL_CALLS, _SWITCH = "tail-calls", "switch"


class Dispatch(Noun, frozen=True, kw_only=True):
    """What ``guest/opcode_names.py`` wrote."""

    names: dict[int, str]
    """Number → opcode; empty: the interpreter has no module that says them."""
    settings: Mapping[str, bool]
    """``switch``, ``tail-calls``, ``jit``, as far as it says."""


def read_dispatch(text: str) -> Dispatch:
    """Of the text that the script wrote; nothing is known where it is empty."""
    names, settings = ast.literal_eval(text) if text else ({}, {})
    return Dispatch(names=names, settings=settings)


def without_table(image: str, found: Dispatch) -> str:
    """Why no table of computed gotos is in ``image``."""
    if not found.names:
        return "its interpreter does not say which opcodes it has (no module opcode)"
    if found.settings.get(_TAIL_CALLS):
        how = "it dispatches by tail calls, and each opcode is a function (configured --with-tail-call-interp)"
    elif found.settings.get(_SWITCH):
        how = "it dispatches by a switch (configured without computed gotos)"
    else:
        how = "its eval loop dispatches by a switch or by tail calls"
    return f"{image} holds no table of computed gotos: {how}"


def without_jumps(image: str, found: Dispatch) -> str:
    """Why no jump went through the table that ``image`` holds."""
    how = "its JIT runs the work" if found.settings.get("jit") else "a JIT, or another eval loop in the file"
    return f"{image} holds a table of computed gotos, and no jump went through it: {how}"
