"""Everything that reads what others wrote, with good inputs for each."""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from profiler.analyze.rows import read_all
from profiler.catalogue.events import EVENTS
from profiler.catalogue.gates import parse_gates
from profiler.collect.fingerprint import complete, gone_library, image_of
from profiler.collect.live import parse_chunk, parse_first_answer
from profiler.collect.request import Request, checked
from profiler.commands.flags import _experiment, numbers
from profiler.errors import ProbeError
from profiler.folder import RowWriter, done_steps, load_run
from profiler.folder.marks import intact
from profiler.guest.script import read_fingerprint
from profiler.launch.binaries import elf
from profiler.launch.binaries.archive import read_archive
from profiler.launch.binaries.eh_frame import count_frames
from profiler.launch.binaries.elf_sections import section
from profiler.launch.binaries.exports import exported
from profiler.launch.binaries.frozen import read_frozen
from profiler.launch.binaries.hardening import hardening_of
from profiler.launch.binaries.loader_cache import cached_libraries
from profiler.launch.interpreters import resolve_target
from profiler.launch.runtime_maps import eval_loop_image, mapped_code
from profiler.plan.lineup import user_hosts
from profiler.plan.studies import STUDIES
from profiler.rebuild.plans import load_plan
from profiler.sources.callgrind_output import is_whole, parse_totals, region_totals
from profiler.sources.geometry import geometry
from profiler.sources.perf_output import Asked, read
from profiler.sources.qemu_output import parse
from profiler.system.cgroup import cgroup
from profiler.system.cpu_name import cpu_name
from profiler.system.diagnose import circumstances
from profiler.system.hypervisor import is_virtual
from profiler.system.machine import cpuinfo
from tests.unit.elf_files import LIBPYTHON, MAIN, gcc, libpython, object_file, static_archive
from tools.fault_trials.samples import result_folder
from tools.fault_trials.trees import TREE, tree

TOP = Path(__file__).resolve().parents[2]
_FIELD = TOP / "tests" / "data" / "field"
_ASKED = tuple(Asked(event=event.name, spec=event.perf[0].spec, unit=event.unit) for event in EVENTS if event.perf)


class Parser(NamedTuple):
    """Reads bytes; may raise what is the tool's own error, and nothing else."""

    seeds: Callable[[Path], list[bytes]]
    """Good inputs, made below a folder."""
    read: Callable[[bytes, Path], object]
    """Reads one of them, with a folder for files."""
    own_errors: tuple[type[BaseException], ...] = (ProbeError,)


