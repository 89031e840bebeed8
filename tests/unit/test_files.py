"""What the files of two images say of a cause: differences, equalities that refute, and equalities that do not."""

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from profiler.analyze.causes.case import Case, Tax, entry_of
from profiler.analyze.causes.files import built_differently, recorded
from profiler.catalogue.causes import CAUSES, Shows
from profiler.folder import load_run
from profiler.model import BASELINE, Cause, Run

RUN = load_run(Path(__file__).parents[2] / "results" / "variants-int_loop")
IMAGES = {launcher.name: launcher.image for launcher in RUN.plan.launchers}


def verdict(cause: str, one: dict[str, Any], other: dict[str, Any]) -> Cause | None:
    """On a program with the facts ``one`` and a library with ``other``."""
    facts = {"loads_libpython": False, "loads": None, "evidence": ["no interposition: a former version's words"]}
    run = with_programs(
        facts | {"role": "program", "real_path": IMAGES[BASELINE]} | one,
        facts | {"role": "library", "real_path": IMAGES["pyo3"]} | other,
    )
    (embedder,) = (launcher for launcher in run.plan.launchers if launcher.name == "pyo3")
    return built_differently(run, Case(launcher=embedder, taxes=TAXES), entry_of(cause))


TAX = Tax(metric="instructions", margin=0.01, logs=pd.Series(dtype=float))
TAXES: dict[Shows, Tax] = {"instructions": TAX, "cpi": TAX, "time": TAX}


def with_programs(*programs: dict[str, Any]) -> Run:
    return msgspec.structs.replace(RUN, interpreters={"programs": programs})


SAME_PROBES = {"usdt": True, "usdt_probes": {"line": 2, "import__find__load__done": 1}}


@pytest.mark.parametrize(
    ("cause", "one", "other", "status", "words"),
    [
        ("tls", {"tls_model": "none"}, {"tls_model": "none"}, "refuted", "neither file has thread-local variables"),
        ("tls", {"tls_model": "local-exec"}, {"tls_model": "local-exec"}, "refuted", "calls nothing"),
        ("tls", {"tls_model": "initial-exec"}, {"tls_model": "initial-exec"}, "refuted", "calls nothing"),
        ("tls", {"tls_model": "general-dynamic"}, {"tls_model": "general-dynamic"}, "not-tested", "how often"),
        ("tls", {"tls_model": "local-exec"}, {"tls_model": "general-dynamic"}, "unresolved", "tls_model local-exec"),
        ("usdt", {"usdt": False}, {"usdt": False}, "refuted", "neither"),
        ("usdt", SAME_PROBES, SAME_PROBES, "refuted", "at 3 and 3 sites"),
        ("usdt", SAME_PROBES, {"usdt": True, "usdt_probes": {"line": 1, "import__find__load__done": 1}}, "refuted",
         "at 3 and 2 sites"),
        ("usdt", SAME_PROBES, {"usdt": True, "usdt_probes": {"line": 1}}, "unresolved", "usdt_probes"),
        ("usdt", {"usdt": True, "usdt_probes": {"line": 1}}, SAME_PROBES, "unresolved", "usdt_probes"),
        ("usdt", {"usdt": True}, {"usdt": True}, "not-tested", "whether the same is not recorded"),
        ("usdt", {"usdt": True}, {"usdt": False}, "unresolved", "usdt False"),
        ("pgo", {"pgo": True}, {"pgo": True}, "not-tested", "same profile"),
        ("pgo", {"pgo": False}, {"pgo": False}, "refuted", "neither"),
        ("pgo", {"pgo": True}, {"pgo": False}, "unresolved", "pgo False"),
        ("pgo", {"pgo": False}, {"pgo": True}, "unresolved", "pgo True"),
        ("lto", {"lto": True}, {"lto": True}, "not-tested", "how far"),
        ("lto", {"lto": False}, {"lto": False}, "refuted", "neither"),
        ("pic", {"pic": True, "role": "library"}, {"pic": True}, "refuted", "shared libraries"),
        ("pic", {"pic": True}, {"pic": True}, "not-tested", "position-independent"),
        ("pic", {"pic": False}, {"pic": False}, "not-tested", "fixed address"),
        ("plt", {"own_api_slots": 0}, {"own_api_slots": 0}, "not-tested", "`tax-probe rebuild` decides"),
        ("plt", {"own_api_slots": 0}, {"own_api_slots": 900}, "unresolved", "own_api_slots 900"),
        ("plt", {"interposable": False}, {"interposable": False}, "refuted", "DW_AT_producer"),
        ("plt", {"interposable": True}, {"interposable": True}, "not-tested", "how many"),
        ("plt", {"interposable": False, "own_api_slots": 0}, {"interposable": True, "own_api_slots": 0}, "unresolved",
         "interposable True"),
    ],
)  # fmt: skip
def test_what_two_files_say(cause: str, one: dict[str, Any], other: dict[str, Any], status: str, words: str) -> None:
    found = verdict(cause, one, other)
    assert found is not None
    assert (found.status, found.strength) == (status, None if status == "not-tested" else "correlated")
    assert words in found.evidence
    assert "no interposition" not in found.evidence


@pytest.mark.parametrize("cause", ["pgo", "lto", "pic", "plt", "tls", "usdt"])
def test_what_is_unknown_of_one_file_says_nothing(cause: str) -> None:
    known = {
        "pgo": False, "lto": False, "pic": True, "interposable": False, "own_api_slots": 0, "tls_model": "none",
        "usdt": False,
    }  # fmt: skip
    assert verdict(cause, known, {}) is None
    assert verdict(cause, dict.fromkeys(known), known) is None


def test_other_causes_are_no_properties_of_files() -> None:
    for entry in CAUSES:
        if entry.id not in {"pgo", "lto", "pic", "plt", "tls", "usdt"}:
            assert verdict(entry.id, {entry.id: True}, {entry.id: False}) is None


def test_one_file_does_not_differ_from_itself() -> None:
    run = with_programs({"real_path": "/x", "loads_libpython": False, "loads": None, "pgo": False})
    one = msgspec.structs.replace(RUN.plan.launchers[0], image="/x")
    run = msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, launchers=(one,)))
    assert built_differently(run, Case(launcher=one, taxes=TAXES), entry_of("pgo")) is None


def test_former_folders_say_which_library_where_they_now_say_whether() -> None:
    base: dict[str, Any] = {
        "pgo": None,
        "evidence": ["no interposition: no call to its own C API goes through the PLT"],
    }
    old: list[dict[str, Any]] = [
        {"real_path": "/a", "role": "program", "static_libpython": True, "loads_libpython": None},
        {"real_path": "/b", "role": "program", "static_libpython": False, "loads_libpython": "/l.so"},
        {"real_path": "/c", "role": "host", "static_libpython": None, "loads_libpython": None},
        {"real_path": "/l.so", "role": "library", "static_libpython": False, "loads_libpython": None},
        {"real_path": "/n", "role": "host", "static_libpython": False, "loads_libpython": True, "loads": None},
    ]
    files = recorded(with_programs(*(base | one for one in old)))
    assert {path: (facts["loads_libpython"], facts["loads"]) for path, facts in files.items()} == {
        "/a": (False, None),
        "/b": (True, "/l.so"),
        "/c": (None, None),
        "/l.so": (False, None),
        "/n": (True, None),
    }
    assert not any("evidence" in facts for facts in files.values())
