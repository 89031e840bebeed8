"""README and docs say what is so: commands exist, figures are those of the results, words are the code's."""

import argparse
import ast
import importlib
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiler.catalogue.metrics import METRICS
from profiler.cli import COMMANDS, _parser
from tests.recorded import RESULTS

TOP = Path(__file__).parents[2]
README = TOP / "README.md"
PAGES = (README, TOP / "CHANGELOG.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md")))
OUTPUT = re.compile(r"<!-- output: (\S+) .*-->\n```text\n(.*?)```", re.DOTALL)
SURVEY = re.compile(r"<!-- survey -->.*<!-- /survey -->", re.DOTALL)
METHOD = {"0.5%", "95%", "80%"}
"""Percentages of the README that are of the method, and of no result."""


@pytest.fixture(scope="module")
def found() -> str:
    """Every text of the results that holds figures."""
    texts = [file.read_text() for name in ("verdict.json", "finding.md") for file in sorted(RESULTS.rglob(name))]
    return "\n".join(texts).replace(" %", "%")


def names(page: Path) -> str:
    return page.name


# ---------------------------------------------------------------- form


def test_the_readme_fits_a_screen_or_two() -> None:
    assert len(README.read_bytes()) <= 6000


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_no_line_is_wider_than_120(page: Path) -> None:
    """But for the survey, which a tool makes: a table's row cannot be broken."""
    text = SURVEY.sub("", page.read_text())
    assert [line for line in text.splitlines() if len(line) > 120] == []


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_links_lead_to_files(page: Path) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page.read_text())]
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_first_commands_are_the_two() -> None:
    commands = [line.split("#")[0].strip() for line in README.read_text().splitlines() if line.startswith("    ")]
    assert commands[:2] == ["make probe", "make test"]
    targets = (TOP / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", targets, re.MULTILINE) for target in ("probe", "test"))


# ---------------------------------------------------------------- commands


def told_commands(page: Path) -> Iterator[list[str]]:
    """Each ``tax-probe COMMAND …`` of a page, from its blocks and its code spans."""
    text = page.read_text()
    for span in re.findall(r"`(?:\.venv/bin/)?(tax-probe [^`]+)`", text):
        yield shlex.split(span, comments=True)[1:]
    for line in re.findall(r"^ {4}(?:\.venv/bin/)?(tax-probe .*)", text, re.MULTILINE):
        yield shlex.split(line, comments=True)[1:]


def options_of(command: str) -> set[str]:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"profiler.commands.{command}").add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}


def of_the_bare_name() -> set[str]:
    return {option for action in _parser([], ())._actions for option in action.option_strings}


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_commands_exist_with_their_options(page: Path) -> None:
    for command, *rest in told_commands(page):
        if command == "…":
            continue
        if command.startswith("--"):
            assert command in of_the_bare_name()
            continue
        assert command in COMMANDS, f"{page.name}: tax-probe {command}"
        given = {word.partition("=")[0] for word in rest if word.startswith("--") and word != "--"}
        assert given <= options_of(command), f"{page.name}: {command}"


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_options_that_stand_alone_are_ones_of_ours(page: Path) -> None:
    """Those in code spans that begin with the option: another program's are told with their program."""
    known = of_the_bare_name().union(*map(options_of, COMMANDS)) | set(
        re.findall(r"--[a-z]+", (TOP / "tools/setup").read_text())
    )
    foreign = {"--with-dtrace"}
    spans = re.findall(r"`(--[a-z-]+)[^`]*`", page.read_text())
    assert set(spans) - foreign <= known


