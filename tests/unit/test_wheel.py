"""The wheel says which Python it needs, not which one its extension could be loaded in; and nothing of its build."""

import base64
import hashlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
BACKEND = runpy.run_path(str(TOP / "tools" / "backend" / "repeatable_maturin.py"))
INFO = "tool-1.0.dist-info"


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def test_a_wheel_gets_its_tag_in_name_wheel_and_record(tmp_path: Path) -> None:
    made = tmp_path / "tool-1.0-cp38-abi3-linux_x86_64.whl"
    with zipfile.ZipFile(made, "w") as wheel:
        wheel.writestr("tool/cp38-abi3-x.py", "said = 'cp38-abi3-'\n")
        wheel.writestr(f"{INFO}/WHEEL", "Root-Is-Purelib: false\nTag: cp38-abi3-linux_x86_64\n")
        wheel.writestr(f"{INFO}/sboms/tool.cyclonedx.json", json.dumps({"metadata": {"timestamp": "now"}}))
        wheel.writestr(
            f"{INFO}/RECORD",
            f"tool/cp38-abi3-x.py,sha256=x,20\n{INFO}/WHEEL,sha256=y,1\n"
            f"{INFO}/sboms/tool.cyclonedx.json,sha256=z,3\n{INFO}/RECORD,,\n",
        )
    tagged = BACKEND["tagged"](made, "cp311")
    assert [file.name for file in tmp_path.iterdir()] == [tagged.name] == ["tool-1.0-cp311-abi3-linux_x86_64.whl"]
    with zipfile.ZipFile(tagged) as wheel:
        said = wheel.read(f"{INFO}/WHEEL")
        assert said == b"Root-Is-Purelib: false\nTag: cp311-abi3-linux_x86_64\n"
        assert wheel.read("tool/cp38-abi3-x.py") == b"said = 'cp38-abi3-'\n"
        sbom = wheel.read(f"{INFO}/sboms/tool.cyclonedx.json")
        assert b"now" not in sbom
        assert wheel.read(f"{INFO}/RECORD").decode().splitlines() == [
            "tool/cp38-abi3-x.py,sha256=x,20",
            f"{INFO}/WHEEL,sha256={digest(said)},{len(said)}",
            f"{INFO}/sboms/tool.cyclonedx.json,sha256={digest(sbom)},{len(sbom)}",
            f"{INFO}/RECORD,,",
        ]


def test_the_tag_is_that_of_requires_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.14"\n')
    assert BACKEND["_oldest_python"]() == "cp314"


def test_an_sbom_does_not_tell_when_and_in_which_folder_it_was_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = []
    for name, second in (("here", 1), ("there", 2)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        reference = f"path+file://{tmp_path / name}/runner#tool@1.0"
        document = {
            "serialNumber": f"urn:uuid:{second}",
            "metadata": {"timestamp": second, "component": {"bom-ref": reference}},
        }
        told.append(BACKEND["timeless"](json.dumps(document).encode()))
    assert told[0] == told[1]
    assert json.loads(told[0])["metadata"] == {"component": {"bom-ref": "path+file:///tax-probe/runner#tool@1.0"}}
    other = BACKEND["timeless"](b'{"metadata": {"component": {"bom-ref": "another"}}}')
    assert json.loads(other)["serialNumber"] != json.loads(told[0])["serialNumber"]


def test_the_compiler_is_told_to_leave_folders_out_beside_what_the_user_tells_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = BACKEND["without_folders"]({"RUSTFLAGS": "-C opt-level=3", "CARGO_HOME": "/somebody/cargo"}).split(" --")
    assert flags == [
        "-C opt-level=3",
        "remap-path-prefix=/somebody/cargo=/cargo",
        f"remap-path-prefix={tmp_path}=/tax-probe",
    ]


@pytest.mark.slow
def test_a_wheel_built_twice_in_two_folders_is_one_wheel(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, capture_output=True, check=True, text=True
    )
    built = []
    for folder in (tmp_path / "one", tmp_path / "the" / "other"):
        for file in filter(lambda file: (TOP / file).is_file(), listed.stdout.splitlines()):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / file, folder / file)
        path = os.pathsep.join([str(TOP / ".venv" / "bin"), str(TOP / ".venv" / "rust"), os.environ["PATH"]])
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "dist", "."],
            cwd=folder,
            check=True,
            env={**os.environ, "PATH": path},
        )
        (wheel,) = (folder / "dist").iterdir()
        built.append((wheel.name, digest(wheel.read_bytes())))
        with zipfile.ZipFile(wheel) as opened:
            held = {name: opened.read(name) for name in opened.namelist()}
        assert {name.rpartition("/")[2] for name in held if "/sboms/" in name} == {
            "requirements.cdx.json",
            "tax-probe-counters.cyclonedx.json",
        }
        assert [name for name, data in held.items() if str(tmp_path).encode() in data] == []
    assert built[0] == built[1]
