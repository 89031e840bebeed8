"""``opcodes`` and ``where`` for real: what is planted in an opcode is found there, exactly, and only there."""

import csv
import shlex
import shutil
import struct
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from profiler.launch.binaries.goto_table import goto_tables
from profiler.launch.host_builds import build_hosts
from profiler.launch.interpreters import resolve_target
from profiler.launch.launchers import names_to_own, own_launcher
from profiler.launch.matched_set import lacks_symbols
from profiler.model import Target
from profiler.system.home import cache_folder
from profiler.workloads import find_workload
from tests.commandline import TaxProbe, comparison
from tests.unit.elf_files import gcc, needs_gcc

PYTHON = Path("/usr/bin/python3.11")
LITTLE = ("--seed", "7", "--blocks", "1", "--m", "2000,6000", "--format", "json")
NOPS = 40
PLANTED = "BINARY_OP_MULTIPLY_INT"
_INSIDE = 16
"""Bytes behind the function's entry: a jump to that would be a call to callgrind."""
_RELATIVE = 8
"""R_X86_64_RELATIVE."""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="no /usr/bin/python3.11"),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind"),
]


@pytest.fixture
def target() -> Target:
    found = resolve_target(str(PYTHON))
    if found.shared_library is None or found.include_dir is None:
        pytest.skip("libpython3.11-dev is not installed")
    return found


def names() -> dict[int, str]:
    """Of the interpreter under test, which need not be this one."""
    code = "import dis, opcode; print({n: k for k, n in {**opcode.opmap, **dis._all_opmap}.items()})"
    said = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    found: dict[int, str] = eval(said)  # noqa: S307 - printed by the line above
    return found


def planted(library: Path, folder: Path) -> None:
    """A copy of ``library`` in which one opcode begins with ``NOPS`` nops and a jump: they stand in the place of a
    function that only frozen programs run, and one addend of the table leads there.
    """
    (table,) = goto_tables(str(library), names())
    begin = next(address for address, own in table.entries.items() if own == (PLANTED,))
    data = bytearray(library.read_bytes())
    with library.open("rb") as file:
        elf = ELFFile(file)
        held = {section.name: section for section in elf.iter_sections()}
        (unused,) = held[".dynsym"].get_symbol_by_name("Py_FrozenMain")  # type: ignore[attr-defined]
        text, relocations = held[".text"], held[".rela.dyn"]
        assert unused["st_size"] > _INSIDE + NOPS + 5
        cave = unused["st_value"] + _INSIDE
        at = text["sh_offset"] + cave - text["sh_addr"]
        code = b"\x90" * NOPS
        code += b"\xe9" + struct.pack("<i", begin - (cave + len(code) + 5))
        data[at : at + len(code)] = code
        first = relocations["sh_offset"]
        for entry in range(first, first + relocations["sh_size"], 24):
            place, kind, addend = struct.unpack_from("<QQq", data, entry)
            if kind == _RELATIVE and addend == begin and 0 <= place - table.address < 256 * 8:
                struct.pack_into("<q", data, entry + 16, cave)
    (folder / library.name).write_bytes(data)


def opcodes(document: Any, launcher: str) -> dict[str | None, Any]:
    return {row["opcode"]: row for row in document["opcodes"] if row["launcher"] == launcher}


@pytest.fixture
def nops_host(tmp_path: Path, target: Target) -> str:
    """``--host`` of our embedder on the library with the nops."""
    assert target.shared_library is not None
    planted(Path(target.shared_library), tmp_path)
    (named,) = names_to_own(("pyo3",))
    host = own_launcher(named, build_hosts(target, "shared", on_line=lambda line: None), target)
    return shlex.join(["env", f"LD_LIBRARY_PATH={tmp_path}", *(f"{k}={v}" for k, v in host.env.items()), *host.argv])


