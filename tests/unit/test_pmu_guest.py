"""How ``make test-pmu`` makes its guest: packages and their places, the initial RAM disk, what stands for cargo."""

import hashlib
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
from tools.pmu_guest.apt import Deb, chosen, configuration, is_whole, parse_uris, private_sources
from tools.pmu_guest.boot import Disks, bring_back, qemu_command
from tools.pmu_guest.cross import key_in_guest
from tools.pmu_guest.errors import CannotRun, GuestFailed
from tools.pmu_guest.jobs import JOBS, steps_of
from tools.pmu_guest.judge import judge
from tools.pmu_guest.limits import Limit
from tools.pmu_guest.locks import as_text, chosen_requirements, locked
from tools.pmu_guest.made_once import digest_of_files, is_made, made
from tools.pmu_guest.newc import folder, link, newc, regular
from tools.pmu_guest.preflight import os_release, sources_of
from tools.pmu_guest.side_by_side import side_by_side
from tools.pmu_guest.table import Group, read_table
from tools.pmu_guest.tree import TOP, source_files
from tools.pmu_guest.unpack import leads_to, placed, unpack

INSIDE = TOP / "tools" / "pmu_guest" / "inside"
TARGETS = """\
https://mirror.example/debian trixie
https://mirror.example/debian trixie-updates
https://other.example/tool stable
https://mirror.example/security trixie-security
"""


# ---------------------------------------------------------------- packages


def test_the_suite_comes_from_the_sites_of_this_machines_own_debian() -> None:
    found = private_sources(TARGETS, "trixie", "bookworm", "/usr/share/keyrings/k.gpg")
    assert found == (
        "Types: deb\nURIs: https://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/k.gpg\n\n"
        "Types: deb\nURIs: https://mirror.example/security\nSuites: bookworm-security\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/k.gpg\n"
    )
    assert private_sources(TARGETS, "bookworm", "bookworm", "k") == ""


def test_a_system_that_is_no_debian_is_told_so() -> None:
    table = read_table()
    ubuntu = os_release('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu 24.04"\n')
    with pytest.raises(CannotRun, match=r"this is Ubuntu 24\.04"):
        sources_of(ubuntu, TARGETS, table)
    debian = os_release("# a comment\nID=debian\nVERSION_CODENAME=trixie\n")
    assert "bookworm-security" in sources_of(debian, TARGETS, table)
    with pytest.raises(CannotRun, match="no archive"):
        sources_of(debian, "", table)


def test_of_apts_own_configuration_the_way_to_the_mirrors_is_kept(tmp_path: Path) -> None:
    dump = (
        'Acquire "";\nAcquire::http "";\nAcquire::http::Proxy "http://proxy:3128";\nAcquire::Check-Date "false";\n'
        'DPkg::Post-Invoke:: "rm -rf /";\nDir::Etc "etc/apt";\nAPT::Architecture "amd64";\n'
    )
    text = configuration(tmp_path, "arm64", dump)
    assert 'Acquire::http::Proxy "http://proxy:3128";' in text
    assert 'Acquire::Check-Date "false";' in text
    assert "DPkg" not in text
    assert '"etc/apt"' not in text
    assert 'APT::Architecture "arm64";' in text
    assert f'Dir::State "{tmp_path}";' in text


def test_what_apt_would_fetch_is_read_with_sizes_and_hashes() -> None:
    sha = "ab" * 32
    listed = (
        f"Reading…\n'https://m/libx_1%3a2-3_arm64.deb' libx_1%3a2-3_arm64.deb 822 SHA256:{sha}\n'https://m/y' y 1 \n"
    )
    (deb,) = parse_uris(listed)
    assert (deb.name, deb.version, deb.size, deb.sha256) == ("libx", "1:2-3", 822, sha)


def test_what_is_left_out_is_left_out_by_its_whole_name() -> None:
    debs = [Deb(file=f"{name}_1_all.deb", size=1, sha256="") for name in ("gcc", "gcc-12-base", "libc6", "libc6-dev")]
    group = Group(name="x", architecture="amd64", names=(), left_out=("gcc", "libc6(-dev)?"))
    assert [deb.name for deb in chosen(debs, group)] == ["gcc-12-base"]
    only = Group(name="x", architecture="amd64", names=(), only=("libc6",))
    assert [deb.name for deb in chosen(debs, only)] == ["libc6"]


