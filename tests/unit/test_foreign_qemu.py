"""The emulated source on a stand-in for qemu: who is asked for what, under which name it counts, what is missing."""

from pathlib import Path

import pytest

from profiler.catalogue.events import EVENTS
from profiler.errors import MachineError
from profiler.model import Emulator, Workload
from profiler.sources import foreign_qemu
from profiler.sources.foreign_qemu import ForeignQemuSource
from profiler.sources.qemu_plugin import Plugin
from profiler.system.process import helper

FAKE = """\
#!/bin/sh
if [ "$1" = --version ]; then echo 'qemu-fake version 7'; exit; fi
echo "$@" >> {log}
out=${{2##*out=}}
printf 'begin instructions\\n{lines}' > "$out.$$"
"""


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    return tmp_path / "qemu-fake"


def written(fake: Path, lines: str) -> Path:
    fake.write_text(FAKE.format(log=fake.with_name("log"), lines=lines))
    fake.chmod(0o755)
    return fake.with_name("log")


WORKLOAD = Workload(name="w", path="/w.py", counts_m=(10, 20), timed_m=(1, 2))


def test_the_plugin_stands_before_what_the_command_has_and_the_count_has_the_targets_name(
    fake: Path, tmp_path: Path
) -> None:
    log = written(fake, "total 41\\n")
    source = ForeignQemuSource("/plugin.so", "aarch64-instructions", "qemu 7")
    (pass_,) = source.passes(WORKLOAD)
    assert pass_.events == ("aarch64-instructions",)
    assert pass_.m == (10, 20)
    assert source.chunk_passes(WORKLOAD, None) == (pass_,), "no part of a process is counted"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    outcome = source.measure(pass_, helper((str(fake), "-L", "/root", "/prog", "s.py"), timeout_s=5), scratch)
    assert log.read_text().split() == ["-plugin", f"/plugin.so,out={scratch}/qemu.out", "-L", "/root", "/prog", "s.py"]
    (reading,) = outcome.readings
    assert (reading.event, reading.value, reading.source) == ("aarch64-instructions", 41.0, "emulated")


def test_all_that_this_machine_counts_is_missing_with_its_reason() -> None:
    missing = {one.event: one.reason for one in ForeignQemuSource("p", "aarch64-instructions", "v").missing}
    assert set(missing) == {event.name for event in EVENTS}
    assert "another kind" in missing["instructions"]
    assert "time of an emulator" in missing["wall"]
    assert "own architecture" in missing["branches"]


@pytest.mark.parametrize(("lines", "counts"), [("region 2003\\ntotal 9\\n", True), ("region 2004\\ntotal 9\\n", False)])
def test_a_counter_that_does_not_count_a_loop_of_known_length_is_refused(
    lines: str, counts: bool, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(fake, lines)
    monkeypatch.setattr(foreign_qemu, "built_plugin", lambda: Plugin(path="/plugin.so", known=""))
    emulator = Emulator(words=(str(fake), "-L", "/root"), env={})
    if counts:
        source = ForeignQemuSource.probe(emulator, Path("/known"), "aarch64-instructions")
        assert "qemu-fake version 7" in source.describe()
        assert "nothing is timed" in source.describe()
    else:
        with pytest.raises(MachineError, match="does not count 2003"):
            ForeignQemuSource.probe(emulator, Path("/known"), "aarch64-instructions")


def test_an_emulator_that_wrote_nothing_is_told_with_its_command(fake: Path, tmp_path: Path) -> None:
    fake.write_text("#!/bin/sh\necho lost >&2\n")
    fake.chmod(0o755)
    source = ForeignQemuSource("/plugin.so", "aarch64-instructions", "v")
    (pass_,) = source.passes(WORKLOAD)
    with pytest.raises(MachineError, match="wrote no counts"):
        source.measure(pass_, helper((str(fake), "/prog"), timeout_s=5), tmp_path)