def test_what_is_planted_in_an_opcode_is_found_there_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nops_host: str
) -> None:
    probe = TaxProbe(monkeypatch, tmp_path)
    options = ("--python", str(PYTHON), "--out", str(probe.out), *LITTLE)
    ran = probe("opcodes", *options, "--launcher", "pyo3", "--host", f"planted={nops_host}")
    assert ran.code == 0, ran.err
    document = ran.document
    own, with_nops, again = (opcodes(document, name) for name in ("pyo3", "planted", "python3-again"))
    more = {
        name: row["value"] - own[name]["value"]
        for name, row in with_nops.items()
        if name is not None and row["value"] is not None
    }
    assert more.pop(PLANTED) == pytest.approx(NOPS + 1, abs=0.01)
    assert len(more) >= 9
    assert more == pytest.approx(dict.fromkeys(more, 0.0), abs=0.01)
    assert [row["difference"] for row in again.values()] == pytest.approx([0.0] * len(again), abs=1e-9)
    for name, rows in (("pyo3", own), ("planted", with_nops)):
        tax = comparison(document, name, "instructions")
        assert sum(row["difference"] for row in rows.values()) == pytest.approx(
            tax["value"] - tax["baseline_value"], abs=0.01
        )
    assert abs(own[None]["difference"]) < 0.01


def test_what_is_planted_in_an_opcode_is_found_in_the_statements_that_execute_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: Target, nops_host: str
) -> None:
    """No symbols, no table of gotos: by differences alone."""
    probe = TaxProbe(monkeypatch, tmp_path)
    options = ("--python", target.path, "--out", str(probe.out), "--seed", "7", "--blocks", "1", "--format", "json")
    ran = probe("opcodes", "--statements", *options, "--source", "callgrind", "--launcher", "pyo3",
                "--host", f"planted={nops_host}")  # fmt: skip
    assert ran.code == 0, ran.err
    costs = {
        name: {row["statement"]: row["value"] for row in ran.document["statements"] if row["launcher"] == name}
        for name in ("pyo3", "planted")
    }
    more = {statement: value - costs["pyo3"][statement] for statement, value in costs["planted"].items()}
    assert more == pytest.approx(
        {name: NOPS + 1.0 if name in ("x = p * q", "x = large * large") else 0.0 for name in more}, abs=0.01
    )
    again = [row for row in ran.document["statements"] if row["launcher"] == "python3-again"]
    assert [row["value"] - row["baseline_value"] for row in again] == pytest.approx([0.0] * len(again), abs=0.01)


def test_both_commands_say_what_ipc_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: Target) -> None:
    """The same seed and M: the same regions, counted in another way."""
    probe = TaxProbe(monkeypatch, tmp_path)
    options = ("--python", target.path, "--launcher", "pyo3", "--out", str(probe.out), *LITTLE)
    counted = probe("ipc", "--source", "callgrind", "--precision", "50", "--metric", "instructions", *options).document
    tax = comparison(counted, "pyo3", "instructions")
    whole = tax["value"] - tax["baseline_value"]
    for command, field, level in (("opcodes", "opcodes", None), ("where", "places", "image")):
        rows = [row for row in probe(command, *options).document[field] if row["launcher"] == "pyo3"]
        own = [row for row in rows if level is None or row["level"] == level]
        assert sum(row["difference"] for row in own) == pytest.approx(whole, abs=0.01)


@pytest.mark.skipif(shutil.which("gdb") is None, reason="no gdb")
def test_gdb_as_a_host_has_the_same_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: Target) -> None:
    """It embeds the distribution's library, as our host does: equal to the last instruction."""
    probe = TaxProbe(monkeypatch, tmp_path)
    options = ("--python", target.path, "--launcher", "pyo3", "--out", str(probe.out), *LITTLE)
    ran = probe("opcodes", *options, "--host", "gdb=gdb -nx -q -batch -x {script}")
    assert ran.code == 0, ran.err
    images = {launcher["name"]: launcher["image"] for launcher in ran.document["launchers"]}
    if images["gdb"] != images["pyo3"]:
        pytest.skip(f"gdb embeds {images['gdb']}")
    ours, gdb = opcodes(ran.document, "pyo3"), opcodes(ran.document, "gdb")
    known, found = (
        {name: row["value"] for name, row in rows.items() if row["value"] is not None} for rows in (ours, gdb)
    )
    assert found == pytest.approx(known, abs=0.01, rel=0)
    assert len(found) >= 10


