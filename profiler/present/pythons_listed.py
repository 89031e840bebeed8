"""What each CPython of a machine is, by its file: a row each, what they have in common, evidence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

from rich.text import Text

from profiler.analyze.siblings import VERSION
from profiler.catalogue.build_options import BUILD_OPTIONS
from profiler.model.installed import BuildDifference, InstalledPython, Pythons
from profiler.present.layout import Marks, lay_out
from profiler.present.table import Column, Table, columns
from profiler.present.terminal import fact, headline

_IN_COLUMNS = ("pgo", "lto", "pic", "calls", "tls", "usdt", "optimisation", "debug", "free-threaded")
NOT_FOUND = "No CPython was found."


def names_of(pythons: Sequence[InstalledPython]) -> dict[str, str]:
    """``libpython3.11.so`` by path: what each is called beside its version and where it is from. Of several that would
    be called alike each is told by the first part of its path that none of the others has.
    """
    alike: dict[tuple[str | None, str, str], list[InstalledPython]] = {}
    for python in pythons:
        alike.setdefault((python.version, python.origin, _file(python)), []).append(python)
    names = {}
    for (_, _, file), group in alike.items():
        for python in group:
            others = {part for other in group if other is not python for part in PurePath(other.file.real_path).parts}
            own = next((part for part in PurePath(python.file.real_path).parts if part not in others), None)
            names[python.file.real_path] = file if len(group) == 1 or own is None else f"{own}/{file}"
    return names


def _file(python: InstalledPython) -> str:
    file = PurePath(python.file.real_path).name
    return file.partition(".so")[0] + ".so" if ".so" in file else file


def why(python: InstalledPython) -> str:
    """In what a slower one differs from the fastest of its minor version, as far as files show it."""
    patch = next((difference for difference in python.differences if difference.option == VERSION), None)
    options = [difference for difference in python.differences if difference.option != VERSION]
    said = []
    if patch is not None:
        said.append(f"another {patch.here} (the fastest: {patch.fastest})")
    costing = [_option(difference) for difference in options if difference.costs is not False]
    saving = [_option(difference) for difference in options if difference.costs is False]
    if len(options) == 1 and patch is None:
        against = " should make it faster" if saving else ""
        said.append(
            f"the one difference that files show{against}: {_option(options[0])}, the fastest: {options[0].fastest}"
        )
    elif costing:
        said.append(f"differs in: {', '.join(costing)}")
    elif patch is None and not saving:
        said.append("no difference that files show")
    if saving and len(python.differences) > 1:
        said.append(f"has what should make it faster: {', '.join(saving)}")
    return "; ".join(said)


def _option(difference: BuildDifference) -> str:
    return f"{difference.here} ({', '.join(difference.brings)})" if difference.brings else difference.here


# ---------------------------------------------------------------- what each is


def listed(answer: Pythons, most: int, width: int, marks: Marks, verbose: bool) -> Iterator[Text]:
    """What there is, in at most ``most`` rows."""
    shown = answer.pythons[:most]
    yield from headline((_headline(answer), "Files were read, none was run."), width, marks)
    if shown:
        yield Text()
        yield from lay_out(facts_table(shown, answer.pythons), width, marks)
    yield Text()
    yield from left_out(answer, shown, width, marks)
    alike = _alike(answer.pythons)
    if alike:
        yield from fact("All alike", ", ".join(alike), width, marks)
    yield from trouble(answer, width, marks, verbose)
    if verbose:
        yield from evidence(answer)
    else:
        yield from fact("Evidence", "how each was told, whole paths, packages: -v", width, marks)
    yield from fact("Next", "tax-probe pythons --measure", width, marks)
    yield from fact("", "runs every program, and says which needs more instructions, and why", width, marks)


def _headline(answer: Pythons) -> str:
    pythons = answer.pythons
    if not pythons:
        return NOT_FOUND
    tests: tuple[tuple[str, Callable[[InstalledPython], bool]], ...] = (
        ("without PGO", lambda python: python.file.pgo is False),
        ("of which no file tells PGO", lambda python: python.file.pgo is None),
        ("without LTO", lambda python: python.file.lto is False),
        ("debug", lambda python: python.file.debug_build is True),
        ("free-threaded", lambda python: python.free_threaded is True),
        ("that no python program runs", lambda python: python.kind == "library" and not python.programs),
    )
    counted = [f"{count} {said}" for said, test in tests if (count := sum(map(test, pythons)))]
    several = f"{len(pythons)} CPython{'' if len(pythons) == 1 else 's'}"
    return f"{several}: {', '.join(counted)}." if counted else f"{several}."


def facts_table(shown: Sequence[InstalledPython], pythons: Sequence[InstalledPython]) -> Table:
    """The build facts in which any of ``pythons`` differ, of those ``shown``."""
    varying = _varying(pythons)
    options = [option for option in BUILD_OPTIONS if option.id in varying]
    names = names_of(pythons)
    common = _in_common(pythons) if len({python.hardening for python in pythons}) > 1 else None
    return Table(
        title="",
        columns=(
            *columns("name", "CPython"),
            *columns("verdict", "from", "run by"),
            *(
                Column(title=_title(option.id, option.title), kind="verdict", spare=option.id in ("usdt", "debug"))
                for option in options
            ),
            *((Column(title="hardened by", kind="verdict", spare=True),) if common is not None else ()),
        ),
        rows=tuple(
            (
                f"{python.version or '?'} {names[python.file.real_path]}",
                where_from(python),
                _run_by(python),
                *(_cell(option.id, option.read(python)) for option in options),
                *((_hardening(python, common),) if common is not None else ()),
            )
            for python in shown
        ),
    )


_TITLES = {"free-threaded": "GIL", "optimisation": "-O", "debug": "debug", "calls": "calls", "tls": "TLS"}


def _title(option: str, title: str) -> str:
    return _TITLES.get(option, title)


def _cell(option: str, said: str | None) -> str:
    """A setting as it stands under its option's title."""
    if said is None:
        return "?"
    if option in ("calls", "tls"):
        return said.removeprefix("calls ").removeprefix("TLS ").removeprefix("stay ")
    return said if option == "optimisation" else "no" if said.startswith("no ") else "yes"


