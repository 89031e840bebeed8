"""``--max-ratio`` fails only what is proven to exceed it: the lower end of the interval decides."""

import shutil
from pathlib import Path

import pytest

from profiler.errors import GateFailed
from profiler.present.answer import show
from tests.recorded import RESULTS

RECORDED = RESULTS / "survey" / "bookworm" / "ipc"
"""In which pyo3 takes 1.2066 [1.2035, 1.2098] times the instructions."""


@pytest.mark.parametrize(("max_ratio", "failed"), [(1.205, False), (1.203, True)])
def test_a_bound_within_the_interval_is_not_proven_to_be_exceeded(
    tmp_path: Path, max_ratio: float, failed: bool
) -> None:
    folder = shutil.copytree(RECORDED, tmp_path / "run")
    if not failed:
        assert show(folder, format_="json", max_ratio=max_ratio) == 0
        return
    with pytest.raises(
        GateFailed, match=r"instructions .* 1\.203 times .*: pyo3 1\.2066 \(1\.2035 to 1\.2098\)"
    ) as told:
        show(folder, format_="json", max_ratio=max_ratio)
    assert "runmain" not in told.value.message
