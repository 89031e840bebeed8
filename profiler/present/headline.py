"""The first thing that is read: the figure, then its cause, made from figures alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import PurePath

from profiler.analyze.causes.files import recorded
from profiler.analyze.causes.nested import adding_up, parts
from profiler.analyze.causes.version import CAUSE as VERSION
from profiler.analyze.causes.version import Other, others
from profiler.analyze.numbers import share, told
from profiler.analyze.wording import measured_once
from profiler.catalogue.events import work_counted
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Cause, Comparison, Run, Verdict
from profiler.model.amortization import Amortization
from profiler.model.factorial import Remedy
from profiler.model.option_effects import Rebuilding
from profiler.model.suspects import Suspects
from profiler.model.verdict import part
from profiler.present import drilldown_told, statement_tables
from profiler.present.cause_tree import TITLES
from profiler.present.forest import ratio_of, term_name, time_split
from profiler.present.own_tables import options
from profiler.present.whom import against_baseline, subjects

_EXPLAINS = 0.5
"""A term that is so much of a ratio's logarithm is what the sentence names."""
_SHORT = {"instructions": "the instructions", "cpi": "the cycles per instruction", "off-cpu": "the waiting for a CPU",
          "frequency": "the time per cycle", "time-per-instruction": "the time per instruction"}  # fmt: skip
_IMAGE = "eval-loop-image"


def sentences(verdict: Verdict, run: Run) -> tuple[str, ...]:
    """What another version or a question of its own comes first to, else the cost; then why."""
    names = subjects(verdict)
    if not names:
        return (*drilldown_told.sentences(verdict), *statement_tables.sentences(verdict)) or (verdict.sentence,)
    said = [*_versions(run)]
    known = against_baseline(verdict, names[0])
    own = [*_swept(verdict), *_suspects(verdict), *drilldown_told.sentences(verdict)]
    own += statement_tables.sentences(verdict)
    said += own or [cost(verdict, names[0], known)]
    said += [] if own else [*_why(verdict, run, names[0], known)]
    said += _remedied(verdict)
    return tuple(filter(None, said))


def _versions(run: Run) -> list[str]:
    """Of launchers that run another Python: which, and which the baseline is."""
    by_kind: dict[str, list[Other]] = {}
    for other in others(run):
        by_kind.setdefault(other.what, []).append(other)
    said = []
    for what, found in by_kind.items():
        runs = _listed(f"{other.launcher} runs {other.python.in_words()}" for other in found)
        said.append(f"{what[0].upper()}{what[1:]}: {runs}; {BASELINE} is {found[0].reference.in_words()}.")
    return said


def cost(verdict: Verdict, name: str, known: dict[str, Comparison]) -> str:
    """How much slower one launcher is, and in which term."""
    wall = known.get("wall") or known.get("task-clock")
    counted = known.get(work_counted(known) or "")
    workload = verdict.workload.name
    if wall is None and counted is None:
        return f"{name} could not be compared with {BASELINE}: {_reasons(verdict, name)}."
    if wall is not None and (_decided(wall) or counted is None):
        return f"{_takes(name, wall, workload)}{_because(verdict, name, wall, counted)}."
    assert counted is not None
    what = title(counted.metric)
    if counted.verdict == "same" and not measured_once(counted):
        said = (
            f"{name} executes the same {title(counted.metric)} as {BASELINE} on {workload} ({ratio_of(counted).inside})"
        )
    else:
        said = f"{name} executes {_times(counted)} the {what} of {BASELINE} on {workload}{_basis(counted)}"
    return f"{said}{_open(wall)}."


def _takes(name: str, wall: Comparison, workload: str) -> str:
    clock = "" if wall.metric == "wall" else " in CPU time"
    if wall.verdict == "same":
        return f"{name} takes as long as {BASELINE} on {workload}{clock} ({ratio_of(wall).inside})"
    if not _decided(wall):
        return f"Whether {name} takes longer than {BASELINE} on {workload} is not decided ({ratio_of(wall).inside})"
    return f"{name} takes {_times(wall)} as long as {BASELINE} on {workload}{clock}{_basis(wall)}"


