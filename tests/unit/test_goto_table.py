"""The table of computed gotos: planted in files that gcc links, and that of the interpreter which runs this test."""

import sys
from pathlib import Path

import pytest

from profiler.launch.binaries.elf import holds_eval_loop
from profiler.launch.binaries.goto_table import goto_tables
from tests.unit.elf_files import gcc, needs_gcc

OPCODES = 120
NAMES = {number: f"OP_{number}" for number in range(OPCODES)}


def loop(*, dispatch: bool = True) -> str:
    """An eval loop with as many opcodes as ``OPCODES``, by computed gotos or a switch."""
    bodies = [f"y = y * {number + 3} + {7 * number + 1};" for number in range(OPCODES)]
    if not dispatch:
        cases = "".join(f"case {number}: {body} break;" for number, body in enumerate(bodies))
        return f"int run(const unsigned char *p, int y) {{ for (;;) switch (*p++) {{ {cases} default: return y; }} }}"
    slots = ", ".join(f"&&L{number}" if number < OPCODES else "&&unknown" for number in range(256))
    labels = "".join(f"L{number}: {body} goto *table[*p++];" for number, body in enumerate(bodies))
    return (
        f"int run(const unsigned char *p, int y) {{ static const void *const table[256] = {{ {slots} }};"
        f"goto *table[*p++]; {labels} unknown: return y; }}"
    )


def names_of(path: Path, names: dict[int, str]) -> list[set[str]]:
    return [{name for own in table.entries.values() for name in own} for table in goto_tables(str(path), names)]


@needs_gcc
@pytest.mark.parametrize(
    "options",
    [
        ("-shared", "-fPIC"),
        ("-no-pie",),
        ("-pie", "-fPIE"),
        ("-no-pie", "-s"),
        ("-shared", "-fPIC", "-Wl,-z,pack-relative-relocs"),
    ],
    ids=" ".join,
)
def test_a_table_is_found_however_it_is_linked(tmp_path: Path, options: tuple[str, ...]) -> None:
    source = loop() + "\nint main(int n, char **v) { return run((const unsigned char *)v[0], n); }\n"
    path = gcc(tmp_path, "loop", source, "-O2", "-fno-gcse", *options)
    assert names_of(path, NAMES) == [set(NAMES.values())]


@needs_gcc
def test_each_opcode_begins_at_its_own_code(tmp_path: Path) -> None:
    path = gcc(tmp_path, "loop", loop(), "-O2", "-fno-gcse", "-shared", "-fPIC")
    (table,) = goto_tables(str(path), NAMES)
    assert len(table.entries) == OPCODES
    assert all(len(own) == 1 for own in table.entries.values())


@needs_gcc
def test_a_switch_has_no_such_table(tmp_path: Path) -> None:
    assert goto_tables(str(gcc(tmp_path, "loop", loop(dispatch=False), "-O2", "-shared", "-fPIC")), NAMES) == ()


@needs_gcc
def test_names_that_do_not_fit_find_nothing(tmp_path: Path) -> None:
    """Of another version: other slots are empty."""
    path = gcc(tmp_path, "loop", loop(), "-O2", "-fno-gcse", "-shared", "-fPIC")
    assert goto_tables(str(path), {number + 40: name for number, name in NAMES.items()}) == ()
    assert goto_tables(str(path), {}) == ()


def test_the_interpreter_that_runs_this_has_one() -> None:
    import dis
    import opcode

    numbers = opcode.opmap | getattr(opcode, "_specialized_opmap", {}) | getattr(dis, "_all_opmap", {})
    program = Path(sys.executable).resolve()
    if not holds_eval_loop(str(program)):
        pytest.skip("its eval loop is in a library")
    own = {number: name for name, number in numbers.items() if number < 256}
    (found,) = names_of(program, own)
    assert {"LOAD_FAST", "STORE_FAST", "RETURN_VALUE", "FOR_ITER"} <= found
    assert len(found) >= len(own) - 2
