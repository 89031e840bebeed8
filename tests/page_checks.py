"""Analyses for tests of the page: of the reference results, and with names that come to do harm."""

import re
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec

from profiler.analyze.conclude import Analysis, analyse
from profiler.present.answer_sections import sections
from profiler.present.attachments import Attachment
from profiler.present.page import html, page
from profiler.present.view import view
from tests.recorded import RESULTS

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd()",
    "../../etc/passwd",
    "g++",
    "\x1b[31mred\x1b[0m",
    "javascript:alert(1)",
    "a\u202eb",
    "half \udc80 of a pair",
)
"""Names that a launcher, a workload or a file could have."""
VOID = frozenset({"meta", "link", "br", "img", "hr", "input", "line", "rect", "polyline", "path", "circle"})


@cache
def analysis(name: str) -> Analysis:
    """Of a folder in ``results/``."""
    return analyse(RESULTS / name)


def made(found: Analysis, files: tuple[Attachment, ...] = ()) -> str:
    """Its page."""
    shown = view(found)
    return html(page(found, shown, sections(found.verdict, found.run)), files).decode()


def renamed(found: Analysis, old: str, new: str) -> Analysis:
    """``found`` with every text that is ``old``, wherever it stands, being ``new``."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {changed(key): changed(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [changed(one) for one in value]
        return new if value == old else value

    def again(noun: Any) -> Any:
        return msgspec.convert(changed(msgspec.to_builtins(noun)), type(noun))

    return Analysis(
        verdict=again(found.verdict), run=again(found.run), points=tuple(again(one) for one in found.points)
    )


class Checked(HTMLParser):
    """Reads a page as a tree: every element is closed by its own end, and ids are given once."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing, {self.getpos()}"
        assert self.open.pop() == tag, f"</{tag}> closes another, {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        """All that is read, blanks made one."""
        return re.sub(r"\s+", " ", unescape(" ".join(self.words)))


def checked(text: str) -> Checked:
    """The page, read; an assertion fails where it is not well-formed."""
    found = Checked()
    found.feed(text)
    found.close()
    assert found.open == []
    ids = [one["id"] for _, one in found.elements if "id" in one]
    assert len(ids) == len(set(ids))
    return found


def folder_name(folder: Path) -> str:
    """``rebuild/default-int_loop``."""
    return str(folder.relative_to(RESULTS))
