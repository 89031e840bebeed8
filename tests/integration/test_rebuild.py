"""``tax-probe rebuild`` end to end on a tiny tree with CPython's configure/make interface and planted factors."""

import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profiler.catalogue.factorial_design import cells
from profiler.errors import MachineError
from profiler.launch.interpreters import resolve_target
from profiler.model.factorial import cell_name
from profiler.rebuild.build_cache import BuildCache, drop_unfinished
from profiler.rebuild.builder import Builder
from profiler.rebuild.plans import load_plan
from profiler.rebuild.recipe import base_of
from profiler.rebuild.source_tree import find_source, source_name
from profiler.system.packages import owners
from tests.commandline import ENTRY, TaxProbe, assert_refused, comparison

TINY = Path(__file__).parents[1] / "tiny_cpython"
PLAN = """
title = "planted"
cflags = ["-O1"]

[[factor]]
name = "seven"
title = "seven instructions more a turn"
levels = [{ name = "lean", product = "program" }, { name = "seven", product = "program", cflags = ["-DPLANT_SEVEN"] }]

[[factor]]
name = "eleven"
title = "eleven instructions more a turn"
levels = [{ name = "bare" }, { name = "eleven", cflags = ["-DPLANT_ELEVEN"] }]
"""
BROKEN = """
[[factor]]
name = "broken"
title = "does not compile"
levels = [{ name = "whole" }, { name = "broken", cflags = ["-DPLANT_BROKEN"] }]
"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("gcc") is None or shutil.which("make") is None, reason="no gcc and make"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The tiny source, of the target's version."""
    tree = tmp_path / "tree"
    shutil.copytree(TINY, tree)
    template = (tree / "Include" / "patchlevel.h.in").read_text()
    (tree / "Include" / "patchlevel.h").write_text(template.replace("@VERSION@", resolve_target(None).version))
    return tree


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.toml"
    file.write_text(PLAN)
    return file


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for what is rebuilt; the hosts come from the user's."""
    monkeypatch.setattr("profiler.rebuild.build_cache.cache_folder", lambda: tmp_path / "cache" / "tax-probe")
    return tmp_path / "cache" / "tax-probe" / "rebuild"


class Watch:
    """Remembers what it is told; may interrupt."""

    def __init__(self, on_step: Callable[[str], None] = lambda doing: None) -> None:
        self.said: list[str] = []
        self._on_step = on_step

    def say(self, text: str) -> None:
        self.said.append(text)

    def builds(self, done: float, total: float, doing: str) -> None:
        self._on_step(doing)


def builder(plan: Path, tree: Path, cache: Path) -> Builder:
    target, read = resolve_target(None), load_plan(plan)
    build_cache = BuildCache(cache)
    build_cache.open()
    source = find_source(target, str(tree), cache, lambda text: None)
    return Builder(target=target, source=source, plan=read, base=base_of(target, read), build_cache=build_cache)


def rebuild(tax_probe: TaxProbe, plan: Path, tree: Path, source: str = "software") -> Any:
    return tax_probe(
        "rebuild", "--plan", str(plan), "--source-tree", str(tree), "--out", str(tax_probe.out), "--source", source,
        "--m", "1000,21000", "--blocks", "2", "--seed", "7", "--format", "json",
    )  # fmt: skip


@pytest.mark.once
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
@pytest.mark.usefixtures("cache")
def test_planted_instructions_are_recovered_exactly(tax_probe: TaxProbe, plan: Path, tree: Path) -> None:
    ran = rebuild(tax_probe, plan, tree, "callgrind")
    assert ran.code == 0, ran.err
    verdict = ran.document
    cost = {
        name: comparison(verdict, f"python3@{name}", "instructions")["value"]
        for name in ("lean,bare", "seven,bare", "lean,eleven", "seven,eleven")
    }
    lean = cost["lean,bare"]
    assert cost["seven,bare"] - lean == pytest.approx(7, abs=0.01)
    assert cost["lean,eleven"] - lean == pytest.approx(11, abs=0.01)
    assert cost["seven,eleven"] - lean == pytest.approx(18, abs=0.01)

    effects = {one["term"]: one for one in verdict["factorial"]["effects"] if one["metric"] == "instructions"}
    truth = {
        "seven": math.sqrt((lean + 7) / lean * (lean + 18) / (lean + 11)),
        "eleven": math.sqrt((lean + 11) / lean * (lean + 18) / (lean + 7)),
        "seven × eleven": math.sqrt(lean * (lean + 18) / (lean + 7) / (lean + 11)),
    }
    for term, ratio in truth.items():
        assert effects[term]["ratio"] == pytest.approx(ratio, rel=1e-3), term
        assert effects[term]["lo"] - 1e-3 <= ratio <= effects[term]["hi"] + 1e-3, term
    assert verdict["factorial"]["not_separable"] == []
    assert "seven against lean" in verdict["sentence"]

    again = tax_probe("report", str(tax_probe.folder()), "--format", "json")
    assert again.document == verdict
    assert "-DPLANT_SEVEN" in tax_probe("report", "-v", str(tax_probe.folder())).out