def test_a_matched_set_names_functions_and_changes_no_figure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: Target
) -> None:
    """Program, library and symbols of the archive's revision, fetched into a cache of this test."""
    if not lacks_symbols(target):
        pytest.skip("the installed files have symbols")
    own = tmp_path / "cache" / "tax-probe"
    own.mkdir(parents=True)
    (own / "hosts").symlink_to(cache_folder() / "hosts")
    monkeypatch.setenv("XDG_CACHE_HOME", str(own.parent))
    probe = TaxProbe(monkeypatch, tmp_path)
    options = ("--python", target.path, "--launcher", "pyo3", "--out", str(probe.out), *LITTLE)
    ran = probe("where", *options, "--symbols", "fetch")
    if ran.code == 3:
        pytest.skip(f"no symbols here: {ran.err.splitlines()[0]}")
    assert ran.code == 0, ran.err
    document = ran.document
    assert document["symbols_of"], [warning for warning in document["warnings"] if warning["code"] == "symbols-differ"]
    rows = [row for row in document["places"] if row["launcher"] == "pyo3"]
    tax = comparison(document, "pyo3", "instructions")
    for level in ("image", "function"):
        parents = {row["parent"] for row in rows if row["level"] == level}
        whole = sum(row["difference"] for row in rows if row["level"] == level and row["parent"] in parents)
        assert whole == pytest.approx(tax["value"] - tax["baseline_value"], abs=0.02)
    functions = {row["name"]: row["difference"] for row in rows if row["level"] == "function"}
    assert {"_PyLong_New", "_Py_NewReference", "pymalloc_alloc"} <= functions.keys(), (
        "inlined ones, which no symbol has"
    )
    assert any(row["level"] == "line" for row in rows)


def test_the_opcodes_are_those_that_dis_predicts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of one iteration of the integer loop, each as often as it stands there."""
    probe = TaxProbe(monkeypatch, tmp_path)
    options = ("--python", str(PYTHON), "--launcher", "python3", "--out", str(probe.out), *LITTLE)
    rows = opcodes(probe("opcodes", *options).document, "python3-again")
    counted = {name: row["per_iteration"] for name, row in rows.items() if row["value"] is not None}
    assert counted == pytest.approx(
        dict.fromkeys(
            (
                "BINARY_OP", "BINARY_OP_ADD_INT", "BINARY_OP_MULTIPLY_INT", "BINARY_OP_SUBTRACT_INT", "FOR_ITER",
                "JUMP_BACKWARD_QUICK", "LOAD_FAST__LOAD_CONST", "LOAD_FAST__LOAD_FAST", "STORE_FAST",
                "STORE_FAST__LOAD_FAST",
            ),
            1.0,
        ),
        abs=0.01,
    )  # fmt: skip


EXTENSION = """
#include <Python.h>
__attribute__((noinline)) static void nops(void) {{ __asm__ volatile (".rept {count}\\nnop\\n.endr"); }}
static PyObject *call(PyObject *self, PyObject *no) {{ nops(); Py_RETURN_NONE; }}
static PyMethodDef methods[] = {{{{"call", call, METH_NOARGS, NULL}}, {{NULL, NULL, 0, NULL}}}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "planted", NULL, -1, methods}};
PyMODINIT_FUNC PyInit_planted(void) {{ return PyModule_Create(&module); }}
"""
CALLS = """
import os, sys
sys.path.insert(0, os.environ.get("PLANTED", {usual!r}))
import planted
def run(m):
    call = planted.call
    for _ in range(m):
        call()
    return m
