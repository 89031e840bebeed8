"""Which opcode a machine instruction was executed for: the opcodes flow from the dispatches along jumps and calls.

A dispatch is a jump through the table of computed gotos; from where it goes on, the opcode is known. Along every other
step the opcode stays. Where steps of several opcodes meet (a shared tail, a function that many call), what follows is
theirs in the proportion in which they came: of jumps by how often they were taken, of calls by what they cost until
they returned. Both sums stay exact: over the opcodes of an instruction, and over all that was called from one place.
Only what several opcodes share is divided in proportion. Where a called function runs an eval loop itself, its cost
holds that loop's too; such functions are divided by how often they are called, as if all these calls cost the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from profiler.collect.drilldown.growth import Growth
from profiler.launch.binaries.machine_code import Instruction
from profiler.model import Noun
from profiler.sources.by_address import Site
from profiler.sources.callgrind_parts import Function

Place = tuple[str | None, int] | Function
"""What has one mixture of opcodes: an instruction of an eval loop (its file and address), or a function elsewhere."""

_LEAK = 1e-12
"""Keeps circles without an entry solvable: what runs there belongs to no opcode."""
_LEAST = 1e-9
"""Smaller parts of a mixture are rounding."""


class Loop(Noun, frozen=True, kw_only=True):
    """The eval loop of one file."""

    entries: dict[int, str]
    """Address of machine code → the opcode that begins there."""
    code: dict[int, Instruction]
    """Its executed instructions."""


class Mixtures(Noun, frozen=True, kw_only=True):
    """Of what opcodes each place is."""

    loop_functions: frozenset[Function]
    """Functions in which the loops' entries lie."""
    of: dict[Place, dict[str, float]]
    """Place → opcode → part; they add up to 1, or to less where something was not reached from a dispatch."""
    dispatches: dict[tuple[str | None, int], int]
    """File and address where an opcode begins → how often a dispatch arrived there."""
    nested: int
    """Instructions in calls into an eval loop, beyond those that the work began with."""

    def at(self, site: Site) -> dict[str, float]:
        """The opcodes of one instruction."""
        (image, name), address = site
        place: Place = (image, address) if (image, name) in self.loop_functions else (image, name)
        return self.of.get(place, {})


def mixtures(growth: Growth, everything: Growth, loops: Mapping[str, Loop]) -> Mixtures:
    """The opcodes of all that ``growth`` counts; ``loops`` by file.

    Where the work at the higher M came by no way more often than at the lower, the mixture is that of ``everything``
    that was counted at both.
    """
    inside = frozenset(
        function
        for (function, address) in everything.counts
        if (loop := loops.get(function[0] or "")) is not None and address in loop.entries
    )
    graph = _Graph(growth, loops, inside)
    return Mixtures(
        loop_functions=inside,
        of=_Graph(everything, loops, inside).solved() | graph.solved(),
        dispatches=dict(graph.dispatched),
        nested=_nested(growth, inside),
    )


def _nested(growth: Growth, inside: frozenset[Function]) -> int:
    return sum(
        cost
        for (caller, callee), (calls, cost) in growth.calls.items()
        if callee[0] in inside and caller[0] not in inside and calls > 0
    )


def _reaching(growth: Growth, inside: frozenset[Function]) -> frozenset[Function]:
    """Functions elsewhere that run an eval loop, themselves or through others."""
    callers: dict[Function, set[Function]] = defaultdict(set)
    for caller, callee in growth.calls:
        callers[callee[0]].add(caller[0])
    found: set[Function] = set()
    todo = [caller for function in inside for caller in callers[function]]
    while todo:
        function = todo.pop()
        if function not in found and function not in inside:
            found.add(function)
            todo += callers[function]
    return frozenset(found)