def _times(comparison: Comparison) -> str:
    """``1.194 ± 0.046 times``."""
    ratio = ratio_of(comparison)
    spread = f" {ratio.width}" if ratio.width else ""
    return f"{ratio.ratio}{spread} times" if ratio.ratio else f"{ratio.spread} times"


def _basis(comparison: Comparison) -> str:
    spread = ratio_of(comparison).spread
    if spread == "once":
        return " (measured once; --blocks 3 gives an interval)"
    return " (exact)" if spread == "exact" else " (over placements)" if comparison.over is not None else ""


def _because(verdict: Verdict, name: str, wall: Comparison, counted: Comparison | None) -> str:
    """The term that the ratio is made of, or what the instructions are beside it."""
    if counted is None or wall.ratio is None or counted.ratio is None:
        return ""
    split = time_split(verdict, name)
    total = math.log(wall.ratio)
    if split is not None and wall.verdict in ("slower", "faster") and abs(total) > 0.002:
        largest = max(split.terms, key=lambda term: term.share or 0.0)
        if (largest.share or 0.0) >= _EXPLAINS and largest.term != "instructions":
            ratio = told(largest.ratio, largest.lo, largest.hi)
            return f", because of {_SHORT.get(largest.term, term_name(largest.term))} ({ratio}); " + _executes(counted)
    explains = abs(total) > 0.002 and math.log(counted.ratio) / total >= _EXPLAINS
    joint = ", because it" if explains and wall.verdict in ("slower", "faster") else " and"
    return f"{joint} {_executes(counted).removeprefix('it ')}"


def _executes(counted: Comparison) -> str:
    if counted.verdict == "same" and not measured_once(counted):
        return "it executes the same instructions"
    return f"it executes {_times(counted)} the instructions{_basis(counted)}"


def _open(wall: Comparison | None) -> str:
    return "" if wall is None else f"; its {title(wall.metric)} is not decided ({ratio_of(wall).inside})"


def _decided(comparison: Comparison) -> bool:
    return comparison.verdict != "unresolved"


def _reasons(verdict: Verdict, name: str) -> str:
    reasons = [
        comparison.reason
        for comparison in verdict.comparisons
        if comparison.launcher == name and comparison.baseline == BASELINE and comparison.reason
    ]
    # What was measured and withdrawn is nearer to an answer than what the source never counts.
    withdrawn = [doubt.reason for doubt in verdict.withdrawn if doubt.reason in reasons]
    return (withdrawn or reasons or ["nothing was measured of it"])[0]


def _why(verdict: Verdict, run: Run, name: str, known: dict[str, Comparison]) -> list[str]:
    """What was proved by removal; else what is seen of the files and proves nothing."""
    causal = [cause for cause in verdict.causes if cause.launcher == name and cause.role == "cause"]
    tops = adding_up(causal)
    if [top.cause for top in tops] == [VERSION]:
        return []  # The first sentence says so.
    proved = [top for top in tops if top.strength == "intervened" and top.share is not None]
    if part(verdict, Rebuilding) is not None and proved:
        found = [option for top in proved for option in parts(causal, top) if option.status == "confirmed"]
        if found:
            return [f"Of it: {', '.join(f'{_title(cause)} {share(cause.share)}' for cause in _largest(found))}."]
    if proved:
        return [f"Proved: {_listed(_proved(top, run, name) for top in _largest(proved))}."]
    if verdict.causes and _differs(known):
        return ["No cause is confirmed.", *_seen(run, name)]
    return _seen(run, name) if _differs(known) else []


def _differs(known: dict[str, Comparison]) -> bool:
    return any(comparison.verdict in ("slower", "faster") or measured_once(comparison) for comparison in known.values())


