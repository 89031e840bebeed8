"""Workloads as people have them: arguments, input, packages of a virtual environment, processes of their own."""

import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from profiler.folder import load_run
from profiler.launch.interpreters import resolve_target
from tests.commandline import SMALL, Ran, TaxProbe, assert_refused, reading_keys, rows, script

FIELD = Path(__file__).parents[1] / "data" / "field" / "workloads"
PLAN = (*SMALL, "--source", "software", "--blocks", "1")
TEXT = "to be\nor not to be\nthat is the question\n"
ARRAY = (
    "class Array(list):\n"
    "    def __mul__(self, by): return Array(one * by for one in self)\n"
    "    def sum(self): return sum(self)\n"
    "def arange(n, dtype): return Array(dtype(one) for one in range(n))\n"
)
"""What ``npy.py`` needs of numpy."""


def printed(folder: Path) -> dict[int, set[str]]:
    """M → hashes of all outputs at it."""
    found: dict[int, set[str]] = {}
    for row in rows(folder):
        found.setdefault(int(row["m"]), set()).add(row["output_sha256"])
    return found


def digest(text: object) -> set[str]:
    return {sha256(f"{text}\n".encode()).hexdigest()}


def measured(tax_probe: TaxProbe, *argv: str) -> Path:
    before = set(tax_probe.folders())
    ran = tax_probe.ipc(*PLAN, *argv)
    assert ran.code == 0, ran.err
    (folder,) = set(tax_probe.folders()) - before
    return folder


# ---------------------------------------------------------------- arguments


def test_a_script_has_m_first_and_its_own_arguments_after_it(tax_probe: TaxProbe) -> None:
    folder = measured(tax_probe, "--workload", str(FIELD / "args.py"), "--workload-args", "--size 7")
    assert printed(folder) == {m: digest(sum(i % 7 for i in range(m))) for m in (5, 10)}
    workload = load_run(folder).plan.workload
    assert (workload.name, workload.arguments) == ("args --size 7", ("--size", "7"))
    assert "args --size 7" in (folder / "report.html").read_text()


@pytest.mark.once
@pytest.mark.parametrize("written", ["--size=7", "--seed=7", "-s 7", "--size 7 --m 4", "'a b' \"\""])
def test_arguments_that_look_like_our_options_are_the_scripts(
    tax_probe: TaxProbe, tmp_path: Path, written: str
) -> None:
    shows = script(tmp_path, "import sys\nprint(sys.argv[2:], sum(range(int(sys.argv[1]))))\n")
    for words in (("--workload-args", written), (f"--workload-args={written}",)):
        folder = measured(tax_probe, "--workload", shows, *words)
        own = list(load_run(folder).plan.workload.arguments)
        assert printed(folder) == {m: digest(f"{own} {sum(range(m))}") for m in (5, 10)}


def test_the_next_command_and_the_repeated_one_have_them_too(tax_probe: TaxProbe, tmp_path: Path) -> None:
    (tmp_path / "in put").write_text(TEXT)
    asked = ("--workload-args", "--size 7", "--stdin", str(tmp_path / "in put"))
    folder = measured(tax_probe, "--workload", str(FIELD / "args.py"), *asked)
    said = f"--workload-args '--size 7' --stdin '{tmp_path / 'in put'}'"
    assert said in " ".join(tax_probe("report", str(folder)).out.split())
    assert said in (folder / "finding.md").read_text()


def test_a_script_for_pyperf_takes_them_as_its_own(tax_probe: TaxProbe, tmp_path: Path) -> None:
    text = (
        "import pyperf, sys\nrunner = pyperf.Runner()\nrunner.argparser.add_argument('--size', type=int)\n"
        "print(runner.parse_args().size, sys.argv[1:])\nrunner.bench_func('b', sum, [1, 2])\n"
    )
    folder = measured(tax_probe, "--workload", f"{script(tmp_path, text)}:b", "--workload-args", "--size 9")
    pyperf = load_run(folder).plan.workload.pyperf
    assert pyperf is not None
    assert (pyperf.benchmark, pyperf.arguments) == ("b", ("--size", "9"))
    assert printed(folder)[5] == digest("9 ['--size', '9']\n5 loops of b")


