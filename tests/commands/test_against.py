"""Two interpreters from the command line: named, started as they were named, and refused where there is but one."""

import subprocess
from pathlib import Path

import pytest

from profiler.folder import load_run
from profiler.launch.interpreters import find_targets, resolve_target
from profiler.launch.second_pythons import second_pythons
from tests.commandline import SMALL, TaxProbe, assert_refused, comparison, script

LOOP = "import sys\nacc = 0\nfor i in range(int(sys.argv[1])):\n    acc += i & 7\nprint(acc)\n"
ONCE = ("--source", "software", "--blocks", "1")


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The target's own virtual environment, with a module that nobody else has; the path of its python."""
    folder = tmp_path_factory.mktemp("environments") / "own"
    made = (resolve_target(None).real_path, "-m", "venv", "--without-pip", str(folder))
    subprocess.run(made, check=True, timeout=120)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "only_here.py").write_text("WORD = 'found'\n")
    return folder / "bin" / "python3"


def other_python() -> str:
    target = resolve_target(None)
    found = next((one for one in find_targets() if one != target.real_path), None)
    if found is None:
        pytest.skip("there is but one CPython on this machine")
    return found


def test_an_interpreter_is_started_as_it_was_named(tax_probe: TaxProbe, tmp_path: Path, venv: Path) -> None:
    """In its environment, whose module the baseline lacks; beside it none of our hosts is measured or built."""
    asks = "import sys\ntry:\n    import only_here\nexcept ImportError:\n    pass\n"
    work = script(tmp_path, f"{asks}assert ('only_here' in sys.modules) == ('own' in sys.prefix), sys.prefix\n{LOOP}")
    ran = tax_probe.ipc(*SMALL[2:], *ONCE, "--against", str(venv), "--workload", work, "--format", "json")
    assert ran.code == 0, ran.err
    (second,) = (one for one in ran.document["launchers"] if one["name"] != "python3")
    version = resolve_target(None).version
    assert (second["name"], second["kind"], second["variant"]) == (f"python{version}", "program", None)
    assert second["image"] == next(one["image"] for one in ran.document["launchers"] if one["name"] == "python3")
    assert "other-version" not in {one["code"] for one in ran.document["warnings"]}


def test_it_is_named_in_the_answer_and_in_the_next_command(tax_probe: TaxProbe, tmp_path: Path, venv: Path) -> None:
    work = script(tmp_path, LOOP)
    ran = tax_probe.ipc(*SMALL[2:], *ONCE, "--against", f"mine={venv}", "--workload", work)
    assert ran.code == 0, ran.err
    assert f"tax-probe variants --against mine={venv} --workload {work}" in ran.out
    assert "mine" in ran.out


def test_another_version_is_said_first(tax_probe: TaxProbe, tmp_path: Path) -> None:
    target = resolve_target(None)
    other = next((one for one in map(resolve_target, find_targets()) if one.version != target.version), None)
    if other is None:
        pytest.skip("no CPython of another version on this machine")
    work = script(tmp_path, LOOP)
    ran = tax_probe.ipc(*SMALL[2:], *ONCE, "--against", other.real_path, "--workload", work)
    assert ran.code == 0, ran.err
    name = f"python{other.version}"
    words = f"Another CPython version: {name} runs CPython {other.version}; python3 is CPython {target.version}."
    assert " ".join(ran.out.split()).startswith(words)


def test_variants_of_two_interpreters_build_no_host(tax_probe: TaxProbe, tmp_path: Path, venv: Path) -> None:
    """The same file on both sides: every cause is none or not known, and the places need no embedder."""
    command = ("variants", "--out", str(tax_probe.out), *SMALL[2:], *ONCE, "--against", f"mine={venv}")
    ran = tax_probe(*command, "--workload", script(tmp_path, LOOP), "--format", "json")
    assert ran.code == 0, ran.err
    document = ran.document
    assert {one["kind"] for one in document["launchers"]} == {"program"}
    assert {one["name"] for one in document["launchers"]} >= {"python3", "mine", "python3+malloc", "mine+malloc"}
    assert {one["launcher"] for one in document["causes"]} == {"mine"}
    assert [one["cause"] for one in document["causes"] if one["status"] == "confirmed"] == []
    assert comparison(document, "mine", "wall")["launcher"] == "mine"


@pytest.mark.once
def test_a_sweep_of_two_interpreters(tax_probe: TaxProbe, tmp_path: Path, venv: Path) -> None:
    command = (
        "amortize",
        "--out",
        str(tax_probe.out),
        *ONCE,
        "--seed",
        "3",
        "--m",
        "1,2000",
        "--against",
        f"mine={venv}",
    )
    ran = tax_probe(*command, "--workload", script(tmp_path, LOOP), "--format", "json")
    assert ran.code == 0, ran.err
    assert {one["launcher"] for one in ran.document["points"]} == {"python3", "mine"}


def test_what_cannot_be_compared_is_refused_before_anything_runs(
    tax_probe: TaxProbe, venv: Path, tmp_path: Path
) -> None:
    target = resolve_target(None)
    assert_refused(tax_probe.ipc("--against", target.path), 2, "--against", "is the target itself")
    assert_refused(tax_probe.ipc("--against", str(tmp_path / "none")), 2, "there is no file")
    assert_refused(tax_probe.ipc("--against", f"pyo3={venv}"), 2, "--against pyo3=", "belongs to a launcher of ours")
    twice = ("--against", f"mine={venv}", "--host", f"mine={venv} {{script}} {{m}}")
    assert_refused(tax_probe.ipc(*twice), 2, "another launcher has that name")
    swapped = ("--against", str(venv), "--libpython", "/usr/lib/libpython3.11.so.1.0")
    assert_refused(tax_probe("variants", *swapped), 2, "--libpython", "--against leaves out")


@pytest.mark.parametrize("command", ["eliminate", "rebuild"])
def test_a_command_that_compares_none_does_not_leave_it_out_in_silence(
    tax_probe: TaxProbe, tmp_path: Path, venv: Path, command: str
) -> None:
    """The option is not on its command line, and stands in an experiment all the same."""
    experiment = tmp_path / "own.toml"
    experiment.write_text(f'command = "{command}"\n[options]\nagainst = ["{venv}"]\n')
    words = f"{command} compares no second interpreter"
    assert_refused(tax_probe(command, "--experiment", str(experiment)), 2, "against", words)


def test_names_are_versions_and_never_taken_twice(venv: Path) -> None:
    target = resolve_target(None)
    names = [one.name for one in second_pythons((str(venv), f"own={venv}", str(venv)), target)]
    assert names == [f"python{target.version}", "own", f"python{target.version}-2"]


def test_a_path_may_hold_an_equals_sign(tmp_path: Path, venv: Path) -> None:
    odd = tmp_path / "a=b"
    odd.symlink_to(venv.parent.parent)
    (found,) = second_pythons((str(odd / "bin" / "python3"),), resolve_target(None))
    assert found.argv[0] == str(odd / "bin" / "python3")


def test_another_file_is_read_and_kept_with_the_run(tax_probe: TaxProbe, tmp_path: Path) -> None:
    other = other_python()
    work = script(tmp_path, LOOP)
    ran = tax_probe.ipc(*SMALL[2:], *ONCE, "--against", other, "--workload", work)
    assert ran.code == 0, ran.err
    run = load_run(tax_probe.folder())
    files = {path for one in run.eval_loops for path in (one.file.real_path, *one.aliases)}
    assert files >= {one.image for one in run.plan.launchers}
    assert all(one.version is not None for one in run.eval_loops)
