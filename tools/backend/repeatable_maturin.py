"""The build backend: maturin's, whose wheel gets the tag of what tax-probe needs, and is the same from each build.

The extension keeps to the limited API of the oldest CPython that is measured, since it is loaded inside the target too;
maturin takes the wheel's tag from that. The package needs what ``requires-python`` says, and so does its wheel.

Whoever doubts a wheel builds it again and compares: nothing in it may tell when, or in which folders, it was built.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import tomllib
import uuid
import zipfile
from collections.abc import Mapping
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
_SBOM = re.compile(r"\.dist-info/sboms/[^/]+\.json$")
_SOURCES = "/tax-probe"


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Maturin's wheel under its right name, which is returned."""
    os.environ["RUSTFLAGS"] = without_folders(os.environ)
    made = Path(wheel_directory) / _build_wheel(wheel_directory, config_settings, metadata_directory)
    return tagged(made, _oldest_python()).name


def without_folders(environment: Mapping[str, str]) -> str:
    """``RUSTFLAGS`` that keep the folders of this build out of the extension, in addition to those that are set."""
    crates = environment.get("CARGO_HOME", str(Path.home() / ".cargo"))
    remapped = (f"--remap-path-prefix={crates}=/cargo", f"--remap-path-prefix={Path.cwd()}={_SOURCES}")
    return " ".join(filter(None, (environment.get("RUSTFLAGS"), *remapped)))


def _oldest_python() -> str:
    """``cp311`` for ``requires-python = ">=3.11"``."""
    with Path("pyproject.toml").open("rb") as file:
        needed = tomllib.load(file)["project"]["requires-python"]
    major, minor = needed.removeprefix(">=").split(".")
    return f"cp{major}{minor}"


def tagged(wheel: Path, python: str) -> Path:
    """``wheel`` with the tag ``<python>-abi3-…`` in its name and its WHEEL, and timeless SBOMs; the old one goes."""
    renamed = wheel.with_name(_TAG.sub(f"{python}-abi3-", wheel.name))
    with zipfile.ZipFile(wheel) as old:
        files = {entry: old.read(entry) for entry in old.infolist()}
    wheel.unlink()
    changed = {}
    for entry, data in files.items():
        if entry.filename.endswith(".dist-info/WHEEL"):
            changed[entry] = _TAG.sub(f"{python}-abi3-", data.decode()).encode()
        elif _SBOM.search(entry.filename):
            changed[entry] = timeless(data)
    files |= changed
    of_record = next(entry for entry in files if entry.filename.endswith(".dist-info/RECORD"))
    recorded = {entry.filename: _recorded(entry.filename, data) for entry, data in changed.items()}
    lines = files[of_record].decode().splitlines()
    files[of_record] = "".join(recorded.get(line.split(",")[0], line) + "\n" for line in lines).encode()
    with zipfile.ZipFile(renamed, "w") as new:
        for entry, data in files.items():
            new.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED)
    return renamed


def timeless(sbom: bytes) -> bytes:
    """A CycloneDX document without the moment and the folder of its build; its serial number is that of its content."""
    document = json.loads(sbom.decode().replace(f"file://{Path.cwd()}", f"file://{_SOURCES}"))
    document.pop("serialNumber", None)
    document.get("metadata", {}).pop("timestamp", None)
    content = json.dumps(document, indent=1, sort_keys=True)
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, content).urn
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def _recorded(name: str, data: bytes) -> str:
    """A line of RECORD (Python Packaging User Guide, "Recording installed projects")."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"
