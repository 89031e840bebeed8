"""Small ELF files with a known truth, built by gcc, or written byte by byte for machines that gcc is not for here."""

import shutil
import struct
import subprocess
from collections.abc import Iterable, Mapping
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


_EXECUTABLE = 0x6
"""SHF_ALLOC and SHF_EXECINSTR."""


def object_file(machine: int, sections: Mapping[str, bytes]) -> bytes:
    """A 64-bit little-endian relocatable file (``e_machine`` as in elf.h) with these sections; ``.text…`` hold code."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    contents = [*sections.items(), (".shstrtab", names)]
    body, headers = b"", [bytes(64)]
    for name, data in contents:
        at, flags = names.index(name.encode() + b"\0"), _EXECUTABLE if name.startswith(".text") else 0
        kind = 3 if name == ".shstrtab" else 1
        headers.append(struct.pack("<IIQQQQIIQQ", at, kind, flags, 0, 64 + len(body), len(data), 0, 0, 1, 0))
        body += data
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    counts = (64, 0, 0, 64, len(headers), len(headers) - 1)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 1, machine, 1, 0, 0, 64 + len(body), 0, *counts)
    return header + body + b"".join(headers)


def static_archive(members: Iterable[bytes]) -> bytes:
    """As ``ar`` writes it (ar(5)), without an index."""
    return b"!<arch>\n" + b"".join(
        f"{f'{number}.o/':<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(body):<10}`\n".encode() + body + b"\n" * (len(body) % 2)
        for number, body in enumerate(members)
    )
