"""Who is a variant of whom is data; names are shown and nothing else."""

import json
from pathlib import Path

import msgspec
import pytest

from profiler.catalogue.interventions import INTERVENTIONS
from profiler.catalogue.variant_rules import is_host, twin_of, variant_of
from profiler.errors import UsageError
from profiler.model import Variant
from profiler.older import up_to_date
from profiler.plan.schedule import with_launchers
from profiler.plan.treat import shown_name, vary
from tests.builders import launcher
from tests.recorded import FOLDERS
from tests.unit.test_schedule import plan

ODD = ("g++", "a~b", "bare@x", "python3.11", "pyo3-pic", "x@swapped", "-", "é|*")
"""Names that users may give."""


@pytest.mark.parametrize("name", ODD)
def test_any_name_is_a_name(name: str) -> None:
    host = msgspec.structs.replace(launcher(name, link=None), kind="user", image="/usr/bin/python3")
    baseline = msgspec.structs.replace(launcher("python3"), image="/usr/bin/python3")
    relieved = vary(host, Variant(of=name, intervention="tracing", way="removed"))
    given = vary(baseline, Variant(of="python3", intervention="dev-mode", way="given", given_by=name))
    everybody = (baseline, host, relieved, given)
    assert [one.name for one in everybody if is_host(one)] == [name]
    assert twin_of(host, everybody) == baseline
    assert variant_of(everybody, name, "tracing", "removed") == relieved
    assert variant_of(everybody, "python3", "dev-mode", "given", name) == given
    assert variant_of(everybody, name, "tracing") is None


@pytest.mark.parametrize(
    ("variant", "shown"),
    [
        (Variant(of="pyo3", intervention="malloc", way="changed"), "pyo3+malloc"),
        (Variant(of="h", intervention="all", way="removed"), "h~all"),
        (Variant(of="python3", intervention="dev-mode", way="given", given_by="h"), "python3+dev-mode@h"),
        (Variant(of="runmain", intervention="bare", way="replaced", given_by="h"), "bare@h"),
        (Variant(of="pyo3", intervention="swapped", way="replaced"), "pyo3@swapped"),
    ],
)
def test_how_variants_are_shown_is_how_older_folders_named_them(variant: Variant, shown: str) -> None:
    assert shown_name(variant) == shown
    old = {"name": shown, "base": variant.of, "factor": variant.intervention, "link": None}
    roots = [{"name": variant.of, "base": None, "factor": None, "link": None}]
    (_, read) = up_to_date({"plan": {"launchers": [*roots, old]}})["plan"]["launchers"]
    assert msgspec.convert(read["variant"], Variant) == variant


def test_a_host_of_an_older_folder_is_the_users_whatever_it_is_called() -> None:
    names = {"python3": "program", "python3-again": "program", "python3-mine": "host", "pyo3": "bundled"}
    links = {"program": "program", "bundled": "shared", "host": None}
    launchers = [{"name": name, "base": None, "factor": None, "link": links[kind]} for name, kind in names.items()]
    read = up_to_date({"plan": {"launchers": launchers}})["plan"]["launchers"]
    assert [one["kind"] for one in read] == ["program", "program", "user", "bundled"]


def test_a_host_that_is_called_as_a_variant_is_shown_is_refused() -> None:
    made = plan()
    toggled = vary(made.launchers[0], Variant(of="python3", intervention="malloc", way="changed"))
    with_launchers(made, (toggled,))
    with pytest.raises(UsageError, match=r"two launchers are called python3\+malloc"):
        with_launchers(made, (toggled, launcher("python3+malloc", link=None)))


def test_every_intervention_is_known_by_one_id() -> None:
    ids = [entry.id for entry in INTERVENTIONS]
    assert len(set(ids)) == len(ids)
    assert all(entry.ends for entry in INTERVENTIONS if entry.change is not None)
    assert all(entry.where for entry in INTERVENTIONS if entry.change is not None and entry.role == "place")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_recorded_launchers_have_kinds_and_variants(folder: Path) -> None:
    verdict = json.loads((folder / "verdict.json").read_text())
    by_name = {one["name"]: one for one in verdict["launchers"]}
    for one in by_name.values():
        assert (one["variant"] is not None) == bool(set("+~@") & set(one["name"])), one["name"]
        assert one["kind"] == ("program" if one["name"].startswith("python3") else "bundled")
        assert one["variant"] is None or one["variant"]["of"] in by_name
