"""What several manifests say alike: versions, lints, the oldest Rust and Python."""

import re
import tomllib
from pathlib import Path
from typing import Any

from profiler.launch.interpreters import OLDEST

TOP = Path(__file__).parents[2]
CRATES = ("counters", "host", "qemu")


def toml(path: str) -> dict[str, Any]:
    return tomllib.loads((TOP / path).read_text())


def crate(name: str) -> dict[str, Any]:
    return toml(f"runner/{name}/Cargo.toml")


def test_lints_are_equal_in_all_crates() -> None:
    """What ships alone cannot inherit from the workspace, so its table is a copy."""
    counters, *others = (crate(name)["lints"] for name in CRATES)
    assert all(lints == counters for lints in others)
    formats = {(TOP / "runner" / name / "rustfmt.toml").read_text() for name in CRATES}
    assert len(formats) == 1


def test_one_version_everywhere() -> None:
    version = toml("pyproject.toml")["project"]["version"]
    locks = {"counters": "Cargo.lock", "host": "runner/host/Cargo.lock", "qemu": "runner/qemu/Cargo.lock"}
    for name, lock in locks.items():
        assert crate(name)["package"]["version"] == version
        own = [one for one in toml(lock)["package"] if one["name"] == f"tax-probe-{name}"]
        assert [one["version"] for one in own] == [version]
    told = re.findall(r"^## \[([^]]+)\]", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert version in told


def test_one_licence_everywhere() -> None:
    licences = {crate(name)["package"]["license"] for name in CRATES} | {toml("pyproject.toml")["project"]["license"]}
    assert licences == {"MIT"}
    assert (TOP / "LICENSE").read_text().startswith("MIT License")


def test_the_workspace_holds_the_extension_and_not_what_ships_as_sources() -> None:
    workspace = toml("Cargo.toml")["workspace"]
    assert workspace["members"] == ["runner/counters"]
    assert workspace["exclude"] == ["runner/host", "runner/qemu"]
    assert all("workspace" in crate(name) for name in ("host", "qemu"))  # roots of their own, wherever they are built
    assert "workspace" not in crate("counters")
    assert not (TOP / "runner" / "counters" / "Cargo.lock").exists()
    for place, name in (("launch/host", "host"), ("sources/plugin", "qemu")):
        own = {file.relative_to(TOP / "runner" / name) for file in (TOP / "runner" / name / "src").rglob("*.rs")}
        linked = TOP / "profiler" / place
        assert {file.relative_to(linked) for file in (linked / "src").rglob("*.rs")} == own
        for file in (*own, Path("Cargo.toml"), Path("Cargo.lock")):
            assert (linked / file).resolve() == TOP / "runner" / name / file


def test_one_oldest_rust_everywhere() -> None:
    oldest = {crate(name)["package"]["rust-version"] for name in CRATES}
    in_setup = re.search(r"^rust_oldest=(\d+)", (TOP / "tools/system-packages").read_text(), re.MULTILINE)
    assert in_setup is not None
    assert oldest == {f"1.{in_setup[1]}"}


def test_the_extension_loads_in_every_target() -> None:
    """It runs inside the interpreter that is measured, so it keeps to the limited API of the oldest of these."""
    features = crate("counters")["dependencies"]["pyo3"]["features"]
    assert features == [f"abi3-py{OLDEST[0]}{OLDEST[1]}"]
    assert toml("pyproject.toml")["project"]["requires-python"] == ">=3.11"
