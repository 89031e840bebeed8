"""Scripts that were written for pyperf, as workloads: recognised by reading, run as they are, M loops each."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from profiler.collect.workplace import Workplace
from profiler.errors import UsageError
from profiler.guest import script
from profiler.model import PyperfScript, Workload
from profiler.plan.schedule import draw_blocks
from profiler.workloads import find_workload
from tests.unit.test_guest import older_pythons

COROUTINES = Path(__file__).parents[1] / "data" / "pyperf" / "bm_coroutines" / "run_benchmark.py"
COUNTS = """\
import pyperf
def work(what):
    with open({log!r}, "a") as log:
        log.write(what)
"""
"""Leaves a letter for each time that it is called."""


class Done(NamedTuple):
    """What became of a process."""

    code: int
    out: str
    err: str


def written(folder: Path, text: str, name: str = "bench.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def run(workload: Workload, m: int, folder: Path, python: str = sys.executable) -> Done:
    """Alone, without the heap's placement."""
    path = folder / "adapted.py"
    path.write_text(script.render_pyperf(workload))
    done = subprocess.run(
        [python, "-I", str(path), str(m)], capture_output=True, text=True, check=False, timeout=60, cwd=folder
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What ``COUNTS`` left."""
    path = tmp_path / "log"
    path.touch()
    return path


def counting(log: Path, text: str, more: str = "") -> Workload:
    path = written(log.parent, COUNTS.format(log=str(log)) + text)
    return find_workload(f"{path}{more}")


# ---------------------------------------------------------------- recognised


@pytest.mark.parametrize(
    "text",
    [
        "import pyperf\nrunner = pyperf.Runner()",
        "import pyperf as bench\nif __name__ == '__main__':\n    bench.Runner(values=3)",
        "from pyperf import Runner\ndef main():\n    Runner().bench_func('x', int)",
    ],
)
def test_a_script_for_pyperf_is_known_by_its_text(tmp_path: Path, text: str) -> None:
    """Which is read and not run: it would end this process."""
    workload = find_workload(str(written(tmp_path, f"{text}\nraise SystemExit(3)")))
    assert workload.pyperf == PyperfScript()
    assert (workload.name, workload.path) == ("bench", str(tmp_path / "bench.py"))


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nprint(sys.argv[1])",
        "import pyperf\nprint(pyperf.perf_counter())",
        "class Runner: pass\nRunner()",
        "this is (no Python of ours",
    ],
)
def test_others_read_m_themselves(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    assert find_workload(str(path)).pyperf is None
    with pytest.raises(UsageError, match="takes M alone") as refused:
        find_workload(f"{path}:nbody")
    assert str(path) in refused.value.hint


def test_one_benchmark_and_arguments_are_told_after_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "import pyperf\npyperf.Runner()", "a:b c.py")
    assert find_workload(str(path)).name == "a:b c"
    plain = written(tmp_path, path.read_text())
    assert find_workload(f"{plain}:dump").pyperf == PyperfScript(benchmark="dump")
    told = find_workload(f"{plain}:dump --protocol 5 'a b'")
    assert told.pyperf == PyperfScript(benchmark="dump", arguments=("--protocol", "5", "a b"))
    assert told.name == "bench:dump --protocol 5 a b"
    assert find_workload(f"{plain} pickle").work != find_workload(str(plain)).work
    with pytest.raises(UsageError, match="no workload"):
        find_workload(f"{tmp_path}/absent.py:dump 'open")


def test_those_of_pyperformance_are_named_by_their_folders() -> None:
    assert find_workload(str(COROUTINES)).name == "bm_coroutines"


# ---------------------------------------------------------------- run


@pytest.mark.parametrize(
    "text",
    [
        "pyperf.Runner().bench_func('x', work, 'x')",
        "pyperf.Runner().bench_func('x', lambda: work('x'), inner_loops=20, metadata={})",
        "pyperf.Runner(processes=2).bench_time_func('x', lambda loops, what: [work(what) for _ in range(loops)], 'x')",
        "async def later(what): work(what)\npyperf.Runner().bench_async_func('x', later, 'x')",
        "pyperf.Runner().timeit('x', 'work(what)', \"what = 'x'\", globals=globals())",
        "pyperf.Runner().timeit('x', stmt=['work(what)'], setup=(\"what = '''\\n'''\", \"what = 'x'\"),\n"
        "    globals={'work': work})",
    ],
)
def test_m_loops_and_no_more(log: Path, text: str) -> None:
    ran = run(counting(log, text), 7, log.parent)
    assert ran == (0, "7 loops of x\n", "")
    assert log.read_text() == 7 * "x"


def test_timeit_duplicates_its_statement_and_ends_with_its_teardown(log: Path) -> None:
    text = "pyperf.Runner().timeit('x', 'work(\"x\")', teardown='work(\"t\")', duplicate=3, globals=globals())"
    assert run(counting(log, text), 2, log.parent).code == 0
    assert log.read_text() == "xxxxxxt"


EVERY_KIND = """
runner = pyperf.Runner()
runner.argparser.add_argument("--what", default="f")
async def later(what):
    work(what)
runner.bench_func(runner.parse_args().what, work, "f")
runner.bench_time_func("t", lambda loops: [work("t") for _ in range(loops)])
runner.bench_async_func("a", later, "a")
runner.timeit("s", "work('s')", globals=globals())
"""
TWO = "runner = pyperf.Runner()\nrunner.bench_func('a', work, 'a')\nrunner.bench_func('b', work, 'b')\n"


@pytest.mark.parametrize(("more", "left", "names"), [("", "aabb", "a, b"), (":b", "bb", "b")])
def test_all_benchmarks_or_the_one_that_is_asked_for(log: Path, more: str, left: str, names: str) -> None:
    ran = run(counting(log, TWO, more), 2, log.parent)
    assert (ran.out, log.read_text()) == (f"2 loops of {names}\n", left)


def test_a_benchmark_that_is_not_there_ends_with_those_that_are(log: Path) -> None:
    ran = run(counting(log, TWO, ":c"), 2, log.parent)
    assert (ran.code, ran.out) == (1, "")
    assert "ran no benchmark 'c'; it has a, b" in ran.err


ARGUMENTS = """
def add_cmdline_args(cmd, args):
    cmd.append(args.what)
runner = pyperf.Runner(add_cmdline_args=add_cmdline_args)
runner.metadata['description'] = "counts"
runner.argparser.add_argument("what", nargs="?", default="d")
runner.argparser.add_argument("--twice", action="store_true")
args = runner.parse_args()
assert args is runner.args and args.worker and not args.verbose
runner.bench_func(args.what, work, args.what * (2 if args.twice else 1))
"""


@pytest.mark.parametrize(("more", "left"), [("", "d"), (" e", "e"), (" --twice e", "ee")])
def test_the_scripts_own_arguments(log: Path, more: str, left: str) -> None:
    assert run(counting(log, ARGUMENTS, more), 1, log.parent).code == 0
    assert log.read_text() == left


def test_a_command_is_no_work_of_the_launcher(log: Path) -> None:
    ran = run(counting(log, "pyperf.Runner().bench_command('start', ['true'])"), 1, log.parent)
    assert ran.code == 1
    assert "'start' runs a command, which is no work of this process" in ran.err


def test_what_the_stand_in_lacks_is_told(log: Path) -> None:
    ran = run(counting(log, "pyperf.Runner()\npyperf.BenchmarkSuite([])"), 1, log.parent)
    assert ran.code == 1
    assert "stand-in has no BenchmarkSuite" in ran.err


def test_a_script_sees_what_a_script_sees(log: Path) -> None:
    """Its folder's own modules, its path, itself as the main module; and it may leave as programs do."""
    written(log.parent, "word = 'n'", "neighbour.py")
    text = f"""
import pickle, sys
from dataclasses import dataclass
from neighbour import word
@dataclass
class Kept:
    word: str
assert (__name__, __file__) == ("__main__", sys.argv[0]) == ("__main__", {str(log.parent / "bench.py")!r})
assert sys.path[0] == {str(log.parent)!r} and sys.argv[1:] == []
def main():
    pyperf.Runner().bench_func("kept", lambda: work(pickle.loads(pickle.dumps(Kept(word))).word))
    assert pyperf.python_implementation() == "cpython" and pyperf.perf_counter() > 0
if __name__ == "__main__":
    sys.exit(main())
"""
    assert run(counting(log, text), 2, log.parent) == (0, "2 loops of kept\n", "")
    assert log.read_text() == "nn"


def test_a_script_that_fails_fails(log: Path) -> None:
    ran = run(
        counting(log, "import sys\npyperf.Runner().bench_func('x', work, 'x')\nsys.exit('no luck')"), 1, log.parent
    )
    assert (ran.code, ran.out) == (1, "")
    assert "no luck" in ran.err


def test_one_of_pyperformance_runs_as_it_is(tmp_path: Path) -> None:
    assert run(find_workload(str(COROUTINES)), 2, tmp_path) == (0, "2 loops of coroutines\n", "")


def test_older_pythons_run_all_kinds(log: Path) -> None:
    pythons = older_pythons()
    if not pythons:
        pytest.skip("there is no CPython from 3.8 to 3.10 on this machine")
    for python in pythons.values():
        log.write_text("")
        assert run(counting(log, EVERY_KIND), 2, log.parent, python) == (0, "2 loops of f, t, a, s\n", ""), python
        assert log.read_text() == "ffttaass"


# ---------------------------------------------------------------- measured


def served(workload: Workload, folder: Path) -> list[tuple[object, ...]]:
    """What a launcher answers that is asked for chunks of 3 and of 5."""
    place = Workplace(folder, 60)
    block = draw_blocks(1, 1)[0]
    requests, answers = folder / "requests", folder / "answers"
    requests.write_text("run 3\nrun 5\n")
    env = script.environment(
        block,
        m=2,
        side=folder / "side",
        extra={
            script.ENV_SERVER: str(Path(script.__file__).with_name("server.py")),
            script.ENV_COUNT: "clock",
            script.ENV_COUNTERS: "",
            script.ENV_REQUESTS: str(requests),
            script.ENV_ANSWERS: str(answers),
        },
    )
    path = place.placed(block, workload)
    subprocess.run([sys.executable, str(path)], env=env, capture_output=True, text=True, check=True, timeout=60)
    return [ast.literal_eval(line) for line in answers.read_text().splitlines()]


def test_chunks_are_loops_alone(log: Path) -> None:
    hello, *chunks = served(counting(log, "work('s')\npyperf.Runner().bench_func('x', work, 'x')"), log.parent)
    assert hello[:2] == ("run", "2 loops of x\n")
    assert [chunk[3] for chunk in chunks] == ["3 loops of x\n", "5 loops of x\n"]
    assert log.read_text() == "s" + (2 + 2 + 3 + 5) * "x"


def test_a_script_that_closes_what_it_needs_is_run_anew_for_each_chunk(log: Path) -> None:
    text = """
kept = ["x"]
pyperf.Runner().bench_func("x", lambda: work(kept[0]))
kept.clear()
"""
    hello, *chunks = served(counting(log, text), log.parent)
    assert hello[:2] == ("script", "2 loops of x\n")
    assert [chunk[3] for chunk in chunks] == ["3 loops of x\n", "5 loops of x\n"]
    assert log.read_text() == (2 + 3 + 5) * "x"


@pytest.mark.parametrize("kind", ["placed", "native", "marked"])
def test_whole_processes_of_every_kind_run_it(log: Path, kind: str) -> None:
    workload = counting(log, "pyperf.Runner().bench_func('x', work, 'x')")
    place, block = Workplace(log.parent, 60), draw_blocks(1, 1)[0]
    path = {
        "placed": lambda: place.placed(block, workload),
        "native": lambda: place.native(workload, ()),
        "marked": lambda: place.marked(workload),
    }[kind]()
    env = script.environment(block, m=4, side=log.parent / "side", extra={})
    done = subprocess.run([sys.executable, str(path), "4"], env=env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr, log.read_text()) == ("4 loops of x\n", "", "xxxx")
