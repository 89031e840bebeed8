"""What ``tax-probe doctor`` answers: which source works, what to do about the rest, what counts which event."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from profiler.model import Health, TargetCheck
from profiler.present.layout import STYLES, lay_out
from profiler.present.streams import answering
from profiler.present.table import UNKNOWN, Column, Table, Tone, columns, filled
from profiler.present.terminal import fact, headline, marks_of
from profiler.present.text import print_answer

_TONES: dict[str, Tone] = {"ok": "plain", "note": "open", "problem": "worse"}
_MOST_TARGETS = 3


def show(health: Health, *, format_: str, verbose: bool = False) -> None:
    """Print it on stdout; ``verbose``: every event and every target.

    Raises:
        MachineError: stdout cannot be written to.
    """
    with answering():
        print_answer(health, lambda out: _lines(health, out, verbose=verbose), as_json=format_ == "json", indent=1)


def _lines(health: Health, out: Console, *, verbose: bool) -> Iterator[Text]:
    width, marks = out.width, marks_of(out)
    most = None if verbose else 2
    said = health.source_sentence if verbose else health.source_sentence.partition("; not ")[0]
    yield from headline((f"--source auto takes {health.source}: {said}.",), width, marks)
    yield Text()
    for check in health.checks:
        if check.status != "ok" or verbose:
            yield Text(f"{check.status}: {check.topic}", style=STYLES[_TONES[check.status]])
            yield from fact("", check.finding, width, marks, most)
            if check.remedy:
                # A command is to be copied.
                yield from fact("", f"→ {check.remedy}", width, marks, most if " -m " not in check.remedy else None)
    fine = [check.topic for check in health.checks if check.status == "ok"]
    if fine and not verbose:
        yield from fact("In order", ", ".join(fine), width, marks, most)
    if verbose:
        yield Text()
        yield from lay_out(_events(health), width, marks)
        for titles, reason in _without_hardware(health):
            yield from fact("Not counted", f"by hardware: {titles} ({reason})", width, marks)
    else:
        yield from _counted(health, width, out)
    yield Text()
    targets = health.targets if verbose else health.targets[:_MOST_TARGETS]
    for target in targets:
        yield from (Text(line) for line in _target_lines(target, verbose=verbose))
    if len(targets) < len(health.targets):
        yield from fact("More", f"{len(health.targets) - len(targets)} other Pythons, every event: -v", width, marks)
    yield from fact("Next", "tax-probe ipc", width, marks)


def _counted(health: Health, width: int, out: Console) -> Iterator[Text]:
    """What each way counts, a line each."""
    ways = (
        ("Counted", [event.title for event in health.events if event.hardware]),
        ("Exact", [event.title for event in health.events if "exact" in {event.qemu, event.callgrind}]),
        (
            "Modelled",
            [e.title for e in health.events if e.qemu == "modelled" or e.callgrind == "simulated"],
        ),
        ("Timed", [event.title for event in health.events if event.timed]),
    )
    told = [title for _, titles in ways for title in titles]
    nobody = ("Not counted", [event.title for event in health.events if event.title not in told])
    for label, titles in (*ways, nobody):
        if titles:
            yield from fact(label, ", ".join(titles), width, marks_of(out), 2)


def _events(health: Health) -> Table:
    return filled(
        Table(
            title="events",
            columns=(
                *columns("name", "event", "hardware: asked of perf as"),
                *columns("verdict", "qemu", "callgrind", "bare runs"),
                Column(title="what that counts", kind="name", spare=True),
            ),
            rows=tuple(
                (
                    event.title,
                    event.hardware or UNKNOWN,
                    event.qemu or UNKNOWN,
                    event.callgrind or UNKNOWN,
                    "yes" if event.timed else UNKNOWN,
                    event.note or "",
                )
                for event in health.events
            ),
        )
    )


def _without_hardware(health: Health) -> Iterator[tuple[str, str]]:
    reasons: dict[str, list[str]] = {}
    for event in health.events:
        if event.why_not:
            reasons.setdefault(event.why_not, []).append(event.title)
    for reason, titles in reasons.items():
        yield "everything" if len(titles) == len(health.events) else ", ".join(titles), reason


def _target_lines(target: TargetCheck, *, verbose: bool) -> Iterator[str]:
    if target.problem:
        yield f"target {target.path}: {target.problem}"
        return
    own = f"loads {target.program_loads}" if target.program_loads else "holds its own eval loop"
    yield f"target {target.path}: CPython {target.version}, {own}"
    libraries = tuple(filter(None, (target.shared_library, target.static_library, target.pic_library)))
    if verbose:
        yield from (f"  to embed: {library}" for library in libraries)
    if not libraries:
        yield "  to embed: no libpython found"
    if not target.include_dir:
        yield "  no headers, so no host can be built (Debian, Ubuntu: apt-get install libpython3-dev)"