def test_a_file_is_whole_only_with_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "x_1_all.deb"
    deb = Deb(file=file.name, size=3, sha256=hashlib.sha256(b"abc").hexdigest())
    assert not is_whole(file, deb)
    file.write_bytes(b"abd")
    assert not is_whole(file, deb)
    file.write_bytes(b"abc")
    assert is_whole(file, deb)


def test_the_table_names_what_the_guest_cannot_do_without() -> None:
    table = read_table()
    assert {group.architecture for group in table.groups.values()} == {"amd64", "arm64"}
    assert {"linux-perf", "busybox-static", "python3.11", "libpython3.11-dev"} <= set(table.groups["guest"].names)
    # virtio_ring defines what virtio calls.
    assert table.modules.index("virtio_ring") < table.modules.index("virtio") < table.modules.index("virtio_blk")


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("./bin/bash", "usr/bin/bash"),
        ("./lib/ld-linux-aarch64.so.1", "usr/lib/ld-linux-aarch64.so.1"),
        ("./usr/bin/perf", "usr/bin/perf"),
        ("./boot/vmlinuz-6.1", "boot/vmlinuz-6.1"),
        ("./lib/modules/6.1/kernel/drivers/virtio/virtio.ko", "usr/lib/modules/6.1/kernel/drivers/virtio/virtio.ko"),
        ("./lib/modules/6.1/kernel/fs/xfs/xfs.ko", None),
        ("./usr/share/doc/bash/README", None),
        ("./", None),
    ],
)
def test_where_a_packages_file_lies(name: str, place: str | None) -> None:
    assert placed(name) == place


@pytest.mark.parametrize("name", ["../etc/passwd", "./usr/../../x", "/etc/passwd"])
def test_no_package_writes_elsewhere(name: str) -> None:
    with pytest.raises(ValueError, match="a package holds"):
        placed(name)


def test_links_lead_to_the_same_file_inside_the_folder() -> None:
    assert leads_to("./usr/lib/libm.so", "/lib/aarch64-linux-gnu/libm.so.6") == "aarch64-linux-gnu/libm.so.6"
    assert leads_to("./lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu/ld-linux-aarch64.so.1") == (
        "aarch64-linux-gnu/ld-linux-aarch64.so.1"
    )
    assert leads_to("./usr/bin/python3", "python3.11") == "python3.11"
    assert leads_to("./bin/sh", "/usr/bin/dash") == "dash"


def test_packages_are_laid_out_with_links_modes_and_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dpkg-deb is a stand-in that hands out a planted archive; the merged folders are links."""
    archive = tmp_path / "data.tar"
    with tarfile.open(archive, "w") as tar:
        for name, body, mode in (("./bin/tool", b"#!", 0o755), ("./usr/share/doc/tool/x", b"x", 0o644)):
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(body), mode, 1234
            tar.addfile(member, io.BytesIO(body))
        for name, kind, target in (
            ("./usr/bin/same", tarfile.LNKTYPE, "./bin/tool"),
            ("./sbin/s", tarfile.SYMTYPE, "/bin/tool"),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            tar.addfile(member)
    fake = tmp_path / "fake" / "dpkg-deb"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n[ $1 = --fsys-tarfile ] && exec cat {archive}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    root = tmp_path / "root"
    unpack([tmp_path / "tool.deb"], root)
    tool = root / "bin" / "tool"
    assert (root / "bin").readlink() == Path("usr/bin")
    assert (tool.read_bytes(), tool.stat().st_mode & 0o777, tool.stat().st_mtime) == (b"#!", 0o755, 1234)
    assert (root / "usr/bin/same").samefile(tool)
    assert (root / "usr/sbin/s").readlink() == Path("../bin/tool")
    assert not (root / "usr/share/doc").exists()


def test_a_newc_archive_byte_by_byte() -> None:
    """Fields as in the kernel's buffer-format.rst; names and bodies are padded to four bytes."""
    found = newc([folder("bin"), regular("bin/x", b"hello", 0o755), link("bin/sh", "x")])
    heads = [found[at : at + 110] for at in range(len(found)) if found[at : at + 6] == b"070701"]
    assert [int(head[14:22], 16) for head in heads] == [0o040755, 0o100755, 0o120777, 0]
    assert [int(head[54:62], 16) for head in heads] == [0, 5, 1, 0]
    assert [int(head[94:102], 16) for head in heads] == [4, 6, 7, 11]
    assert len(found) % 4 == 0
    at = found.index(b"bin/x\0")
    body = (at + 6 + 3) // 4 * 4
    assert found[body : body + 8] == b"hello\0\0\0"
    assert found.rstrip(b"\0").endswith(b"TRAILER!!!")


