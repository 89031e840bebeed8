"""A result in somebody's own finding: tables, figures and data between markers, every other byte left alone.

A block begins with a line ``<!-- tax-probe PART [RESULT] -->`` and ends with ``<!-- /tax-probe -->``. ``RESULT`` is the
name of a result folder, for a finding that shows several; without it the block takes whatever result is attached.
Lines in fenced code are no markers. A finding without a block gets one of ``all`` at its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from profiler.analyze.conclude import Analysis, analyse
from profiler.errors import GateFailed, MachineError, UsageError
from profiler.folder import sha256_of, write_atomically
from profiler.model import Noun
from profiler.present import figures
from profiler.present.markdown import escaped, to_markdown
from profiler.present.streams import printing
from profiler.present.tables import CSVS
from profiler.present.view import View, view

_BEGIN = re.compile(r"^<!-- tax-probe (?P<part>[\w-]+)(?: (?P<result>\S+))? -->\s*$")
_END = re.compile(r"^<!-- /tax-probe -->\s*$")
_FENCE = re.compile(r"^ {0,3}(?P<fence>```+|~~~+)")
_BESIDE = "{finding}-data"


class MarkedBlock(Noun, frozen=True, kw_only=True):
    """The lines between two markers."""

    part: str
    result: str | None
    begin: int
    """Line of the first marker, from 0."""
    end: int
    """Line of the last one."""


class Refreshed(Noun, frozen=True, kw_only=True):
    """What a result puts into a finding and beside it."""

    text: str
    """The finding."""
    files: dict[str, bytes]
    """Relative to the finding's folder."""


def attach(result: Path, finding: Path, *, check: bool) -> None:
    """Refresh the blocks of ``finding`` and the files beside it; print what was written, nothing where all fit.

    Raises:
        UsageError: the finding cannot be read, a marker is wrong, or no block takes this result.
        GateFailed: with ``check``, what does not fit its data.
        MachineError: a file cannot be written.
    """
    finding = finding.resolve()
    try:
        text = finding.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise UsageError(
            f"cannot read {finding}: {error.strerror}", hint="give a Markdown file that is there, an empty one too"
        ) from error
    made = attachment(result, text, finding)
    wanted = {finding: made.text.encode(errors="surrogateescape")}
    wanted |= {finding.parent / name: data for name, data in made.files.items()}
    stale = [path for path, data in wanted.items() if not path.is_file() or path.read_bytes() != data]
    if check and stale:
        raise GateFailed(
            f"{finding.name} does not fit {result}: {', '.join(path.name for path in stale)}",
            hint=f"tax-probe attach {result} {finding}",
        )
    for path in stale:
        try:
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, wanted[path])
        except OSError as error:
            hint = "make room, or let it be written"
            raise MachineError(f"cannot write {path}: {error.strerror}", hint=hint) from error
        with printing(f"it is written: {path}"):
            print(path)


def attachment(result: Path, text: str, finding: Path) -> Refreshed:
    """``text`` with its blocks refreshed, and the files that these link."""
    name = re.sub(r"\s+", "-", result.resolve().name)
    ends = "\r\n" if "\r\n" in text else "\n"
    found = blocks(text)
    if not found:
        gap = "" if not text or text.endswith(ends) else ends
        text += f"{gap}{ends if text else ''}<!-- tax-probe all {name} -->{ends}<!-- /tax-probe -->{ends}"
        found = blocks(text)
    own = [block for block in found if block.result in (None, name)]
    if not own:
        others = ", ".join(sorted({block.result for block in found if block.result}))
        raise UsageError(
            f"{finding.name} has blocks of {others} alone, and none of {name}",
            hint=f"write <!-- tax-probe all {name} --> and <!-- /tax-probe --> where it shall stand",
        )
    analysis = analyse(result)
    shown = view(analysis)
    place = _BESIDE.format(finding=finding.stem)
    files = {f"{place}/{name}-{file}": data for file, data in _files(analysis, shown).items()}
    lines = text.splitlines(keepends=True)
    for block in reversed(own):
        content = [*PARTS[block.part](shown, files), ""]
        lines[block.begin + 1 : block.end] = [f"{line}{ends}" for line in ("", *content)]
    return Refreshed(text="".join(lines), files=files)


def blocks(text: str) -> list[MarkedBlock]:
    """The blocks of a finding.

    Raises:
        UsageError: a block has no end, an end no beginning, or a part does not exist.
    """
    found: list[MarkedBlock] = []
    opened: tuple[int, re.Match[str]] | None = None
    fence: str | None = None
    for at, line in enumerate(text.splitlines()):
        fenced = _FENCE.match(line)
        if fenced is not None:
            fence = fenced["fence"] if fence is None else None if line.strip().startswith(fence) else fence
        if fence is not None or fenced is not None:
            continue
        begin, end = _BEGIN.match(line), _END.match(line)
        if (begin and opened) or (end and not opened):
            raise UsageError(
                f"line {at + 1}: {line.strip()} stands {'inside a block' if begin else 'without a beginning'}",
                hint="each <!-- tax-probe PART --> needs one <!-- /tax-probe --> of its own below",
            )
        if begin:
            if begin["part"] not in PARTS:
                raise UsageError(f"line {at + 1}: no part {begin['part']!r}", hint=f"there are {', '.join(PARTS)}")
            opened = at, begin
        elif end and opened:
            found.append(MarkedBlock(part=opened[1]["part"], result=opened[1]["result"], begin=opened[0], end=at))
            opened = None
    if opened is not None:
        raise UsageError(
            f"line {opened[0] + 1}: {opened[1][0].strip()} has no end", hint="write <!-- /tax-probe --> below it"
        )
    return found


def _files(analysis: Analysis, shown: View) -> dict[str, bytes]:
    found = {file: make(analysis.verdict) for file, make in CSVS.items()}
    return found | {Path(path).name: data for path, data in figures.drawn(analysis.verdict, shown).items()}


Part = Callable[[View, dict[str, bytes]], Iterator[str]]


def _headline(shown: View, files: dict[str, bytes]) -> Iterator[str]:
    yield escaped(" ".join(shown.headline))


def _tables(shown: View, files: dict[str, bytes]) -> Iterator[str]:
    for at, table in enumerate(shown.tables):
        yield from ([""] if at else [])
        yield from _stripped(to_markdown(table, heading=""))


def _figures(shown: View, files: dict[str, bytes]) -> Iterator[str]:
    for name in files:
        if name.endswith(".svg"):
            yield f"![{escaped(Path(name).stem)}]({quote(name)})"


def _facts(shown: View, files: dict[str, bytes]) -> Iterator[str]:
    yield from (f"- {label}: {escaped(text)}" for label, text in shown.facts)


def _attached(shown: View, files: dict[str, bytes]) -> Iterator[str]:
    yield from ("| file | SHA-256 |", "|---|---|")
    yield from (
        f"| [{escaped(Path(name).name)}]({quote(name)}) | `{sha256_of(data)}` |" for name, data in files.items()
    )


def _all(shown: View, files: dict[str, bytes]) -> Iterator[str]:
    for at, part in enumerate((_headline, _figures, _tables, _facts, _attached)):
        yield from ([""] if at else [])
        yield from part(shown, files)


PARTS: dict[str, Part] = {
    "all": _all,
    "headline": _headline,
    "tables": _tables,
    "figures": _figures,
    "facts": _facts,
    "files": _attached,
}
"""What a block may hold."""


def _stripped(lines: Iterator[str]) -> list[str]:
    found = list(lines)
    while found and not found[-1]:
        found.pop()
    return found
