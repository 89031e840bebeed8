"""``tools/setup --packages`` on systems that this machine is not: what it asks for there, of whom, and how often."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.fake_system import SETUP, WORKS, System, command_of, default_rust, python3, rust, versioned_rust

C_COMPILER = {"gcc": {"usr/bin/gcc": WORKS}, "libc6-dev": {"usr/include/stdio.h": ""}}
VALGRIND = {"valgrind": {"usr/bin/valgrind": WORKS}}
PERF = {"usr/bin/perf": WORKS}
QEMU = {f"usr/bin/qemu-{os.uname().machine}": WORKS}
KERNEL = os.uname().release

JAMMY_PYTHON = {
    **python3(10),
    "python3.11-venv": {
        "usr/bin/python3.11": python3(11)["python3"]["usr/bin/python3"],
        "usr/lib/python3.11/ensurepip": "",
    },
}

OFFERS: dict[str, tuple[str, int, Mapping[str, Mapping[str, str]]]] = {
    "debian 12": (
        'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
        11,
        {**python3(11), **rust(63), **rust(96, "-web"), "linux-perf": PERF, "qemu-user": QEMU},
    ),
    "debian 13": (
        'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n',
        13,
        {**python3(13), **rust(85), **rust(96, "-web"), "linux-perf": PERF},
    ),
    "ubuntu 22.04": (
        'VERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=jammy\n',
        10,
        {**JAMMY_PYTHON, **rust(75), **versioned_rust(80), **versioned_rust(85), "linux-tools-generic": PERF},
    ),
    "ubuntu 24.04": (
        'VERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n',
        12,
        {
            **python3(12),
            **rust(75),
            **versioned_rust(85),
            **versioned_rust(89),
            "linux-tools-generic": {},
            f"linux-tools-{KERNEL}": PERF,
        },
    ),
    "ubuntu 26.04": (
        'VERSION_ID="26.04"\nID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=resolute\n',
        14,
        {**python3(14), **default_rust(93), **versioned_rust(93), "linux-perf": PERF, "linux-tools-generic": {}},
    ),
}

WANTED = {
    "debian 12": "python3-venv cargo-web rustc-web rust-web-clippy rustfmt-web linux-perf qemu-user",
    "debian 13": "python3-venv cargo rustc rust-clippy rustfmt linux-perf",
    "ubuntu 22.04": "python3 python3.11-venv cargo-1.85 rustc-1.85 rust-1.85-clippy rustfmt-1.85 linux-tools-generic",
    "ubuntu 24.04": "python3-venv cargo-1.89 rustc-1.89 rust-1.89-clippy rustfmt-1.89 "
    f"linux-tools-generic linux-tools-{KERNEL}",
    "ubuntu 26.04": "python3-venv cargo-1.93 rustc-1.93 rust-1.93-clippy rustfmt-1.93 linux-perf",
}

EVERYWHERE = "gcc libc6-dev libpython3-dev valgrind"

Bare = Callable[[str], System]


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    """Makes a bare system of this name, with apt."""

    def make(name: str) -> System:
        release, minor, offers = OFFERS[name]
        system = System(tmp_path, release=release, offers={**C_COMPILER, **VALGRIND, **offers}, python=minor)
        system.has_apt()
        return system

    return make


# ---------------------------------------------------------------- Debian and Ubuntu


@pytest.mark.parametrize("name", OFFERS)
def test_root_gets_everything_at_the_first_call_in_one_step(bare: Bare, name: str) -> None:
    system = bare(name)
    done = system.setup("--dev")
    assert (done.returncode, done.stdout) == (0, "")
    assert system.installed() == [sorted(f"{EVERYWHERE} {WANTED[name]}".split())], done.stderr
    assert "no working perf" not in done.stderr


@pytest.mark.parametrize("name", OFFERS)
def test_the_second_call_finds_all_of_it(bare: Bare, name: str) -> None:
    """So what was asked for is what was missing, and its absence is not taken for granted."""
    system = bare(name)
    system.setup("--dev")
    done = system.setup("--dev")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (len(system.installed()), system.updates()) == (1, 1)


@pytest.mark.parametrize("name", OFFERS)
def test_the_command_for_a_user_without_sudo_is_all_that_it_takes(bare: Bare, name: str) -> None:
    """There are no lists of packages yet: the names have to be known."""
    system = bare(name)
    refused = system.setup("--dev", uid=1000)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert system.installed() == []
    command = command_of(refused.stderr)
    assert command.startswith("sudo apt-get update && sudo apt-get install ")
    typed = system.type(command)
    assert typed.returncode == 0, typed.stderr
    again = system.setup("--dev", uid=1000)
    assert (again.returncode, len(system.installed())) == (0, 1), again.stderr


def test_without_dev_there_are_no_lints(bare: Bare) -> None:
    system = bare("debian 12")
    assert system.setup().returncode == 0
    assert system.installed() == [sorted(f"{EVERYWHERE} python3-venv cargo-web rustc-web linux-perf qemu-user".split())]
    system.setup("--dev")
    assert system.installed()[1:] == [["rust-web-clippy", "rustfmt-web"]]


def test_lints_go_with_the_rust_that_is_there(bare: Bare) -> None:
    """Debian 13 offers two toolchains, which exclude each other."""
    system = bare("debian 13")
    system.type("apt-get install cargo-web rustc-web")
    system.setup("--dev")
    assert {"rust-web-clippy", "rustfmt-web"} < set(system.installed()[1])
    assert {"cargo", "rust-clippy"}.isdisjoint(system.installed()[1])


def test_headers_are_missing_where_python_is(bare: Bare) -> None:
    """The first package brings a python3, and would only then be found to have no headers."""
    system = bare("debian 12")
    system.type("apt-get install gcc libc6-dev cargo-web rustc-web linux-perf valgrind qemu-user")
    refused = system.setup(uid=1000)
    assert command_of(refused.stderr).endswith("install python3-venv libpython3-dev")
    assert "setup: missing: python3-venv libpython3-dev\n" in refused.stderr


def test_sudo_without_a_password_is_used_and_one_with_is_not(bare: Bare) -> None:
    system = bare("debian 12")
    system.program("sudo", "#!/bin/sh\nexit 1\n")
    assert system.setup(uid=1000).returncode == 3
    assert system.installed() == []
    system.program("sudo", '#!/bin/sh\n[ "$1" = -n ] || exit 9\nshift\nexec "$@"\n')
    assert system.setup(uid=1000).returncode == 0
    assert len(system.installed()) == 1


def test_what_is_good_to_have_stops_nobody(bare: Bare) -> None:
    system = bare("debian 12")
    for name in ("valgrind", "rustfmt-web"):
        (system.home / "packages" / name).unlink()
    done = system.setup("--dev")
    assert done.returncode == 0
    assert {"valgrind", "rustfmt-web"}.isdisjoint(system.installed()[0])
    assert "rust-web-clippy" in system.installed()[0]
    assert "no valgrind" in done.stderr


def test_a_user_is_told_how_to_get_the_rest(bare: Bare) -> None:
    system = bare("debian 12")
    system.type("apt-get update && apt-get install gcc libc6-dev python3-venv libpython3-dev cargo-web rustc-web")
    done = system.setup(uid=1000)
    assert done.returncode == 0
    assert "to have it all:  sudo apt-get update && sudo apt-get install linux-perf valgrind qemu-user\n" in done.stderr


# ---------------------------------------------------------------- downloads that fail


@pytest.mark.parametrize("failures", [1, 2])
def test_a_download_that_fails_is_tried_again(bare: Bare, failures: int) -> None:
    system = bare("debian 12")
    system.type("apt-get update")
    system.fail(failures)
    assert system.setup().returncode == 0
    assert system.updates() == 1 + failures + 1
    assert len(system.installed()) == 1


def test_a_mirror_that_stays_away_is_given_up(bare: Bare) -> None:
    system = bare("debian 12")
    system.fail(100)
    done = system.setup()
    assert done.returncode == 3
    assert system.updates() == 3
    assert len(system.installed()) == 2 * 3, "all of it thrice, then only what is required"
    assert "apt-get install gcc libc6-dev" in command_of(done.stderr)


# ---------------------------------------------------------------- other distributions


@pytest.mark.parametrize(
    ("release", "command"),
    [
        (
            "ID=fedora\nVERSION_ID=43\n",
            "sudo dnf install gcc glibc-devel python3 python3-devel cargo rust perf valgrind clippy rustfmt",
        ),
        (
            "ID=rocky\nID_LIKE='rhel centos fedora'\nVERSION_ID=10\n",
            "sudo dnf install gcc glibc-devel python3 python3-devel cargo rust perf valgrind clippy rustfmt",
        ),
        ("ID=arch\nBUILD_ID=rolling\n", "sudo pacman -S --needed gcc python rust perf valgrind"),
        ("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S --needed gcc python rust perf valgrind"),
        (
            "ID=alpine\nVERSION_ID=3.23.0\n",
            "sudo apk add gcc musl-dev python3 python3-dev cargo rust perf valgrind rust-clippy rustfmt",
        ),
        (
            'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nVERSION_ID="20261101"\n',
            "sudo zypper install gcc glibc-devel python3 python3-devel cargo rust perf valgrind",
        ),
        (
            'ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n',
            "sudo zypper install gcc glibc-devel python311 python311-devel python3-devel cargo rust perf valgrind",
        ),
    ],
    ids=lambda text: text.split("\n")[0] if "\n" in text else None,
)
def test_other_distributions_get_their_own_command(tmp_path: Path, release: str, command: str) -> None:
    system = System(tmp_path, release=release, offers={})
    refused = system.setup("--dev", uid=1000)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert command_of(refused.stderr) == command


def test_root_needs_no_sudo_and_alpine_may_have_doas(tmp_path: Path) -> None:
    system = System(tmp_path, release="ID=alpine\nVERSION_ID=3.23.0\n", offers={})
    assert command_of(system.setup().stderr).startswith("apk add gcc ")
    system.program("doas", WORKS)
    assert command_of(system.setup(uid=1000).stderr).startswith("doas apk add gcc ")


def test_another_distribution_that_has_it_goes_on(tmp_path: Path) -> None:
    has = {**C_COMPILER, **python3(14), **rust(90)}
    system = System(tmp_path, release="ID=fedora\nVERSION_ID=43\n", offers=has)
    system.has_apt()  # there is one in Fedora, too
    system.type(f"apt-get install {shlex.join(has)}")
    done = system.setup(uid=1000)
    assert done.returncode == 0
    assert "to have it all:  sudo dnf install perf valgrind\n" in done.stderr


def test_an_unknown_distribution_is_told_what_is_missing(tmp_path: Path) -> None:
    refused = System(tmp_path, release="ID=plan9\n", offers={}).setup()
    assert refused.returncode == 3
    assert "setup: missing: compiler venv headers rust\n" in refused.stderr
    assert "what your system calls these" in refused.stderr


def test_an_old_rust_is_named_as_the_reason(bare: Bare) -> None:
    system = bare("debian 13")
    old = rust(63)["rustc"]["usr/bin/rustc"]
    system.program("cargo", WORKS)
    system.program("rustc", old)
    refused = system.setup(uid=1000)
    assert refused.returncode == 3
    assert "older than Rust 1.83" in refused.stderr


def test_an_unknown_option_is_refused(bare: Bare) -> None:
    system = bare("debian 12")
    refused = system.setup("--all")
    assert (refused.returncode, system.updates()) == (2, 0)
    assert "unknown option --all" in refused.stderr


# ---------------------------------------------------------------- the lints of Rust

CARGO = """#!/bin/sh
echo "$*" >>"$HOME/cargo.log"
case "$1" in {broken}) exit 1 ;; esac
"""


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("none", ""),
        ("fmt", "NOT CHECKED: format (no working rustfmt);"),
        ("clippy", "NOT CHECKED: lints (no working clippy);"),
        ("fmt|clippy", "NOT CHECKED: format (no working rustfmt) and lints (no working clippy);"),
    ],
)
def test_what_the_lint_of_rust_skips_is_said_in_one_line(tmp_path: Path, broken: str, said: str) -> None:
    checkout = tmp_path / "checkout"
    for folder in ("tools", ".venv/rust", "runner/host", "runner/qemu", "runner/counters"):
        (checkout / folder).mkdir(parents=True)
    shutil.copy(SETUP.with_name("check-rust"), checkout / "tools")
    cargo = checkout / ".venv" / "rust" / "cargo"
    cargo.write_text(CARGO.format(broken=broken))
    cargo.chmod(0o755)
    done = subprocess.run(
        [checkout / "tools" / "check-rust"],
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") == bool(said)
    assert said in done.stderr
    ran = (tmp_path / "cargo.log").read_text()
    assert ran.count("fmt --check") == (0 if "fmt" in broken else 3)
    assert ran.count("clippy --quiet") == (0 if "clippy" in broken else 3)
    assert "test --quiet" in ran


def test_all_that_a_build_is_made_of_is_looked_at_and_is_there() -> None:
    """A renamed file would no longer be looked at, and setup would not build anew when it changes."""
    text = SETUP.read_text()
    body = text[text.index("fingerprint() {") : text.index("-name target -prune")].replace("\\\n", " ")
    named = body.split("find ", 1)[1].split()
    assert "tools/backend/*.py" in named
    assert [name for name in named if not list(SETUP.parents[1].glob(name))] == []
