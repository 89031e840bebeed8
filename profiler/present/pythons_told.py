"""All CPythons of a machine on a terminal, or as one JSON document: what each is, or what each costs and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath

import msgspec
from rich.text import Text

from profiler.analyze import numbers
from profiler.analyze.siblings import SAME, VERSION, minor_of
from profiler.catalogue.build_options import BUILD_OPTIONS
from profiler.model.installed import BuildDifference, InstalledPython, Pythons
from profiler.present.layout import Marks, lay_out
from profiler.present.stdout import printing
from profiler.present.table import UNKNOWN, Cell, Column, Mark, Table, columns
from profiler.present.terminal import MOST_LINES, fact, headline, marks_of
from profiler.present.text import console

_MOST_ROWS = 16
_FEWEST_ROWS = 3
_IN_COLUMNS = ("pgo", "lto", "pic", "calls", "tls", "usdt", "optimisation", "debug", "free-threaded")
_NOT_FOUND = "No CPython was found."


def print_pythons(answer: Pythons, *, as_json: bool, verbose: bool = False) -> None:
    """Write ``answer`` to stdout; ``verbose``: every row, all paths, all evidence.

    Raises:
        MachineError: stdout cannot be written to.
    """
    with printing("make room, or read it on a terminal"):
        if as_json:
            print(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
            return
        out = console()
        for line in lines(answer, out.width, marks_of(out), verbose=verbose):
            out.print(line, soft_wrap=True)


def lines(answer: Pythons, width: int, marks: Marks, *, verbose: bool) -> list[Text]:
    """The answer's lines: at most ``MOST_LINES`` unless ``verbose``, rows being left out, and counted, for that."""
    rows = len(answer.pythons) if verbose else min(_MOST_ROWS, len(answer.pythons))
    told = _measured if answer.measured_s is not None else _listed
    found = list(told(answer, rows, width, marks, verbose))
    while not verbose and len(found) > MOST_LINES and rows > _FEWEST_ROWS:
        rows -= 1
        found = list(told(answer, rows, width, marks, verbose))
    return found


def names_of(pythons: Sequence[InstalledPython]) -> dict[str, str]:
    """``libpython3.11.so`` by path: what each is called beside its version and where it is from. Of several that would
    be called alike each is told by the first part of its path that none of the others has.
    """
    alike: dict[tuple[str | None, str, str], list[InstalledPython]] = {}
    for one in pythons:
        alike.setdefault((one.version, one.origin, _file(one)), []).append(one)
    names = {}
    for (_, _, file), group in alike.items():
        for one in group:
            others = {part for other in group if other is not one for part in PurePath(other.file.real_path).parts}
            own = next((part for part in PurePath(one.file.real_path).parts if part not in others), None)
            names[one.file.real_path] = file if len(group) == 1 or own is None else f"{own}/{file}"
    return names


def _file(one: InstalledPython) -> str:
    file = PurePath(one.file.real_path).name
    return file.partition(".so")[0] + ".so" if ".so" in file else file


def why(one: InstalledPython) -> str:
    """In what a slower one differs from the fastest of its minor version, as far as files show it."""
    patch = next((difference for difference in one.differences if difference.option == VERSION), None)
    options = [difference for difference in one.differences if difference.option != VERSION]
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
    if saving and len(one.differences) > 1:
        said.append(f"has what should make it faster: {', '.join(saving)}")
    return "; ".join(said)


def _option(difference: BuildDifference) -> str:
    return f"{difference.here} ({', '.join(difference.brings)})" if difference.brings else difference.here


# ---------------------------------------------------------------- what each is


def _listed(answer: Pythons, most: int, width: int, marks: Marks, verbose: bool) -> Iterator[Text]:
    shown = answer.pythons[:most]
    yield from headline((_headline(answer), "Files were read, none was run."), width, marks)
    if shown:
        yield Text()
        yield from lay_out(_facts(shown, answer.pythons), width, marks)
    yield Text()
    yield from _left_out(answer, shown, width, marks)
    alike = _alike(answer.pythons)
    if alike:
        yield from fact("All alike", ", ".join(alike), width, marks)
    yield from _trouble(answer, width, marks, verbose)
    if verbose:
        yield from _evidence(answer)
    else:
        yield from fact("Evidence", "how each was told, whole paths, packages: -v", width, marks)
    yield from fact("Next", "tax-probe pythons --measure", width, marks)
    yield from fact("", "runs every program, and says which needs more instructions, and why", width, marks)


