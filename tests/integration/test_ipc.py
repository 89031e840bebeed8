"""The real command on real interpreters with real callgrind counts: does it find what is known to be there?"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from profiler.errors import MachineError
from profiler.launch.cargo import find_cargo
from profiler.launch.interpreters import resolve_target
from profiler.model import Target
from tests.commandline import TaxProbe, comparison

DEBIAN = Path("/usr/bin/python3.11")
PYENV = sorted(Path.home().glob(".pyenv/versions/3.1*/bin/python3.1[0-9]"))
TINY = ("--source", "callgrind", "--seed", "7", "--blocks", "2", "--m", "2000,6000", "--format", "json")
"""Start-up takes most of it: larger M cost little and make the slope steadier."""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed"),
]


@pytest.fixture(scope="module")
def buildable() -> None:
    """Cargo is there."""
    try:
        find_cargo()
    except MachineError as error:
        pytest.skip(error.message)


def debian() -> Target:
    """Debian 12's own Python, of which the tax is known."""
    if not DEBIAN.exists():
        pytest.skip(f"no {DEBIAN}")
    target = resolve_target(str(DEBIAN))
    if target.program_loads is not None or target.include_dir is None or target.prefix != "/usr":
        pytest.skip(f"{DEBIAN} is not Debian's, or libpython3.11-dev is not installed")
    return target


def document(tax_probe: TaxProbe, *argv: str) -> Any:
    ran = tax_probe.ipc(*TINY, *argv)
    assert ran.code == 0, ran.err
    return ran.document


def requires_the_tax(verdict: Any, target: Target) -> None:
    """PyO3 takes some 20 % more instructions, the start-up path none of them, and the baseline none against itself."""
    for launcher in ("pyo3", "runmain"):
        tax = comparison(verdict, launcher, "instructions")
        assert tax["verdict"] == "slower"
        assert 1.1 < tax["lo"] <= tax["ratio"] <= tax["hi"] < 1.3
        assert comparison(verdict, launcher, "cycles")["ratio"] is None
    assert comparison(verdict, "pyo3", "instructions", "runmain")["verdict"] == "same"
    assert comparison(verdict, "python3-again", "instructions")["verdict"] == "same"
    images = {one["name"]: one["image"] for one in verdict["launchers"]}
    assert images == {
        "python3": target.real_path,
        "pyo3": target.shared_library,
        "runmain": target.shared_library,
    }
    assert verdict["workload"]["bit_exact"] is True


@pytest.mark.usefixtures("buildable")
def test_the_tax_of_debians_python(tax_probe: TaxProbe) -> None:
    """By parts of processes, which count instructions alone."""
    target = debian()
    verdict = document(tax_probe, "--python", target.path, "--precision", "1", "--metric", "instructions")
    requires_the_tax(verdict, target)


@pytest.mark.once
@pytest.mark.usefixtures("buildable")
def test_the_tax_of_debians_python_in_whole_processes(tax_probe: TaxProbe) -> None:
    target = debian()
    verdict = document(tax_probe, "--python", target.path)
    requires_the_tax(verdict, target)
    for launcher in ("pyo3", "runmain"):
        assert "callgrind counts no cycles" in comparison(verdict, launcher, "cycles")["reason"]
        assert comparison(verdict, launcher, "wall")["source"] == "software"


@pytest.mark.slow
@pytest.mark.usefixtures("buildable")
def test_a_program_that_loads_its_libpython_pays_no_tax(tax_probe: TaxProbe) -> None:
    """Program and embedder run one and the same eval loop."""
    shared = next((target for path in PYENV if (target := resolve_target(str(path))).program_loads), None)
    if shared is None:
        pytest.skip("no program under ~/.pyenv/versions loads a libpython")
    verdict = document(tax_probe, "--python", shared.path, "--launcher", "pyo3")
    assert comparison(verdict, "pyo3", "instructions")["verdict"] == "same"
    assert {one["image"] for one in verdict["launchers"]} == {shared.program_loads}
    assert "the same instructions" in verdict["sentence"]


@pytest.mark.slow
def test_a_program_of_the_distribution_is_measured_as_it_is(tax_probe: TaxProbe) -> None:
    """gdb embeds the distribution's libpython: it pays what any embedder pays."""
    gdb = shutil.which("gdb")
    if gdb is None:
        pytest.skip("gdb is not installed")
    target = debian()
    verdict = document(
        tax_probe, "--python", target.path, "--launcher", "python3", "--host", f"gdb={gdb} -nx -q -batch -x {{script}}"
    )
    (image,) = [one["image"] for one in verdict["launchers"] if one["name"] == "gdb"]
    if image != target.shared_library:
        pytest.skip(f"this gdb runs the eval loop of {image}")
    tax = comparison(verdict, "gdb", "instructions")
    assert tax["verdict"] == "slower"
    assert 1.1 < tax["ratio"] < 1.3
