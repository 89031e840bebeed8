"""Verdicts on properties of a file (PGO, LTO, PIC, …): how the two images differ, which separates nothing by itself,
and which properties, equal in both, can be no cause.

Read from the facts that were recorded, never from the sentences beside them: those are a former version's words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from profiler.analyze.causes.case import Case, cause_of
from profiler.analyze.siblings import differences
from profiler.catalogue.causes import CauseEntry
from profiler.model import Cause, Run
from profiler.model.installed import BuildDifference

Facts = dict[str, Any]
"""One entry of ``programs`` in the answer of ``inspect``, of this or of a former version."""
Judgement = tuple[Literal["refuted", "unresolved", "not-tested"], str]

_WITHOUT_CALLS: Final = frozenset({"none", "local-exec", "initial-exec"})
"""TLS models whose accesses call nothing."""


def built_differently(run: Run, case: Case, entry: CauseEntry) -> Cause | None:
    """What the files of both images say of one cause.

    ``unresolved`` where they differ: a difference that was not taken away is correlated at most. ``refuted`` where
    they are equal in a way that leaves nothing to differ, ``not-tested`` where they are equal and may still differ.
    None where the cause is no property of a file, or is not known of both.
    """
    judge = _JUDGES.get(entry.id)
    files = recorded(run)
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    reference, own = files.get(images.get(run.plan.roles.baseline)), files.get(images.get(case.launcher.name))
    if judge is None or reference is None or own is None or reference is own:
        return None
    judgement = judge(reference, own)
    if judgement is None:
        return None
    status, evidence = judgement
    return cause_of(case, entry, status, None if status == "not-tested" else "correlated", evidence)


def recorded(run: Run) -> dict[str | None, Facts]:
    """What ``inspect`` found of each file, by its path, in the form of this version: ``loads_libpython`` was the path
    of the library (now ``loads``), and null for programs that load none.
    """
    found: dict[str | None, Facts] = {}
    for program in run.interpreters.get("programs", ()):
        loads = program["loads_libpython"]
        if "loads" not in program:
            none = program.get("static_libpython") is True or program.get("role") == "library"
            changed = {"loads": loads, "loads_libpython": True if loads is not None else False if none else None}
        else:
            changed = {}
        found[program["real_path"]] = {name: fact for name, fact in program.items() if name != "evidence"} | changed
    for python in run.eval_loops:
        facts = {name: fact for name, fact in msgspec.to_builtins(python.file).items() if name != "evidence"}
        for path in (python.file.real_path, *python.aliases):
            found.setdefault(path, facts | {"real_path": path})
    return found


def built_unlike(run: Run, name: str, other: str) -> tuple[tuple[BuildDifference, ...], tuple[str, ...]] | None:
    """In what the file whose eval loop ``name`` runs is built unlike that of ``other``, and the options that one of
    them does not show; None where one of the files is not known.
    """
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    files = {path: python for python in run.eval_loops for path in (python.file.real_path, *python.aliases)}
    here, there = files.get(images.get(name) or ""), files.get(images.get(other) or "")
    return None if here is None or there is None else differences(here, there)


def _differ(facts: Facts, other: Facts, name: str) -> Judgement:
    return "unresolved", (
        f"{facts['real_path']}: {name} {facts[name]}, {other['real_path']}: {name} {other[name]}; part of "
        "eval-loop-image, separated by rebuilding"
    )


def _known(facts: Facts, other: Facts, name: str) -> bool:
    return facts.get(name) is not None and other.get(name) is not None


def _pgo(facts: Facts, other: Facts) -> Judgement | None:
    if not _known(facts, other, "pgo"):
        return None
    if facts["pgo"] != other["pgo"]:
        return _differ(facts, other, "pgo")
    if facts["pgo"]:
        return "not-tested", "both files are built with PGO; whether with the same profile is not seen in them"
    return "refuted", "neither file is built with PGO"


def _lto(facts: Facts, other: Facts) -> Judgement | None:
    if not _known(facts, other, "lto"):
        return None
    if facts["lto"] != other["lto"]:
        return _differ(facts, other, "lto")
    if facts["lto"]:
        return "not-tested", "both files are built with LTO; how far it reached is not seen in them"
    return "refuted", "neither file is built with LTO"


def _level(facts: Facts, other: Facts) -> Judgement | None:
    if not _known(facts, other, "optimisation_level"):
        return None
    if facts["optimisation_level"] != other["optimisation_level"]:
        return _differ(facts, other, "optimisation_level")
    return "refuted", f"both files are compiled with {facts['optimisation_level']}"


def _pic(facts: Facts, other: Facts) -> Judgement | None:
    """A program at a fixed place may hold objects that were compiled for any place: its kind refutes nothing."""
    if not _known(facts, other, "pic"):
        return None
    if facts["pic"] != other["pic"]:
        return _differ(facts, other, "pic")
    if facts["pic"] and facts["role"] == other["role"] == "library":
        return "refuted", "both files are shared libraries, of position-independent code"
    kind = "position-independent" if facts["pic"] else "linked for a fixed address"
    return "not-tested", f"both files are {kind}; how their objects were compiled is not seen in them"


def _plt(facts: Facts, other: Facts) -> Judgement | None:
    """Binding by the linker (no JUMP_SLOT, DT_SYMBOLIC) says nothing of what the compiler did not inline."""
    if _known(facts, other, "interposable"):
        if facts["interposable"] != other["interposable"]:
            return _differ(facts, other, "interposable")
        if not facts["interposable"]:
            return "refuted", "neither file was compiled with interposable calls (DW_AT_producer)"
        return "not-tested", "both files were compiled with interposable calls; how many of them are made may differ"
    return _bound(facts, other)


def _bound(facts: Facts, other: Facts) -> Judgement | None:
    if not _known(facts, other, "own_api_slots"):
        return None
    if facts["own_api_slots"] != other["own_api_slots"]:
        return _differ(facts, other, "own_api_slots")
    if facts["own_api_slots"]:
        return "not-tested", f"in both files calls of {facts['own_api_slots']} own functions go through the PLT"
    return "not-tested", (
        "both files bind the calls of their own C API; whether they stay interposable to the compiler, which then "
        "inlines none, is not seen in the files: `tax-probe rebuild` decides"
    )


def _tls(facts: Facts, other: Facts) -> Judgement | None:
    if not _known(facts, other, "tls_model"):
        return None
    model = facts["tls_model"]
    if model != other["tls_model"]:
        return _differ(facts, other, "tls_model")
    if model == "none":
        return "refuted", "neither file has thread-local variables"
    if model in _WITHOUT_CALLS:
        return "refuted", f"both files have the TLS model {model}, which calls nothing"
    return "not-tested", f"both files have the TLS model {model}; how often they take that call is not seen in them"


def _usdt(facts: Facts, other: Facts) -> Judgement | None:
    if not _known(facts, other, "usdt"):
        return None
    if facts["usdt"] != other["usdt"]:
        return _differ(facts, other, "usdt")
    if not facts["usdt"]:
        return "refuted", "neither file has python probes"
    ours, theirs = facts.get("usdt_probes"), other.get("usdt_probes")
    if ours is None or theirs is None:
        return "not-tested", "both files have python probes; whether the same is not recorded"
    # One statement of the source is one test, however many copies of it inlining made.
    if set(ours) == set(theirs):
        sites = f"at {sum(ours.values())} and {sum(theirs.values())} sites"
        return "refuted", f"both files have the same python probes ({', '.join(ours)}; {sites})"
    return _differ(facts, other, "usdt_probes")


_JUDGES: Final[dict[str, Callable[[Facts, Facts], Judgement | None]]] = {
    "pgo": _pgo,
    "lto": _lto,
    "optimisation-level": _level,
    "pic": _pic,
    "plt": _plt,
    "tls": _tls,
    "usdt": _usdt,
}
