"""The reference results, which several tests read."""

from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"
FOLDERS = sorted(path.parent for path in RESULTS.rglob("run.json*"))
