"""A line each beside the tables: what was ruled out, what stays open, how it was measured, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from profiler.analyze.compare import TOO_RARE
from profiler.analyze.numbers import bounds, told
from profiler.analyze.stats import too_wide
from profiler.catalogue.built_in import NAMES as BUILT_IN
from profiler.catalogue.causes import CAUSES
from profiler.catalogue.caveats import NESTED_LOOPS
from profiler.catalogue.metrics import METRICS, model_of, title
from profiler.catalogue.source_kinds import SOURCE_KINDS
from profiler.catalogue.statement_list import NAME as STATEMENTS_NAME
from profiler.model import AGAIN, BASELINE, Cause, Comparison, PyperfScript, Regions, Run, Verdict, Workload
from profiler.model.drilldown import Drilldown, Whereabouts
from profiler.model.option_effects import Rebuilding
from profiler.model.verdict import part
from profiler.present.cause_tree import TITLES
from profiler.present.reservations import reservations
from profiler.present.whom import against_baseline, subjects

_FOLDED = frozenset({"a-a-differs", "a-a-useless", "unfinished", NESTED_LOOPS.code})
"""Caveats that lines of their own tell."""
_NEXT = {
    "ipc": ("tax-probe variants", "proves the cause by removing it, some 6 min"),
    "variants": ("tax-probe rebuild", "which build option it is: builds CPython anew, an hour or more"),
    "rebuild": (
        "tax-probe rebuild --plan experiments/rebuild-upstream.toml --remedy",
        "builds the library that takes the tax away, and checks it",
    ),
    "amortize": ("tax-probe variants", "why the work costs more"),
    "opcodes": ("tax-probe where", "the same difference by file, function and kind of instruction"),
    "opcodes --statements": ("tax-probe opcodes", "what each opcode of a workload costs, and adds to its difference"),
    "where": ("tax-probe variants", "proves the cause by removing it, some 6 min"),
    "eliminate": ("tax-probe variants", "what it comes from"),
}
_OF_THE_WORK = frozenset({"--python", "--against", "--workload", "--workload-args", "--stdin", "--host"})
_USUAL = ("int_loop", STATEMENTS_NAME)
"""Works that no option need name."""
_IN_CYCLES = frozenset(entry.id for entry in CAUSES if entry.shows == "cpi")


def facts(verdict: Verdict, run: Run, *, uncounted: bool) -> tuple[tuple[str, str], ...]:
    """Label and text, in order; without those that have nothing to say. ``uncounted``: what nobody counted as well,
    which no table beside them tells.
    """
    found = (
        ("Ruled out", _ruled_out(verdict)),
        ("Not decided", _open(verdict)),
        ("Drop-in", _drop_in(verdict)),
        ("Divided", _divided(verdict)),
        ("Symbols", _symbols(verdict)),
        ("On hardware", _on_hardware(verdict)),
        ("Withdrawn", _withdrawn(verdict)),
        ("Estimated", _estimated(verdict) if uncounted else ""),
        ("Not counted", _uncounted(verdict) if uncounted and not drills(run) else ""),
        ("Warning", _warnings(verdict)),
        ("Measured", _measured(verdict, run)),
    )
    return tuple((label, text) for label, text in found if text)


def drills(run: Run) -> bool:
    """Whether it was a drill-down, which counts nothing but instructions."""
    return by_address(run) or run.plan.workload.name == STATEMENTS_NAME


def by_address(run: Run) -> bool:
    """Whether each machine instruction was counted."""
    return any(isinstance(pass_, Regions) and pass_.by_address for pass_ in run.plan.passes)


def following(command: str, run: Run) -> tuple[str, str] | None:
    """The command that answers the next question of the same interpreter, work and hosts, and what it does."""
    if command not in _NEXT:
        return None
    answering, what = _NEXT[command]
    same = _same(run)
    if answering.startswith("tax-probe rebuild") and any(word.partition("=")[0] == "--against" for word in same):
        return None  # It builds the target's own version, and knows no second interpreter.
    return shlex.join((*answering.split(), *same)), what


def _same(run: Run) -> list[str]:
    """The options of ``run`` that say what is measured."""
    kept, argv = [], iter(run.argv)
    for word in argv:
        name, equals, _ = word.partition("=")
        if name in _OF_THE_WORK:
            kept += [word] if equals else [word, next(argv, "")]
    named = {word.partition("=")[0] for word in kept}
    return [*kept, *(word for option, value in _told_of(run.plan.workload) if option not in named for word in value)]


def _told_of(work: Workload) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each option that names a part of ``work``, with the words to type: an experiment file may have named them."""
    if work.name in _USUAL:
        return
    if work.name in BUILT_IN:
        yield "--workload", ("--workload", work.name)
    elif work.pyperf is not None and work.pyperf != PyperfScript():
        first = work.path if work.pyperf.benchmark is None else f"{work.path}:{work.pyperf.benchmark}"
        yield "--workload", ("--workload", shlex.join((first, *work.pyperf.arguments)))
    else:
        yield "--workload", ("--workload", work.path)
    if work.arguments:
        yield "--workload-args", (f"--workload-args={shlex.join(work.arguments)}",)
    if work.stdin is not None:
        yield "--stdin", ("--stdin", work.stdin.path)


