"""Thread-local variables reached by a call: the verdict on planted counts, the call sites, the plan, the library."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from profiler.analyze.causes.cause_verdicts import judge
from profiler.analyze.causes.tls import callers, with_calls
from profiler.analyze.compare import Costs, cost_table
from profiler.analyze.rows import slopes
from profiler.errors import MachineError
from profiler.folder import CALLS, RowWriter
from profiler.launch.interpreters import resolve_target
from profiler.launch.relink import relinked
from profiler.model import CallRow, Cause, Run
from profiler.rebuild.plans import DEFAULT, TLS, load_plan, plan_for
from tests.builders import ROLES, launcher
from tests.unit.elf_files import LIBPYTHON, libpython, needs_gcc
from tests.unit.test_compare import M, rows
from tests.unit.test_schedule import plan
from tests.unit.test_verdicts import CLEAN, PROGRAM

INSIDE, AT_CALL, AS_OFFSET = 11, 3, 2
"""Instructions of an access on x86-64: in ``__tls_get_addr``, around its call, and in an executable."""
NET = 12
RELINKED = "runmain@relinked"
PROGRAM_COST, TAX = 1050.0, 350.0
AS_PROGRAM = "runmain-pic"
OWN = (launcher("python3", link="program", image=PROGRAM), launcher("pyo3"), launcher("runmain"))
PAIR = (launcher(AS_PROGRAM, link="pic", image="/cache/runmain"), launcher(RELINKED, base="runmain"))


def counted(instructions: float, accesses: float, inside: float = INSIDE) -> dict[str, float]:
    return {"instructions": instructions, "tls-accesses": accesses, "tls-instructions": accesses * inside}


def judged(
    cost: dict[str, dict[str, float]],
    *,
    pair: bool = False,
    known: tuple[Cause, ...] = (),
    architecture: str = "x86_64",
    calls: pd.DataFrame | None = None,
    reasons: dict[str, str] | None = None,
) -> Cause:
    frame = rows(cost, noise=lambda block, name, event: 1 + 1e-5 * (block % 3) * (event == "instructions"))
    costs = Costs(
        table=cost_table(slopes(frame)), apart=frozenset(), sources={}, reasons=reasons or {},
        fallback_source="callgrind", roles=ROLES, calls=calls,
    )  # fmt: skip
    launchers = OWN + (PAIR if pair else ())
    run = Run(
        schema="tax-probe/1",
        command="variants",
        argv=(),
        started_utc="",
        target=None,  # type: ignore[arg-type] # the analysis does not look at it
        plan=msgspec.structs.replace(plan(), launchers=launchers, source="callgrind"),
        source_sentence="",
        missing=(),
        machine={"architecture": architecture},
        interpreters={},
        builds=(),
        fingerprints={one.name: CLEAN for one in launchers},
        warnings=(),
        measured_s=1.0,
        known_causes=known,
    )
    return next(one for one in judge(costs, run)[0] if one.cause == "tls" and one.launcher == "pyo3")


def two_sides(accesses: float, base: float = 0.0, inside: float = INSIDE) -> dict[str, dict[str, float]]:
    return {
        "python3": counted(PROGRAM_COST, base, inside),
        "pyo3": counted(PROGRAM_COST + TAX, accesses, inside),
        "runmain": counted(PROGRAM_COST + TAX, accesses, inside),
    }


@pytest.mark.parametrize("accesses", [8.0, 10.0, 2.5])
def test_twelve_instructions_net_an_access(accesses: float) -> None:
    found = judged(two_sides(accesses))
    assert found.share == pytest.approx(NET * accesses / TAX, rel=1e-3)
    assert (found.status, found.strength) == ("confirmed", "correlated")
    assert found.share is not None
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo <= found.share <= found.hi
    assert f"{accesses:.1f} accesses an iteration" in found.evidence
    assert "12.0 net" in found.evidence


def test_what_is_counted_inside_is_no_constant() -> None:
    """Another glibc, or a variable that takes the slow path."""
    found = judged(two_sides(8.0, inside=40))
    assert found.share == pytest.approx((40 + AT_CALL - AS_OFFSET) * 8 / TAX, rel=1e-3)


def test_a_baseline_with_accesses_of_its_own_has_its_part_of_them() -> None:
    assert judged(two_sides(8.0, base=6.0)).share == pytest.approx(NET * 2 / TAX, rel=1e-3)


def test_without_accesses_it_is_refuted_by_count() -> None:
    found = judged(two_sides(0.0))
    assert (found.status, found.strength, found.share) == ("refuted", "correlated", 0.0)
    assert found.evidence.startswith("0.0 accesses an iteration in either")


def test_of_a_machine_whose_code_sequence_is_not_known_only_what_is_counted_is_claimed() -> None:
    found = judged(two_sides(8.0), architecture="riscv64")
    assert found.share == pytest.approx(INSIDE * 8 / TAX, rel=1e-3)
    assert "net" not in found.evidence


def test_the_same_objects_both_ways_make_it_an_intervention() -> None:
    """Then what an access costs is measured, whatever a model says: here 13."""
    both = {AS_PROGRAM: counted(1200.0, 0.0), RELINKED: counted(1200.0 + 13 * 8, 8.0)}
    found = judged(two_sides(8.0) | both, pair=True)
    assert (found.status, found.strength) == ("confirmed", "intervened")
    assert found.share == pytest.approx(13 * 8 / TAX, rel=1e-3)
    assert "13.0 each, measured" in found.evidence


def cause(status: Any, share: float | None = 0.3) -> Cause:
    return Cause(
        cause="tls", launcher="pyo3", status=status, strength="intervened", share=share, lo=share, hi=share,
        evidence="rebuilt",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "accesses", "expected", "share"),
    [
        ("confirmed", 8.0, "confirmed", 0.3),
        ("refuted", 8.0, "refuted", 0.3),
        ("unresolved", 8.0, "confirmed", NET * 8 / TAX),
    ],
)
def test_what_rebuild_found_stands_over_a_count_where_it_decides(
    status: Any, accesses: float, expected: str, share: float
) -> None:
    found = judged(two_sides(accesses), known=(cause(status),))
    assert found.status == expected
    assert found.share == pytest.approx(share, rel=1e-3)
    assert "rebuilt" in found.evidence
    assert "accesses an iteration" in found.evidence


def test_the_pair_of_this_run_stands_beside_what_rebuild_found() -> None:
    both = {AS_PROGRAM: counted(1200.0, 0.0), RELINKED: counted(1200.0 + 12 * 8, 8.0)}
    found = judged(two_sides(8.0) | both, pair=True, known=(cause("confirmed"),))
    assert found.share == pytest.approx(NET * 8 / TAX, rel=1e-3)
    assert found.evidence.endswith("rebuilt")


def test_where_valgrind_names_no_function_it_is_not_tested_and_says_why() -> None:
    cost = {name: {"instructions": one["instructions"]} for name, one in two_sides(8.0).items()}
    found = judged(cost, reasons={"tls-accesses": "valgrind shows no names"})
    assert (found.status, found.evidence) == ("not-tested", "valgrind shows no names")


def test_a_folder_of_before_is_judged_as_before() -> None:
    cost = {name: {"instructions": one["instructions"]} for name, one in two_sides(8.0).items()}
    assert judged(cost).status == "not-tested"


# ---------------------------------------------------------------- call sites


def call(caller: str, m: int, calls: int, block: int = 0, name: str = "pyo3") -> CallRow:
    return CallRow(
        block=block, pass_name="counted", launcher=name, m=m, repetition=0, callee="__tls_get_addr", caller=caller,
        image="/usr/lib/libpython.so", calls=calls,
    )  # fmt: skip


def test_call_sites_are_told_by_the_iteration(tmp_path: Path) -> None:
    lo, hi = M
    writer = RowWriter(tmp_path)
    for block in range(2):
        at = [call("PyObject_Free", m, 5000 + 4 * m, block) for m in M]
        at += [call("PyObject_Malloc", m, 4000 + 3 * m, block) for m in M]
        writer.append([], [*at, call("start-up only", lo, 9000, block), call("PyObject_Free", hi, 1, block, "runmain")])
    # The process was interrupted before its rows were written, and ran again; a line was torn.
    writer.append([], [call("PyObject_Free", hi, 5000 + 4 * hi)])
    with (tmp_path / CALLS).open("a") as file:
        file.write("0,counted,pyo3,1")
    RowWriter(tmp_path)
    empty = Costs(
        table=pd.DataFrame(), apart=frozenset(), sources={}, reasons={}, fallback_source="callgrind", roles=ROLES
    )
    calls = with_calls(empty, tmp_path).calls
    assert calls is not None
    assert callers(calls, "pyo3").to_dict() == pytest.approx({"PyObject_Free": 4.0, "PyObject_Malloc": 3.0})
    told = judged(two_sides(7.0), calls=calls).evidence
    assert "called from PyObject_Free 4.0, PyObject_Malloc 3.0 an iteration" in told


def test_a_folder_without_call_sites_is_read(tmp_path: Path) -> None:
    empty = Costs(
        table=pd.DataFrame(), apart=frozenset(), sources={}, reasons={}, fallback_source="callgrind", roles=ROLES
    )
    assert with_calls(empty, tmp_path).calls is None


# ---------------------------------------------------------------- the plan and the library


@needs_gcc
def test_the_plan_fits_the_library(tmp_path: Path) -> None:
    threaded = f"__thread int state; int *current(void) {{ return &state; }}\n{LIBPYTHON}"
    path, why = plan_for(str(libpython(tmp_path, source=threaded)))
    assert path == TLS
    assert "take a call" in why
    assert "tls" in {factor.name for factor in load_plan(path).factors}
    assert plan_for(str(libpython(tmp_path, "-ftls-model=initial-exec", source=threaded)))[0] == DEFAULT
    assert plan_for(str(libpython(tmp_path)))[0] == DEFAULT


CORE = """\
void *PyExc_ImportError;
void PyErr_SetString(void *kind, const char *said) { (void)kind; (void)said; }
static __thread int state;
int *current(void) { return &state; }
void *PyInit_math(void);
int main_of_tests(void) { *current() = 7; return PyInit_math() == 0 ? *current() : 0; }
"""


@pytest.mark.skipif(not (shutil.which("gcc") and shutil.which("ar")), reason="no gcc and ar")
@pytest.mark.parametrize("lacks", [False, True], ids=["whole", "lacks objects"])
def test_the_objects_of_an_archive_become_a_library_of_the_same_soname(tmp_path: Path, lacks: bool) -> None:
    module = "int lost(void); void *PyInit_math(void) { return lost() ? (void *)0 : (void *)0; }\n"
    sources = {"core": CORE, "mathmodule": module if lacks else module + "int lost(void) { return 0; }\n"}
    for name, text in sources.items():
        (tmp_path / f"{name}.c").write_text(text)
        run("gcc", "-O2", "-fPIC", "-c", f"{name}.c", cwd=tmp_path)
    run("ar", "rcs", "libpython3.11-pic.a", *(f"{name}.o" for name in sources), cwd=tmp_path)
    target = msgspec.structs.replace(
        resolve_target(None),
        pic_library=str(tmp_path / "libpython3.11-pic.a"),
        shared_library=str(libpython(tmp_path)),
    )
    library = relinked(target, cache_dir=tmp_path / "cache")
    assert library.name == "libpython3.11.so.1.0"
    assert "__tls_get_addr" in run("nm", "-D", str(library), cwd=tmp_path), "its variables still take a call"
    answer = f"import ctypes; print(ctypes.CDLL({str(library)!r}).main_of_tests())"
    assert run(sys.executable, "-c", answer, cwd=tmp_path).strip() == "7"
    stamp = library.stat().st_mtime_ns
    assert relinked(target, cache_dir=tmp_path / "cache").stat().st_mtime_ns == stamp, "taken from the cache"


@pytest.mark.skipif(not (shutil.which("gcc") and shutil.which("ar")), reason="no gcc and ar")
def test_objects_that_cannot_be_linked_fail_in_one_line_that_names_the_log(tmp_path: Path) -> None:
    (tmp_path / "core.c").write_text("int nowhere(void); int here(void) { return nowhere(); }\n")
    run("gcc", "-fPIC", "-c", "core.c", cwd=tmp_path)
    run("ar", "rcs", "libpython3.11-pic.a", "core.o", cwd=tmp_path)
    target = msgspec.structs.replace(
        resolve_target(None),
        pic_library=str(tmp_path / "libpython3.11-pic.a"),
        shared_library=str(libpython(tmp_path)),
    )
    with pytest.raises(MachineError, match="nowhere") as refused:
        relinked(target, cache_dir=tmp_path / "cache")
    assert "\n" not in refused.value.message
    log = Path((refused.value.hint or "").rpartition(" ")[2])
    assert "nowhere" in log.read_text()


def run(*command: str, cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=60).stdout
