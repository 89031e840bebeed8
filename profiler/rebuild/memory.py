"""What rebuilding has found of a target, kept so that ``variants`` can say which build option its tax is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from profiler.folder import write_atomically
from profiler.model import Cause, Noun, Target, Workload


class RebuildFinding(Noun, frozen=True, kw_only=True):
    """The verdicts on build options of one target and workload."""

    measured_utc: str
    source: str
    """Source of the counts."""
    causes: tuple[Cause, ...]


def remember(place: Path, target: Target, workload: Workload, finding: RebuildFinding) -> None:
    """Keep ``finding`` in the cache ``place``, in the room of an older one."""
    file = _file(place, target, workload)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, msgspec.json.encode(finding))


def recall(place: Path, target: Target, workload: Workload) -> RebuildFinding | None:
    """What was found of these very files and this very workload; None when nothing was."""
    try:
        return msgspec.json.decode(_file(place, target, workload).read_bytes(), type=RebuildFinding)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _file(place: Path, target: Target, workload: Workload) -> Path:
    files = f"{target.real_path} {target.build_id} {target.shared_library} {target.shared_library_build_id}"
    if target.venv_program is not None:
        files += f" {target.venv_program}"
    # What there was to choose first goes in as it always did, so that older findings are found.
    chosen = b"" if workload.pyperf is None else msgspec.json.encode(workload.pyperf)
    if workload.arguments or workload.stdin is not None:
        chosen += msgspec.json.encode(workload.work[2:])
    digest = hashlib.sha256(files.encode() + Path(workload.path).read_bytes() + chosen).hexdigest()[:16]
    return place / "findings" / f"{digest}.json"