def _headline(answer: Pythons) -> str:
    pythons = answer.pythons
    if not pythons:
        return _NOT_FOUND
    tests: tuple[tuple[str, Callable[[InstalledPython], bool]], ...] = (
        ("without PGO", lambda one: one.file.pgo is False),
        ("of which no file tells PGO", lambda one: one.file.pgo is None),
        ("without LTO", lambda one: one.file.lto is False),
        ("debug", lambda one: one.file.debug_build is True),
        ("free-threaded", lambda one: one.free_threaded is True),
        ("that no python program runs", lambda one: one.kind == "library" and not one.programs),
    )
    counted = [f"{count} {said}" for said, test in tests if (count := sum(map(test, pythons)))]
    several = f"{len(pythons)} CPython{'' if len(pythons) == 1 else 's'}"
    return f"{several}: {', '.join(counted)}." if counted else f"{several}."


def _facts(shown: Sequence[InstalledPython], pythons: Sequence[InstalledPython]) -> Table:
    varying = _varying(pythons)
    options = [option for option in BUILD_OPTIONS if option.id in varying]
    names = names_of(pythons)
    common = _in_common(pythons) if len({one.hardening for one in pythons}) > 1 else None
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
                f"{one.version or '?'} {names[one.file.real_path]}",
                _from(one),
                _run_by(one),
                *(_cell(option.id, option.read(one)) for option in options),
                *((_hardening(one, common),) if common is not None else ()),
            )
            for one in shown
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


def _hardening(one: InstalledPython, common: frozenset[str]) -> str:
    """What this one has beyond what all have."""
    short = {"stack protector": "canary", "bind now": "now"}
    if one.hardening is None:
        return "?"
    return "+".join(short.get(word, word) for word in one.hardening if word not in common)


def _in_common(pythons: Sequence[InstalledPython]) -> frozenset[str]:
    seen = [frozenset(one.hardening) for one in pythons if one.hardening is not None]
    return frozenset.intersection(*seen) if seen else frozenset()


def _from(one: InstalledPython) -> str:
    """Short, for it stands in every table."""
    return "distro" if one.origin == "distribution" else one.origin


def _run_by(one: InstalledPython) -> str:
    if one.kind == "program":
        return "itself"
    return PurePath(one.programs[0].path).name if one.programs else "hosts"


