"""What ``tax-probe doctor`` answers, as tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec

from profiler.model import Health, TargetCheck
from profiler.present.table import UNKNOWN, Table, columns, filled

_MARKS = {"ok": "[green]ok[/green]", "note": "[yellow]note[/yellow]", "problem": "[red]problem[/red]"}


def show(health: Health, *, format_: str) -> None:
    """Print it on stdout."""
    if format_ == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(health), indent=1).decode() + "\n")
        return
    from rich.console import Console
    from rich.markup import escape

    from profiler.present.text import to_rich

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]--source auto takes {health.source}[/bold]: {escape(health.source_sentence)}\n")
    for check in health.checks:
        console.print(f"{_MARKS[check.status]} {escape(check.topic)}: {escape(check.finding)}")
        if check.remedy:
            console.print(f"     → {escape(check.remedy)}")
    console.print()
    for part in to_rich(_events(health), console.width):
        console.print(part)
    for event_titles, reason in _without_hardware(health):
        console.print(f"not counted by hardware: {event_titles} ({escape(reason)})")
    console.print()
    for target in health.targets:
        console.print("\n  ".join(map(escape, _target_lines(target))))


def _events(health: Health) -> Table:
    return filled(
        Table(
            title="events",
            columns=columns(
                "word", "event", "hardware: asked of perf as", "callgrind", "bare runs", "what that counts"
            ),
            rows=tuple(
                (
                    event.title,
                    event.hardware or UNKNOWN,
                    event.callgrind or UNKNOWN,
                    "yes" if event.timed else UNKNOWN,
                    event.note or "",
                )
                for event in health.events
            ),
            notes=(),
        )
    )


def _without_hardware(health: Health) -> Iterator[tuple[str, str]]:
    reasons: dict[str, list[str]] = {}
    for event in health.events:
        if event.why_not:
            reasons.setdefault(event.why_not, []).append(event.title)
    for reason, titles in reasons.items():
        yield "everything" if len(titles) == len(health.events) else ", ".join(titles), reason


def _target_lines(target: TargetCheck) -> Iterator[str]:
    if target.problem:
        yield f"target {target.path}: {target.problem}"
        return
    own = f"loads {target.program_loads}" if target.program_loads else "holds its own eval loop"
    yield f"target {target.path}: CPython {target.version}, {own}"
    libraries = tuple(filter(None, (target.shared_library, target.static_library, target.pic_library)))
    yield from (f"to embed: {library}" for library in libraries)
    if not libraries:
        yield "to embed: no libpython found"
    if not target.include_dir:
        yield "no headers, so no host can be built (Debian, Ubuntu: apt-get install libpython3-dev)"
