"""The guest's disks: a kernel and an initial RAM disk, a root file system made without root, and the job as a tar."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.pmu_guest.errors import GuestFailed
from tools.pmu_guest.locks import Locked, as_text
from tools.pmu_guest.newc import folder, link, newc, regular
from tools.pmu_guest.table import Wheels

ROOT_MIB = 1500
_INSIDE = Path(__file__).with_name("inside")
_PYTHONS = ("usr/lib/python3", "usr/lib/python3.11", "opt/venv")
_TIMEOUT_S = 600.0


def install_wheels(chosen: Iterable[Locked], wheels: Wheels, root: Path, scratch: Path) -> None:
    """Put the Python packages into ``/opt/venv`` of the guest, each with a hash of the lock file.

    Raises:
        GuestFailed: pip cannot get them.
    """
    venv = root / "opt/venv"
    packages = venv / f"lib/python{wheels.python}/site-packages"
    (venv / "bin").mkdir(parents=True)
    packages.mkdir(parents=True)
    for name in ("python", "python3"):
        (venv / "bin" / name).symlink_to(f"/usr/bin/python{wheels.python}")
    (venv / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {wheels.python}\n"
    )
    (packages / "tree.pth").write_text("/job/tree\n")
    command = venv / "bin/tax-probe"
    command.write_text("#!/opt/venv/bin/python\nfrom profiler.cli import entry\n\nentry()\n")
    command.chmod(0o755)
    asked = scratch / "requirements.txt"
    asked.write_text(as_text(chosen), encoding="utf-8")
    fitting = [part for platform in wheels.platforms for part in ("--platform", platform)]
    fitting += [part for abi in wheels.abis for part in ("--abi", abi)]
    pip = (
        *(sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-compile"),
        *("--only-binary=:all:", "--require-hashes", "--retries", "5", "--root-user-action=ignore"),
        *("--implementation", "cp", "--python-version", wheels.python, *fitting),
        *("--target", str(packages), "-r", str(asked)),
    )
    done = subprocess.run(pip, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.returncode != 0:
        raise GuestFailed("pip cannot get the guest's Python packages", done.stderr)


def precompile(root: Path, python: str) -> bool:
    """Compile the guest's Python files with this machine's Python of the same minor version, where there is one.

    What is compiled is trusted unchecked: times may not survive on the way into the image.
    """
    found = next(filter(None, map(shutil.which, (f"python{python}", f"/usr/bin/python{python}"))), None)
    if found is None:
        return False
    folders = [str(root / place) for place in (*_PYTHONS, "job") if (root / place).is_dir()]
    command = (
        *(found, "-I", "-m", "compileall", "-q", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(root), "-p", "/", *folders),
    )
    # Files that no Python of this version can compile are part of some packages' own tests.
    subprocess.run(command, check=False, capture_output=True, timeout=_TIMEOUT_S)
    return True


def root_disk(root: Path, image: Path) -> None:
    """The root file system as a sparse ext4 image of 1.5 GB.

    Raises:
        GuestFailed: mke2fs fails.
    """
    program = shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert program is not None
    command = (
        program,
        "-q",
        "-t",
        "ext4",
        "-O",
        "^has_journal",
        "-E",
        "root_owner=0:0",
        "-d",
        root,
        image,
        f"{ROOT_MIB}M",
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.returncode != 0:
        raise GuestFailed("mke2fs makes no image of the guest's system", done.stderr)


def kernel_of(root: Path) -> Path:
    """The kernel among the unpacked packages."""
    (kernel,) = root.glob("boot/vmlinuz-*")
    return kernel


def initrd(root: Path, modules: Sequence[str]) -> bytes:
    """The initial RAM disk, compressed: busybox, the kernel modules that the disks need, and ``inside/init``.

    A module that the kernel has built in is left out.
    """
    below = root / "usr/lib/modules"
    found = {module: path for module in modules for path in below.rglob(f"{module}.ko")}
    folders = ("bin", "dev", "modules", "proc", "new", "sys")
    return gzip.compress(
        newc(
            (
                *map(folder, folders),
                regular("bin/busybox", (root / "usr/bin/busybox").read_bytes(), 0o755),
                link("bin/sh", "busybox"),
                regular("init", (_INSIDE / "init").read_bytes(), 0o755),
                regular("modules/order", "".join(f"{module}\n" for module in found).encode()),
                *(regular(f"modules/{module}.ko", path.read_bytes()) for module, path in found.items()),
            )
        ),
        mtime=0,
    )


def job_disk(parts: Iterable[tuple[str, Path]], steps: str, image: Path) -> None:
    """A tar of ``(name in /job, file or folder)``, the scripts of ``inside/`` and the ``steps``."""
    with tarfile.open(image, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, path in parts:
            archive.add(path, arcname=name, filter=_of_root)
        archive.add(_INSIDE / "run", arcname="run", filter=_of_root)
        for name in ("cargo", "rustc"):
            archive.add(_INSIDE / name, arcname=f"rust/{name}", filter=_of_root)
        written = image.with_suffix(".steps")
        written.write_text(steps, encoding="utf-8")
        archive.add(written, arcname="steps", filter=_of_root)
        written.unlink()


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
