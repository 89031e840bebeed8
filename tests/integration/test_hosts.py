"""The real hosts, built by the real cargo: they run a script as the target's program does."""

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from profiler.errors import MachineError
from profiler.launch.binaries.elf import read_elf
from profiler.launch.cargo import find_cargo
from profiler.launch.host_builds import BINARIES, HostBuild, build_hosts
from profiler.launch.interpreters import resolve_target
from profiler.launch.proof import check_host, host_environment
from profiler.model import LinkMode, Target

DISTRIBUTION = Path("/usr/bin/python3.11")
PYENV = sorted(Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python3.[0-9][0-9]"))
MODES: tuple[LinkMode, ...] = ("shared", "pic", "static")

SCRIPT = """\
import math, os, sqlite3, sys
from helper import answer
assert __name__ == "__main__" and os.path.basename(__file__) == "script.py"
n = int(sys.argv[1])
print(sys.argv[0] == __file__, len(sys.argv), sys.path[0] == os.path.dirname(__file__), answer)
print(sum(i * i - (i & 7) for i in range(n)), math.sqrt(n), sqlite3.connect(":memory:").execute("select 1").fetchone())
sys.stdout.write("no line end")
"""

pytestmark = pytest.mark.integration


def build(target: Target, mode: LinkMode) -> HostBuild:
    try:
        find_cargo()
    except MachineError as error:
        pytest.skip(error.message)
    return build_hosts(target, mode, on_line=lambda line: None)


@pytest.fixture(scope="module")
def target() -> Target:
    if not DISTRIBUTION.exists():
        pytest.skip(f"no {DISTRIBUTION}")
    found = resolve_target(str(DISTRIBUTION))
    if found.include_dir is None:
        pytest.skip("libpython3.11-dev is not installed")
    return found


@pytest.fixture(scope="module", params=MODES)
def hosts(request: pytest.FixtureRequest, target: Target) -> HostBuild:
    return build(target, request.param)


@pytest.fixture(params=BINARIES)
def host(request: pytest.FixtureRequest, hosts: HostBuild) -> str:
    return str(getattr(hosts, request.param))


def run(program: str, script: Path, *arguments: str, target: Target) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, str(script), *arguments],
        env=host_environment(target),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def write(folder: Path, text: str) -> Path:
    script = folder / "script.py"
    script.write_text(text)
    (folder / "helper.py").write_text("answer = 42\n")
    return script


def test_prints_what_the_program_prints(host: str, target: Target, tmp_path: Path) -> None:
    script = write(tmp_path, SCRIPT)
    expected = run(target.real_path, script, "1000", target=target)
    assert expected.returncode == 0, expected.stderr
    assert expected.stdout.endswith("no line end")
    done = run(host, script, "1000", target=target)
    assert (done.returncode, done.stdout, done.stderr) == (0, expected.stdout, "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("raise ValueError('planted')", 1),
        ("import sys; print('before'); sys.exit()", 0),
        ("raise SystemExit(0)", 0),
        ("raise SystemExit(7)", 7),
        ("raise SystemExit('planted')", 1),
        ("this is no python", 1),
    ],
)
def test_ends_as_the_program_ends(host: str, target: Target, tmp_path: Path, text: str, code: int) -> None:
    script = write(tmp_path, text)
    expected = run(target.real_path, script, "1", target=target)
    done = run(host, script, "1", target=target)
    assert done.returncode == expected.returncode == code
    assert done.stdout == expected.stdout
    assert done.stderr.splitlines()[-1:] == expected.stderr.splitlines()[-1:]


def test_an_exception_shows_its_traceback(host: str, target: Target, tmp_path: Path) -> None:
    script = write(tmp_path, "def inner():\n    raise ValueError('planted')\nprint('before')\ninner()\n")
    done = run(host, script, "1", target=target)
    assert done.stdout == "before\n"
    assert f'File "{script}", line 2, in inner' in done.stderr


