"""One guest, from power-on to power-off: QEMU's Arm machine with its PMU and a clock that counts instructions."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

from profiler.model import Noun
from profiler.system.logged import Failed, run_logged
from tools.pmu_guest.errors import GuestFailed

OUT_BYTES = 256 << 20
_TAIL_LINES = 40
_SAID = re.compile(r"pmu-guest: (.*)")
_CPU = "neoverse-n1"
"""Without pointer authentication, which costs the emulation more than all else: ``max`` takes twice as long."""
_APPEND = "console=ttyAMA0 panic=-1 random.trust_cpu=1 mitigations=off kpti=off nokaslr quiet"


class Disks(Noun, frozen=True, kw_only=True):
    """Files that a guest boots from."""

    kernel: str
    initrd: str
    root: str
    job: str


def qemu_command(tools: Path, disks: Disks, out: Path, shift: int) -> tuple[str, ...]:
    """QEMU's command line: ``2**shift`` ns of the guest's time per instruction, so an IPC of ``2**-shift`` at 1 GHz.

    The shift must be fixed: with one that adapts the PMU has no event for instructions. Sleeping takes no time.
    """
    drives = (("root", disks.root, "snapshot=on"), ("job", disks.job, "readonly=on"), ("out", str(out), "cache=unsafe"))
    return (
        *(str(tools / "usr/bin/qemu-system-aarch64"), "-L", str(tools / "usr/share/qemu")),
        *("-M", "virt", "-cpu", _CPU, "-smp", "1", "-m", "2G", "-icount", f"shift={shift},sleep=off"),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none", "-serial", "stdio"),
        *("-kernel", disks.kernel, "-initrd", disks.initrd, "-append", _APPEND),
        *(
            part
            for name, file, option in drives
            for part in (
                *("-drive", f"if=none,id={name},format=raw,file={file.replace(',', ',,')},{option}"),
                *("-device", f"virtio-blk-device,drive={name},serial={name}"),
            )
        ),
    )


def run_guest(
    command: tuple[str, ...],
    tools: Path,
    *,
    out: Path,
    folder: Path,
    timeout_s: float,
    on_line: Callable[[str], None],
) -> None:
    """Boot, wait for the power-off, and unpack what the job left into ``folder``; the console is kept there.

    ``on_line`` gets what the guest's scripts say.

    Raises:
        GuestFailed: QEMU fails, the time is over, or the guest left nothing; with the console's tail.
    """
    folder.mkdir(parents=True, exist_ok=True)
    console = folder / "console.log"
    with out.open("wb") as file:
        file.truncate(OUT_BYTES)
    libraries = tools / f"usr/lib/{platform.machine()}-linux-gnu"
    env = {"PATH": os.environ.get("PATH", os.defpath), "LD_LIBRARY_PATH": str(libraries), "TMPDIR": str(out.parent)}

    def hand_on(line: str) -> None:
        said = _SAID.search(line)
        if said:
            on_line(said[1])

    try:
        run_logged(command, cwd=out.parent, log=console, timeout_s=timeout_s, env=env, on_line=hand_on)
    except Failed as error:
        what = f"did not power off within {timeout_s:.0f} s" if error.exit is None else f"ended with {error.exit}"
        raise GuestFailed(f"QEMU {what}; its console: {console}", "\n".join(error.lines[-_TAIL_LINES:])) from error
    lines = console.read_text(errors="replace").splitlines()
    if not any("pmu-guest: done" in line for line in lines):
        raise GuestFailed(
            f"the guest went off before its job was done; its console: {console}", "\n".join(lines[-_TAIL_LINES:])
        )
    bring_back(out, folder)
    out.unlink()


def bring_back(out: Path, folder: Path) -> None:
    """Unpack the files and folders of the tar on the disk ``out``; Python 3.11.2 has no filters for that.

    Raises:
        GuestFailed: one would lie outside ``folder``.
    """
    with tarfile.open(out) as archive:
        for member in archive:
            path = folder / os.path.normpath(member.name)
            if not path.is_relative_to(folder) or ".." in path.parts:
                raise GuestFailed(f"the guest's results hold {member.name!r}", "")
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
            elif (body := archive.extractfile(member)) is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(body, file)


def lacking_programs() -> tuple[str, ...]:
    """What this machine needs and has not, by the names of programs."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return tuple(name for name in ("apt-get", "dpkg-deb", "mke2fs", "cc") if shutil.which(name, path=path) is None)
