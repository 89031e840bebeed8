"""Where instructions were executed: ``profile.csv`` and ``symbols.csv``. Every view of a drill-down groups these."""

from __future__ import annotations

from profiler.model.base import Noun


class ProfileRow(Noun, frozen=True, kw_only=True):
    """One line of ``profile.csv``: what one machine instruction, for one opcode, was executed more often at the higher
    M of a region than at the lower one.
    """

    block: int
    phase: int
    """Heap phase of the process, from 0."""
    launcher: str
    iterations: int
    """The higher M less the lower."""
    image: str | None
    """The ELF file; None: callgrind knows none (its PLT, code made at run time)."""
    build_id: str | None
    function: str
    """As the file is linked: its symbol, or the address of its entry where none is left."""
    address: int
    """As the file is linked."""
    opcode: str | None
    """For which it was executed; None: for none that could be told."""
    dispatches: int
    """How often the opcode began here: so many jumps came through the table of computed gotos. 0 elsewhere."""
    executions: float
    """Whole but where several opcodes share it."""


class SymbolRow(Noun, frozen=True, kw_only=True):
    """One line of ``symbols.csv``: one function that an instruction stands in, itself or inlined."""

    image: str
    build_id: str | None
    address: int
    depth: int
    """0: the innermost; the last one is what the others were inlined into."""
    function: str | None
    """None: nothing at hand names it."""
    file: str | None
    line: int | None
    kind: str | None
    """Of the instruction, e.g. ``register move``; None: it was not disassembled."""
    entry: str | None
    """The opcode whose machine code begins here."""
