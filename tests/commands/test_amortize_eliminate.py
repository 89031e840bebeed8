"""``amortize`` and ``eliminate`` from the command line to their files: small real runs, resumed and reported again."""

import csv
import platform
import shutil
from pathlib import Path

import pytest

from profiler.launch.interpreters import resolve_target
from tests.commandline import Ran, TaxProbe, assert_refused, in_a_process, reading_keys, rows, script

PLAN = ("--launcher", "python3", "--source", "software", "--seed", "11", "--blocks", "2")
LOOP = "import sys\nacc = 0\nfor i in range(int(sys.argv[1])):\n    acc += i & 7\nprint(acc)\n"
OWN = """\
command = "eliminate"
[options]
workload = "int_loop"
[[elimination]]
name = "locale"
hypothesis = "the locale favours one launcher"
intervention = "LC_ALL=C for both"
after = { env = { LC_ALL = "C" } }
metrics = ["task-clock", "whole-wall"]
[[elimination]]
name = "warm-up"
hypothesis = "the host is slower until it is warm"
intervention = "runs before, later work"
after = { warmups = 1, late = true, repetitions = 1 }
metrics = ["task-clock"]
"""


def host() -> str:
    """The target under another name: a launcher that is equal."""
    return f"--host=twin={resolve_target(None).real_path} {{script}} {{m}}"


def forget_the_second_block(folder: Path) -> None:
    lines = (folder / "rows.csv").read_text().splitlines(keepends=True)
    (folder / "rows.csv").write_text("".join(line for line in lines if not line.startswith("1,")))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """Measured once."""
    place = tmp_path_factory.mktemp("original")
    load = script(place, LOOP)
    with pytest.MonkeyPatch.context() as monkeypatch:
        tax_probe = TaxProbe(monkeypatch, place)
        command = ("amortize", "--out", str(tax_probe.out), *PLAN, "--m", "200000,1,1_000", host(), "--workload", load)
        ran = tax_probe(*command, "--format", "json", "--per-launch-ms", "5")
        assert ran.code == 0, ran.err
        return ran, tax_probe.folder()


@pytest.fixture
def amortized(original: tuple[Ran, Path], tmp_path: Path) -> tuple[Ran, Path]:
    """A copy to spoil."""
    return original[0], shutil.copytree(original[1], tmp_path / original[1].name)


def test_the_fields_of_the_contract(amortized: tuple[Ran, Path]) -> None:
    document = amortized[0].document
    point = {"launcher", "m", "wall_ms", "lo", "hi", "delta_ms", "ratio", "bit_exact"}
    assert all(point <= set(one) for one in document["points"])
    assert [one["m"] for one in document["points"] if one["launcher"] == "twin"] == [1, 1_000, 200_000]
    assert all(one["bit_exact"] for one in document["points"])
    assert all(set(one) == {"launcher", "startup_ms", "per_unit_ns", "left_out_error"} for one in document["model"])
    (crossing,) = document["crossover"]
    assert set(crossing) == {"launcher", "status", "m", "lo", "hi", "work_ms", "work_ms_lo", "work_ms_hi"}
    assert crossing["status"] in {"found", "none", "unbounded"}
    assert (crossing["m"] is None) == (crossing["status"] != "found")
    assert document["per_launch"][0]["work_ms"] == 5
    assert document["instructions"] is None, "the software source counts none"


def test_the_workload_itself_is_timed_and_warm_ups_are_kept_apart(amortized: tuple[Ran, Path]) -> None:
    document, folder = amortized[0].document, amortized[1]
    assert (folder / "figures" / "amortize.svg").exists()
    warmups = [row for row in rows(folder) if int(row["repetition"]) < 0]
    assert warmups
    assert {row["m"] for row in warmups} == {"1"}
    assert {one["code"] for one in document["warnings"]} <= {"a-a-differs", "a-a-useless"}, (
        "nothing is verified inside a native run; short times may differ"
    )
    text = (folder / "finding.md").read_text()
    assert "## what a launch saves, and what the work costs more" in text or "## the whole process" in text
    assert "figures/amortize.svg" in text


def test_the_folder_alone_gives_the_same_sweep(tax_probe: TaxProbe, amortized: tuple[Ran, Path]) -> None:
    again = tax_probe("report", str(amortized[1]), "--format", "json")
    assert again.out == amortized[0].out
    table = tax_probe("report", "-v", str(amortized[1]))
    assert "twin against python3, wall time of the whole process" in table.out
    assert "PASS" in table.out


def test_the_rest_of_an_interrupted_sweep(tax_probe: TaxProbe, amortized: tuple[Ran, Path]) -> None:
    folder = amortized[1]
    whole = reading_keys(folder)
    forget_the_second_block(folder)
    ran = tax_probe("amortize", "--resume", str(folder), "--format", "json")
    assert ran.code == 0, ran.err
    assert reading_keys(folder) == whole
    assert len(ran.document["points"]) == 6