class _Graph:
    """Steps from place to place with their weights, and dispatches."""

    def __init__(self, growth: Growth, loops: Mapping[str, Loop], inside: frozenset[Function]) -> None:
        self._growth, self._loops, self._inside = growth, loops, inside
        self._steps: dict[Place, dict[Place, float]] = defaultdict(lambda: defaultdict(float))
        """To → from → weight."""
        self._begun: dict[Place, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        """To → opcode → weight, of dispatches."""
        self.dispatched: dict[tuple[str | None, int], int] = defaultdict(int)
        self._counts: dict[tuple[str | None, int], int] = defaultdict(int)
        for (function, address), count in growth.counts.items():
            if function in inside:
                self._counts[function[0], address] += count
        taken = self._jumps()
        self._calls(taken)
        self._onwards(taken)

    def _jumps(self) -> dict[tuple[str | None, int], int]:
        """All jumps inside the loops; how often each conditional one was taken."""
        taken: dict[tuple[str | None, int], int] = defaultdict(int)
        for ((function, address), target), count in self._growth.jumps.items():
            if function in self._inside:
                taken[function[0], address] += count
                self._jump((function[0], address), target, count)
        return taken

    def _jump(self, here: tuple[str | None, int], target: int, count: int) -> None:
        image, address = here
        assert image is not None
        loop = self._loops[image]
        instruction = loop.code.get(address)
        if instruction is not None and instruction.flow == "indirect" and target in loop.entries:
            self._begun[image, target][loop.entries[target]] += max(count, 0)
            self.dispatched[image, target] += count
        elif count > 0:
            self._steps[image, target][here] += count

    def _calls(self, taken: dict[tuple[str | None, int], int]) -> None:
        reaching = _reaching(self._growth, self._inside)
        for (caller, callee), (count, cost) in self._growth.calls.items():
            (function, address), (called, entry) = caller, callee
            if function in self._inside and called in self._inside and function[0] == called[0]:
                instruction = self._loops[str(function[0])].code.get(address)
                if instruction is not None and instruction.flow != "call":
                    # A jump into another part of the same loop (its cold part), which callgrind takes for a call.
                    taken[function[0], address] += count
                    self._jump((function[0], address), entry, count)
                    continue
            source: Place = (function[0], address) if function in self._inside else function
            if called in self._inside:
                self._steps[called[0], entry][source] += max(count, 0)
            elif source != called:
                self._steps[called][source] += max(count if called in reaching else cost, 0)

    def _onwards(self, taken: dict[tuple[str | None, int], int]) -> None:
        """From each instruction to the one behind it."""
        for (image, address), count in self._counts.items():
            instruction = self._loops[str(image)].code.get(address)
            if instruction is None or instruction.flow in ("jump", "indirect", "return"):
                continue
            weight = count - taken.get((image, address), 0) if instruction.flow == "branch" else count
            if weight > 0 and (image, address + instruction.size) in self._counts:
                self._steps[image, address + instruction.size][image, address] += weight

    def solved(self) -> dict[Place, dict[str, float]]:
        """Each place's mixture: what comes in, weighted. Linear, and sparse."""
        import numpy as np
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import splu

        places: dict[Place, int] = {}
        for place in (*self._steps, *self._begun):
            if any(self._steps.get(place, {}).values()) or place in self._begun:
                places.setdefault(place, len(places))
        opcodes = {opcode: at for at, opcode in enumerate(dict.fromkeys(_of(self._begun.values())))}
        if not opcodes:
            return {}
        rows, columns, values = [*range(len(places))], [*range(len(places))], [1.0 + _LEAK] * len(places)
        begun = np.zeros((len(places), len(opcodes)))
        for place, at in places.items():
            come, dispatched = self._steps.get(place, {}), self._begun.get(place, {})
            whole = sum(come.values()) + sum(dispatched.values())
            if whole <= 0:
                continue
            for source, weight in come.items():
                if source in places:
                    rows.append(at)
                    columns.append(places[source])
                    values.append(-weight / whole)
            for opcode, weight in dispatched.items():
                begun[at, opcodes[opcode]] = weight / whole
        matrix = csc_array((values, (rows, columns)), shape=(len(places), len(places)))
        found = splu(matrix).solve(begun)
        names = list(opcodes)
        return {
            place: {names[column]: float(found[at, column]) for column in np.flatnonzero(found[at] > _LEAST)}
            for place, at in places.items()
        }


def _of(mixed: Iterable[Mapping[str, float]]) -> Iterable[str]:
    return (opcode for mixture in mixed for opcode in mixture)
