"""This checkout as the guest gets it: the tool, its tests on real counters, and no Git."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
_FOLDERS = ("profiler", "tests/perf", "tools/pmu_guest/inside")
_FILES = ("pyproject.toml", "tests/__init__.py", "tests/conftest.py", "tests/commandline.py")
_NOT_TAKEN = ("__pycache__", "target")


def source_files(folders: tuple[str, ...] = _FOLDERS) -> Iterator[Path]:
    """The files of this checkout that the guest gets; what was built from them is left out."""
    yield from (TOP / name for name in _FILES)
    for folder in folders:
        for path in sorted((TOP / folder).rglob("*")):
            if path.is_file() and path.suffix != ".so" and not set(path.parts) & set(_NOT_TAKEN):
                yield path


def copy_tree(into: Path, extension: Path) -> None:
    """Fill ``into`` with those files, the guest's extension module, and what pip would have written of the version."""
    for path in source_files():
        copied = into / path.relative_to(TOP)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copied)
    shutil.copy2(extension, into / "profiler" / extension.name)
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = into / f"tax_probe-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
