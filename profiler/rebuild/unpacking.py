"""Unpack an archive that somebody names, with nothing of it outside the folder that it is unpacked into."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from profiler.errors import UsageError


def unpack(archive: Path, into: Path) -> None:
    """Unpack a tar archive, compressed or not.

    Raises:
        UsageError: it is none, or holds what would lie outside.
    """
    try:
        with tarfile.open(archive) as opened:
            if hasattr(tarfile, "data_filter"):
                opened.extractall(into, filter="data")
            else:  # Before 3.11.4, as on Debian 12.
                opened.extractall(into, members=_inside(opened))  # noqa: S202 - each member is looked at
    except (tarfile.TarError, OSError) as error:
        raise UsageError(
            f"--source-tree: cannot unpack {archive}: {error}", hint="give a .tar.gz or .tar.xz"
        ) from error


def _inside(opened: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Its members: files, folders, and links within it.

    Raises:
        tarfile.TarError: one is something else.
    """
    for member in opened:
        link = PurePosixPath(member.name).parent / member.linkname if member.issym() else PurePosixPath(member.linkname)
        named = (PurePosixPath(member.name), *((link,) if member.issym() or member.islnk() else ()))
        if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
            raise tarfile.TarError(f"{member.name} is neither file nor folder")
        if any(path.is_absolute() or _climbs(path) for path in named):
            raise tarfile.TarError(f"{member.name} lies outside")
        member.mode &= 0o755
        yield member


def _climbs(path: PurePosixPath) -> bool:
    depth = 0
    for part in path.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False