def _hardening(python: InstalledPython, common: frozenset[str]) -> str:
    """What this one has beyond what all have."""
    short = {"stack protector": "canary", "bind now": "now"}
    if python.hardening is None:
        return "?"
    return "+".join(short.get(word, word) for word in python.hardening if word not in common)


def _in_common(pythons: Sequence[InstalledPython]) -> frozenset[str]:
    seen = [frozenset(python.hardening) for python in pythons if python.hardening is not None]
    return frozenset.intersection(*seen) if seen else frozenset()


def where_from(python: InstalledPython) -> str:
    """Short, for it stands in every table."""
    return "distro" if python.origin == "distribution" else python.origin


def _run_by(python: InstalledPython) -> str:
    """Who installed it, for people."""
    if python.kind == "program":
        return "itself"
    return PurePath(python.programs[0].path).name if python.programs else "hosts"


def _varying(pythons: Sequence[InstalledPython]) -> tuple[str, ...]:
    """Options in which not all are alike: only these have a column. Of PGO, LTO and PIC one always wants to know."""
    return tuple(
        option.id
        for option in BUILD_OPTIONS
        if option.id in ("pgo", "lto", "pic")
        or (option.id in _IN_COLUMNS and len({option.read(python) for python in pythons}) > 1)
    )


def _alike(pythons: Sequence[InstalledPython]) -> list[str]:
    """What has no column because it is the same of all."""
    varying = _varying(pythons)
    alike = []
    for option in BUILD_OPTIONS:
        if pythons and option.id in _IN_COLUMNS and option.id not in varying:
            said = option.read(pythons[0])
            alike.append(f"{option.title} not told by the files" if said is None else said)
    return [*alike, *sorted(_in_common(pythons))]


# ---------------------------------------------------------------- what each costs


def left_out(answer: Pythons, shown: Sequence[InstalledPython], width: int, marks: Marks) -> Iterator[Text]:
    """Of how many there is no row."""
    left = len(answer.pythons) - len(shown)
    if left:
        yield from fact("More", f"{left} CPythons: -v", width, marks)


def trouble(answer: Pythons, width: int, marks: Marks, verbose: bool) -> Iterator[Text]:
    """What could not be read or looked at."""
    most = None if verbose else 1
    if answer.unreadable_folders:
        single = answer.unreadable_folders == 1
        said = f"{answer.unreadable_folders} folder{'' if single else 's'} that may not be read"
        yield from fact("Skipped", said, width, marks)
    if verbose:
        for sentence in answer.unread:
            yield from fact("No CPython", sentence, width, marks)
    elif answer.unread:
        several = f"{len(answer.unread)} files are called like one and show none: -v"
        yield from fact("No CPython", several if len(answer.unread) > 1 else answer.unread[0], width, marks, most)
    for warning in answer.warnings if verbose else answer.warnings[:2]:
        yield from fact("Warning", warning.message, width, marks, most)
    if not verbose and len(answer.warnings) > 2:
        yield from fact("", f"and {len(answer.warnings) - 2} more: -v", width, marks)


def evidence(answer: Pythons) -> Iterator[Text]:
    """How each was told, with whole paths."""
    home = os.environ.get("HOME") or "~"
    for python in answer.pythons:
        yield Text()
        yield Text(f"{python.version or '?'} {_file(python)} {python.file.real_path}", style="bold")
        yield from (Text(f"- also {path.replace(home, '~', 1)}") for path in python.aliases)
        for program in python.programs:
            others = f", also {', '.join(program.aliases)}" if program.aliases else ""
            yield Text(f"- run by {program.path}, build-id {program.build_id or 'none'}{others}")
        known = (python.file.package, f"build-id {python.file.build_id or 'none'}", python.compiler)
        yield Text(f"- {', '.join(filter(None, known))}")
        hardening = "not seen" if python.hardening is None else ", ".join(python.hardening) or "none"
        gil = "whether it has a GIL is not seen" if python.free_threaded is None else None
        yield Text(f"- hardening: {hardening}; {gil or ('free-threaded' if python.free_threaded else 'with a GIL')}")
        yield from (Text(f"- {sentence}") for sentence in python.file.evidence)
    yield Text()
