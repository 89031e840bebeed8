"""``tax-probe inspect`` on the real interpreters of this machine."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profiler.launch.binaries.elf import read_elf
from profiler.launch.file_inspection import inspect_target
from profiler.launch.file_reading import inspect_file
from profiler.launch.installation import read_installed
from profiler.launch.interpreters import ask, find_targets, resolve_target

DEBIAN = "/usr/bin/python3.11"

pytestmark = pytest.mark.integration


def tax_probe(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from profiler.cli import entry; entry()", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )


@cache
def is_debian_12() -> bool:
    release = Path("/etc/os-release")
    return release.exists() and "bookworm" in release.read_text() and Path(DEBIAN).exists()


needs_debian = pytest.mark.skipif(not is_debian_12(), reason="the truth is known for Debian 12's python3.11 only")


def inspected(*arguments: str) -> dict[str, Any]:
    done = tax_probe("inspect", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@needs_debian
def test_debians_program_is_static_with_pgo_and_its_library_is_neither() -> None:
    document = inspected(DEBIAN)
    program, *libraries = document["programs"]
    assert program["role"] == "program"
    assert (program["static_libpython"], program["loads_libpython"], program["loads"]) == (True, False, None)
    assert program["eval_loop_image"] == program["real_path"] == DEBIAN
    assert (program["pie"], program["pic"], program["pgo"]) == (False, False, True)
    assert program["package"].startswith("python3.11-minimal ")
    shared = next(one for one in libraries if ".so" in one["path"])
    assert shared["eval_loop_image"] == shared["real_path"] != DEBIAN
    assert shared["build_id"] != program["build_id"]
    assert (shared["pgo"], shared["pic"], shared["static_libpython"]) == (False, True, False)
    assert any("Py_ENABLE_SHARED=1" in sentence and DEBIAN in sentence for sentence in document["contradictions"])
    assert any("built with PGO" in sentence for sentence in document["contradictions"])
    assert "Expect more instructions" in document["expectation"]


@needs_debian
def test_debians_archives() -> None:
    archives = {Path(one["path"]).name: one for one in inspected(DEBIAN)["programs"] if one["path"].endswith(".a")}
    if set(archives) != {"libpython3.11.a", "libpython3.11-pic.a"}:
        pytest.skip("libpython3.11-dev is not installed")
    static, pic = archives["libpython3.11.a"], archives["libpython3.11-pic.a"]
    assert (static["pgo"], static["pic"]) == (True, False)
    assert (pic["pgo"], pic["pic"]) == (False, True)


@needs_debian
def test_the_default_is_the_distributions_python_and_quick() -> None:
    """It starts a few programs and reads three ELF files: some thirty times the CPU time of ``--help``, not minutes."""
    assert inspected()["programs"][0]["real_path"] == DEBIAN
    assert min(cpu_s() for _ in range(3)) < 100 * min(cpu_s("--help") for _ in range(3))


def cpu_s(*arguments: str) -> float:
    """CPU time of one command and of what it starts."""
    before = os.times()
    assert tax_probe(*(arguments or ("inspect",))).returncode == 0
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_a_program_that_loads_its_libpython_shares_the_eval_loop() -> None:
    loading = [path for path in find_targets() if resolve_target(path).program_loads is not None]
    if not loading:
        pytest.skip("no python3 of this machine loads a libpython")
    document = inspected(*loading)
    programs = [one for one in document["programs"] if one["role"] == "program"]
    assert [one["real_path"] for one in programs] == loading
    for one in programs:
        assert one["static_libpython"] is False
        assert one["loads_libpython"] is True
        assert one["eval_loop_image"] == one["loads"]
        assert any(sentence.startswith("read, not run: it runs the eval loop of ") for sentence in one["evidence"])
    assert document["expectation"].count("the same eval loop") == len(loading)


def test_what_is_read_is_what_running_it_says() -> None:
    """Target, claims and all that is said of the files, of every CPython here."""
    for path in find_targets():
        target = resolve_target(path)
        installed = read_installed(path, read_elf(path))
        assert installed is not None
        assert target.version.startswith(installed.target.version)
        assert msgspec.structs.replace(installed.target, version=target.version) == target
        said = ask(path).sysconfig
        assert {name: installed.sysconfig.get(name) for name in said} == said
        ran, read = inspect_target(target), inspect_file(path)
        assert (ran.contradictions, ran.expectation) == (read.contradictions, read.expectation)
        one, other = (
            [msgspec.structs.replace(program, evidence=(), machine=None, hardening=None) for program in found.programs]
            for found in (ran, read)
        )
        assert one == other


def test_tables_and_refusals() -> None:
    done = tax_probe("inspect", find_targets()[0])
    assert done.returncode == 0
    assert "Nothing was measured." in " ".join(done.stdout.split())
    assert "PGO" in done.stdout
    for arguments in (("/nonexistent/python3",), (os.devnull,), ("--system", "python3")):
        done = tax_probe("inspect", *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert "tax-probe: " in done.stderr
        assert "→" in done.stderr
        assert "Traceback" not in done.stderr


@needs_debian
def test_the_systems_hosts_and_what_they_load() -> None:
    document = inspected("--system")
    hosts = {one["path"]: one for one in document["programs"] if one["role"] == "host"}
    if "/usr/bin/gdb" not in hosts:
        pytest.skip("gdb, which embeds Python, is not installed")
    gdb = hosts["/usr/bin/gdb"]
    assert "libpython3.11.so" in gdb["loads"]
    assert gdb["pgo"] is None
    assert gdb["evidence"][-1].startswith("expected to pay")
    assert "/usr/bin/gdb" in document["expectation"]
