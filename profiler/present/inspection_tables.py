"""An inspection on a terminal, or as one JSON document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath

from rich.console import Console
from rich.text import Text

from profiler.model import Inspection, Program
from profiler.present.layout import lay_out
from profiler.present.table import Column, Table, columns
from profiler.present.terminal import fact, headline, marks_of
from profiler.present.text import print_answer

_MOST_ROWS = 14
_ELSEWHERE = {"extension-module": "its host's", "frozen-program": "packed in it"}
"""Whose eval loop runs, by the kind of a file that holds none."""
_NEXT = ("tax-probe ipc", "how much it costs, within a minute")


def print_inspection(inspection: Inspection, *, as_json: bool, verbose: bool = False) -> None:
    """Write ``inspection`` to stdout; ``verbose``: with all evidence and whole paths.

    Raises:
        MachineError: stdout cannot be written to.
    """
    print_answer(inspection, lambda out: _lines(inspection, out, verbose=verbose), as_json=as_json)


def _lines(inspection: Inspection, out: Console, *, verbose: bool) -> Iterator[Text]:
    width, marks = out.width, marks_of(out)
    yield from headline((_named(inspection), "Nothing was measured."), width, marks)
    yield Text()
    shown = inspection.programs if verbose else inspection.programs[:_MOST_ROWS]
    yield from lay_out(_table(shown, verbose=verbose), width, marks)
    yield Text()
    left = len(inspection.programs) - len(shown)
    if left:
        yield from fact("More", f"{left} files: -v", width, marks)
    yield from fact("Not seen", _not_seen(inspection), width, marks)
    for sentence in inspection.contradictions:
        yield from fact("Warning", sentence, width, marks, None if verbose else 2)
    if verbose:
        yield from _evidence(inspection, width)
    else:
        yield from fact("Evidence", "how each was told, whole paths, packages: -v", width, marks)
    yield from fact("Next", _NEXT[0], width, marks)
    yield from fact("", _NEXT[1], width, marks)


def _named(inspection: Inspection) -> str:
    """The expectation with files by their names: whole paths stand with the evidence."""
    said = inspection.expectation
    paths = {path for program in inspection.programs for path in (program.path, program.real_path)}
    # One inside another root ends a real one.
    for path in sorted(paths, key=len, reverse=True):
        said = said.replace(path, PurePath(path).name)
    return said


def _not_seen(inspection: Inspection) -> str:
    """What no file tells, and what does."""
    said = []
    if any(program.lto is None for program in inspection.programs):
        said.append("LTO of stripped files, which their debug packages would tell")
    said.append("whether calls stay interposable to the compiler, which tax-probe rebuild decides")
    return f"{'; '.join(said)}."


def _evidence(inspection: Inspection, width: int) -> Iterator[Text]:
    for program in inspection.programs:
        yield Text()
        yield Text(f"{program.kind or program.role} {program.path}", style="bold")
        file = f"file {program.real_path}" if program.real_path != program.path else None
        known = (file, program.package, f"build-id {program.build_id or 'none'}")
        yield from (Text(f"- {line}") for line in (", ".join(filter(None, known)), *program.evidence))
    yield Text()


@contextmanager
def scanning() -> Iterator[Callable[[int, str], None]]:
    """A status line on stderr while the system is scanned; what it yields updates it."""
    stderr = Console(stderr=True, highlight=False)
    with stderr.status("looking for programs that load a libpython") as status:
        yield lambda files, directory: status.update(Text(f"{files} programs and libraries, {directory}"))


def _table(programs: tuple[Program, ...], *, verbose: bool) -> Table:
    return Table(
        title="whose eval loop runs, and how it was built",
        columns=(
            *columns("name", "file", "eval loop"),
            *columns("verdict", "PGO", "LTO", "PIC", "USDT"),
            Column(title="TLS", kind="verdict", spare=True),
            Column(title="own calls", kind="verdict", spare=True),
            Column(title="PIE", kind="verdict", spare=True),
            Column(title="build-id", kind="verdict", spare=True),
        ),
        rows=tuple(_cells(program, verbose=verbose) for program in programs),
    )


def _cells(program: Program, *, verbose: bool) -> tuple[str, ...]:
    return (
        program.path if verbose else PurePath(program.path).name,
        _source(program),
        *map(_word, (program.pgo, program.lto, program.pic, program.usdt)),
        program.tls_model or "?",
        _own_calls(program),
        _word(program.pie),
        (program.build_id or "–")[:12],
    )


def _source(program: Program) -> str:
    if program.eval_loop_image is not None:
        same = program.eval_loop_image == program.real_path
        return "in itself" if same else f"in {PurePath(program.eval_loop_image).name}"
    if program.kind in _ELSEWHERE:
        return _ELSEWHERE[program.kind]
    return "in the host" if program.static_libpython else "?"


def _own_calls(program: Program) -> str:
    """How calls of its own C API are bound; not whether the compiler kept them interposable."""
    if program.own_api_slots is None:
        return "?"
    return f"{program.own_api_slots} by PLT" if program.own_api_slots else "bound"


def _word(value: bool | None) -> str:
    return "?" if value is None else "yes" if value else "no"