def _of_subject(verdict: Verdict) -> list[Cause]:
    names = subjects(verdict)
    return [cause for cause in verdict.causes if names and cause.launcher == names[0]]


def _ruled_out(verdict: Verdict) -> str:
    causes = [cause for cause in _of_subject(verdict) if cause.status == "refuted"]
    removed = [cause for cause in causes if cause.strength == "intervened"]
    equal = [cause for cause in causes if cause.strength != "intervened"]
    said = []
    if removed:
        said.append(f"by removal: {_titles(removed)}.")
    if equal:
        said.append(f"Equal on both sides: {_titles(equal)}.")
    return " ".join(said)


def _open(verdict: Verdict) -> str:
    open_, few = _open_metrics(verdict)
    said = [*open_, *_open_causes(verdict)]
    if few:
        said.append(f"for want of blocks among so many metrics (Holm): {'; '.join(few)}")
    return "; ".join(said) + "." if said else ""


def _open_metrics(verdict: Verdict) -> tuple[list[str], list[str]]:
    """Metrics with an interval that decides nothing, then those that would be clear if they were the only one."""
    known = {name: against_baseline(verdict, name) for name in subjects(verdict)[:2]}
    open_: list[str] = []
    few: list[str] = []
    for metric in METRICS:
        found: dict[bool, list[str]] = {True: [], False: []}
        for name, comparisons in known.items():
            comparison = comparisons.get(metric.name)
            if comparison is None or comparison.verdict != "unresolved":
                continue
            if model_of(comparison.metric, comparison.source) is not None:
                continue  # A model decides nothing.
            if comparison.lo is not None and comparison.hi is not None:
                clear = comparison.lo > 1 + metric.margin or comparison.hi < 1 - metric.margin
                found[clear].append(f"{name} {bounds(comparison.lo, comparison.hi)}")
        for clear, named in found.items():
            if named:
                (few if clear else open_).append(f"{metric.title}: {', '.join(named)}")
    return open_, few


def _estimated(verdict: Verdict) -> str:
    """IPC without a cycle counter, of the baseline and those that were asked about; of none that is left open."""
    known = {
        estimate.launcher: estimate
        for estimate in verdict.estimates
        if estimate.metric == "ipc"
        if estimate.lo is None or estimate.hi is None or not too_wide(estimate.lo, estimate.hi)
    }
    asked = (known[name] for name in (BASELINE, *subjects(verdict)[:2]) if name in known)
    each = ", ".join(f"{found.launcher} {told(found.value, found.lo, found.hi)}" for found in asked)
    return f"IPC of {each}: from CPU time and core clock, not counted." if each else ""


def _uncounted(verdict: Verdict) -> str:
    """What nobody could count of the launcher that was asked about, the rare apart."""
    withdrawn = {doubt.metric for doubt in verdict.withdrawn}
    missing = [
        comparison
        for comparison in verdict.comparisons
        if comparison.baseline == BASELINE and comparison.launcher in subjects(verdict)[:1]
        if comparison.ratio is None and comparison.metric not in withdrawn
    ]
    rare = [comparison for comparison in missing if (comparison.reason or "").startswith(TOO_RARE)]
    rest = [comparison for comparison in missing if comparison not in rare]
    said = []
    if rest:
        said.append(f"{_named(rest)} (tax-probe doctor says why)")
    if rare:
        said.append(f"under one in 1,000 iterations: {_named(rare)}")
    return "; ".join(said) + "." if said else ""