def _varying(pythons: Sequence[InstalledPython]) -> tuple[str, ...]:
    """Options in which not all are alike: only these have a column. Of PGO, LTO and PIC one always wants to know."""
    return tuple(
        option.id
        for option in BUILD_OPTIONS
        if option.id in ("pgo", "lto", "pic")
        or (option.id in _IN_COLUMNS and len({option.read(one) for one in pythons}) > 1)
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


def _measured(answer: Pythons, most: int, width: int, marks: Marks, verbose: bool) -> Iterator[Text]:
    order = sorted(answer.pythons, key=_by_cost)
    shown = order[:most]
    yield from headline(_costs(answer), width, marks)
    if shown:
        yield Text()
        yield from lay_out(_cost_table(shown, answer.pythons), width, marks)
    yield Text()
    yield from _left_out(answer, shown, width, marks)
    untold: dict[str, None] = {}
    names = names_of(answer.pythons)
    for one in shown:
        if _slower(one):
            yield from fact(one.version or "?", f"{names[one.file.real_path]}: {why(one)}", width, marks)
            untold |= dict.fromkeys(one.not_told)
        reasons = dict.fromkeys(count.reason for count in one.counts if count.reason)
        for reason in reasons:
            text = f"{names[one.file.real_path]} was not counted: {reason}"
            yield from fact(one.version or "?", text, width, marks, None if verbose else 1)
    if untold:
        yield from fact("Not told", f"by some of these files: {', '.join(untold)}", width, marks)
    yield from fact(
        "Seen",
        "in the files, not proved: tax-probe rebuild takes an option away. Exact at one placement of the heap; another "
        "one moves a count by up to 2 %.",
        width,
        marks,
    )
    yield from _trouble(answer, width, marks, verbose)
    if verbose:
        yield from lay_out(_facts(answer.pythons, answer.pythons), width, marks)
        yield from _evidence(answer)
    yield from fact("Took", f"{answer.measured_s:.0f} s, seed {answer.seed}", width, marks)
    yield from fact("Next", "tax-probe rebuild", width, marks)
    yield from fact("", "proves by building which option it is", width, marks)


def _costs(answer: Pythons) -> tuple[str, ...]:
    """The largest difference between siblings, and how many there are."""
    ratios = [
        (count.ratio, one, count.workload) for one in answer.pythons for count in one.counts if count.ratio is not None
    ]
    counted = {id(one) for _, one, _ in ratios}
    if not counted:
        return ("None of the CPythons could be counted.",) if answer.pythons else (_NOT_FOUND,)
    said = f"{len(counted)} of {len(answer.pythons)} CPythons counted."
    names = names_of(answer.pythons)
    ratio, one, workload = max(ratios, key=lambda found: found[0])
    if ratio <= 1 + SAME:
        return (said, "None needs more instructions than another one of its minor version.")
    fastest = next(count.fastest for count in one.counts if count.workload == workload)
    other = next(other for other in answer.pythons if other.file.real_path == fastest)
    slow, fast = (f"{each.version} {names[each.file.real_path]} ({each.origin})" for each in (one, other))
    return (f"On {workload} {slow} needs {numbers.digits(ratio)} times the instructions of {fast}.", said)


def _cost_table(shown: Sequence[InstalledPython], pythons: Sequence[InstalledPython]) -> Table:
    names = names_of(pythons)
    works = list(dict.fromkeys(count.workload for one in shown for count in one.counts))
    heads = [
        column
        for work in works
        for column in (
            Column(title=work, kind="figure"),
            Column(title="÷ fastest", kind="ratio"),
            Column(title="", kind="interval"),
        )
    ]
    return Table(
        title="",
        columns=(*columns("name", "instructions"), *columns("verdict", "from"), *heads),
        rows=tuple(
            (
                f"{one.version or '?'} {names[one.file.real_path]}",
                _from(one),
                *(cell for work in works for cell in _cost(one, work, pythons)),
            )
            for one in shown
        ),
    )


def _cost(one: InstalledPython, work: str, pythons: Sequence[InstalledPython]) -> tuple[Cell, ...]:
    count = next((count for count in one.counts if count.workload == work), None)
    if count is None or count.instructions is None:
        return UNKNOWN, "", ""
    figure = numbers.value("instructions", count.instructions)
    alone = sum(minor_of(other) == minor_of(one) and any(c.ratio for c in other.counts) for other in pythons) < 2
    if count.ratio is None or alone:
        return figure, "", Mark(text="alone", tone="faint")
    ratio, spread = numbers.pair(count.ratio, count.ratio, count.ratio, exact=True)
    return figure, ratio, spread


def _slower(one: InstalledPython) -> bool:
    return any(count.ratio is not None and count.ratio > 1 + SAME for count in one.counts)


def _by_cost(one: InstalledPython) -> tuple[bool, tuple[int, ...], float]:
    """Within a minor version the fastest first; last those without a count."""
    minor = tuple(int(part) for part in (minor_of(one) or "0").split("."))
    ratios = [count.ratio for count in one.counts if count.ratio is not None]
    return not ratios, minor, ratios[0] if ratios else 0.0


# ---------------------------------------------------------------- both


def _left_out(answer: Pythons, shown: Sequence[InstalledPython], width: int, marks: Marks) -> Iterator[Text]:
    left = len(answer.pythons) - len(shown)
    if left:
        yield from fact("More", f"{left} CPythons: -v", width, marks)


def _trouble(answer: Pythons, width: int, marks: Marks, verbose: bool) -> Iterator[Text]:
    most = None if verbose else 1
    if answer.unreadable_folders:
        one = answer.unreadable_folders == 1
        said = f"{answer.unreadable_folders} folder{'' if one else 's'} that may not be read"
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


def _evidence(answer: Pythons) -> Iterator[Text]:
    home = str(Path.home())
    for one in answer.pythons:
        yield Text()
        yield Text(f"{one.version or '?'} {_file(one)} {one.file.real_path}", style="bold")
        yield from (Text(f"- also {path.replace(home, '~', 1)}") for path in one.aliases)
        for program in one.programs:
            others = f", also {', '.join(program.aliases)}" if program.aliases else ""
            yield Text(f"- run by {program.path}, build-id {program.build_id or 'none'}{others}")
        known = (one.file.package, f"build-id {one.file.build_id or 'none'}", one.compiler)
        yield Text(f"- {', '.join(filter(None, known))}")
        hardening = "not seen" if one.hardening is None else ", ".join(one.hardening) or "none"
        gil = "whether it has a GIL is not seen" if one.free_threaded is None else None
        yield Text(f"- hardening: {hardening}; {gil or ('free-threaded' if one.free_threaded else 'with a GIL')}")
        yield from (Text(f"- {sentence}") for sentence in one.file.evidence)
    yield Text()