def test_every_command_is_in_the_readmes_table() -> None:
    assert set(re.findall(r"^\| `([a-z]+)[` ]", README.read_text(), re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_files_that_are_named_exist(page: Path) -> None:
    paths = re.findall(r"\b((?:experiments|results|profiler|tests|tools|runner)/[\w./-]*\w)", page.read_text())
    assert [path for path in paths if not (TOP / path).exists() and not list(TOP.glob(f"{path}*"))] == []


# ---------------------------------------------------------------- figures


def test_the_shown_output_is_that_of_the_golden_it_names() -> None:
    shown = OUTPUT.search(README.read_text())
    assert shown is not None
    golden = iter((TOP / shown[1]).read_text().splitlines())
    lines = [line for line in shown[2].splitlines() if line != "…"]
    assert len(lines) >= 10
    # Each is found after the one before: an iterator goes on where it was left.
    assert [line for line in lines if line not in golden] == [], "tools/readme-output takes them anew"


def test_the_output_can_be_taken_anew() -> None:
    taken = runpy.run_path(str(TOP / "tools" / "readme-output"))["taken"]
    shown = OUTPUT.search(README.read_text())
    assert shown is not None
    assert taken((TOP / shown[1]).read_text()) == shown[2]


def figures(text: str) -> set[str]:
    """Ratios (three decimals and more) and percentages, blanks before the sign left out."""
    text = text.replace(" %", "%")
    return set(re.findall(r"(?<![\d.])\d+\.\d{3,}\b|(?<![\d.])\d+(?:\.\d+)?%", text))


def test_every_figure_of_the_readme_is_in_the_results(found: str) -> None:
    text = OUTPUT.sub("", SURVEY.sub("", README.read_text()))
    assert {figure for figure in figures(text) - METHOD if figure not in found} == set()


def test_every_ratio_of_the_findings_is_in_the_results(found: str) -> None:
    """A verdict holds more digits than are told."""
    numbers = [float(one) for one in re.findall(r"\d+\.\d+", found)]
    by_digits = {digits: {f"{one:.{digits}f}" for one in numbers} for digits in (3, 4)}
    told = re.findall(r"(?<![\d.])\d\.\d{3,4}\b", (TOP / "docs" / "findings.md").read_text())
    assert len(told) > 30
    assert [one for one in told if one not in by_digits[len(one) - 2]] == []


# ---------------------------------------------------------------- words


def test_the_rooms_are_told_as_they_tell_themselves() -> None:
    text = (TOP / "docs" / "architecture.md").read_text()
    told = dict(re.findall(r"^- `([a-z/]+)/`: (.*?)(?=\n- `|\n<!-- /rooms)", text, re.MULTILINE | re.DOTALL))
    files = {
        str(file.parent.relative_to(TOP / "profiler")): (ast.get_docstring(ast.parse(file.read_text())) or "")
        for file in (TOP / "profiler").rglob("__init__.py")
        if file.parent != TOP / "profiler" and file.parent.name != "workloads"
    }
    assert {room: " ".join(line.split()) for room, line in told.items()} == {
        room: " ".join(line.partition("\n\n")[0].split()) for room, line in files.items()
    }


def test_the_margins_are_those_of_the_metrics() -> None:
    text = (TOP / "docs" / "method.md").read_text()
    rows = re.findall(r"^\| (`.*`) \| ± ([\d.]+) % \|$", text, re.MULTILINE)
    told = {name: float(margin) for row, margin in rows for name in re.findall(r"`([^`]+)`", row)}
    assert told == {metric.name: pytest.approx(100 * metric.margin) for metric in METRICS}


def said_by_the_code() -> str:
    """All texts of the package, with … in the place of what is filled in."""
    said = []
    for file in sorted((TOP / "profiler").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                said.append("".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.append(node.value)
    return "\n".join(said)


def test_troubleshooting_is_titled_by_what_is_said() -> None:
    said = said_by_the_code()
    page = (TOP / "docs" / "troubleshooting.md").read_text()
    titles = re.findall(r"^### `(.*)`$", page, re.MULTILINE)
    assert len(titles) > 25
    parts = {title: [part.strip() for part in title.split("…") if part.strip()] for title in titles}
    assert [title for title, own in parts.items() if not all(part in said for part in own)] == []
    codes = set(re.findall(r"`([a-z]+(?:-[a-z]+)+|environment|unfinished)`", page.partition("## Warnings")[2]))
    assert {code for code in codes if code not in said} == set()


def test_contributing_names_what_is_there() -> None:
    text = " ".join((TOP / "CONTRIBUTING.md").read_text().split())
    named = re.findall(r"`\W*(\w+)\W*` (?:in `\w+` )?(?:in|of) `(profiler/[\w/]+\.(?:py|toml))`", text)
    named += re.findall(r"in `(\w+)` of `(profiler/[\w/]+\.py)`", text)
    assert len(named) > 10
    assert [(name, file) for name, file in named if name not in (TOP / file).read_text()] == []
