"""A tool counts as working when it has done its work once; that it knows its version says little."""

import os
import platform
import subprocess
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.launch.cargo import Toolchain, require_linking
from profiler.sources import choose
from profiler.sources.callgrind import CallgrindSource
from profiler.sources.hardware import HardwareSource
from profiler.system.install import how_to_build_python, how_to_install
from profiler.system.perf import NoPerfError

REDIRECTION = """\
valgrind:  Fatal error at startup: a function redirection
valgrind:  which is mandatory for this platform-tool combination
valgrind:  cannot be set up.  Details of the redirection are:
valgrind:  A must-be-redirected function
valgrind:  whose name matches the pattern:      strlen
valgrind:  in an object with soname matching:   ld-linux-x86-64.so.2"""


OLD_PERF = """\
#!/bin/sh
echo perf version 5.10.1
[ "$1" = --version ] || { echo "  Error: unknown switch \\`j'" >&2; exit 129; }
"""


STATIC_QEMU = """\
#!/bin/sh
[ "$1" != --version ] || { echo qemu-x86_64 version 10.0.13; exit 0; }
echo "qemu: unknown option 'plugin'" >&2
exit 1
"""


def program(folder: Path, name: str, text: str) -> Path:
    """An executable script, in a folder of its own that holds nothing else."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder whose ``bin`` comes first on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def valgrind(folder: Path, said: str, code: int, *, log: bool = False) -> None:
    """One that says its version, and then ``said``, on stderr or in its log."""
    (folder / "said").write_text(f"{said}\n")
    to = '"$log"' if log else "/dev/stderr"
    program(
        folder,
        "valgrind",
        '#!/bin/sh\n[ "$1" != --version ] || { echo valgrind-3.19.0; exit 0; }\n'
        'for one; do case "$one" in --log-file=*) log=${one#--log-file=}; log=${log%.%p}.$$ ;; esac; done\n'
        f"cat {folder}/said > {to}\nexit {code}\n",
    )


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    ("said", "code", "words", "remedy"),
    [
        (REDIRECTION, 1, "a function redirection", how_to_install("libc-symbols")),
        ("valgrind: failed to start tool 'callgrind' for platform 'amd64-linux': No such file", 1, "failed", "anew"),
        ("==7== Process terminating with default action of signal 4 (SIGILL)", 132, "SIGILL", "newer valgrind"),
        ("==7== valgrind: Unrecognised instruction at address 0x4001234.", 132, "nrecognised", "newer valgrind"),
        ("valgrind: mmap(0x58000000, 2101248) failed in UME: Operation not permitted", 1, "mmap", "measure outside"),
        ("something else", 1, "something else", "by hand"),
        ("", 3, "it said nothing", "by hand"),
        ("==7== Callgrind, a call-graph generating cache profiler", 0, "no counts", "by hand"),
    ],
)
def test_a_valgrind_that_counts_nothing(  # noqa: PLR0917 - one row of the table and two ways
    path: Path, said: str, code: int, words: str, remedy: str, log: bool
) -> None:
    valgrind(path, said, code, log=log)
    with pytest.raises(MachineError, match=words) as refused:
        CallgrindSource.probe()
    assert remedy in refused.value.hint


@pytest.mark.parametrize("text", ["no interpreter line\n", "#!/nonexistent/interpreter\n"])
def test_a_valgrind_that_cannot_be_started(path: Path, text: str) -> None:
    program(path, "valgrind", text)
    with pytest.raises(MachineError, match="cannot be started") as refused:
        CallgrindSource.probe()
    assert how_to_install("valgrind") in refused.value.hint


def test_auto_goes_on_to_the_next_source_and_says_why(path: Path) -> None:
    valgrind(path, REDIRECTION, 1)
    program(path, "perf", OLD_PERF)
    program(path, f"qemu-{platform.machine()}", STATIC_QEMU)
    source, why = choose.choose_source("auto")
    assert source.name == "software"
    assert "has no plugins" in why
    assert "not hardware: perf 5.10.1 is too old: it writes no JSON (perf stat -j)" in why
    assert "not callgrind: valgrind is installed, but does not count: Fatal error at startup" in why


@pytest.mark.parametrize(
    ("written", "words", "remedy"),
    [
        ('{"value" : 7, "name" : "instructions:u"}', 'a form that is not known: {"value" : 7', "--source callgrind"),
        ("7,,instructions:u,5,100.00", "a form that is not known: 7,,instructions", "--source callgrind"),
        ("# started on Mon Nov 23 04:05:45 2026\n", "wrote no figures", "disk"),
    ],
)
def test_a_perf_that_writes_something_else(path: Path, written: str, words: str, remedy: str) -> None:
    (path / "written").write_text(written)
    program(path, "perf", f'#!/bin/sh\necho perf version 9.1\n[ "$1" = --version ] || cat {path}/written > "$4"\n')
    with pytest.raises(MachineError) as refused:
        HardwareSource.probe()
    assert words in refused.value.message
    assert remedy in refused.value.hint
    # The kernel may count all the same, where chunks suffice.
    assert isinstance(refused.value, NoPerfError) is (words != "wrote no figures")


# ---------------------------------------------------------------- cargo


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("error: linker `cc` not found\n  |\n  = note: No such file", how_to_install("compiler")),
        (
            "error: linking with `cc` failed: exit status: 1\n  = note: /usr/bin/ld: cannot find crt1.o: No such file",
            "gcc",
        ),
        ("error[E0463]: can't find crate for `std`", "rustc"),
    ],
)
def test_a_rustc_that_links_nothing_is_no_working_cargo(path: Path, said: str, hint: str) -> None:
    (path / "said").write_text(said)
    rustc = program(path, "rustc", f"#!/bin/sh\ncat {path}/said >&2\nexit 1\n")
    toolchain = Toolchain(cargo="cargo", rustc=str(rustc), version="1.85.0", triple="x", identity="")
    with pytest.raises(MachineError, match="builds no program: error") as refused:
        require_linking(toolchain)
    assert hint in refused.value.hint


# ---------------------------------------------------------------- what systems call it


@pytest.mark.parametrize(
    ("system", "tool", "command"),
    [
        ({"ID": "debian", "VERSION_ID": "12"}, "rust", "apt-get install cargo-web rustc-web"),
        ({"ID": "debian", "VERSION_ID": "13"}, "rust", "apt-get install cargo rustc"),
        ({"ID": "ubuntu", "ID_LIKE": "debian", "VERSION_ID": "24.04"}, "rust", "apt-get install cargo-1.85 rustc-1.85"),
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "perf", "apt-get install linux-tools-$(uname -r)"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "perf", "apt-get install linux-tools-$(uname -r)"),
        ({"ID": "debian"}, "perf", "apt-get install linux-perf"),
        ({"ID": "fedora"}, "perf", "dnf install perf"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "headers", "dnf install python3-devel"),
        ({"ID": "arch"}, "valgrind", "pacman -S --needed valgrind"),
        ({"ID": "alpine"}, "compiler", "apk add gcc musl-dev"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "dtrace", "zypper install systemtap-sdt-devel"),
        ({"ID": "nixos"}, "valgrind", "install what this system calls valgrind"),
        ({}, "headers", "install what this system calls libpython3-dev"),
    ],
)
def test_every_system_has_its_own_command(system: dict[str, str], tool: str, command: str) -> None:
    assert how_to_install(tool, system=system) == command


def test_the_version_of_python_is_in_debians_names_alone() -> None:
    assert how_to_install("headers", version="3.13", system={"ID": "debian"}) == "apt-get install libpython3.13-dev"
    assert how_to_install("headers", version="3.13", system={"ID": "fedora"}) == "dnf install python3-devel"


def test_a_build_of_python_needs_more_than_one_package() -> None:
    assert how_to_build_python(system={"ID": "fedora"}) == "dnf builddep python3"
    assert "devguide.python.org" in how_to_build_python(system={"ID": "arch"})


SETUP = Path(__file__).parents[2] / "tools" / "system-packages"
SAME = ("compiler", "headers", "rust", "perf", "valgrind")


@pytest.mark.parametrize(
    ("manager", "system"), [("dnf", "fedora"), ("pacman", "arch"), ("apk", "alpine"), ("zypper", "suse")]
)
def test_setup_which_runs_without_a_python_calls_packages_alike(manager: str, system: str) -> None:
    asks = " ".join(f"$(packages_of {tool})\\n" for tool in SAME)
    text = f'say() {{ :; }}; retry() {{ :; }}; dev=""; . "{SETUP}"; manager={manager}; printf "{asks}"'
    said = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True, timeout=60).stdout
    ours = [how_to_install(tool, system={"ID": system}).split() for tool in SAME]
    for theirs, command in zip(said.splitlines(), ours, strict=True):
        assert command[-len(theirs.split()) :] == theirs.split()