def _named(found: Iterable[Comparison]) -> str:
    return ", ".join(dict.fromkeys(title(comparison.metric) for comparison in found))


def _open_causes(verdict: Verdict) -> Iterator[str]:
    left = [cause for cause in _of_subject(verdict) if cause.status in ("unresolved", "not-tested")]
    counted = "cycles" in against_baseline(verdict, subjects(verdict)[0]) if subjects(verdict) else True
    acting = [cause for cause in left if cause.status == "not-tested" and cause.cause in _IN_CYCLES and not counted]
    if acting:
        yield f"{_titles(acting)}: they show in cycles only, which need a PMU"
    rest = [cause for cause in left if cause not in acting]
    if rest:
        yield f"{_titles(rest)}: not taken away in this run"


def _drop_in(verdict: Verdict) -> str:
    """What was checked of the library that takes the tax away."""
    found = part(verdict, Rebuilding)
    if found is None or found.remedy is None:
        return ""
    ways: dict[bool | None, list[str]] = {}
    for check in found.remedy.checks:
        ways.setdefault(check.passed, []).append(check.name)
    words = {False: "failed", None: "not checked", True: "passed"}
    return "; ".join(f"{words[way]}: {', '.join(ways[way])}" for way in (False, None, True) if way in ways) + "."


def _divided(verdict: Verdict) -> str:
    """Which rows of a drill-down are exact in their sum alone."""
    nested = any(warning.code == NESTED_LOOPS.code for warning in verdict.warnings)
    if not nested or part(verdict, Drilldown) is None:
        return ""
    return "eval loops run inside eval loops: what they are called through is divided in proportion; sums are exact."


def _symbols(verdict: Verdict) -> str:
    """Whose names these are, where they are not those of the files that were compared."""
    found = part(verdict, Whereabouts)
    if found is None or found.symbols_of is None:
        return ""
    return f"symbols of revision {found.symbols_of}, whose files cost as much."


def _on_hardware(verdict: Verdict) -> str:
    """That no counter of the CPU has a part in a drill-down, and why."""
    found = part(verdict, Drilldown) or part(verdict, Whereabouts)
    if found is None:
        return ""
    return f"no perf record, no top-down slots: {'; '.join(dict.fromkeys(one.reason for one in found.hardware))}."


def _withdrawn(verdict: Verdict) -> str:
    """Metrics in which nothing is claimed, and the figure that takes them out."""
    if not verdict.withdrawn:
        return ""
    named = ", ".join(
        title(doubt.metric) + ("" if doubt.lo is None or doubt.hi is None else f" ({bounds(doubt.lo, doubt.hi)})")
        for doubt in verdict.withdrawn
    )
    return f"{named}: {BASELINE} ÷ itself, so no figure of these is shown; more --blocks, or a quieter machine."


def _warnings(verdict: Verdict) -> str:
    found = reservations(warning for warning in verdict.warnings if warning.code not in _FOLDED)
    return "; ".join(
        f"{reservation.title} ({len(reservation.messages)} ×)" if len(reservation.messages) > 1 else reservation.title
        for reservation in found
    )


def _measured(verdict: Verdict, run: Run) -> str:
    blocks = max((comparison.blocks for comparison in verdict.comparisons if comparison.launcher != AGAIN), default=0)
    took = "unfinished" if run.measured_s is None else f"in {run.measured_s:.0f} s"
    equal = {True: "outputs equal bit for bit", False: "outputs differ", None: ""}[verdict.workload.bit_exact]
    said = [
        f"{blocks} {'block' if blocks == 1 else 'blocks'} {took}, seed {run.plan.seed}",
        "callgrind counts each machine instruction" if by_address(run) else SOURCE_KINDS[verdict.source].how,
        equal,
        "" if run.target.venv_program is None else f"in the virtual environment {_folder(run.target.venv_program)}",
    ]
    paired = "÷: paired by block, then averaged; 95 %." if blocks > 1 else ""
    return "; ".join(filter(None, said)) + f". {paired}".rstrip()


def _folder(venv_program: str) -> str:
    """By its name: a line has no room for more, and the finding tells all."""
    return Path(venv_program).parent.parent.name


def _titles(causes: Iterable[Cause]) -> str:
    return ", ".join(dict.fromkeys(TITLES.get(cause.cause, cause.cause) for cause in causes))