@pytest.mark.once
def test_runs_with_other_arguments_are_of_other_work(tax_probe: TaxProbe, tmp_path: Path) -> None:
    args = str(FIELD / "args.py")
    one, two = (measured(tax_probe, "--workload", args, "--workload-args", f"--size {size}") for size in (7, 8))
    assert_refused(tax_probe("compare", str(one), str(two)), 2, "args --size 7", "args --size 8")
    (tmp_path / "words").write_text(TEXT)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "words").write_text(TEXT * 2)
    read = str(FIELD / "stdin.py")
    files = [tmp_path / "words", tmp_path / "more" / "words"]
    one, two = (measured(tax_probe, "--workload", read, "--stdin", str(file)) for file in files)
    assert_refused(tax_probe("compare", str(one), str(two)), 2, "another file on stdin")
    assert tax_probe("compare", str(one), str(one)).code == 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--workload-args", "'--size 7"], ["--workload-args: No closing quotation"]),
        (["--workload", "int_loop", "--workload-args", "7"], ["int_loop takes M alone", "--workload FILE.py"]),
        (["--stdin", "/dev/null"], ["int_loop takes M alone", "reads nothing"]),
        (["--workload", str(FIELD / "stdin.py"), "--stdin", "/nonexistent"], ["/nonexistent is not there"]),
        (["--workload", str(FIELD / "stdin.py"), "--stdin", "/etc"], ["/etc is no regular file"]),
        (["--workload", str(FIELD / "stdin.py"), "--stdin", "/dev/zero"], ["is no regular file", "save it as a file"]),
        (["--workload", f"{FIELD / 'args.py'} --size 7"], ["makes no pyperf.Runner", "--workload-args '--size 7'"]),
    ],
)
def test_what_cannot_be_is_refused_beforehand(tax_probe: TaxProbe, argv: list[str], words: list[str]) -> None:
    assert_refused(tax_probe.ipc(*PLAN, *argv), 2, *words)
    assert not tax_probe.folders()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused_beforehand(tax_probe: TaxProbe, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.touch(mode=0)
    ran = tax_probe.ipc(*PLAN, "--workload", str(FIELD / "stdin.py"), "--stdin", str(file))
    assert_refused(ran, 2, "is not readable for you")


# ---------------------------------------------------------------- input


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("stdin.py", lambda m: sum(len(TEXT) + i for i in range(m))),
        ("lines.py", lambda m: len(TEXT.split()) * m),
        ("raw.py", lambda m: sum(TEXT.encode()[i % len(TEXT)] for i in range(m))),
    ],
)
def test_every_process_and_every_chunk_reads_the_file_from_its_beginning(
    tax_probe: TaxProbe, tmp_path: Path, name: str, work: Callable[[int], int]
) -> None:
    file = tmp_path / "words.txt"
    file.write_text(TEXT)
    asked = ("--workload", str(FIELD / name), "--stdin", str(file))
    whole = measured(tax_probe, *asked)
    chunks = measured(tax_probe, *asked, "--precision", "50", "--metric", "task-clock")
    for folder in (whole, chunks):
        read = load_run(folder).plan.workload.stdin
        assert read is not None
        assert (read.path, {read.sha256}) == (str(file), {sha256(TEXT.encode()).hexdigest()})
        assert printed(folder).items() <= {m: digest(work(m)) for m in (5, 10)}.items()
        assert printed(folder)
    # What is written past sys.stdout is seen of whole processes alone.
    assert {row["kind"] for row in rows(chunks)} == ({"whole"} if name == "raw.py" else {"chunks"})


