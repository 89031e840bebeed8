"""What ``make test-pmu`` puts into its guest: packages and their places, the initial RAM disk, Python packages."""

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.model.provisioning import PackageGroup
from profiler.provision.laid_out import leads_to, placed, unpack
from profiler.provision.made_once import digest_of_files, is_made, made
from profiler.system.debian_sources import os_release, private_sources, sources_of
from profiler.system.private_apt import Deb, chosen, configuration, is_whole, parse_uris, why
from tools.pmu_guest.locks import as_text, chosen_requirements, locked
from tools.pmu_guest.newc import folder, link, newc, regular
from tools.pmu_guest.table import read_table
from tools.pmu_guest.tree import TOP, source_files

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
    ubuntu = os_release('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu 24.04"\n')
    with pytest.raises(MachineError, match=r"this is Ubuntu 24\.04"):
        sources_of(ubuntu, TARGETS, suite="bookworm", keyring="k")
    debian = os_release("# a comment\nID=debian\nVERSION_CODENAME=trixie\n")
    assert "bookworm-security" in sources_of(debian, TARGETS, suite="bookworm", keyring="k")
    with pytest.raises(MachineError, match="no archive"):
        sources_of(debian, "", suite="bookworm", keyring="k")


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


def test_why_apt_failed_is_its_own_error_and_not_what_it_met_on_the_way() -> None:
    lines = (
        "Err:1 http://m/debian bookworm InRelease",
        "  Could not resolve 'm'",
        "E: Failed to fetch http://m/x  404",
    )
    assert why(lines) == "Failed to fetch http://m/x  404"
    assert why(lines[:2]) == "1 http://m/debian bookworm InRelease"
    assert why(("Reading package lists...",)) == "Reading package lists..."
    assert why(()) == "apt-get said nothing"


def test_what_is_left_out_is_left_out_by_its_whole_name() -> None:
    debs = [Deb(file=f"{name}_1_all.deb", size=1, sha256="") for name in ("gcc", "gcc-12-base", "libc6", "libc6-dev")]
    group = PackageGroup(name="x", architecture="amd64", names=(), left_out=("gcc", "libc6(-dev)?"))
    assert [deb.name for deb in chosen(debs, group)] == ["gcc-12-base"]
    only = PackageGroup(name="x", architecture="amd64", names=(), only=("libc6",))
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
