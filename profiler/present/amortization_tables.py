"""The answer of ``amortize`` for people: the PoC's table with intervals, the model, and the crossover."""

from __future__ import annotations

from profiler.analyze.numbers import share, told
from profiler.model import BASELINE, PHASES, Verdict
from profiler.model.amortization import Amortization, CountedSweep, Crossover
from profiler.model.startup import Cost, Startup, Sum
from profiler.model.verdict import part
from profiler.present.section import Section
from profiler.present.table import UNKNOWN, Mark, Table, columns, notes
from profiler.present.words import detectable, figure, interval

_COARSE_FROM_MS = 100

_EXACT = {True: Mark(text="PASS", tone="plain"), False: Mark(text="FAIL", tone="worse")}


def sections(verdict: Verdict) -> tuple[Section, ...]:
    """The sweep with its model and crossover, the same in instructions, and where a launch goes; nothing where no
    sweep was made.
    """
    swept = part(verdict, Amortization)
    if swept is None:
        return ()
    tables = [_sweep(verdict, swept, name) for name in _others(swept)]
    if swept.model:
        tables += [_model(swept), _crossover(swept)]
    if swept.instructions is not None:
        tables.append(_counted(swept.instructions))
    found = [Section(title="From how much work on it pays", tables=tuple(tables))]
    startup = swept.startup
    if any(phase.instructions is not None or phase.cpu_ms is not None for phase in startup.phases):
        found.append(Section(title="Where a launch goes", tables=(_phases(startup), _changes(startup))))
    return tuple(found)


def _others(swept: Amortization) -> tuple[str, ...]:
    return tuple(dict.fromkeys(point.launcher for point in swept.points if point.launcher != BASELINE))


def _sweep(verdict: Verdict, swept: Amortization, launcher: str) -> Table:
    base = {point.m: point for point in swept.points if point.launcher == BASELINE}
    reach = detectable(verdict.comparisons, ["wall"], {launcher})
    return Table(
        title=f"{launcher} against {BASELINE}, wall time of the whole process",
        columns=(
            *columns("figure", "M", f"{BASELINE} ms", f"{launcher} ms", "delta ms"),
            *columns("ratio", "ratio"),
            *columns("verdict", "bit-exact"),
        ),
        rows=tuple(
            (
                f"{point.m:,}",
                *(_with_interval(side.wall_ms, side.lo, side.hi) for side in (base[point.m], point)),
                _with_interval(point.delta_ms, point.delta_ms_lo, point.delta_ms_hi),
                str(told(point.ratio, point.ratio_lo, point.ratio_hi)),
                _EXACT[point.bit_exact],
            )
            for point in swept.points
            if point.launcher == launcher
        ),
        notes=notes("lower quartiles with 95 % intervals; a positive delta is time saved", reach),
    )


def _with_interval(ms: float | None, lo: float | None, hi: float | None) -> str:
    digits = 2 if ms is None or abs(ms) < _COARSE_FROM_MS else 1
    return f"{figure(ms, digits)} {interval(lo, hi, digits)}"


def _model(swept: Amortization) -> Table:
    savings = {saving.launcher: saving for saving in swept.savings}
    return Table(
        title="model: wall time = start-up + M × cost per unit",
        columns=(
            *columns("word", "launcher"),
            *columns("figure", "start-up ms", "per unit ns"),
            *columns("share", "error at left-out M"),
            *columns("figure", "saving ms", "tax on the work"),
        ),
        rows=tuple(
            (
                model.launcher,
                figure(model.startup_ms),
                figure(model.per_unit_ns, 1),
                share(model.left_out_error),
                ""
                if (saving := savings.get(model.launcher)) is None
                else f"{figure(saving.saving_ms)} {interval(saving.saving_ms_lo, saving.saving_ms_hi, 2)}",
                "" if saving is None else f"{figure(saving.tax, 3)} {interval(saving.tax_lo, saving.tax_hi, 3)}",
            )
            for model in swept.model
        ),
        notes=("the error is that of the model fitted to every other M, at the M between",),
    )


def _crossover(swept: Amortization) -> Table:
    return Table(
        title="crossover",
        columns=(
            *columns("word", "launcher", "status"),
            *columns("figure", "M"),
            *columns("interval", "95 % interval"),
            *columns("figure", f"ms of {BASELINE}'s work"),
            *columns("interval", "95 % interval"),
        ),
        rows=tuple(
            (
                crossover.launcher,
                crossover.status,
                UNKNOWN if crossover.m is None else f"{crossover.m:,.0f}",
                _bounds(crossover, crossover.lo, crossover.hi, 0),
                figure(crossover.work_ms),
                _bounds(crossover, crossover.work_ms_lo, crossover.work_ms_hi, 2),
            )
            for crossover in swept.crossover
        ),
        notes=(),
    )


