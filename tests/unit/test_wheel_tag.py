"""The wheel says which Python tax-probe needs, not which one its extension could be loaded in."""

import base64
import hashlib
import runpy
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
BACKEND = runpy.run_path(str(TOP / "tools" / "backend" / "tagged_maturin.py"))
INFO = "tool-1.0.dist-info"


def test_a_wheel_gets_its_tag_in_name_wheel_and_record(tmp_path: Path) -> None:
    made = tmp_path / "tool-1.0-cp38-abi3-linux_x86_64.whl"
    with zipfile.ZipFile(made, "w") as wheel:
        wheel.writestr("tool/cp38-abi3-x.py", "said = 'cp38-abi3-'\n")
        wheel.writestr(f"{INFO}/WHEEL", "Root-Is-Purelib: false\nTag: cp38-abi3-linux_x86_64\n")
        wheel.writestr(f"{INFO}/RECORD", f"tool/cp38-abi3-x.py,sha256=x,20\n{INFO}/WHEEL,sha256=y,1\n{INFO}/RECORD,,\n")
    tagged = BACKEND["tagged"](made, "cp311")
    assert [file.name for file in tmp_path.iterdir()] == [tagged.name] == ["tool-1.0-cp311-abi3-linux_x86_64.whl"]
    with zipfile.ZipFile(tagged) as wheel:
        said = wheel.read(f"{INFO}/WHEEL")
        assert said == b"Root-Is-Purelib: false\nTag: cp311-abi3-linux_x86_64\n"
        assert wheel.read("tool/cp38-abi3-x.py") == b"said = 'cp38-abi3-'\n"
        digest = base64.urlsafe_b64encode(hashlib.sha256(said).digest()).decode().rstrip("=")
        assert wheel.read(f"{INFO}/RECORD").decode().splitlines() == [
            "tool/cp38-abi3-x.py,sha256=x,20",
            f"{INFO}/WHEEL,sha256={digest},{len(said)}",
            f"{INFO}/RECORD,,",
        ]


def test_the_tag_is_that_of_requires_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.14"\n')
    assert BACKEND["_oldest_python"]() == "cp314"
