"""The qemu source on real programs: exact beside callgrind, a model that does as arithmetic says, no process lost."""

import os
import platform
import shutil
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from profiler.errors import MachineError
from profiler.model import Pass, Regions, Whole
from profiler.sources.callgrind import CallgrindSource
from profiler.sources.geometry import Geometry, Part, Size
from profiler.sources.qemu import QemuSource
from profiler.sources.qemu_plugin import Plugin, built_plugin
from profiler.sources.source import Outcome
from profiler.system.process import Command, helper

QEMU = shutil.which(f"qemu-{platform.machine()}")
pytestmark = [pytest.mark.integration, pytest.mark.skipif(QEMU is None, reason="qemu-user is not installed")]

SIZES = {
    "l1i": Size(sets=64, ways=8), "l1d": Size(sets=64, ways=8), "l2": Size(sets=1024, ways=16),
    "llc": Size(sets=8192, ways=16), "itlb": Size(sets=8, ways=8), "dtlb": Size(sets=16, ways=4),
    "stlb": Size(sets=128, ways=12),
}  # fmt: skip
"""L1 of 32 KiB, L2 of 1 MiB, LLC of 8 MiB; TLBs of 64 and 1,536 pages."""
MISSES = ("l1d-misses", "l2-misses", "cache-misses", "dtlb-misses", "stlb-misses")
WHOLE = Whole(
    name="w", events=("instructions",), m=(1, 2), exclusive=False, repetitions=1, blocks=(0, 1), among="whole"
)
REGIONS = Regions(name="r", events=("instructions", *MISSES), m=(1, 2), phases=1, blocks=(0, 1))


@pytest.fixture(scope="module")
def plugin() -> Plugin:
    try:
        QemuSource.probe()
    except MachineError as error:
        pytest.skip(error.message)
    return built_plugin()


@pytest.fixture
def source(plugin: Plugin) -> QemuSource:
    assert QEMU is not None
    known = Geometry(line_bytes=64, caches=Part(sizes=SIZES, told_by="here"), tlbs=Part(sizes={}, told_by="here"))
    return QemuSource(QEMU, "any", plugin, known)


def python(text: str, *more: str) -> Command:
    env = {"PYTHONHASHSEED": "1", "PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONDONTWRITEBYTECODE": "1"}
    return helper((sys.executable, "-S", "-c", text, *more), timeout_s=60, env=env)


def measured(source: QemuSource | CallgrindSource, command: Command, folder: Path, pass_: Pass = WHOLE) -> Outcome:
    folder.mkdir()
    outcome = source.measure(pass_, command, folder)
    assert outcome.exit == 0, outcome.stderr_tail
    return outcome


def instructions(source: QemuSource | CallgrindSource, command: Command, folder: Path) -> float:
    value = measured(source, command, folder).readings[0].value
    assert value is not None
    return value


LOOP = "import sys\nacc = 0\nfor i in range(int(sys.argv[1])):\n    acc += i * i & 255\nprint(acc)"


def slope(source: QemuSource | CallgrindSource, folder: Path) -> float:
    low, high = (instructions(source, python(LOOP, str(m)), folder / f"{source.name}{m}") for m in (2000, 12000))
    return (high - low) / 10000


def test_instructions_of_an_iteration_are_those_that_callgrind_counts(source: QemuSource, tmp_path: Path) -> None:
    shutil.which("valgrind") or pytest.skip("valgrind is not installed")
    assert slope(source, tmp_path) == pytest.approx(slope(CallgrindSource.probe(), tmp_path), rel=5e-4)


# ---------------------------------------------------------------- the model


def thrashed(level: Size, numbers: range) -> int:
    """Misses of one more walk over ``numbers`` under LRU: all of a set that has more of them than ways, else none."""
    by_set = Counter(number % level.sets for number in numbers)
    return sum(count for count in by_set.values() if count > level.ways)


