"""A host that does not run: one line that says why, and the rest in the log. The hosts here are C programs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.launch.proof import check_host
from tests.unit.test_builds import make_target

FATAL = """\
Fatal Python error: init_fs_encoding: failed to get the Python codec of the filesystem encoding
Python runtime state: core initialized
ModuleNotFoundError: No module named 'encodings'

Current thread 0x00007f0c35d4d740 (most recent call first):
  <no Python frame>
"""
TRACEBACK = """\
Traceback (most recent call last):
  File "question.py", line 1, in <module>
    import json, sys
ImportError: libpython was packaged without the objects of _planted
"""

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="no cc to make a host with")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (FATAL, FATAL.splitlines()[0]),
        (TRACEBACK, TRACEBACK.splitlines()[-1]),
        ("", "nothing"),
        ("x" * 5000, "x" * 300),
    ],
    ids=["fatal error", "traceback", "silence", "a screen"],
)
def test_why_a_host_does_not_run_is_one_line(tmp_path: Path, said: str, told: str) -> None:
    text = said.replace("\n", "\\n").replace('"', '\\"')
    (tmp_path / "host.c").write_text(
        f'#include <stdio.h>\nint main(void) {{ fputs("{text}", stderr); return 3; }}\n', encoding="utf-8"
    )
    subprocess.run(("cc", "-no-pie", "host.c", "-o", "host"), cwd=tmp_path, check=True, timeout=60)
    log = tmp_path / "build.log"
    with pytest.raises(MachineError) as caught:
        check_host(tmp_path / "host", make_target(tmp_path), "static", log=log)
    assert caught.value.message == f"the static host host does not run (exit 3); it said: {told}"
    assert str(log) in str(caught.value.hint)
    assert said[-4000:] in log.read_text()