def _bounds(crossover: Crossover, lo: float | None, hi: float | None, digits: int) -> str:
    if crossover.status == "none":
        return "empty"
    low = "?" if lo is None else f"{lo:,.{digits}f}"
    high = "∞" if hi is None else f"{hi:,.{digits}f}"
    return f"[{low}, {high}]"


def _counted(counted: CountedSweep) -> Table:
    crossover = {crossing.launcher: crossing for crossing in counted.crossover}
    return Table(
        title="the same in instructions (counted, no times)",
        columns=(
            *columns("word", "launcher"),
            *columns("figure", "start-up, M", "per unit"),
            *columns("share", "error at left-out M"),
            *columns("word", "crossover"),
            *columns("figure", "M"),
        ),
        rows=tuple(
            (
                model.launcher,
                figure(model.startup / 1e6),
                figure(model.per_unit, 1),
                share(model.left_out_error),
                "" if (crossing := crossover.get(model.launcher)) is None else crossing.status,
                "" if crossing is None or crossing.m is None else f"{crossing.m:,.0f}",
            )
            for model in counted.model
        ),
        notes=(),
    )


def _phases(startup: Startup) -> Table:
    """A row per phase, and for every launcher its instructions and CPU time."""
    names = tuple(dict.fromkeys(phase.launcher for phase in startup.phases))
    known = {(phase.launcher, phase.phase): phase for phase in startup.phases}
    sums = {total.launcher: total for total in startup.sums}
    rows = [
        (phase, *(cell for name in names for cell in _cells(known[name, phase])))
        for phase in dict.fromkeys(phase.phase for phase in startup.phases)
    ]
    added = [(_millions(sums[name].instructions), figure(sums[name].cpu_ms)) for name in names]
    uncut = [(_millions(sums[name].instructions_uncut), figure(sums[name].cpu_ms_uncut)) for name in names]
    rows += [
        ("sum", *(cell for pair in added for cell in pair)),
        ("not cut", *(cell for pair in uncut for cell in pair)),
    ]
    return Table(
        title="where a launch goes: millions of instructions and ms of CPU time, from exec to the end",
        columns=(
            *columns("word", "phase"),
            *columns("figure", *(f"{name} {unit}" for name in names for unit in ("M instr", "ms"))),
        ),
        rows=tuple(rows),
        notes=notes("site: what goes without it; with 95 % intervals over blocks", *map(_added_up, sums.values())),
    )


def _added_up(total: Sum) -> str:
    parts = []
    if total.instructions is not None and total.instructions_uncut is not None:
        parts.append(f"{total.instructions / total.instructions_uncut - 1:+.2%} in instructions")
    if total.missing is not None:
        bounds = "" if total.missing_lo is None else f" [{total.missing_lo:+.2%}, {total.missing_hi:+.2%}]"
        parts.append(f"{total.missing:+.2%}{bounds} in time")
    return f"{total.launcher}: the sum differs from the launcher that is not cut by {', '.join(parts) or '–'}"


def _changes(startup: Startup) -> Table:
    whole = [intervention for intervention in startup.interventions if intervention.phase == "whole"]
    parts = {
        (intervention.launcher, intervention.intervention, intervention.phase): intervention
        for intervention in startup.interventions
    }
    return Table(
        title="what interventions change: M instructions by phase, and ms of CPU time in all",
        columns=(
            *columns("word", "launcher", "intervention"),
            *columns("figure", *PHASES, "whole", "whole ms"),
        ),
        rows=tuple(
            (
                intervention.launcher,
                intervention.intervention,
                *(
                    _millions(parts[intervention.launcher, intervention.intervention, phase].instructions)
                    for phase in PHASES
                ),
                *_cells(intervention),
            )
            for intervention in whole
        ),
        notes=("no-site: -S; isolated: -I; command: -c TEXT, no file; bind-now: LD_BIND_NOW; finalize: Py_FinalizeEx",),
    )


def _cells(cost: Cost) -> tuple[str, str]:
    time = f"{figure(cost.cpu_ms)} {interval(cost.cpu_ms_lo, cost.cpu_ms_hi, 2)}".strip()
    return _millions(cost.instructions), time


def _millions(instructions: float | None) -> str:
    return figure(None if instructions is None else instructions / 1e6)