@pytest.mark.once
def test_a_host_that_hands_on_no_arguments(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """Then every launcher runs a script that takes M from the environment."""
    bare = f"--host=bare={resolve_target(None).real_path} {{script}}"
    ran = tax_probe(
        "amortize", "--out", str(tax_probe.out), *PLAN, "--m", "1,90000", bare, "--workload", script(tmp_path, LOOP),
        "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert all(one["bit_exact"] for one in ran.document["points"])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="breakpoints are known for x86-64 only")
def test_a_launch_is_split_and_its_parts_add_up(amortized: tuple[Ran, Path]) -> None:
    """Against the same launcher run as it is; the sum holds the marks of the script too."""
    startup = amortized[0].document["startup"]
    known = {(one["launcher"], one["phase"]): one for one in startup["phases"]}
    assert set(known) >= {("python3", p) for p in ("loading", "core", "site", "script", "run", "finalisation")}
    assert all(one["cpu_ms"] is not None for one in startup["phases"] if one["launcher"] == "python3")
    assert known["python3", "site"]["cpu_ms"] is not None
    assert known["twin", "site"]["cpu_ms"] is None, "nobody knows how to leave site out of a user's host"
    changed = {(one["launcher"], one["intervention"], one["phase"]): one for one in startup["interventions"]}
    assert ("python3", "no-site", "whole") in changed
    assert ("python3", "finalize", "whole") not in changed, "it finalises anyway"
    if shutil.which("valgrind"):
        (total,) = (one for one in startup["sums"] if one["launcher"] == "python3")
        parts = sum(one["instructions"] for one in startup["phases"] if one["launcher"] == "python3")
        assert parts == pytest.approx(total["instructions"])
        assert changed["python3", "no-site", "core"]["instructions"] == -known["python3", "site"]["instructions"]


def test_m_that_is_no_list(tax_probe: TaxProbe) -> None:
    for wrong in ("5", "1,x", "0,7", "3,3"):
        assert_refused(tax_probe("amortize", "--m", wrong), 2, "--m")


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    return str(path)


@pytest.mark.once
def test_eliminations_of_the_users_own(tax_probe: TaxProbe, own: str) -> None:
    command = ("eliminate", "--out", str(tax_probe.out), *PLAN, host(), "--m", "1,600000", "--experiment", own)
    ran = tax_probe(*command, "--format", "json")
    assert ran.code == 0, ran.err
    folder = tax_probe.folder()
    found = {(one["elimination"], one["metric"]): one for one in ran.document["eliminations"]}
    assert set(found) == {("locale", "task-clock"), ("locale", "whole-wall"), ("warm-up", "task-clock")}
    assert {one["launcher"] for one in found.values()} == {"twin"}
    # On a busy machine A/A may withdraw a time, or no block's longer run take longer; then nothing is claimed in it.
    assert [
        one
        for one in found.values()
        if (one["before"] is None or one["after"] is None)
        and (one["status"] not in ("unresolved", "not-tested") or not one["reason"])
    ] == []
    state = {one["key"]: one for one in ran.document["state"]}
    assert state["flags.optimize"]["equal"]
    assert state["gc_threshold"]["equal"]
    again = tax_probe("report", str(folder), "--format", "json")
    assert again.out == ran.out
    assert "suspects, each removed" in tax_probe("report", "-v", str(folder)).out
    with (folder / "causes.csv").open() as lines:
        assert list(csv.DictReader(lines)) == []
    whole = reading_keys(folder)
    forget_the_second_block(folder)
    assert tax_probe("eliminate", "--resume", str(folder)).code == 0
    assert reading_keys(folder) == whole


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "locale"', 'name = "warm-up"', "two eliminations have the same name"),
        ("LC_ALL = ", "LC-ALL = 5, x = ", "elimination"),
        ("repetitions = 1", "repetitions = 0", "repetitions"),
        ("repetitions = 1", "hurry = true", "hurry"),
        ("[options]", "[options]\nelimination = []", "unknown elimination"),
    ],
)
def test_eliminations_that_make_no_sense(tax_probe: TaxProbe, own: str, old: str, new: str, words: str) -> None:
    path = Path(own)
    path.write_text(path.read_text().replace(old, new))
    assert_refused(tax_probe("eliminate", *PLAN, host(), "--m", "1,2000", "--experiment", own), 2, words)


def test_help_of_both() -> None:
    for command in ("amortize", "eliminate"):
        ran = in_a_process(command, "--help")
        assert ran.code == 0
        assert "--blocks" in ran.out
