"""Callgrind's out file by function: what each costs itself, and who calls it how often.

Format: valgrind manual, "Callgrind Format Specification". Only what this project reads is kept: the first event
(instructions) of each function's own lines, and the numbers of calls.
"""

from __future__ import annotations

import re
from collections import defaultdict

from profiler.model import Calls, Noun
from profiler.sources.callgrind_parts import Function, PartsReader

_TLS = re.compile(r"_*(tls_get_addr(_slow|_tail|_compat)?|update_get_addr|dl_tlsdesc_\w+)")
"""glibc's functions that find a thread-local variable's address, and those which only these call: sysdeps/*/
tls_get_addr.S, elf/dl-tls.c, sysdeps/*/dl-tlsdesc.S. musl's are ``__tls_get_addr`` and ``__tlsdesc_*``."""

_LOADER = re.compile(r"/ld[-.][^/]*$")
_NAMELESS = re.compile(r"0x[0-9a-f]+")


_FARTHEST = 8
"""Steps up from a function without a name to one with a name."""


class Profile(Noun, frozen=True, kw_only=True):
    """One part of an out file: a whole process, or one region of it."""

    trigger: str
    """Why callgrind wrote it: ``Program termination``, ``Client Request: NAME``; empty when the file does not say."""
    own: dict[Function, int]
    """Instructions in each function, without those in what it calls."""
    calls: dict[tuple[Function, Function], int]
    """(caller, called function) → number of calls."""


class Tls(Noun, frozen=True, kw_only=True):
    """Accesses to thread-local variables that took a call."""

    accesses: int | None
    """Calls of the functions that find the address; None: cannot be known."""
    instructions: int | None
    """Inside these functions."""
    callers: tuple[Calls, ...]
    """The most frequent first."""
    reason: str | None
    """Why the figures are None."""


def read_profiles(text: str) -> tuple[Profile, ...]:
    """The parts of an out file, in their order.

    Raises:
        MachineError: a name is used that the file did not define, or a figure is none: it is damaged.
    """
    return _FunctionReader().read(text)


def count_tls(profiles: tuple[Profile, ...]) -> Tls:
    """TLS accesses by a call in all ``profiles`` together (a process and its children).

    Nothing called is none made, unless the loader ran and not one of its functions has a name: then valgrind could
    not read its symbols, of which ``__tls_get_addr`` is one.
    """
    callers: dict[tuple[str, str, str | None], int] = defaultdict(int)
    for profile in profiles:
        above = _most_frequent_callers(profile)
        for (caller, (_, callee)), number in profile.calls.items():
            if _TLS.fullmatch(callee) and not _TLS.fullmatch(caller[1]):
                callers[callee, _told(caller, above), caller[0]] += number
    inside = sum(cost for profile in profiles for (_, name), cost in profile.own.items() if _TLS.fullmatch(name))
    loader = {
        name for profile in profiles for image, name in profile.own if image is not None and _LOADER.search(image)
    }
    if not inside and loader and all(_NAMELESS.fullmatch(name) for name in loader):
        reason = "valgrind shows no names in the program loader (ld.so), so calls of __tls_get_addr cannot be told"
        return Tls(accesses=None, instructions=None, callers=(), reason=reason)
    return Tls(
        accesses=sum(callers.values()),
        instructions=inside,
        callers=tuple(
            Calls(callee=callee, caller=caller, image=image, calls=number)
            for (callee, caller, image), number in sorted(callers.items(), key=lambda item: (-item[1], str(item[0])))
        ),
        reason=None,
    )


def _most_frequent_callers(profile: Profile) -> dict[Function, Function]:
    most: dict[Function, tuple[int, Function]] = {}
    for (caller, callee), number in profile.calls.items():
        if callee != caller and (callee not in most or number > most[callee][0]):
            most[callee] = number, caller
    return {callee: caller for callee, (_, caller) in most.items()}


def _told(function: Function, above: dict[Function, Function]) -> str:
    """The function's name; of one without a name also who calls it, up to the next name: its file exports that."""
    up = function
    for _ in range(_FARTHEST):
        if not _NAMELESS.fullmatch(up[1]):
            break
        up = above.get(up, up)
    name = re.sub("^0x0+", "0x", function[1])
    return name if up == function or _NAMELESS.fullmatch(up[1]) else f"{name} under {up[1]}"


class _FunctionReader(PartsReader[Profile]):
    """Own costs by function, and numbers of calls."""

    def _begin(self) -> None:
        super()._begin()
        self._positions = 1
        self._of_call = False
        self._own: dict[Function, int] = defaultdict(int)
        self._calls: dict[tuple[Function, Function], int] = defaultdict(int)

    def _part(self) -> Profile:
        return Profile(trigger=self._trigger, own=dict(self._own), calls=dict(self._calls))

    def _specify(self, key: str, rest: str) -> None:
        super()._specify(key, rest)
        if key == "calls":
            self._calls[self._here, self._there] += int(rest.split(maxsplit=1)[0])
            self._called_image, self._of_call = "", True

    def _cost(self, fields: list[str]) -> None:
        # The line after calls= is what the called functions cost; that of a jump has positions alone.
        if not self._of_call and len(fields) > self._positions + self._column:
            self._own[self._here] += int(fields[self._positions + self._column])
        self._of_call = False

    def _positioned(self, kinds: list[str]) -> None:
        self._positions = len(kinds)
