"""Input that once ended in a traceback, each as its kind: a result, or an error with its remedy."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from profiler.analyze.rows import read_all
from profiler.collect.fingerprint import complete, gone_library, image_of
from profiler.collect.live import parse_chunk, parse_first_answer
from profiler.collect.request import checked
from profiler.collect.workplace import Workplace
from profiler.errors import UsageError, WorkloadError
from profiler.folder import ROWS, RUN, load_run
from profiler.folder.documents import disk_trouble
from profiler.guest.script import read_fingerprint
from profiler.plan.studies import STUDIES
from profiler.sources.perf_output import Asked, read
from profiler.system.cgroup import cgroup
from profiler.system.diagnose import circumstances
from profiler.system.exhausted import explained
from tests.commandline import ENTRY, GENEROUS_S, SMALL, TaxProbe, assert_refused
from tools.fault_trials.hostile import PLANTS
from tools.fault_trials.samples import result_folder

HERE = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return result_folder(tmp_path, blocks=2)


def filled(folder: Path, column: str, value: str) -> None:
    """``column`` of rows.csv holds ``value`` in each line; the lines have no marks."""
    names, *lines = (line.rpartition(",")[0].split(",") for line in (folder / ROWS).read_text().splitlines())
    at = names.index(column)
    changed = [names, *([*cells[:at], value, *cells[at + 1 :]] for cells in lines)]
    (folder / ROWS).write_text("\n".join(map(",".join, changed)) + "\n")


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["a[/b]", "$x^$", "g++"])
def test_a_name_is_shown_as_it_is(tax_probe: TaxProbe, folder: Path, name: str) -> None:
    """No markup, no mathematics; and none vanishes from the drawings."""
    PLANTS[f"a name {name!r}"](folder, folder.parent)
    ran = tax_probe("report", "-v", str(folder))
    assert ran.code == 0, ran.err
    assert name in ran.out
    assert name in (folder / "figures" / "forest.svg").read_text()


def test_an_option_that_is_no_text(tax_probe: TaxProbe) -> None:
    assert_refused(tax_probe.ipc("--host", "mine=/bin/sh \udcff {script}", "--launcher", "a\udcff"), 2)
    for options in ({"max_ratio": ["a\udcff"]}, {"precision": "\udcff"}, {"source": "\udcff"}, {"m": ["\udcff"]}):
        with pytest.raises(UsageError):
            checked(options, STUDIES["ipc"], lambda name: f"--{name}")


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[" * 100_000, b'{"schema": "tax-probe/1", "plan": 3}', b"", b"[]"])
def test_a_run_that_is_none(tax_probe: TaxProbe, folder: Path, data: bytes) -> None:
    (folder / RUN).write_bytes(data)
    assert_refused(tax_probe("report", str(folder)), 2, "is not a result folder")


@pytest.mark.parametrize("value", ["inf", "-inf", "1e400", "1e308", "word", "99999999999999999999999999"])
@pytest.mark.parametrize("column", ["block", "m", "value"])
def test_a_figure_that_is_none(folder: Path, column: str, value: str) -> None:
    filled(folder, column, value)
    with pytest.raises(UsageError, match=f"{column} holds"):
        read_all(folder)


@pytest.mark.parametrize("data", [b'"', b'a,b\n"c,d\n', b"", b"\xff\xfe\n1\n"])
def test_rows_that_are_no_table(folder: Path, data: bytes) -> None:
    (folder / ROWS).write_bytes(data)
    with pytest.raises(UsageError, match=r"rows\.csv"):
        read_all(folder)


@pytest.mark.parametrize("value", ["", "1.5"])
@pytest.mark.parametrize("column", ["block", "position", "m", "repetition"])
def test_what_every_row_has(folder: Path, column: str, value: str) -> None:
    filled(folder, column, value)
    with pytest.raises(UsageError, match=f"{column} holds"):
        read_all(folder)


@pytest.mark.parametrize("argv", [("ipc", "--experiment"), ("rebuild", "--plan")])
def test_a_toml_file_that_nests_without_end(tax_probe: TaxProbe, tmp_path: Path, argv: tuple[str, ...]) -> None:
    file = tmp_path / "deep.toml"
    file.write_text("x = " + "[" * 100_000)
    assert_refused(tax_probe(*argv, str(file)), 2, "cannot read the")


@pytest.mark.parametrize("sections", [["rebuilt"], ["sweep"], ["eliminations"], ["opcodes"], ["places"], ["causes"]])
def test_a_run_that_says_it_is_another_commands(tax_probe: TaxProbe, folder: Path, sections: list[str]) -> None:
    document = json.loads((folder / RUN).read_text())
    document["plan"]["sections"] = sections
    (folder / RUN).write_text(json.dumps(document))
    ran = tax_probe("report", str(folder))
    assert ran.code in (0, 2), ran.err


@pytest.mark.parametrize("where", ["fingerprints", "machine", "builds", "interpreters", "rebuilt", "remedy"])
def test_facts_of_another_form(tax_probe: TaxProbe, folder: Path, where: str) -> None:
    document = json.loads((folder / RUN).read_text())
    document["plan"]["sections"] = ["causes"]
    document |= {where: [{"a": [1]}] if where == "builds" else {"python3": {"images": 3, "gc_threshold": "x"}, "a": {}}}
    (folder / RUN).write_text(json.dumps(document))
    ran = tax_probe("report", str(folder))
    assert ran.code in (0, 2), ran.err


def test_an_export_is_not_written_through_a_link(tax_probe: TaxProbe, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "export").symlink_to(tmp_path / "elsewhere")
    assert_refused(tax_probe("export", "--pyperf", str(folder)), 3, "cannot write to", "link to another folder")
    assert not [*(tmp_path / "elsewhere").iterdir()]


# ---------------------------------------------------------------- hosts


@pytest.mark.parametrize(
    "line",
    [b"", b"nonsense", b"(1, 2)", b"\xff", b"(" * 500, b"('run', 3, 4)", b"(1, 2, ((3,), 4, 5), '\\ud800', None)",
     b"('a', 'b', 'c', 'd', 'e')", b"(1.5, 2, None, 'text', None)"],
)  # fmt: skip
def test_an_answer_that_is_none(line: bytes) -> None:
    for parse in (parse_first_answer, parse_chunk):
        with pytest.raises(WorkloadError, match="no answer of ours"):
            parse(line)


@pytest.mark.parametrize(
    "answer", ["[1, 2]", "{'maps': 3, 'exe': 4}", "{}", "[" * 500, "'x", "None", "{'maps': '', 'exe': '/a\\0'}"]
)
def test_a_side_file_that_is_none(tmp_path: Path, answer: str) -> None:
    side = tmp_path / "side"
    side.write_text(f"5 1 1\n{answer}\n4096 1\n")
    assert read_fingerprint(side) is None


def test_a_path_that_no_file_can_have() -> None:
    path = "/" + "a" * 5000
    maps = f"00400000-00401000 r-xp 00000000 08:01 1 {path}/libpython3.11.so.1.0\n"
    assert complete({"maps": maps, "exe": path})["images"] == {}
    gone_library({"maps": maps, "exe": path})
    assert image_of({"maps": maps, "exe": path}) is None


def test_rows_of_perf_that_nest_without_end() -> None:
    asked = (Asked(event="instructions", spec="instructions", unit="instructions"),)
    (reading,) = read(b'{"counter-value" : ' + b"[" * 100_000, asked)
    assert reading.value is None


# ---------------------------------------------------------------- the kernel


@pytest.mark.parametrize("text", ["", " x", "a\nb", "\0", "nr_throttled", "9" * 400, "-", "1 2 3", "٣ ٤"])
def test_odd_texts_of_the_kernel(tmp_path: Path, text: str) -> None:
    for name in ("proc/self/cgroup", "proc/self/mountinfo", "proc/self/status", "sys/fs/cgroup/cpu.stat",
                 "sys/fs/cgroup/cpu.max", "proc/sys/kernel/perf_event_paranoid"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    cgroup(tmp_path)
    circumstances(tmp_path)
    (tmp_path / "proc/self/cgroup").write_text(f"0::/{text}\n")
    cgroup(tmp_path)


# ---------------------------------------------------------------- what the machine runs out of


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.EROFS])
def test_what_is_exhausted_has_a_remedy(number: int) -> None:
    found = explained(OSError(number, os.strerror(number), "/somewhere"))
    assert found is not None
    assert os.strerror(number) in found.message
    assert explained(OSError(errno.ENOENT, "no such file")) is None, "whatever else is a bug of ours, and stays one"


def test_a_temporary_folder_that_fills_up_in_mid_run(tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Workplace, "placed", full)
    assert_refused(
        tax_probe.ipc(*SMALL, "--source", "software", "--blocks", "1"), 3, "No space left", "TMPDIR", "--resume"
    )


@pytest.mark.slow
def test_few_files_may_be_open(tax_probe: TaxProbe) -> None:
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))\n{ENTRY}"
    command = (
        sys.executable,
        "-c",
        limited,
        "ipc",
        "--launcher",
        "python3",
        "--source",
        "software",
        "--out",
        tax_probe.out,
    )
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=GENEROUS_S, check=False)
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr


def test_too_little_memory_is_told_at_once(tax_probe: TaxProbe, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of the analysis would wait for ever."""
    monkeypatch.setattr("resource.getrlimit", lambda which: (300 << 20, 300 << 20))
    assert_refused(tax_probe("report", str(folder)), 3, "limited to 300 MiB", "ulimit -v")


def test_a_disk_that_was_full_from_the_beginning_has_nothing_to_resume(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "--resume" not in disk_trouble(tmp_path, full).hint
    (tmp_path / RUN).touch()
    assert "--resume" in disk_trouble(tmp_path, full).hint


# ---------------------------------------------------------------- private, and how long it took


def test_private_results_are_ones_own(tax_probe: TaxProbe) -> None:
    """And how long earlier sessions took is part of the whole (W2)."""
    before = os.umask(0o022)
    try:
        ran = tax_probe.ipc(*SMALL, "--source", "software", "--blocks", "1", "--private")
    finally:
        os.umask(before)
    assert ran.code == 0, ran.err
    folder = tax_probe.folder()
    assert not [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]
    run = load_run(folder)
    assert run.measured_so_far_s is not None
    assert run.measured_s is not None
    assert 0 < run.measured_so_far_s <= run.measured_s