@pytest.mark.parametrize("which", ["load.py", "words.txt"])
def test_a_run_whose_work_has_changed_is_not_gone_on_with(tax_probe: TaxProbe, tmp_path: Path, which: str) -> None:
    load = script(tmp_path, (FIELD / "stdin.py").read_text())
    (tmp_path / "words.txt").write_text(TEXT)
    folder = measured(tax_probe, "--workload", load, "--stdin", str(tmp_path / "words.txt"))
    keys, text = reading_keys(folder), (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text[: len(text) // 2])
    assert tax_probe.ipc("--resume", str(folder)).code == 0
    assert reading_keys(folder) == keys
    assert len({row["output_sha256"] for row in rows(folder)}) == 2
    with (tmp_path / which).open("a") as file:
        file.write("\n")
    assert_refused(tax_probe.ipc("--resume", str(folder)), 2, which, "has changed since this run began")
    (tmp_path / which).unlink()
    assert_refused(tax_probe.ipc("--resume", str(folder)), 2, which, "or is gone")


def test_a_script_may_take_m_from_the_environment(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """Whatever way the launcher hands it on: as an argument alone, with the environment cleared."""
    cleared = f"cleared=/usr/bin/env -i {resolve_target(None).real_path} {{script}} {{m}}"
    folder = measured(tax_probe, "--workload", str(FIELD / "env.py"), "--host", cleared)
    assert printed(folder) == {m: digest(sum(i % 3 for i in range(m))) for m in (5, 10)}
    assert "cleared" in {row["launcher"] for row in rows(folder)}


def test_work_that_ignores_m_is_told_of_both_ways(tax_probe: TaxProbe) -> None:
    ran = tax_probe.ipc(*PLAN, "--workload", str(FIELD / "ignoresm.py"))
    assert_refused(ran, 4, "the work of ignoresm does not grow with M", "sys.argv[1]", "TAX_PROBE_M")


# ---------------------------------------------------------------- packages


def environment(folder: Path, *, system: bool = False, packages: bool = True) -> Path:
    """A virtual environment of the target, with a package and one that is installed for editing; its python."""
    target = resolve_target(None)
    minor = "python" + ".".join(target.version.split(".")[:2])
    python, site = folder / "bin" / "python", folder / "lib" / minor / "site-packages"
    for place in (python.parent, site / "numpy", folder / "source"):
        place.mkdir(parents=True)
    for name in ("python", "python3"):
        (python.parent / name).symlink_to(target.real_path)
    home = Path(target.real_path).parent
    (folder / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = {str(system).lower()}\n")
    if packages:
        (site / "numpy" / "__init__.py").write_text(ARRAY)
        (site / "edited.pth").write_text(f"{folder / 'source'}\n")
        (folder / "source" / "edited.py").write_text("def work(m): return sum(i % 5 for i in range(m))\n")
    return python


def test_the_environment_of_the_python_that_was_named(tax_probe: TaxProbe, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    host = f"mine={python} {{script}} {{m}}"
    folder = measured(tax_probe, "--python", str(python), "--host", host, "--workload", str(FIELD / "npy.py"))
    run = load_run(folder)
    assert (run.target.real_path, run.target.venv_program) == (resolve_target(None).real_path, str(python))
    assert {row["launcher"] for row in rows(folder)} == {"python3", "python3-again", "mine"}
    assert {one["prefix"] for one in run.fingerprints.values()} == {str(tmp_path / "venv")}
    assert "in the virtual environment venv." in " ".join(tax_probe("report", str(folder)).out.split())
    assert f"in the virtual environment of {python}" in (folder / "finding.md").read_text().replace("\\", "")


@pytest.mark.parametrize("system", [False, True])
def test_editable_packages_and_those_of_the_system(tax_probe: TaxProbe, tmp_path: Path, system: bool) -> None:
    python = environment(tmp_path / "venv", system=system)
    load = script(tmp_path, "import edited, site, sys\nprint(edited.work(int(sys.argv[1])), len(set(site.PREFIXES)))\n")
    folder = measured(tax_probe, "--python", str(python), "--workload", load)
    assert printed(folder) == {m: digest(f"{sum(i % 5 for i in range(m))} {1 + system}") for m in (5, 10)}


def refused(tax_probe: TaxProbe, *argv: str, plan: tuple[str, ...] = PLAN) -> Ran:
    return tax_probe.ipc(*plan, "--workload", str(FIELD / "npy.py"), *argv)


@pytest.mark.parametrize("plan", [PLAN, ("--launcher", "python3", "--source", "software")], ids=["check", "calibrate"])
def test_a_module_that_the_target_lacks(tax_probe: TaxProbe, tmp_path: Path, plan: tuple[str, ...]) -> None:
    python = environment(tmp_path / "venv", packages=False)
    (tmp_path / "venv" / "lib").rename(tmp_path / "venv" / "nothing")
    ran = refused(tax_probe, "--python", str(python), plan=plan)
    assert_refused(ran, 4, f"python3 ({python}) has no module numpy", "--python VENV/bin/python")


def test_a_module_that_a_host_alone_lacks_is_no_fault_of_the_work(tax_probe: TaxProbe, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    host = f"bare={resolve_target(None).real_path} -S {{script}} {{m}}"
    ran = refused(tax_probe, "--python", str(python), "--host", host)
    (found,) = (tmp_path / "venv").glob("lib/*/site-packages/numpy/__init__.py")
    assert_refused(
        ran, 4, f"bare finds no module numpy, which python3 has in {found}", "the environment of bare", "install numpy"
    )


# ---------------------------------------------------------------- processes of its own, and a host's own words


@pytest.mark.parametrize(
    ("name", "work"),
    [("mpspawn.py", lambda m: 2 * sum(i % 5 for i in range(m))), ("fork.py", lambda m: sum(range(m)))],
)
def test_work_in_other_processes_is_measured_in_whole_ones(
    tax_probe: TaxProbe, name: str, work: Callable[[int], int]
) -> None:
    folder = measured(tax_probe, "--workload", str(FIELD / name), "--precision", "50", "--metric", "task-clock")
    assert printed(folder) == {m: digest(work(m)) for m in (5, 10)}
    assert {row["kind"] for row in rows(folder)} == {"whole"}
    said = [one.message for one in load_run(folder).warnings if one.code == "no-chunks"]
    assert said
    assert all("the work starts other processes" in one and "Traceback" not in one for one in said)


def test_a_host_that_draws_on_stdout_is_measured(tax_probe: TaxProbe, tmp_path: Path) -> None:
    """As an editor or a server does: its own sys.stdout, a banner, and words after the work."""
    host = tmp_path / "host.py"
    host.write_text(
        "import os, runpy, sys\n"
        "class Screen:\n"
        "    def write(self, text): os.write(1, b'\\33[7m' + text.encode() + b'\\33[0m')\n"
        "    def flush(self): pass\n"
        "print('banner', flush=True)\nsys.stdout, sys.argv = Screen(), sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\nprint('ended')\n"
    )
    draws = f"draws={sys.executable} {host} {{script}} {{m}}"
    python = ("--python", str(Path(sys.executable).resolve()))
    folder = measured(tax_probe, *python, "--workload", str(FIELD / "args.py"), "--workload-args", "--size 3",
                      "--host", draws)  # fmt: skip
    assert printed(folder) == {m: digest(sum(i % 3 for i in range(m))) for m in (5, 10)}
