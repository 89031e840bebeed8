"""The build backend: maturin's, whose wheel gets the tag of what tax-probe itself needs.

The extension keeps to the limited API of the oldest CPython that is measured, since it is loaded inside the target too;
maturin takes the wheel's tag from that. The package needs what ``requires-python`` says, and so does its wheel.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from maturin import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)
from maturin import (
    build_wheel as _build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_TAG = re.compile(r"\bcp3\d+-abi3-")


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Maturin's wheel under its right name, which is returned."""
    made = Path(wheel_directory) / _build_wheel(wheel_directory, config_settings, metadata_directory)
    return tagged(made, _oldest_python()).name


def _oldest_python() -> str:
    """``cp311`` for ``requires-python = ">=3.11"``."""
    with Path("pyproject.toml").open("rb") as file:
        needed = tomllib.load(file)["project"]["requires-python"]
    major, minor = needed.removeprefix(">=").split(".")
    return f"cp{major}{minor}"


def tagged(wheel: Path, python: str) -> Path:
    """``wheel`` with the tag ``<python>-abi3-…`` in its name, its WHEEL and its RECORD; the old one goes."""
    renamed = wheel.with_name(_TAG.sub(f"{python}-abi3-", wheel.name))
    with zipfile.ZipFile(wheel) as old:
        files = {entry: old.read(entry) for entry in old.infolist()}
    wheel.unlink()
    of_wheel = next(entry for entry in files if entry.filename.endswith(".dist-info/WHEEL"))
    of_record = next(entry for entry in files if entry.filename.endswith(".dist-info/RECORD"))
    files[of_wheel] = _TAG.sub(f"{python}-abi3-", files[of_wheel].decode()).encode()
    lines = files[of_record].decode().splitlines()
    own = f"{of_wheel.filename},"
    files[of_record] = "".join(
        (_recorded(own, files[of_wheel]) if line.startswith(own) else line) + "\n" for line in lines
    ).encode()
    with zipfile.ZipFile(renamed, "w") as new:
        for entry, data in files.items():
            new.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED)
    return renamed


def _recorded(name: str, data: bytes) -> str:
    """A line of RECORD (Python Packaging User Guide, "Recording installed projects")."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name}sha256={digest},{len(data)}"