def by_arithmetic(size: int, stride: int) -> tuple[int, ...]:
    """Per pass, in the order of MISSES, where a level has all or nothing of what the one above it misses."""
    lines = range(0, size // 64, max(1, stride // 64))
    pages = range(0, max(1, size // 4096), max(1, stride // 4096))
    caches = [thrashed(SIZES[name], lines) for name in ("l1d", "l2", "llc")]
    return (*caches, *(thrashed(SIZES[name], pages) for name in ("dtlb", "stlb")))


@pytest.mark.parametrize(
    ("size", "stride"),
    [
        (4 << 10, 64), (24 << 10, 64), (64 << 10, 64), (256 << 10, 64), (512 << 10, 64), (2 << 20, 64), (16 << 20, 64),
        (128 << 10, 4096), (1 << 20, 4096), (4 << 20, 4096), (64 << 20, 4096), (1 << 30, 4096),
    ],
)  # fmt: skip
def test_strided_walks_miss_what_arithmetic_says(
    source: QemuSource, plugin: Plugin, tmp_path: Path, size: int, stride: int
) -> None:
    """To 1 % of the accesses: the walk's own loop touches the stack as well."""
    passes = 2
    walk = helper((plugin.known, "walk", str(size), str(stride), str(passes)), timeout_s=60)
    outcome = measured(source, walk, tmp_path / "walk", REGIONS)
    found = tuple(reading.value for reading in outcome.readings if reading.event in MISSES)
    accesses = passes * size // stride
    expected = [passes * misses for misses in by_arithmetic(size, stride)]
    assert found == pytest.approx(expected, rel=0.01, abs=max(8, 0.01 * accesses))
    assert max(expected[0], expected[3]) in {0, accesses, passes * size // 4096}


def test_a_region_has_its_own_instructions_and_no_others(source: QemuSource, plugin: Plugin, tmp_path: Path) -> None:
    counted = msgspec.structs.replace(REGIONS, events=("instructions",))
    outcome = measured(source, helper((plugin.known, "loop", "12345"), timeout_s=60), tmp_path / "loop", counted)
    assert [reading.value for reading in outcome.readings] == [2 * 12345 + 3]


# ---------------------------------------------------------------- processes and threads


def test_a_second_run_repeats_the_count(source: QemuSource, tmp_path: Path) -> None:
    first, second = (instructions(source, python(LOOP, "2000"), tmp_path / name) for name in "ab")
    assert second == pytest.approx(first, rel=1e-3)


SPIN = "import os\nfor i in range(100000): pass\n"


def test_forked_children_are_counted_once(source: QemuSource, tmp_path: Path) -> None:
    alone = instructions(source, python(SPIN), tmp_path / "alone")
    forking = f"import os\nfor _ in range(3):\n    if not os.fork():\n        exec({SPIN!r})\n        os._exit(0)\n"
    forking += "    os.wait()\n"
    nothing = instructions(source, python("import os"), tmp_path / "nothing")
    outcome = measured(source, python(forking), tmp_path / "forking")
    assert outcome.uncounted == 0
    assert outcome.readings[0].value == pytest.approx(nothing + 3 * (alone - nothing), rel=0.05)


@pytest.mark.parametrize("way", ["direct", "script", "env", "child"])
def test_what_is_started_by_another_program_is_counted(source: QemuSource, tmp_path: Path, way: str) -> None:
    """By exec in its place, by a script's interpreter, or as a child: nothing runs bare."""
    wanted = python(SPIN)
    alone = instructions(source, wanted, tmp_path / "alone")
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    starters = {
        "direct": ("/bin/sh", "-c", f'exec {sys.executable} "$@"', "sh"),
        "script": (str(script),),
        "env": ("/usr/bin/env", "A=1", str(script)),
        "child": ("/bin/sh", "-c", f'{sys.executable} "$@"; :', "sh"),
    }
    started = msgspec.structs.replace(wanted, argv=(*starters[way], *wanted.argv[1:]))
    outcome = measured(source, started, tmp_path / "started")
    assert outcome.uncounted == 0
    counted = outcome.readings[0].value
    assert counted == pytest.approx(alone, rel=0.15)
    assert counted is not None
    assert counted > alone


def test_a_killed_child_is_told(source: QemuSource, tmp_path: Path) -> None:
    text = "import os, signal\npid = os.fork()\nif not pid:\n    os.kill(os.getpid(), signal.SIGKILL)\nos.wait()\n"
    assert measured(source, python(text), tmp_path / "killed").uncounted == 1


THREADS = """\
import sys, threading
def spin():
    for i in range(20000): pass
threads = [threading.Thread(target=spin) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_threads_are_all_counted(source: QemuSource, tmp_path: Path) -> None:
    """Beside the same work one after the other; what threads do for each other is no more than a tenth of it here."""
    serial = THREADS.replace("for thread in threads: thread.start()\n", "").replace("thread.join()", "thread.run()")
    one, four = (instructions(source, python(text), tmp_path / name) for name, text in (("s", serial), ("t", THREADS)))
    assert four == pytest.approx(one, rel=0.1)


def test_a_signal_reaches_the_program(source: QemuSource, tmp_path: Path) -> None:
    text = "import os, signal\nsignal.signal(signal.SIGUSR1, lambda *_: print('got it'))\nos.kill(os.getpid(), 10)\n"
    assert measured(source, python(text), tmp_path / "signal").stdout == b"got it\n"
