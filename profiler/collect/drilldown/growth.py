"""What the work between two M takes, instruction by instruction: the difference of two regions of one process.

Callgrind counts an instruction in the function that was called, as far as it saw the call: what a region returns into
was called before it began, and stands under another name in each. Here an instruction is in the function whose symbol
holds it. Without one it stays where a call to a nameless function put it, and what stands under the name of a function
that does not hold it (its cold part) is in the one that it was most often counted in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from profiler.model import Noun
from profiler.sources.by_address import AddressProfile, Site
from profiler.sources.callgrind_parts import Function

_Key = TypeVar("_Key")
_NAMELESS = "0x"
"""How callgrind begins the name of a function that has none: with the address of its entry."""
Owner = Callable[[str, int], str | None]
"""(file, address) → the function whose symbol holds it, if there is one."""


class Growth(Noun, frozen=True, kw_only=True):
    """What was counted, with functions as above; of a difference without what is equal at both M."""

    counts: dict[Site, int]
    jumps: dict[tuple[Site, int], int]
    calls: dict[tuple[Site, Site], tuple[int, int]]


def growths(lower: AddressProfile, higher: AddressProfile, owner: Owner) -> tuple[Growth, Growth]:
    """What a region does at the higher M beyond what it does at the lower, and all that both do."""
    owned = _Owned((higher, lower), owner)
    low, high = owned.merged(lower), owned.merged(higher)
    calls = {
        key: (counted - less, inside - less_inside)
        for key in dict.fromkeys((*high.calls, *low.calls))
        for counted, inside in (high.calls.get(key, (0, 0)),)
        for less, less_inside in (low.calls.get(key, (0, 0)),)
    }
    grown = Growth(
        counts=_difference(low.counts, high.counts),
        jumps=_difference(low.jumps, high.jumps),
        calls={key: value for key, value in calls.items() if value != (0, 0)},
    )
    return grown, _together(low, high)


def _together(lower: Growth, higher: Growth) -> Growth:
    calls = {
        key: (counted + more, inside + more_inside)
        for key in dict.fromkeys((*higher.calls, *lower.calls))
        for counted, inside in (higher.calls.get(key, (0, 0)),)
        for more, more_inside in (lower.calls.get(key, (0, 0)),)
    }
    return Growth(counts=_sum(lower.counts, higher.counts), jumps=_sum(lower.jumps, higher.jumps), calls=calls)


def _sum(lower: Mapping[_Key, int], higher: Mapping[_Key, int]) -> dict[_Key, int]:
    return {key: higher.get(key, 0) + lower.get(key, 0) for key in dict.fromkeys((*higher, *lower))}


def _difference(lower: Mapping[_Key, int], higher: Mapping[_Key, int]) -> dict[_Key, int]:
    found = {key: higher.get(key, 0) - lower.get(key, 0) for key in dict.fromkeys((*higher, *lower))}
    return {key: value for key, value in found.items() if value}


class _Owned:
    """Each instruction's one function; regions that come first decide where no symbol does."""

    def __init__(self, regions: Iterable[AddressProfile], owner: Owner) -> None:
        self._owner = owner
        self._function: dict[tuple[str | None, int], Function] = {}
        for region in regions:
            most: dict[tuple[str | None, int], tuple[int, Function]] = {}
            for (function, address), count in region.counts.items():
                place = function[0], address
                if function[1].startswith(_NAMELESS):
                    continue
                if place not in most or count > most[place][0]:
                    most[place] = count, function
            for place, (_, function) in most.items():
                self._function.setdefault(place, function)

    def _site(self, site: Site) -> Site:
        (image, name), address = site
        symbol = None if image is None else self._owner(image, address)
        if symbol is not None:
            return (image, symbol), address
        if name.startswith(_NAMELESS):
            return site
        return self._function.get((image, address), (image, name)), address

    def merged(self, region: AddressProfile) -> Growth:
        """``region`` with each instruction in its function."""
        counts: dict[Site, int] = defaultdict(int)
        for site, count in region.counts.items():
            counts[self._site(site)] += count
        jumps: dict[tuple[Site, int], int] = defaultdict(int)
        for (site, target), count in region.jumps.items():
            jumps[self._site(site), target] += count
        calls: dict[tuple[Site, Site], tuple[int, int]] = {}
        for (caller, callee), (count, cost) in region.calls.items():
            key = self._site(caller), self._site(callee)
            before, inside = calls.get(key, (0, 0))
            calls[key] = before + count, inside + cost
        return Growth(counts=dict(counts), jumps=dict(jumps), calls=calls)
