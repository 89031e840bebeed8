"""Whatever it is given to speak through, and whoever asks: an answer or a remedy, never a traceback."""

import json
import os
import pwd
import shutil
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.launch.cargo import find_cargo
from profiler.launch.interpreters import find_targets, resolve_target
from profiler.rebuild.build_cache import default_cache
from profiler.system.home import cache_folder, expanded, home_folder
from tests.commandline import SMALL, TaxProbe, assert_refused, in_a_process, script

ONE_BLOCK = (*SMALL, "--source", "software", "--blocks", "1")
LOOP = "import sys\nn = 0\nfor i in range(int(sys.argv[1])):\n    n += i\nprint(n)\n"
NOT_UTF8 = os.fsdecode(b"\xff")
PROGRAM = resolve_target(None).real_path

RESULTS = Path(__file__).parents[2] / "results"
INSPECT = ("inspect", PROGRAM)
ANSWERS = pytest.mark.parametrize("argv", [INSPECT, (*INSPECT, "--format", "json"), ("ipc", "-h")])


@ANSWERS
def test_an_answer_that_does_not_fit_the_disk(argv: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = in_a_process(*argv, stdout=full)
    assert_refused(ran, 3, "cannot write the answer to stdout", "make room")


@ANSWERS
def test_a_reader_that_leaves_at_once_is_no_failure(argv: tuple[str, ...]) -> None:
    read, write = os.pipe()
    with open(write, "w") as pipe:  # noqa: PTH123
        os.close(read)
        ran = in_a_process(*argv, stdout=pipe)
    assert (ran.code, ran.err) == (0, "")


def test_a_gate_holds_though_nobody_reads_the_answer(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    shutil.copytree(RESULTS / "variants-int_loop", folder)
    read, write = os.pipe()
    with open(write, "w") as pipe:  # noqa: PTH123
        os.close(read)
        ran = in_a_process("report", str(folder), "--max-ratio", "instructions=1.01", stdout=pipe)
    assert ran.code == 6, ran.err


@ANSWERS
@pytest.mark.parametrize("closed", [(1,), (0, 1, 2)])
def test_streams_that_are_closed(argv: tuple[str, ...], closed: tuple[int, ...]) -> None:
    before = "import os, sys\n" + "".join(f"os.close({number})\n" for number in closed)
    ran = in_a_process(*argv, before=before)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_of_few_characters(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    monkeypatch.setenv("PYTHONUTF8", "0")
    ran = in_a_process("ipc", "-h", encoding="utf-8", errors="replace")
    assert ran.code == 0, ran.err
    assert "--max-ratio" in ran.out


@pytest.mark.parametrize("width", ["1", "0", "-5", "many", ""])
def test_a_terminal_of_any_width(monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    ran = in_a_process(*INSPECT)
    assert ran.code == 0, ran.err


def test_a_full_stderr_ends_no_run(tax_probe: TaxProbe) -> None:
    with Path("/dev/full").open("w") as full:
        ran = in_a_process("ipc", *ONE_BLOCK, "--out", str(tax_probe.out), "--format", "json", stderr=full)
    assert ran.code == 0
    assert json.loads(ran.out)["command"] == "ipc"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    before = f"import os\nos.chdir({str(gone)!r})\nos.rmdir({str(gone)!r})\n"
    assert_refused(in_a_process("ipc", *ONE_BLOCK, before=before), 2, "the current folder does not exist any more")


# ---------------------------------------------------------------- names that are no UTF-8


def test_a_file_whose_name_is_no_utf_8_is_inspected(tax_probe: TaxProbe, tmp_path: Path) -> None:
    copy = tmp_path / f"python{NOT_UTF8}"
    shutil.copy(PROGRAM, copy)
    ran = tax_probe("inspect", "--format", "json", str(copy))
    assert ran.code == 0, ran.err
    assert ran.document["programs"][0]["path"] == f"{tmp_path}/python\\xff"


def test_a_workload_and_results_whose_names_are_no_utf_8(tax_probe: TaxProbe, tmp_path: Path) -> None:
    folder = tmp_path / f"work{NOT_UTF8}"
    folder.mkdir()
    ran = tax_probe("ipc", *ONE_BLOCK, "--workload", script(folder, LOOP), "--out", str(folder), "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.document["workload"]["name"] == "load"


def test_a_host_whose_name_is_no_text(tax_probe: TaxProbe) -> None:
    assert_refused(tax_probe.ipc("--host", f"x{NOT_UTF8}={PROGRAM} {{script}} {{m}}"), 2, "is not NAME=CMD")


# ---------------------------------------------------------------- users without a home


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a number that a container was started with: no HOME and no entry in passwd."""

    def unknown(_: object) -> None:
        raise KeyError

    for name in [name for name in os.environ if name.startswith("XDG_") or name in {"HOME", "CARGO_HOME"}]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwnam", unknown)


@pytest.mark.usefixtures("homeless")
def test_who_has_no_home_can_measure(tax_probe: TaxProbe) -> None:
    assert not home_folder().exists()
    assert expanded("~/x") == Path("~/x")
    assert find_targets()
    assert tax_probe.ipc(*ONE_BLOCK).code == 0


@pytest.mark.usefixtures("homeless")
def test_who_has_no_home_is_asked_for_a_place_for_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no place for builds") as refused:
        cache_folder()
    assert "XDG_CACHE_HOME" in refused.value.hint
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache().folder == tmp_path / "tax-probe" / "rebuild"


@pytest.mark.usefixtures("homeless")
def test_cargo_is_looked_for_without_a_home() -> None:
    try:
        find_cargo()
    except MachineError as error:
        assert "cargo" in error.message  # noqa: PT017 - a machine may have none


def test_a_cache_that_cannot_be_written_is_needed_for_builds_alone(
    tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert tax_probe.ipc(*ONE_BLOCK).code == 0