def test_a_build_that_fails_shows_the_compilers_words_and_the_others_go_on(
    tax_probe: TaxProbe, plan: Path, tree: Path, cache: Path
) -> None:
    plan.write_text('fixed = { seven = "lean", eleven = "bare" }\n' + PLAN + BROKEN)
    ran = rebuild(tax_probe, plan, tree)
    assert ran.code == 0, ran.err
    told = [one["message"] for one in ran.document["warnings"] if one["code"] == "not-built"]
    assert len(told) == 1
    assert "lean,bare,broken" in told[0]
    assert "planted failure" in told[0]
    assert "python3@lean,bare,whole" in {one["name"] for one in ran.document["launchers"]}


def test_flags_for_programs_reach_the_link_of_the_program(plan: Path, tree: Path, cache: Path) -> None:
    plan.write_text(PLAN.replace('"lean", product', '"lean", program_ldflags = ["-Wl,--planted-nonsense"], product'))
    built, failed = builder(plan, tree, cache).build(cells(load_plan(plan)), 2, Watch())
    assert [one.levels["seven"] for one in built] == ["seven", "seven"]
    assert [one.levels["seven"] for one in failed] == ["lean", "lean"]
    assert all("planted-nonsense" in one.message for one in failed)


def test_when_nothing_can_be_built_the_builders_words_are_the_error(
    tax_probe: TaxProbe, plan: Path, tree: Path, cache: Path
) -> None:
    (tree / "work.c").write_text("#error nothing at all\n")
    assert_refused(rebuild(tax_probe, plan, tree), 3, "nothing at all")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tree: (tree / "Include" / "patchlevel.h").unlink(), "no PY_VERSION"),
        (lambda tree: (tree / "Include" / "patchlevel.h").write_text('#define PY_VERSION "3.7.1"\n'), "CPython 3.7.1"),
        (shutil.rmtree, "no file or folder"),
    ],
)
@pytest.mark.usefixtures("cache")
def test_a_source_that_does_not_fit_is_refused(
    tax_probe: TaxProbe, plan: Path, tree: Path, change: Callable[[Path], object], words: str
) -> None:
    change(tree)
    assert_refused(rebuild(tax_probe, plan, tree), 2, words)


def offer(folder: Path, showsrc: str, *, fetching: str) -> str:
    """A PATH on which the archive offers ``showsrc`` and ``apt-get source`` does ``fetching``."""
    folder.mkdir()
    for name, text in {
        "apt-get": f'case "$*" in *update*) ;; *) {fetching} ;; esac',
        "apt-cache": f"cat <<'EOF'\n{showsrc}\nEOF",
        "dpkg-source": "exit 1",
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("offered", "words"),
    [("", "the archive offers none"), ("Package: {name}\nVersion: {version}-1\n", "offered: {version}-1")],
)
def test_an_archive_without_the_source_is_an_error_with_the_way_on(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, offered: str, words: str
) -> None:
    target = resolve_target(None)
    package = owners([target.real_path]).get(target.real_path)
    if package is None:
        pytest.skip("no package owns this python3")
    known = {"name": source_name(package.partition(" ")[0]), "version": target.version}
    path = offer(tmp_path / "bin", offered.format(**known), fetching="echo 'E: 404 Not Found' >&2; exit 100")
    monkeypatch.setenv("PATH", path)
    cache.mkdir(parents=True)
    said: list[str] = []
    with pytest.raises(MachineError) as refused:
        find_source(target, None, cache, said.append)
    assert words.format(**known) in refused.value.message
    assert "--source-tree" in (refused.value.hint or "")
    assert not list(cache.glob("source-*")), "nothing half fetched is kept"
    assert bool(offered) == any("404 Not Found" in one for one in said)


