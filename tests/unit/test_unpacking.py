"""An archive of CPython's source is unpacked by any Python from 3.11 on, with tar filters or without as this one is,
and nothing of it lands outside.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from profiler.errors import UsageError
from profiler.rebuild.unpacking import unpack


def archive(place: Path, *members: tarfile.TarInfo) -> Path:
    path = place / "source.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        for member in members:
            data = b"#define PY_VERSION"
            member.size = len(data) if member.isfile() else 0
            made.addfile(member, io.BytesIO(data) if member.isfile() else None)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.mode = kind, link, 0o6777
    return found


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def test_files_folders_and_links_inside_are_unpacked(into: Path) -> None:
    path = archive(
        into.parent,
        member("Python-3", tarfile.DIRTYPE),
        member("Python-3/Include/patchlevel.h"),
        member("Python-3/link.h", tarfile.SYMTYPE, "Include/patchlevel.h"),
        member("Python-3/Include/up.h", tarfile.SYMTYPE, "../link.h"),
    )
    unpack(path, into)
    assert (into / "Python-3" / "Include" / "up.h").read_bytes() == b"#define PY_VERSION"
    assert (into / "Python-3" / "Include" / "patchlevel.h").stat().st_mode & 0o6022 == 0


@pytest.mark.parametrize(
    "planted",
    [
        member("../outside"),
        member("Python-3/../../outside"),
        member("Python-3/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("Python-3/link", tarfile.SYMTYPE, "../../outside"),
        member("Python-3/hard", tarfile.LNKTYPE, "../outside"),
        member("Python-3/device", tarfile.CHRTYPE),
        member("Python-3/fifo", tarfile.FIFOTYPE),
    ],
)
def test_what_would_lie_outside_is_refused(into: Path, planted: tarfile.TarInfo) -> None:
    with pytest.raises(UsageError, match="cannot unpack"):
        unpack(archive(into.parent, planted), into)
    assert not (into.parent / "outside").exists()


def test_what_is_no_archive_is_told(into: Path) -> None:
    path = into.parent / "source.tar.gz"
    path.write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"source\.tar\.gz"):
        unpack(path, into)
