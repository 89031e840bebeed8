"""The targets of the catalogue on a terminal, or as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from profiler.model.provisioning import TargetState, TargetStates
from profiler.present.text import print_answer

_FROM = {"here": "here", "catalogue": "as measured when the recipe was last tried", None: ""}


def print_targets(answer: TargetStates, *, as_json: bool) -> None:
    """Write ``answer`` to stdout.

    Raises:
        MachineError: stdout cannot be written to.
    """
    print_answer(answer, lambda out: _lines(answer), as_json=as_json)


def _lines(answer: TargetStates) -> Iterator[Text]:
    for state in answer.targets:
        style = {"ready": "green", "half-finished": "yellow"}.get(state.state, "")
        yield Text.assemble((state.name, "bold"), "  ", (state.state, style), f"  {state.title}")
        yield from (Text(f"  {line}") for line in lines_of(state))


def lines_of(state: TargetState) -> Iterator[str]:
    """What is said of one target under its name."""
    if state.reason is not None:
        yield state.reason
        return
    for present, word in ((True, "present"), (False, "missing")):
        names = [need.name for need in state.needs if need.present is present]
        if names:
            yield f"{word}: {', '.join(names)}"
    if state.download_mb is not None:
        yield (
            f"download {state.download_mb} MB, on the disk {state.disk_mb} MB, {state.seconds:.0f} s "
            f"({_FROM[state.measured]}), then the hosts are built"
        )
    for remedy in dict.fromkeys(need.remedy for need in state.needs if need.remedy is not None):
        yield f"→ {remedy}"
    if state.state == "ready":
        yield f"→ tax-probe cross {state.name}"