print(run(int(sys.argv[1])))
"""


@needs_gcc
def test_nops_of_an_extension_are_found_in_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: Target
) -> None:
    """A hundred in one launcher, a thousand in the other, each with the return of its function."""
    folders = {}
    for count in (100, 1000):
        folders[count] = tmp_path / str(count)
        folders[count].mkdir()
        gcc(folders[count], "planted.so", EXTENSION.format(count=count), "-O2", "-shared", "-fPIC",
            "-fcf-protection=none", f"-I{target.include_dir}", file="planted.c")  # fmt: skip
    work = tmp_path / "calls.py"
    work.write_text(CALLS.format(usual=str(folders[100])))
    probe = TaxProbe(monkeypatch, tmp_path)
    host = f"thousand=env PLANTED={folders[1000]} {target.path} {{script}} {{m}}"
    options = ("--python", target.path, "--out", str(probe.out), *LITTLE)
    ran = probe("where", *options, "--launcher", "python3", "--workload", str(work), "--host", host)
    assert ran.code == 0, ran.err
    rows = [row for row in ran.document["places"] if row["launcher"] == "thousand"]
    (kind,) = [row for row in rows if row["parent"] == "planted.so" and row["name"] == "no operation"]
    assert (kind["baseline_value"], kind["value"]) == pytest.approx((100, 1000), abs=0.01)
    (image,) = [row for row in rows if row["level"] == "image" and row["name"] == "planted.so"]
    assert image["difference"] == pytest.approx(900, abs=0.01)
    assert sum(row["difference"] for row in rows if row["level"] == "image") == pytest.approx(900, abs=0.01)


STEPPED = """
import os, signal, sys
names = {{"__name__": "stepped"}}
sys.argv = ["", "100"]
exec(compile(open({work!r}).read(), {work!r}, "exec"), names)
run = names["run"]
for m in (100, 100, 150):
    run(m)
for m in (100, 150):
    os.kill(os.getpid(), signal.SIGUSR1)
    run(m)
    os.kill(os.getpid(), signal.SIGUSR2)
"""


@needs_gcc
def test_one_step_after_the_other_counts_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: Target
) -> None:
    """By the kernel's own single steps: each instruction of the eval loop, which no heap phase moves."""
    if target.program_loads is not None:
        pytest.skip("its eval loop is in a library")
    source = Path(__file__).with_name("single_step.c")
    step = gcc(tmp_path, "single_step", source.read_text(), "-O2", file="single_step.c")
    script, output = tmp_path / "stepped.py", tmp_path / "steps"
    script.write_text(STEPPED.format(work=find_workload("int_loop").path))
    command = [str(step), str(output), target.real_path, target.real_path, "-I", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        pytest.skip(f"no single steps here: {done.stderr[-200:]}")
    stepped: dict[int, int] = defaultdict(int)
    for line in output.read_text().splitlines():
        region, address, count = map(int, line.split())
        stepped[address] += count if region else -count
    with Path(target.real_path).open("rb") as file:
        fixed = ELFFile(file)["e_type"] == "ET_EXEC"
    if not fixed:
        pytest.skip("the program lies anywhere, and its addresses are not those that it was linked for")
    probe = TaxProbe(monkeypatch, tmp_path)
    options = ("--python", target.path, "--out", str(probe.out), *LITTLE[:4], "--m", "100,150")
    assert probe("opcodes", *options, "--launcher", "python3").code == 0
    counted: dict[int, float] = defaultdict(float)
    with (probe.folder() / "profile.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            if row["launcher"] == "python3" and row["function"] == "_PyEval_EvalFrameDefault":
                counted[int(row["address"])] += float(row["executions"])
    loop = {address: count for address, count in counted.items() if round(count)}
    assert len(loop) > 100
    assert {address: stepped[address] for address in loop} == pytest.approx(loop, abs=1)
