"""How ``make test-pmu`` starts its guest: what stands for cargo, steps, budget, and the command itself."""

import io
import os
import subprocess
import tarfile
import threading
from pathlib import Path

import pytest

from profiler.launch.link import LinkRecipe
from profiler.system.logged import run_logged
from tools.pmu_guest.__main__ import main
from tools.pmu_guest.boot import Disks, bring_back, qemu_command
from tools.pmu_guest.cross import key_in_guest
from tools.pmu_guest.errors import CannotRun, GuestFailed
from tools.pmu_guest.jobs import JOBS, steps_of
from tools.pmu_guest.judge import judge
from tools.pmu_guest.limits import Limit
from tools.pmu_guest.side_by_side import side_by_side
from tools.pmu_guest.tree import TOP

INSIDE = TOP / "tools" / "pmu_guest" / "inside"


# ---------------------------------------------------------------- the guest


def test_qemus_clock_counts_instructions_and_its_disks_have_names() -> None:
    disks = Disks(kernel="/k", initrd="/i", root="/r,x", job="/j")
    command = qemu_command(Path("/t"), disks, Path("/o"), 1)
    assert command[command.index("-icount") + 1] == "shift=1,sleep=off"
    drives = [command[at + 1] for at, word in enumerate(command) if word == "-drive"]
    assert drives[0] == "if=none,id=root,format=raw,file=/r,,x,snapshot=on"
    assert [word for word in command if word.endswith("serial=job")]


def test_each_step_is_a_line_that_the_guests_script_reads() -> None:
    for job in JOBS:
        for line, step in zip(steps_of(job).splitlines(), job.steps, strict=True):
            assert line.split("\t") == [step.name, step.command]
    assert {job.shift for job in JOBS} == {0, 1}


@pytest.mark.parametrize("features", [("auto-initialize",), ()])
def test_what_stands_for_cargo_hands_out_the_build_that_was_asked_for_and_no_other(
    tmp_path: Path, features: tuple[str, ...]
) -> None:
    """The key that is computed outside is the one that the script in the guest computes."""
    recipe = LinkRecipe(
        library="/c/sysroot/usr/lib/l.so",
        config="shared=true\nlib_dir=/c/sysroot/usr/lib\n",
        rustflags=("-C", "link-arg=/c/sysroot/usr/lib"),
        features=features,
        libraries=(),
    )
    here = tmp_path / "rust"
    hosts = here / f"hosts-{key_in_guest(recipe, Path('/c/sysroot'))}"
    hosts.mkdir(parents=True)
    (hosts / "pyo3").write_text("built")
    (here / "cargo").write_bytes((INSIDE / "cargo").read_bytes())
    config = tmp_path / "pyo3.config"
    config.write_text(recipe.config.replace("/c/sysroot", ""))
    place = tmp_path / "source"
    place.mkdir()

    def ask(flags: str) -> subprocess.CompletedProcess[str]:
        words = ["build", "--release", "--target", "T", "--target-dir", "../target"]
        words += [part for feature in features for part in ("--features", feature)]
        env = os.environ | {"PYO3_CONFIG_FILE": str(config), "CARGO_ENCODED_RUSTFLAGS": flags}
        return subprocess.run(
            ["bash", str(here / "cargo"), *words], cwd=place, env=env, capture_output=True, text=True, check=False
        )

    done = ask("-C\x1flink-arg=/usr/lib")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "target/T/release/pyo3").read_text() == "built"
    other = ask("-C\x1flink-arg=/elsewhere")
    assert other.returncode == 101
    assert other.stderr.startswith("error: no host was built")
    assert "/elsewhere" in other.stderr


def test_what_stands_for_rustc_gives_the_empty_program_alone(tmp_path: Path) -> None:
    for name in ("empty", "rustc-version"):
        (tmp_path / name).write_text(name)
    (tmp_path / "rustc").write_bytes((INSIDE / "rustc").read_bytes())
    source = tmp_path / "empty.rs"

    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", str(tmp_path / "rustc"), *words], capture_output=True, text=True, check=False)

    assert ask("-vV").stdout == "rustc-version"
    source.write_text("fn main() {}\n")
    assert ask("-o", str(tmp_path / "made"), str(source)).returncode == 0
    assert (tmp_path / "made").read_text() == "empty"
    source.write_text("fn main() { loop {} }\n")
    assert ask("-o", str(tmp_path / "made"), str(source)).returncode == 1


# ---------------------------------------------------------------- the budget


def test_a_budget_that_is_over_is_told_with_its_remedy() -> None:
    Limit(None).require("anything")
    Limit(1e6).require_room_for(300.0, "running the guests")
    with pytest.raises(CannotRun, match=r"over before unpacking \(give a larger --budget"):
        Limit(0.0).require("unpacking")
    with pytest.raises(CannotRun, match=r"took 2000000 s here last time"):
        Limit(1e6).require_room_for(2e6, "running the guests")


# ---------------------------------------------------------------- the command


def test_when_one_task_fails_the_programs_of_the_others_are_ended(tmp_path: Path) -> None:
    """The other would run for minutes, and a third is not begun."""
    began: list[str] = []
    running = threading.Event()

    def fails() -> None:
        assert running.wait(60)
        raise GuestFailed("the first", "")

    def hangs() -> None:
        began.append("hangs")
        command = ("sh", "-c", "echo running; exec sleep 600")
        run_logged(command, cwd=tmp_path, log=tmp_path / "log", timeout_s=600, on_line=lambda _: running.set())

    with pytest.raises(GuestFailed, match="the first"):
        side_by_side({"fails": fails, "hangs": hangs, "late": lambda: began.append("late")})
    assert began == ["hangs"]
    assert side_by_side({"one": lambda: 1, "two": lambda: 2, "three": lambda: 3}) == {"one": 1, "two": 2, "three": 3}


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--skipped-exit", "77"), 77)])
def test_where_it_cannot_run_it_says_so_and_checks_nothing(
    options: tuple[str, ...],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """PATH leads to no apt-get."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(list(options)) == code
    out = capsys.readouterr().out
    assert "SKIPPED, nothing was checked: this machine has no apt-get" in out
    assert "(apt-get install" in out
    assert "passed" not in out


def test_a_guest_that_left_nothing_fails_every_step(tmp_path: Path) -> None:
    findings = judge(JOBS, tmp_path)
    assert not any(finding.passed for finding in findings)
    steps = [step.name for job in JOBS for step in job.steps]
    assert [one.what for one in findings if one.what.startswith("results of")] == [
        f"results of {name}" for name in steps
    ]


def test_what_a_guest_leaves_stays_in_its_folder(tmp_path: Path) -> None:
    out, folder = tmp_path / "out.img", tmp_path / "results"
    for name, fine in (("./ipc/rows.csv", True), ("../escaped", False)):
        with tarfile.open(out, "w") as tar:
            member = tarfile.TarInfo(name)
            member.size = 1
            tar.addfile(member, io.BytesIO(b"x"))
        if fine:
            bring_back(out, folder)
            assert (folder / "ipc/rows.csv").read_bytes() == b"x"
        else:
            with pytest.raises(GuestFailed, match="escaped"):
                bring_back(out, folder)
    assert not (tmp_path / "escaped").exists()
