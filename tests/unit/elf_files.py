"""Small ELF files with a known truth, built by gcc."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc builds the files of this test")

API = """
int PyLong_Planted(int x) { return x * 3; }
int PyNumber_Planted(int x) { return PyLong_Planted(x) + 1; }
"""
LIBPYTHON = f"int _PyEval_EvalFrameDefault(void) {{ return 7; }}\n{API}"
MAIN = "int main(void) { return 0; }\n"


def gcc(folder: Path, name: str, source: str, *options: str, file: str = "planted.c") -> Path:
    """Build ``source`` into ``folder/name`` and return its real path."""
    code = folder / file
    code.write_text(source)
    output = folder / name
    command = ["gcc", str(code), "-o", str(output), *options]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return output.resolve()


def libpython(folder: Path, *options: str, name: str = "libpython3.11.so.1.0", source: str = LIBPYTHON) -> Path:
    """A shared library that defines the eval loop."""
    return gcc(folder, name, source, "-shared", "-fPIC", f"-Wl,-soname,{name}", *options)
