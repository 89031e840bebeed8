"""``tools/fresh-machine`` with a debootstrap that borrows this machine's own programs: what runs, what is left."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TOOL = CHECKOUT / "tools" / "fresh-machine"

BORROWS = """#!/bin/sh
while case "$1" in --*) ;; *) false ;; esac; do shift; done
echo "$@" >>{home}/calls
cd "$2"
mkdir -p etc/apt/sources.list.d etc/apt/apt.conf.d proc sys dev home root usr tmp
for name in bin sbin lib lib64; do ln -s usr/$name $name; done
cp /etc/passwd /etc/group /etc/shadow etc/
mount --bind /usr usr
"""

FAILS = "#!/bin/sh\necho called >>{home}/calls\nexit 1\n"

HANGS = """#!/bin/sh
while case "$1" in --*) ;; *) false ;; esac; do shift; done
mount -t tmpfs tmpfs "$2"
exec 9>{home}/alive
echo hangs >{home}/hangs
exec tail -f /dev/null
"""

Run = Callable[..., subprocess.Popen[str]]


def may_unshare() -> bool:
    """Whether this is root and its kernel lets it mount in a namespace of its own."""
    if os.geteuid() != 0:
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not may_unshare(), reason="not root, or no mount namespaces here: no bare root can be made"),
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Starts fresh-machine with this text as debootstrap; temporary files are below ``tmp_path / "tmp"``."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (tmp_path / "tmp").mkdir()

    def start(debootstrap: str, *arguments: str) -> subprocess.Popen[str]:
        for name, text in {"debootstrap": debootstrap, "sleep": "#!/bin/sh\n"}.items():
            (programs / name).write_text(text.format(home=tmp_path))
            (programs / name).chmod(0o755)
        return subprocess.Popen(
            [TOOL, *arguments],
            env=os.environ
            | {
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                "TMPDIR": str(tmp_path / "tmp"),
                "DEBOOTSTRAP_DIR": str(tmp_path),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def assert_nothing_is_left(folder: Path) -> None:
    assert list((folder / "tmp").iterdir()) == []
    assert str(folder) not in Path("/proc/self/mounts").read_text()


def hanging(run: Run, folder: Path) -> subprocess.Popen[str]:
    """A fresh-machine whose debootstrap has mounted something and will not end by itself."""
    os.mkfifo(folder / "hangs")
    os.mkfifo(folder / "alive")
    reading = os.open(folder / "alive", os.O_RDONLY | os.O_NONBLOCK)  # else the writer would wait for a reader
    ran = run(HANGS, "trixie", "true")
    assert (folder / "hangs").read_text() == "hangs\n"
    os.set_blocking(reading, True)
    os.close(reading)
    return ran


def test_the_command_runs_in_a_clone_of_head(run: Run, tmp_path: Path) -> None:
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=CHECKOUT, text=True)
    ran = run(BORROWS, "trixie", "git -c safe.directory='*' rev-parse HEAD; pwd; echo $HOME; id -un; exit 7")
    out, err = ran.communicate(timeout=120)
    assert ran.returncode == 7, err
    assert out == f"{head}/home/new/main\n/root\nroot\n"
    assert "trixie, as root: exit code 7 after" in err
    assert_nothing_is_left(tmp_path)


def test_the_command_may_be_interrupted(run: Run) -> None:
    """A shell starts its jobs in the background with SIGINT ignored, and whatever they start inherits that."""
    ran = run(BORROWS, "trixie", "grep SigIgn /proc/self/status")
    out, _ = ran.communicate(timeout=120)
    assert int(out.split()[1], 16) & (1 << (signal.SIGINT - 1)) == 0


def test_a_suite_that_debootstrap_does_not_know_is_made_by_the_script_of_sid(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "bookworm").touch()
    for suite in ("nextone", "bookworm"):
        ran = run(BORROWS, suite, "true")
        _, err = ran.communicate(timeout=120)
        assert ran.returncode == 0, err
    unknown, known = (tmp_path / "calls").read_text().splitlines()
    assert unknown.split()[0] == "nextone"
    assert unknown.split()[2].startswith("http")
    assert unknown.split()[3:] == ["sid"]
    assert known.split()[3:] == []


def test_a_root_that_fails_is_tried_again_and_then_given_up(run: Run, tmp_path: Path) -> None:
    ran = run(FAILS, "trixie", "true")
    _, err = ran.communicate(timeout=120)
    assert ran.returncode == 3, err
    assert (tmp_path / "calls").read_text().splitlines() == ["called"] * 3
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_ended_in_the_middle_it_leaves_nothing(run: Run, tmp_path: Path, how: signal.Signals) -> None:
    ran = hanging(run, tmp_path)
    ran.send_signal(how)
    ran.communicate(timeout=60)
    assert ran.returncode == 128 + how
    assert_nothing_is_left(tmp_path)


def test_killed_it_leaves_no_mount_and_no_process(run: Run, tmp_path: Path) -> None:
    ran = hanging(run, tmp_path)
    alive = os.open(tmp_path / "alive", os.O_RDONLY)
    try:
        ran.kill()
        ran.communicate(timeout=60)
        assert os.read(alive, 1) == b"", "the file ends when the last process that writes to it is gone"
    finally:
        os.close(alive)
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def test_kept_it_says_where(run: Run, tmp_path: Path) -> None:
    ran = run(BORROWS, "--keep", "trixie", "touch here")
    _, err = ran.communicate(timeout=120)
    assert ran.returncode == 0, err
    (root,) = (tmp_path / "tmp").iterdir()
    assert f"kept: {root}\n" in err
    assert (root / "home" / "new" / "main" / "here").exists()
    assert list((root / "usr").iterdir()) == [], "what was mounted is not"


@pytest.mark.parametrize("arguments", [[], ["--fast", "trixie"], ["trixie", "a", "b"]])
def test_wrong_arguments_show_the_usage(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    ran = run(FAILS, *arguments)
    _, err = ran.communicate(timeout=60)
    assert ran.returncode == 2
    assert "tools/fresh-machine [--user] [--keep] SUITE [COMMAND]" in err
    assert_nothing_is_left(tmp_path)
