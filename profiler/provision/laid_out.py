"""Packages laid out below a folder, as dpkg would lay them out below /, without being installed.

/bin, /sbin and /lib are one with those of /usr, links lead to where they lead inside the folder, and what nobody reads
in a guest is left out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

MERGED = ("bin", "sbin", "lib")
_LEFT_OUT = re.compile(
    r"usr/share/(?:doc|man|locale|info|lintian|bash-completion|bug|gdb|icons|applications|perl5?|zoneinfo)(?:/|$)"
    r"|usr/lib/modules/[^/]+/kernel/(?!drivers/(?:virtio|block)/)"
    r"|usr/src/|boot/System\.map|var/"
)


def placed(name: str) -> str | None:
    """Where a package's file lies below the folder; None where it is left out.

    Raises:
        ValueError: it would lie elsewhere.
    """
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/"):
        raise ValueError(f"a package holds {name!r}")
    if parts and parts[0] in MERGED:
        parts = ("usr", *parts)
    path = "/".join(parts)
    return None if not path or _LEFT_OUT.match(path) else path


def leads_to(link: str, target: str) -> str:
    """The target of a symbolic link at ``link`` (both as in the package), relative to where the link lies."""
    absolute = target if target.startswith("/") else os.path.normpath(f"/{PurePosixPath(link).parent}/{target}")
    inside = placed(absolute.lstrip("/")) or absolute.lstrip("/")
    return os.path.relpath(f"/{inside}", f"/{PurePosixPath(placed(link) or link).parent}")


def unpack(debs: Iterable[Path], root: Path) -> None:
    """Lay the packages out below ``root``."""
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for deb in debs:
        with subprocess.Popen(("dpkg-deb", "--fsys-tarfile", str(deb)), stdout=subprocess.PIPE) as dpkg:
            assert dpkg.stdout is not None
            with tarfile.open(fileobj=dpkg.stdout, mode="r|") as archive:
                for member in archive:
                    _lay(archive, member, root)
            dpkg.stdout.read()
        if dpkg.returncode != 0:
            raise ValueError(f"{deb.name} is damaged")


def _lay(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    name = placed(member.name)
    if name is None:
        return
    path = root / name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
    if member.issym():
        path.symlink_to(leads_to(member.name, member.linkname))
    elif member.islnk():
        original = placed(member.linkname)
        if original is not None:
            path.hardlink_to(root / original)
    elif member.isfile():
        body = archive.extractfile(member)
        assert body is not None
        with path.open("wb") as file:
            shutil.copyfileobj(body, file)
        path.chmod((member.mode | 0o600) & 0o7777)
        os.utime(path, (member.mtime, member.mtime))
