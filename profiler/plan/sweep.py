"""The passes of ``amortize``: whole processes over many M, timed bare, and counted where counting is cheap."""

from __future__ import annotations

import msgspec

from profiler.catalogue.interventions import INTERVENTIONS, AtStart, Given
from profiler.model import AnyPass, Launcher, Native, Phased, Variant, Workload
from profiler.plan.schedule import twin
from profiler.plan.treat import vary
from profiler.sources.phased import COUNTS, TIMES, WHOLE
from profiler.sources.timed import TIMED_EVENTS

_MOST_M = 1_000_000
"""The last M of the PoC's sweep."""
_LONGEST_WORK = 10
"""The last M takes at most this many times the work of the long timed runs, some second in all."""
_COUNTED_WORK = 4
"""Counting goes up to this many times the work of the counting passes, of which it is the slow part."""

_WARMUPS = 2
_SHORT_RUNS = 3
"""Runs of a launcher per block where start-up is most of a run; longer ones average over bursts by themselves."""
_COUNTED_BLOCKS = 2

SWEEP = "sweep"
COUNTED = "sweep-counted"


STARTUP = "startup"
STARTUP_WHOLE = "startup-whole"
STARTUP_COUNTED = "startup-counted"
_STARTUP_BLOCKS = 8
_STARTUP_RUNS = 5


def intervened(launchers: tuple[Launcher, ...]) -> tuple[Launcher, ...]:
    """Every launcher with every change to its start that it can have."""
    return tuple(
        made
        for base in launchers
        for entry in INTERVENTIONS
        if entry.start is not None and (made := _intervene(base, entry.id, entry.start)) is not None
    )


def _intervene(base: Launcher, name: str, start: AtStart) -> Launcher | None:
    argv, env = base.argv, dict(start.loader_env)
    if base.init == "Py_BytesMain" and start.options:
        rest = argv[1:] if "{text}" not in start.options else tuple(part for part in argv[1:] if part != "{script}")
        argv = (argv[0], *start.options, *rest)
    elif base.init == "Py_InitializeEx":
        env |= start.env
    if argv == base.argv and not env:
        return None
    varied = vary(base, Variant(of=base.name, intervention=name, way="changed"), Given(env=env))
    return msgspec.structs.replace(varied, argv=argv)


def startup_passes(launchers: tuple[Launcher, ...], *, counted: bool) -> tuple[Phased, ...]:
    """The passes that cut processes into phases at M = 1: ``launchers`` with interventions, and the former whole."""
    timed = Phased(
        name=STARTUP,
        events=TIMES,
        m=(1,),
        exclusive=True,
        repetitions=_STARTUP_RUNS,
        blocks=(0, _STARTUP_BLOCKS),
    )
    in_counts = msgspec.structs.replace(
        timed, name=STARTUP_COUNTED, events=COUNTS, exclusive=False, repetitions=1, blocks=(0, 1)
    )
    whole = msgspec.structs.replace(
        timed, name=STARTUP_WHOLE, events=WHOLE, launchers=tuple(launcher.name for launcher in launchers)
    )
    return (timed, whole, in_counts) if counted else (timed, whole)


def sweep_m(workload: Workload, asked: tuple[int, ...] | None) -> tuple[int, ...]:
    """The M of the sweep, ascending: those asked for, or decades from 1 to 10⁶ as far as the work allows."""
    if asked is not None:
        return tuple(sorted(set(asked)))
    assert workload.timed_m is not None
    top = min(_MOST_M, max(100, _LONGEST_WORK * workload.timed_m[1]))
    return tuple(10**exponent for exponent in range(len(str(top))))


def sweep_passes(
    workload: Workload, m: tuple[int, ...], offered: tuple[AnyPass, ...], launchers: tuple[Launcher, ...]
) -> tuple[Native, ...]:
    """A timed pass over all of ``m``, and one that counts instructions, if ``offered`` (the source's) has any.

    The baseline is the first of ``launchers``.
    """
    assert workload.timed_m is not None
    assert workload.counts_m is not None
    timed = Native(
        name=SWEEP,
        events=TIMED_EVENTS,
        m=m,
        exclusive=True,
        repetitions=_SHORT_RUNS,
        blocks=(0, None),
        once_from=max(workload.timed_m[0], m[0] + 1),
        warmups=_WARMUPS,
        bare=True,
        launchers=tuple(launcher.name for launcher in (launchers[0], twin(launchers[0]), *launchers[1:])),
    )
    counting = [pass_ for pass_ in offered if "instructions" in pass_.events]
    cheap = [units for units in m if units <= _COUNTED_WORK * workload.counts_m[1]]
    if not counting or len(cheap) < 2:
        return (timed,)
    fewest = min(counting, key=lambda pass_: len(pass_.events))
    counted = Native(
        name=COUNTED,
        events=fewest.events,
        m=(*dict.fromkeys((cheap[0], cheap[-2], cheap[-1])),),
        exclusive=fewest.exclusive,
        repetitions=1,
        blocks=(0, _COUNTED_BLOCKS),
        bare=False,
        launchers=tuple(launcher.name for launcher in launchers),
    )
    return timed, counted