def test_without_the_tools_for_source_packages_it_says_so(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = resolve_target(None)
    if not owners([target.real_path]):
        pytest.skip("no package owns this python3")
    (tmp_path / "bin").mkdir()
    for program in ("dpkg-query", "apt-get"):
        (tmp_path / "bin" / program).symlink_to(str(shutil.which(program)))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(MachineError, match="this machine lacks") as refused:
        find_source(target, None, cache, lambda text: None)
    assert "apt-get install dpkg-dev" in (refused.value.hint or "")


def test_what_is_built_is_not_built_again(plan: Path, tree: Path, cache: Path) -> None:
    first = builder(plan, tree, cache)
    wanted = cells(load_plan(plan))
    assert first.missing(wanted)[0] == 4
    built, failed = first.build(wanted, 2, Watch())
    assert failed == ()
    assert [cell_name(one.levels) for one in built] == [cell_name(one) for one in wanted]
    assert builder(plan, tree, cache).missing(wanted) == (0, 0)
    assert builder(plan, tree, cache).build(wanted, 2, Watch())[0] == built


def test_one_training_serves_every_combination_with_a_profile(plan: Path, tree: Path, cache: Path) -> None:
    text = PLAN.replace('{ name = "bare" }', '{ name = "bare", profile = true }').replace(
        'name = "eleven", cflags', 'name = "eleven", profile = true, cflags'
    )
    plan.write_text(text + '[training]\nseven = "lean"\neleven = "bare"\n')
    built, failed = builder(plan, tree, cache).build(cells(load_plan(plan)), 2, Watch())
    assert failed == ()
    assert len({one.training for one in built}) == 1
    assert len(list((cache / "trained").glob("trained-*"))) == 1
    fits = {cell_name(one.levels): one.mismatched_functions for one in built}
    assert fits["lean,bare"] == 0, "the very flags of the training"


def test_the_distributions_training_runs_one_test_file_after_the_other(plan: Path, tree: Path, cache: Path) -> None:
    (tree / "debian").mkdir()
    (tree / "debian" / "rules").write_text("#!/usr/bin/make -f\nPROFILE_TASK = ../regrtest.py -s\nbuild:\n")
    (tree / "regrtest.py").write_text("")
    profiled = PLAN.replace('{ name = "bare" }', '{ name = "bare", profile = true }')
    trainings = {}
    for task in ("distribution", "cpython"):
        plan.write_text(f'training_task = "{task}"\n' + profiled + '[training]\nseven = "lean"\neleven = "bare"\n')
        mine = builder(plan, tree, cache)
        built, _ = mine.build(cells(load_plan(plan))[:1], 1, Watch())
        trainings[task] = built[0].training
        assert not any("training" in one for one in mine.changed)
    assert trainings["distribution"] is not None
    assert (trainings["distribution"].tests, trainings["distribution"].failed_tests) == (2, 0)
    assert trainings["cpython"] != trainings["distribution"]

    shutil.rmtree(tree / "debian")
    plan.write_text('training_task = "distribution"\n' + profiled)
    assert any("the training runs CPython's own task" in one for one in builder(plan, tree, cache).changed)


def test_a_level_that_changes_control_flow_is_trained_for_itself(plan: Path, tree: Path, cache: Path) -> None:
    text = PLAN.replace('{ name = "bare" }', '{ name = "bare", profile = true }').replace(
        'name = "eleven", cflags', 'name = "eleven", profile = true, retrain = true, cflags'
    )
    plan.write_text(text + '[training]\nseven = "lean"\n')
    built, _ = builder(plan, tree, cache).build(cells(load_plan(plan)), 2, Watch())
    assert len({one.training for one in built}) == 2


def test_counts_that_do_not_fit_are_counted(plan: Path, tree: Path, cache: Path) -> None:
    """The planted level changes the control flow of the one function that was trained."""
    work = (tree / "work.c").read_text()
    (tree / "work.c").write_text(work.replace("acc += i", "\n#ifdef PLANT_SEVEN\nif (i % 3) acc++;\n#endif\nacc += i"))
    plan.write_text(
        PLAN.replace('"lean", product', '"lean", profile = true, product').replace(
            '"seven", product', '"seven", profile = true, product'
        )
        + '[training]\nseven = "lean"\n'
    )
    built, _ = builder(plan, tree, cache).build(cells(load_plan(plan)), 2, Watch())
    fits = {cell_name(one.levels): one.mismatched_functions for one in built}
    assert fits["lean,bare"] == 0
    assert fits["seven,bare"] == fits["seven,eleven"] == 1


def test_interrupted_building_goes_on(plan: Path, tree: Path, cache: Path) -> None:
    def interrupt(doing: str) -> None:
        if "steps" in doing:
            raise KeyboardInterrupt

    wanted = cells(load_plan(plan))
    with pytest.raises(KeyboardInterrupt):
        builder(plan, tree, cache).build(wanted, 1, Watch(interrupt))
    assert list((cache / "work").glob("program-*[!k]")), "what was begun is kept"
    built, failed = builder(plan, tree, cache).build(wanted, 2, Watch())
    assert failed == ()
    assert len(built) == 4


def test_killed_while_compiling_it_goes_on(plan: Path, tree: Path, cache: Path, tmp_path: Path) -> None:
    """The compiler is held at a gate, so that the kill comes in the middle of a build."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    before = (
        "import profiler.rebuild.build_cache as build_cache; from pathlib import Path\n"
        f"build_cache.cache_folder = lambda: Path({str(tmp_path / 'cache' / 'tax-probe')!r})\n"
    )
    command = [
        "rebuild", "--plan", str(plan), "--source-tree", str(tree), "--jobs", "1", "--source", "callgrind",
        "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-c", before + ENTRY, *command],
        env=os.environ | {"TINY_GATE": str(gate), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with gate.open("wb"):  # opens when make has come to the gate
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    built, failed = builder(plan, tree, cache).build(cells(load_plan(plan)), 2, Watch())
    assert failed == ()
    assert len(built) == 4


def test_files_that_were_being_written_are_made_again(tmp_path: Path) -> None:
    for name, written in (("old.o", 1000), ("torn.o", 2000), ("Makefile.in", 2000), ("also.gcda", 1998)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (written, written))
    drop_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile.in", "old.o"]


def test_a_full_disk_is_an_error_with_its_remedy(
    tax_probe: TaxProbe, plan: Path, tree: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BuildCache, "free_bytes", lambda self: 10_000_000)
    assert_refused(rebuild(tax_probe, plan, tree), 3, "0.0 GB left", "XDG_CACHE_HOME")


REAL = """
title = "interposition, for real"
without = ["-g", "-fstack-protector-strong", "-O2"]
cflags = ["-g0", "-O3"]

[[factor]]
name = "interposition"
cause = "plt"
title = "symbols that another library may interpose"
levels = [
  { name = "direct", product = "library", configure = ["--enable-shared"], cflags = ["-fno-semantic-interposition"] },
  { name = "interposable", product = "library", configure = ["--enable-shared"] },
]
"""


@pytest.mark.slow
def test_a_real_library_runs_under_the_unchanged_host_and_interposition_costs_instructions(
    tax_probe: TaxProbe, plan: Path, cache: Path
) -> None:
    """Two builds of the distribution's own source: some ten minutes."""
    if shutil.which("dtrace") is None or resolve_target(None).shared_library is None:
        pytest.skip("no dtrace (systemtap-sdt-dev), or no libpython to compare with")
    plan.write_text(REAL)
    ran = tax_probe(
        "rebuild", "--plan", str(plan), "--out", str(tax_probe.out), "--source", "callgrind", "--blocks", "2",
        "--seed", "7", "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    images = {one["name"]: one["image"] for one in ran.document["launchers"]}
    for name in ("direct", "interposable"):
        assert images[f"pyo3@{name}"].startswith(str(cache / "built"))
    (effect,) = (one for one in ran.document["factorial"]["effects"] if one["metric"] == "instructions")
    assert effect["lo"] > 1.01
