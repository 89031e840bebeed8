"""``results/README.md`` is made of the folders, and tells all of them."""

import subprocess
from pathlib import Path

from tests.recorded import FOLDERS, RESULTS

TOP = Path(__file__).parents[2]


def test_the_page_of_the_results_is_up_to_date() -> None:
    made = subprocess.run([TOP / "tools" / "results-page"], capture_output=True, text=True, check=True).stdout
    page = (RESULTS / "README.md").read_text()
    assert page == made, "make record writes it again"
    headings = [line.removeprefix("## [").partition("]")[0] for line in page.splitlines() if line.startswith("## ")]
    assert headings == [str(folder.relative_to(RESULTS)) for folder in FOLDERS]
    assert [line for line in page.splitlines() if len(line) > 120] == []
    assert "--out" not in page


def test_the_page_of_the_targets_is_made_of_their_folders() -> None:
    made = subprocess.run([TOP / "tools" / "targets-page"], capture_output=True, text=True, check=True).stdout
    page = (RESULTS / "targets" / "README.md").read_text()
    assert page == made, "make record writes it again"
    told = [line for line in page.splitlines() if line.startswith("## ")]
    for folder in (RESULTS / "targets").iterdir():
        assert not folder.is_dir() or any(line.startswith(f"## {folder.name} ") for line in told)
