"""The reference results, which several tests read."""

from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"
FOLDERS = sorted(path.parent for path in RESULTS.rglob("run.json*") if "remedy" not in path.parts)
"""The timing of a remedy is a part of the folder that it lies in."""
