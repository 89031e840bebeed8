"""``inspect`` and ``rebuild`` say the same of one file, in every folder under ``results/``."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profiler.analyze.causes.files import recorded
from profiler.analyze.causes.option_verdicts import rebuilt_of
from profiler.analyze.causes.option_walk import completed
from profiler.analyze.conclude import analyse, conclude
from profiler.catalogue.factorial_design import levels_of
from profiler.folder import load_run
from profiler.launch.binaries.elf import read_elf
from profiler.launch.evidence import describe_elf
from profiler.model import BASELINE, Run, Verdict
from profiler.model.factorial import FactorialPlan, Levels
from profiler.present.finding import render
from profiler.present.view import view
from tests.recorded import FOLDERS, RESULTS
from tests.unit.elf_files import libpython, needs_gcc

REBUILT = [folder for folder in FOLDERS if load_run(folder).rebuilt is not None]


def name(folder: Path) -> str:
    return str(folder.relative_to(RESULTS))


@cache
def concluded(folder: Path) -> Verdict:
    return conclude(folder)


def implied(plan: FactorialPlan, levels: Levels) -> dict[str, Any]:
    """The facts that a file must have which is built at ``levels``; of the factors that the plan has."""
    chosen = {factor.name: factor.level(levels[factor.name]) for factor in plan.factors if factor.name in levels}
    by_cause = {factor.cause: chosen[factor.name] for factor in plan.factors if factor.name in chosen}
    facts: dict[str, Any] = {}
    if "pgo" in by_cause:
        facts["pgo"] = by_cause["pgo"].profile
    if "lto" in by_cause:
        facts["lto"] = any("-flto" in flag for flag in by_cause["lto"].cflags)
    if "pic" in by_cause:
        facts["pic"] = by_cause["pic"].product == "library"
    if "plt" in by_cause:
        facts["interposable"] = "-fno-semantic-interposition" not in by_cause["plt"].cflags
    if "usdt" in by_cause:
        facts["usdt"] = "--with-dtrace" in by_cause["usdt"].configure or "usdt" in levels.values()
    if "tls" in by_cause:
        model = next((flag for flag in by_cause["tls"].cflags if flag.startswith("-ftls-model=")), None)
        facts["tls_model"] = model.removeprefix("-ftls-model=") if model is not None else None
    return facts


def disagreements(run: Run) -> list[str]:
    """Where a file's facts are others than those of the builds that the plan takes for it."""
    rebuilt = rebuilt_of(run)
    assert rebuilt is not None
    files = recorded(run)
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    found = []
    for end, launcher in (("program", BASELINE), ("library", "pyo3")):
        if end not in rebuilt.plan.reproduces:
            continue
        stands = levels_of(rebuilt.plan, completed(rebuilt.plan, rebuilt.plan.reproduces[end]))
        for fact, truth in implied(rebuilt.plan, stands).items():
            seen = files[images[launcher]].get(fact)
            if seen is not None and truth is not None and seen != truth:
                found.append(f"{images[launcher]}: {fact} {seen}, reproduced with {truth}")
    return found


def test_there_are_folders_of_rebuild() -> None:
    assert {"default-int_loop", "upstream-dynamic"} <= {folder.name for folder in REBUILT}


@pytest.mark.once
@pytest.mark.parametrize("folder", REBUILT, ids=name)
def test_files_are_what_the_reproducing_builds_are(folder: Path) -> None:
    assert disagreements(load_run(folder)) == []


def test_a_library_with_a_profile_would_disagree() -> None:
    run = load_run(RESULTS / "rebuild" / "default-int_loop")
    programs = [one | {"pgo": True} if one["role"] == "library" else one for one in run.interpreters["programs"]]
    wrong = msgspec.structs.replace(run, interpreters={"programs": programs})
    (found,) = disagreements(wrong)
    assert "pgo True, reproduced with False" in found


@pytest.mark.once
@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_no_finding_denies_interposition(folder: Path) -> None:
    """Stored sentences of former versions did: none of them is shown."""
    found = analyse(folder)
    shown = msgspec.json.encode(found.verdict).decode() + render(folder, found, view(found), ())
    assert "no interposition" not in shown


@pytest.mark.once
@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_a_difference_of_files_refutes_no_cause_and_an_equality_confirms_none(folder: Path) -> None:
    run = load_run(folder)
    files = recorded(run)
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    ours, theirs = files.get(images[BASELINE]), files.get(images.get("pyo3"))
    assert ours is not None
    assert theirs is not None
    for cause in concluded(folder).causes:
        fact = {"tls": "tls_model"}.get(cause.cause, cause.cause)
        if cause.launcher == "pyo3" and fact in ours and None not in (ours[fact], theirs[fact]):
            if ours[fact] == theirs[fact]:
                assert cause.status != "confirmed", cause
            else:
                assert cause.status != "refuted", cause


@needs_gcc
def test_inspect_says_of_a_bound_library_what_leaves_room_for_rebuild(tmp_path: Path) -> None:
    """The library of every Debian is linked so, and interposition is a part of its tax."""
    facts = read_elf(str(libpython(tmp_path, "-O1", "-fno-inline", "-Wl,-Bsymbolic-functions")))
    described = describe_elf(facts, role="library", path=facts.path, package=None, loads=None, debug_root=tmp_path)
    (said,) = (sentence for sentence in described.evidence if "own C API" in sentence)
    assert said == (
        "calls of its own C API are bound to its own functions (no JUMP_SLOT, as -Bsymbolic-functions leaves it);"
        " whether calls stay interposable to the compiler, which then inlines none of an exported function, is not"
        " seen in the file: `tax-probe rebuild` decides"
    )
    assert (described.own_api_slots, described.interposable) == (0, None)
