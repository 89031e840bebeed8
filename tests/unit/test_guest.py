"""What runs inside the target's process: plain text for any CPython from 3.8 on."""

import ast
import os
import re
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import msgspec
import pytest

from profiler import guest
from profiler.catalogue.heap import MIB, POOL_BYTES, SIZE_CLASSES
from profiler.guest import script
from profiler.model import PyperfScript, Workload
from profiler.plan.schedule import draw_blocks

GUEST = Path(guest.__file__).parent
BLOCK = draw_blocks(1, 1)[0]
OLDEST = (3, 8)


def workload(path: Path) -> Workload:
    return Workload(name="w", path=str(path), counts_m=None, timed_m=None)


def for_pyperf(path: Path) -> Workload:
    return msgspec.structs.replace(workload(path), pyperf=PyperfScript(benchmark="b", arguments=("--a", "1")))


def older_pythons() -> dict[tuple[int, ...], str]:
    """The Pythons ≥ 3.8 on this machine that are older than what tax-probe itself needs, by version."""
    patterns = ("/usr/bin/python3.?", "/usr/bin/python3.??", "/usr/local/bin/python3.?", "/usr/local/bin/python3.??")
    found = [str(path) for pattern in patterns for path in Path("/").glob(pattern[1:])]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found += map(str, root.glob("versions/*/bin/python"))
    versions = {}
    for path in filter(shutil.which, found):
        asked = [path, "-c", "import sys; print(*sys.version_info[:2])"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=20).stdout.split()
        if len(told) == 2 and OLDEST <= (version := tuple(map(int, told))) < (3, 11):
            versions[version] = path
    return versions


@pytest.mark.parametrize("name", ["placed.py", "server.py", "probe.py", "pyperf_script.py"])
def test_the_oldest_python_reads_it(name: str) -> None:
    ast.parse((GUEST / name).read_text(), feature_version=OLDEST)


@pytest.mark.parametrize("name", ["placed.py", "server.py", "probe.py", "pyperf_script.py"])
def test_it_needs_nothing_of_ours(name: str) -> None:
    assert not re.search(r"^\s*(from|import) profiler", (GUEST / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize("text", [script.PLACED, script.PYPERF_SCRIPT], ids=lambda path: path.name)
def test_the_names_that_are_put_in_are_those_of_the_marked_lines(tmp_path: Path, text: Path) -> None:
    of, given = {
        script.PLACED: ("block", list(script.values(BLOCK, workload(tmp_path), tmp_path))),
        script.PYPERF_SCRIPT: ("workload", list(script.pyperf_values(for_pyperf(tmp_path)))),
    }[text]
    lines = text.read_text().splitlines()
    begin = lines.index(f"# Values of one {of}: begin.")
    marked = list(takewhile(lambda line: line != f"# Values of one {of}: end.", lines[begin + 1 :]))
    assigned = [node.targets[0] for node in ast.parse("\n".join(marked)).body if isinstance(node, ast.Assign)]
    names = [target.id for target in assigned if isinstance(target, ast.Name)]
    assert len(names) == len(marked), "one assignment a line and nothing else"
    assert names == given


def test_the_values_are_the_blocks_and_nothing_else_differs(tmp_path: Path) -> None:
    """Those of the file itself are of the same types, so that whoever reads it for errors sees what will run."""
    rendered = script.render(BLOCK, workload(tmp_path / "load.py"), tmp_path / "block.py")
    before, after = (text.splitlines() for text in (script.PLACED.read_text(), rendered))
    changed = {line for line in after if line not in before}
    assert changed <= {
        f"{k} = {v!r}" for k, v in script.values(BLOCK, workload(tmp_path / "load.py"), tmp_path / "block.py").items()
    }
    assert f"_tax_probe_offset = {BLOCK.arena_offset}" in after
    assert f"_tax_probe_workload = {str(tmp_path / 'load.py')!r}" in after
    assert len(before) == len(after)
    given = script.values(BLOCK, workload(tmp_path), tmp_path)
    for name, value in given.items():
        (example,) = (ast.literal_eval(line.partition(" = ")[2]) for line in before if line.startswith(f"{name} = "))
        assert type(example) is type(value)


def test_what_the_environment_hands_on_has_the_same_names_on_both_sides() -> None:
    asked = set(re.findall(r'"(TAX_PROBE_\w+)"', script.PLACED.read_text()))
    ours = {value for name, value in vars(script).items() if name.startswith("ENV_")}
    assert asked == ours - {script.ENV_PADDING}


def test_what_the_script_leaves_in_main_is_known(tmp_path: Path) -> None:
    """The workload shares ``__main__``: names beside our own prefix are those that were always there."""
    load = tmp_path / "load.py"
    load.write_text("print(*sorted(name for name in list(globals()) if not name.startswith(('_tax_probe', '__'))))")
    path = tmp_path / "block.py"
    path.write_text(script.render(BLOCK, workload(load), path))
    done = subprocess.run([sys.executable, str(path), "1"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["deque", "itertools", "os", "sys"]


def test_the_file_itself_runs_and_does_nothing() -> None:
    done = subprocess.run([sys.executable, str(script.PLACED), "1"], capture_output=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_the_oldest_python_runs_it(tmp_path: Path) -> None:
    """As a whole, with the probe, and as a server of chunks."""
    pythons = older_pythons()
    if not pythons:
        pytest.skip("there is no CPython from 3.8 to 3.10 on this machine")
    version, python = min(pythons.items())
    load = tmp_path / "load.py"
    load.write_text("import sys\ndef run(m):\n    return m * m\nprint(run(int(sys.argv[1])))\n")
    path, side, requests, answers = (tmp_path / name for name in ("block.py", "side", "requests", "answers"))
    path.write_text(script.render(BLOCK, workload(load), path))
    env = script.environment(BLOCK, m=7, side=side, extra={}, probe=GUEST / "probe.py", watch=True)
    done = subprocess.run([python, str(path)], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("49\n", "")
    fingerprint = script.read_fingerprint(side)
    assert fingerprint is not None
    assert fingerprint.properties is not None
    assert fingerprint.properties["version"].startswith("{}.{}.".format(*version))
    # Arenas of 1 MiB came with 3.10; padding places the smaller ones before just as well.
    assert fingerprint.placed
    requests.write_text("run 3\ngrow {}\nrun 3\n".format(" ".join(["1"] * len(SIZE_CLASSES))))
    service = {
        script.ENV_SERVER: str(GUEST / "server.py"),
        script.ENV_COUNT: "clock",
        script.ENV_COUNTERS: "",
        script.ENV_REQUESTS: str(requests),
        script.ENV_ANSWERS: str(answers),
    }
    served = script.environment(BLOCK, m=7, side=side, extra=service)
    subprocess.run([python, str(path)], env=served, capture_output=True, text=True, check=True, timeout=60)
    hello, *chunks = map(ast.literal_eval, answers.read_text().splitlines())
    assert hello[:2] == ("run", "49\n")
    assert [chunk[3] for chunk in chunks] == ["9\n", "9\n"]


def test_heap_figures_are_those_of_the_catalogue() -> None:
    given = script.values(BLOCK, workload(Path("w")), Path("s"))
    assert (given["_tax_probe_mib"], 1 << int(str(given["_tax_probe_pool_bits"]))) == (MIB, POOL_BYTES)