def _proved(cause: Cause, run: Run, name: str) -> str:
    part_ = "all of that" if cause.share is not None and round(cause.share, 3) == 1 else f"{share(cause.share)} of that"
    if any(other.launcher == name for other in others(run)) and cause.cause in (VERSION, _IMAGE):
        return f"{part_} is {'the version' if cause.cause == VERSION else 'how it is built'}"
    if cause.cause != _IMAGE:
        return f"{part_} is {_title(cause)}"
    return f"{part_} is the eval loop of {_file(_images(run).get(name))}, other machine code than {BASELINE}'s own"


def _seen(run: Run, name: str) -> list[str]:
    images = _images(run)
    own, other = images.get(BASELINE), images.get(name)
    if own is None or other is None:
        return []
    if own == other:
        return [f"Seen, not proved: both run the eval loop of {_file(own)}, so the cause is not that file."]
    pgo = {path: facts["pgo"] for path, facts in recorded(run).items()}
    built = {True: "built with PGO", False: "built without PGO", None: ""}
    said = f"Seen, not proved: its eval loop is that of {_file(other)}"
    how, home = built[pgo.get(other)], pgo.get(own)
    if how and home is not None and home != pgo.get(other):
        return [f"{said}, {how}; {BASELINE}'s own {'has' if home else 'has no'} PGO."]
    return [f"{said}{', ' + how if how else ''}, not {BASELINE}'s own."]


def _images(run: Run) -> dict[str, str]:
    return {launcher.name: launcher.image for launcher in run.plan.launchers if launcher.image is not None}


def _file(path: str | None) -> str:
    return "another file" if path is None else PurePath(path).name


def _title(cause: Cause) -> str:
    return TITLES.get(cause.cause, cause.cause)


def _largest(causes: Iterable[Cause]) -> list[Cause]:
    return sorted(causes, key=lambda cause: -(cause.share or 0.0))


def _listed(words: Iterable[str]) -> str:
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _remedied(verdict: Verdict) -> list[str]:
    """On which library the unchanged host runs at its best."""
    found = part(verdict, Rebuilding)
    if found is None:
        return []
    libraries = [build.launcher for build in found.rebuilt.built if build.kind == "library"]
    counted = [
        (comparison, name)
        for name in libraries
        if (comparison := against_baseline(verdict, name).get("instructions")) is not None
        and comparison.ratio is not None
    ]
    if not counted:
        return []
    best, name = min(counted, key=lambda pair: pair[0].ratio or math.inf)
    host, _, levels = name.partition("@")
    does = f"the unchanged {host} executes {_times(best)} {BASELINE}'s{_basis(best)}"
    return [f"On a library built with {options(levels)} {does}{_timed(found.remedy)}."]


def _timed(remedy: Remedy | None) -> str:
    """What the library that was checked takes in time, where that is known."""
    known = [time for time in (() if remedy is None else remedy.times) if time.resolved and time.ratio is not None]
    if not known:
        return ""
    told_ = (f"{told(time.ratio, time.lo, time.hi)} times the {title(time.metric)} of {time.against}" for time in known)
    return f", and takes {_listed(told_)} on the distribution's files"


def _swept(verdict: Verdict) -> list[str]:
    found = part(verdict, Amortization)
    return [] if found is None else list(found.advice)


def _suspects(verdict: Verdict) -> list[str]:
    """Which suspects go, and which stay, of the launcher that was asked about."""
    found = part(verdict, Suspects)
    if found is None:
        return []
    first: dict[tuple[str, str], str] = {}
    for eliminated in found.eliminations:
        first.setdefault((eliminated.launcher, eliminated.elimination), eliminated.status)
    said = []
    for launcher in dict.fromkeys(name for name, _ in first):
        by_status: dict[str, list[str]] = {}
        for (name, elimination), status in first.items():
            if name == launcher:
                by_status.setdefault(status, []).append(elimination)
        words = {"confirmed": "comes from", "refuted": "does not come from", "unresolved": "is not decided for"}
        told_ = [f"{word} {_listed(by_status[status])}" for status, word in words.items() if status in by_status]
        said.append(f"The tax of {launcher} {', it '.join(told_)}.")
    return said
