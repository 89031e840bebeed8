"""What comes from others: named in the SBOM with its hashes, and under a licence that somebody has read."""

import importlib.metadata
import json
import re
import subprocess
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.launch.cargo import find_cargo

TOP = Path(__file__).parents[2]
LOCK = TOP / "requirements.lock"
CRATES = ("Cargo.toml", "runner/host/Cargo.toml", "runner/qemu/Cargo.toml")

ACCEPTED = {
    "(MIT OR Apache-2.0) AND Unicode-3.0",
    "Apache-2.0",
    "Apache-2.0 OR MIT",
    "Apache-2.0 WITH LLVM-exception",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
    "MIT",
    "MIT License",
    "MIT OR Apache-2.0",
    "MPL-2.0",  # binds who changes its files: they are used as they are
    "Public domain",
}
"""Whole expressions, as the packages tell them: a new one is read by somebody before it stands here."""


def locked() -> list[tuple[str, str, set[str]]]:
    """Name, version and hashes of each line of the lock."""
    found = re.findall(r"^([\w.-]+)==(\S+)([^\n]*(?:\n +--hash=\S+(?: \\)?)+)", LOCK.read_text(), re.MULTILINE)
    return [(name, version, set(re.findall(r"sha256:(\w+)", hashes))) for name, version, hashes in found]


def licence(metadata: dict[str, str | list[str]]) -> str:
    """The expression (PEP 639), else the field if it is no text of a licence, else the classifiers."""
    field = str(metadata.get("license", ""))
    if "\n" in field or len(field) > 100:
        field = ""
    classified = [one.rpartition(" :: ")[2] for one in metadata.get("classifier", ()) if "License ::" in one]
    return str(metadata.get("license_expression", "")) or field or " AND ".join(classified)


def test_every_package_is_pinned_with_its_hashes() -> None:
    lines = [line for line in LOCK.read_text().splitlines() if line[:1].isalnum()]
    pinned = locked()
    assert len(pinned) == len(lines) > 10
    assert all(hashes for _, _, hashes in pinned)


def test_the_sbom_is_that_of_the_lock() -> None:
    sbom = json.loads((TOP / "requirements.cdx.json").read_text())
    told = sorted(
        (
            component["name"],
            component["version"],
            sorted({digest["content"] for one in component["externalReferences"] for digest in one.get("hashes", ())}),
        )
        for component in sbom["components"]
    )
    assert told == sorted((name, version, sorted(hashes)) for name, version, hashes in locked()), "make lock writes it"


def test_the_licence_of_every_package_was_read() -> None:
    told = {}
    for name in sorted({name for name, _, _ in locked()}):
        try:
            told[name] = licence(importlib.metadata.metadata(name).json)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another Python than this one
    assert len(told) > 10
    assert {name: said for name, said in told.items() if said not in ACCEPTED} == {}


def test_the_licence_of_every_crate_was_read_and_each_has_a_checksum() -> None:
    try:
        cargo = find_cargo()
    except MachineError as error:
        pytest.skip(error.message)
    told: dict[str, str] = {}
    for manifest in CRATES:
        command = (
            cargo.cargo,
            "metadata",
            "--locked",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
            manifest,
        )
        ran = subprocess.run(command, cwd=TOP, capture_output=True, check=True, text=True)
        told |= {
            f"{package['name']} {package['version']}": package["license"]
            for package in json.loads(ran.stdout)["packages"]
        }
        lock = (TOP / manifest).with_name("Cargo.lock").read_text()
        assert lock.count("\nsource = ") == lock.count("\nchecksum = ")
    assert len(told) > 20
    assert {name: said for name, said in told.items() if said not in ACCEPTED} == {}