def test_output_that_cannot_be_written_is_no_success(host: str, target: Target, tmp_path: Path) -> None:
    script = write(tmp_path, "print('lost')")
    with Path("/dev/full").open("w") as full:
        ran = [
            subprocess.run(
                [program, str(script)], stdout=full, stderr=subprocess.DEVNULL, env={}, timeout=30, check=False
            )
            for program in (target.real_path, host)
        ]
    assert [done.returncode for done in ran] == [120, 120]


def test_a_missing_script_is_no_success(host: str, target: Target, tmp_path: Path) -> None:
    assert run(host, tmp_path / "none.py", "1", target=target).returncode == 2


def test_the_files_are_linked_as_asked(hosts: HostBuild) -> None:
    for path in (hosts.pyo3, hosts.runmain):
        elf = read_elf(path)
        assert any(name.startswith("libpython3.11.so") for name in elf.needed) == (hosts.link == "shared")
        assert elf.pie == (hosts.link != "static")
        assert not elf.rpath


def test_a_host_that_is_something_else_is_refused(hosts: HostBuild, target: Target) -> None:
    other: LinkMode = "static" if hosts.link != "static" else "shared"
    with pytest.raises(MachineError, match="came out wrong"):
        check_host(Path(hosts.pyo3), target, other)


def test_a_target_of_another_version_is_refused(hosts: HostBuild, target: Target) -> None:
    newer = msgspec.structs.replace(target, version="3.11.99")
    with pytest.raises(MachineError, match=r"is Python 3\.11\.99, but its libpython is"):
        check_host(Path(hosts.pyo3), newer, hosts.link)


def test_the_shared_host_takes_the_library_it_is_given(target: Target, tmp_path: Path) -> None:
    """LD_LIBRARY_PATH swaps the eval loop of one and the same file."""
    hosts = build(target, "shared")
    assert target.shared_library is not None
    copy = tmp_path / "lib" / "libpython3.11.so.1.0"
    copy.parent.mkdir()
    shutil.copy(target.shared_library, copy)
    script = write(tmp_path, "print([line for line in open('/proc/self/maps') if 'libpython' in line][0])")
    env = host_environment(target) | {"LD_LIBRARY_PATH": str(copy.parent)}
    for program in (hosts.pyo3, hosts.runmain):
        done = subprocess.run([program, str(script)], env=env, capture_output=True, text=True, timeout=30, check=True)
        assert str(copy) in done.stdout


@pytest.mark.skipif(not PYENV, reason="no Python under ~/.pyenv/versions")
def test_another_python_gets_its_own_hosts(tmp_path: Path) -> None:
    other = resolve_target(str(PYENV[0]))
    if other.shared_library is None:
        pytest.skip(f"{PYENV[0]} has no shared libpython")
    hosts = build(other, "shared")
    script = write(tmp_path, "import sys; print(sys.version, sys.base_prefix)")
    expected = run(other.real_path, script, target=other).stdout
    assert expected
    for program in (hosts.pyo3, hosts.runmain):
        assert run(program, script, target=other).stdout == expected


def test_the_targets_environment_is_the_hosts(host: str, target: Target, tmp_path: Path) -> None:
    """Its packages, those that are installed for editing, and its prefix: as its own python has them."""
    python = tmp_path / "venv" / "bin" / "python"
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    for place in (python.parent, site, tmp_path / "source"):
        place.mkdir(parents=True)
    for name in ("python", "python3"):
        (python.parent / name).symlink_to(target.real_path)
    (tmp_path / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    (site / "tiny.py").write_text("value = 1\n")
    (site / "edited.pth").write_text(f"{tmp_path / 'source'}\n")
    (tmp_path / "source" / "edited.py").write_text("value = 2\n")
    script = write(tmp_path, "import edited, sys, tiny\nprint(tiny.value, edited.value, sys.prefix, sys.path)\n")
    inside = resolve_target(str(python))
    assert inside.venv_program == str(python)
    own = run(str(python), script, target=inside)
    assert own.returncode == 0, own.stderr
    there = run(host, script, target=inside)
    assert (there.stdout, there.stderr) == (own.stdout, "")
    assert f"1 2 {tmp_path / 'venv'} " in there.stdout