def _in_file(name: str, *reads: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def read_it(data: bytes, folder: Path) -> None:
        path = folder / name
        path.write_bytes(data)
        for one in reads:
            with suppress(ProbeError):
                one(path)

    return read_it


def _files(*patterns: str) -> Callable[[Path], list[bytes]]:
    return lambda folder: [path.read_bytes() for pattern in patterns for path in sorted(TOP.glob(pattern))]


def _elves(folder: Path) -> list[bytes]:
    small = object_file(62, {".text": b"\xc3" * 64, ".comment": b"GCC: 12\0"})
    found = [*_files("tests/data/elf/*.so")(folder), small]
    if shutil.which("gcc") is not None:
        source = LIBPYTHON + "__thread int state; int read_state(void) { return state; }\n"
        found.append(libpython(folder, "-g", "-O1", "-Wl,--hash-style=both", source=source).read_bytes())
        found.append(gcc(folder, "program", LIBPYTHON + MAIN).read_bytes())
    return found


def _answers(folder: Path) -> list[bytes]:
    return [
        repr(("run", "30\n", [(1000, 900, ((5, 7), 100, 100), "30\n", None), (1, 1, None, "", 77)])).encode(),
        repr((123456, 120000, ((936,), 100, 90), "é\udc80\n", 4096)).encode(),
        repr((123456, 120000, None, "text", None)).encode(),
    ]


def _answer(data: bytes, folder: Path) -> None:
    for one in (parse_first_answer, parse_chunk):
        with suppress(ProbeError):
            found = one(data)
            found.output  # noqa: B018 - it is computed


def _side_files(folder: Path) -> list[bytes]:
    run = json.loads(gzip.decompress((TOP / "results" / "ipc-int_loop" / "run.json.gz").read_bytes()))
    answer = run["fingerprints"]["python3"] | {"maps": _own_maps(), "exe": "/usr/bin/true"}
    return [f"-886335006095707085 1 1\n{answer!r}\n4096 1234\n".encode(), b"5 0 0\n\nNone None\n"]


def _side_file(path: Path) -> None:
    found = read_fingerprint(path)
    if found is not None and found.properties is not None:
        complete(found.properties)
        image_of(found.properties)
        gone_library(found.properties)


def _placed(name: str, read_it: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """``name`` of a result folder is damaged, the rest is well."""

    def read_folder(data: bytes, folder: Path) -> None:
        place = result_folder(folder)
        (place / name).write_bytes(data)
        with suppress(ProbeError):
            read_it(place)

    return read_folder


def _of_folder(name: str) -> Callable[[Path], list[bytes]]:
    return lambda folder: [(result_folder(folder) / name).read_bytes()]


def _rows(folder: Path) -> None:
    with suppress(ProbeError):
        read_all(folder)
    with suppress(ProbeError):
        done_steps(folder)
    RowWriter(folder)
    done_steps(folder)


def _options(data: bytes, folder: Path) -> None:
    study = STUDIES["ipc"]
    with suppress(UnicodeDecodeError):
        for line in data.decode(errors="surrogateescape").split("\n"):
            name, _, value = line.partition("=")
            for given in (value, [value], _number(value)) if name in Request.__struct_fields__ else ():
                with suppress(ProbeError):
                    checked({name: given}, study, lambda option: f"--{option}")
            with suppress(ProbeError):
                user_hosts((value,))
            with suppress(ProbeError):
                parse_gates(value)
            with suppress(argparse.ArgumentTypeError):
                numbers(value)


def _number(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


_OPTIONS = b"""host=mine=/bin/sh -c 'x' {script} {m}
m=5,10
precision=0.5%
blocks=3
max_ratio=instructions=1.25
budget=2.5
wait=0
timeout=60
per_launch_ms=3
seed=7
against=x=/usr/bin/python3
"""


def _own_maps() -> str:
    """Some lines of them."""
    return "\n".join(Path("/proc/self/maps").read_text().splitlines()[:12]).replace(" /", " /nonexistent/")


def _maps(data: bytes, folder: Path) -> None:
    text = data.decode(errors="replace")
    mapped_code(text)
    eval_loop_image(text, "/usr/bin/python3.11")


def _kernel(data: bytes, folder: Path) -> None:
    root = tree(data, folder / "root")
    cgroup(root)
    circumstances(root)
    is_virtual(root)
    cpu_name(cpuinfo(root), None)
    with suppress(ProbeError):
        geometry(root / "sys/devices/system/cpu/cpu0/cache", lambda leaf, sub: (0, 0, 0, 0))


def _frames(data: bytes, folder: Path) -> None:
    for size, little in ((8, True), (4, False)):
        with suppress(ValueError):
            count_frames(data, address_size=size, little_endian=little, entry=(7, 8))


def _callgrind(data: bytes, folder: Path) -> None:
    text = data.decode(errors="replace")
    is_whole(text)
    for one in (parse_totals, lambda whole: region_totals([whole])):
        with suppress(ProbeError):
            one(text)


def _eh_frame(folder: Path) -> bytes:
    """Of a program of this machine."""
    with elf.opened(resolve_target(None).real_path) as file:
        return section(file, ".eh_frame")[:5000]


def _frozen(folder: Path) -> list[bytes]:
    """A program's bytes, and PyInstaller's archive behind them: one entry and the cookie."""
    head, name = struct.Struct(">IIIIBc"), b"libpython3.11.so.1.0"
    entry = head.pack(head.size + 24, 0, 0, 0, 0, b"b") + name + b"\0" * 4
    cookie = struct.pack(">8sIIII64s", b"MEI\x0c\x0b\x0a\x0b\x0e", len(entry) + 88, 0, len(entry), 311, name)
    return [b"\x7fELF" + bytes(60) + entry + cookie]


_QEMU = b"begin instructions loads\nregion 5 7\nexec 100 200\nbegin instructions loads\ntotal 936 12\n"

PARSERS: dict[str, Parser] = {
    "perf stat": Parser(_files("tests/data/field/perf/*"), lambda data, folder: read(data, _ASKED)),
    "callgrind": Parser(_files("tests/data/field/callgrind/*"), _callgrind),
    "qemu": Parser(lambda folder: [_QEMU], lambda data, folder: parse(data.decode(errors="replace"))),
    "answers of a host": Parser(_answers, _answer),
    "side file of a host": Parser(_side_files, _in_file("side", _side_file)),
    "maps": Parser(lambda folder: [_own_maps().encode()], _maps),
    "/proc and /sys": Parser(lambda folder: [TREE], _kernel),
    "options": Parser(lambda folder: [_OPTIONS], _options),
    "experiment": Parser(
        _files("experiments/*.toml"),
        _in_file("experiment.toml", lambda path: checked(_experiment(path, "ipc"), STUDIES["ipc"], str)),
    ),
    "rebuild plan": Parser(_files("experiments/rebuild*.toml"), _in_file("plan.toml", load_plan)),
    "run.json": Parser(_of_folder("run.json"), _placed("run.json", load_run)),
    "commit marks": Parser(_of_folder("rows.csv"), lambda data, folder: intact(data)),
    "rows.csv": Parser(_of_folder("rows.csv"), _placed("rows.csv", _rows)),
    "ELF": Parser(
        _elves,
        _in_file(
            "damaged.so",
            *(
                lambda path, one=one: one(str(path))
                for one in (elf.read_elf, elf.build_id, elf.needed, elf.holds_eval_loop, exported, hardening_of)
            ),
        ),
    ),
    "archive": Parser(
        lambda folder: [static_archive(_elves(folder)[2:])], _in_file("lib.a", lambda path: read_archive(str(path)))
    ),
    "frame table": Parser(lambda folder: [_eh_frame(folder)], _frames),
    "frozen program": Parser(_frozen, _in_file("frozen", lambda path: read_frozen(str(path)))),
    "loader's cache": Parser(
        lambda folder: [Path("/etc/ld.so.cache").read_bytes()[:20_000]], lambda data, folder: cached_libraries(data)
    ),
}
"""By name."""
