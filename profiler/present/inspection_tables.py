"""An inspection as tables or as one JSON document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.text import Text

from profiler.model import Inspection, Program
from profiler.present.table import UNKNOWN, Table, columns
from profiler.present.text import console, to_rich


def print_inspection(inspection: Inspection, *, as_json: bool) -> None:
    """Write ``inspection`` to stdout."""
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(inspection), indent=2).decode())
        return
    out = console()
    for part in to_rich(_table(inspection), out.width):
        out.print(part)
    for program in inspection.programs:
        out.print(Text(f"\n{program.role} {program.path}", style="bold"))
        file = f"file {program.real_path}" if program.real_path != program.path else None
        known = (file, program.package, f"build-id {program.build_id or 'none'}")
        for line in (", ".join(filter(None, known)), *program.evidence):
            out.print(Text(f"- {line}"))
    if inspection.contradictions:
        out.print(Text("\nsysconfig contradicts the files", style="bold yellow"))
        for sentence in inspection.contradictions:
            out.print(Text(f"- {sentence}"))
    out.print(Text(f"\n{inspection.expectation}", style="bold"))


@contextmanager
def scanning() -> Iterator[Callable[[int, str], None]]:
    """A status line on stderr while the system is scanned; what it yields updates it."""
    stderr = Console(stderr=True, highlight=False)
    with stderr.status("looking for programs that load a libpython") as status:
        yield lambda files, directory: status.update(Text(f"{files} programs and libraries, {directory}"))


def _table(inspection: Inspection) -> Table:
    flags = ("PIE", "PGO", "LTO", "PIC", "USDT", "TLS model", "own calls")
    return Table(
        title="",
        columns=(*columns("word", "file", "eval loop from"), *columns("verdict", *flags)),
        rows=tuple(tuple(cell or UNKNOWN for cell in _cells(program)) for program in inspection.programs),
        notes=(),
    )


def _cells(program: Program) -> tuple[str | None, ...]:
    flags = (program.pie, program.pgo, program.lto, program.pic, program.usdt)
    return (program.path, _source(program), *map(_word, flags), program.tls_model, _own_calls(program))


def _source(program: Program) -> str | None:
    if program.eval_loop_image is not None:
        return "itself" if program.eval_loop_image == program.real_path else program.eval_loop_image
    return "the host itself" if program.static_libpython else None


def _own_calls(program: Program) -> str | None:
    """How calls of its own C API are bound; not whether the compiler kept them interposable."""
    if program.own_api_slots is None:
        return None
    return f"{program.own_api_slots} by PLT" if program.own_api_slots else "bound"


def _word(value: bool | None) -> str | None:
    return None if value is None else ("yes" if value else "no")
