"""The survey's table in the README is that of the results."""

import json
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_the_readmes_survey_is_that_of_the_results() -> None:
    made = subprocess.run(
        [TOP / "tools" / "survey", "table", TOP / "results" / "survey"], capture_output=True, text=True, check=True
    ).stdout
    _, _, rest = (TOP / "README.md").read_text().partition("<!-- survey -->\n")
    assert rest.partition("<!-- /survey -->")[0] == made


def test_equal_placements_counted_by_hand_lie_in_the_intervals() -> None:
    """Slopes of C hosts by hand at equal placement, both sides in the head and both in the tail of their arenas."""
    by_hand = {"bookworm": (1.2055, 1.2082), "trixie": (1.3377, 1.3443), "forky": (1.315, 1.319)}
    wanted = {"launcher": "pyo3", "baseline": "python3", "metric": "instructions"}
    for suite, ratios in by_hand.items():
        folders = (TOP / "results" / "survey" / suite / command for command in ("ipc", "variants"))
        file = next(folder / "verdict.json" for folder in folders if folder.exists())
        verdict = json.loads(file.read_text())
        counted = next(one for one in verdict["comparisons"] if wanted.items() <= one.items())
        # Four digits by hand, and our start-up lies elsewhere in a pool.
        assert all(counted["lo"] - 1e-4 <= ratio <= counted["hi"] + 2e-4 for ratio in ratios), suite
