"""What rebuild remembers is of these very files and this very work."""

from pathlib import Path

import msgspec
import pytest

from profiler.launch.interpreters import resolve_target
from profiler.model import Input, PyperfScript, Workload
from profiler.rebuild.memory import RebuildFinding, recall, remember


@pytest.mark.parametrize(
    "other",
    [
        {"arguments": ("--size", "8")},
        {"arguments": ()},
        {"stdin": Input(path="/words", sha256="2" * 64)},
        {"stdin": None},
        {"pyperf": PyperfScript(arguments=("--size", "7"))},
    ],
)
def test_other_work_is_not_recalled(tmp_path: Path, other: dict[str, object]) -> None:
    load = tmp_path / "load.py"
    load.write_text("print(1)")
    target = resolve_target(None)
    work = Workload(
        name="load",
        path=str(load),
        counts_m=None,
        timed_m=None,
        arguments=("--size", "7"),
        stdin=Input(path="/words", sha256="1" * 64),
    )
    finding = RebuildFinding(measured_utc="2026-01-01", source="callgrind", causes=())
    remember(tmp_path, target, work, finding)
    assert recall(tmp_path, target, work) == finding
    assert recall(tmp_path, target, msgspec.structs.replace(work, **other)) is None
    elsewhere = msgspec.structs.replace(target, venv_program="/srv/venv/bin/python")
    assert recall(tmp_path, elsewhere, work) is None