def test_a_folder_of_the_cache_is_whole_or_absent(tmp_path: Path) -> None:
    def fails(inside: Path) -> None:
        (inside / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        made(tmp_path / "image-1", fails)
    assert list(tmp_path.iterdir()) == []
    calls: list[Path] = []
    for key in ("1", "1", "2"):
        made(tmp_path / f"image-{key}", calls.append)
    made(tmp_path / "other-1", calls.append)
    assert len(calls) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image-2", "other-1"]
    assert is_made(tmp_path / "image-2")


def test_a_hash_of_files_sees_names_modes_and_contents(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    two.write_text("y")
    seen = {digest_of_files(tmp_path, [one, two]), digest_of_files(tmp_path, [two, one])}
    assert len(seen) == 1
    one.chmod(0o755)
    seen.add(digest_of_files(tmp_path, [one, two]))
    two.write_text("z")
    seen.add(digest_of_files(tmp_path, [one, two]))
    two.rename(tmp_path / "three")
    seen.add(digest_of_files(tmp_path, [one, tmp_path / "three"]))
    assert len(seen) == 4


def test_the_guest_gets_the_tool_and_nothing_that_was_built_here() -> None:
    names = {str(path.relative_to(TOP)) for path in source_files()}
    assert {"profiler/cli.py", "tests/perf/test_hardware_real.py", "profiler/launch/host/src/pyo3.rs"} <= names
    assert not [name for name in names if name.endswith((".so", ".pyc"))]


# ---------------------------------------------------------------- Python packages

LOCK = f"""\
# comment
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:{"1" * 64} \\
    --hash=sha256:{"2" * 64}
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:{"3" * 64}
maturin==1.16.0 \\
    --hash=sha256:{"4" * 64}
"""
DEV = (
    LOCK
    + f"""\
pytest==9.2.0 \\
    --hash=sha256:{"5" * 64}
"""
)


def test_the_guests_requirements_are_those_of_its_own_python() -> None:
    found = chosen_requirements(locked(LOCK), locked(DEV), python="3.11", left_out=("maturin",), tests=("pytest",))
    assert as_text(found) == (
        f"numpy==2.4.6 \\\n    --hash=sha256:{'1' * 64} \\\n    --hash=sha256:{'2' * 64}\n"
        f"pytest==9.2.0 \\\n    --hash=sha256:{'5' * 64}\n"
    )
    (newer,) = chosen_requirements(locked(LOCK), (), python="3.13", left_out=("maturin",), tests=())
    assert newer.version == "2.5.5"
    with pytest.raises(ValueError, match="no pytest"):
        chosen_requirements(locked(LOCK), locked(LOCK), python="3.11", left_out=(), tests=("pytest",))


def test_the_real_lock_files_have_a_hash_for_all_that_the_guest_gets() -> None:
    table = read_table()
    lock, dev = (locked((TOP / name).read_text()) for name in ("requirements.lock", "requirements-dev.lock"))
    found = chosen_requirements(
        lock, dev, python=table.wheels.python, left_out=table.wheels.left_out, tests=table.wheels.tests
    )
    assert {"msgspec", "numpy", "scipy", "pytest"} <= {one.name for one in found}
    assert all(one.hashes for one in found)


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
        library="/c/root/usr/lib/l.so",
        config="shared=true\nlib_dir=/c/root/usr/lib\n",
        rustflags=("-C", "link-arg=/c/root/usr/lib"),
        features=features,
        libraries=(),
    )
    here = tmp_path / "rust"
    hosts = here / f"hosts-{key_in_guest(recipe, Path('/c/root'))}"
    hosts.mkdir(parents=True)
    (hosts / "pyo3").write_text("built")
    (here / "cargo").write_bytes((INSIDE / "cargo").read_bytes())
    config = tmp_path / "pyo3.config"
    config.write_text(recipe.config.replace("/c/root", ""))
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
