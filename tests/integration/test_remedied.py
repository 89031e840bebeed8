"""Timing a remedy for real; the distribution's own library stands in, so that nothing is built but the hosts."""

import shutil
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.causes.remedy_verdict import timed
from profiler.analyze.sequential import PrecisionWatch
from profiler.collect.beforehand import foresee
from profiler.collect.bench import Limits
from profiler.collect.prepare import prepare
from profiler.collect.remedy_times import time_remedy
from profiler.collect.request import Request
from profiler.folder import load_run
from profiler.launch.binaries.elf import build_id
from profiler.model.factorial import Remedy, remedy_time_folder
from profiler.plan.studies import STUDIES
from profiler.present.progress import ProgressBar
from profiler.sources.choose import choose_source
from profiler.system.quiet import Quiet
from tests.commandline import TaxProbe
from tests.conftest import needs_extension

pytestmark = [needs_extension, pytest.mark.integration]


@pytest.mark.once
def test_a_library_beside_the_run_is_timed_in_chunks_and_gone_on_with(tmp_path: Path, tax_probe: TaxProbe) -> None:
    with ProgressBar() as bar:
        wanted = Request(launcher=("pyo3",), blocks=1, source="software", m=(5, 10))
        study = STUDIES["ipc"]
        run, _ = prepare(wanted, study, foresee(wanted, study), ("ipc",), choose_source, bar)
        library = run.target.shared_library
        if library is None:
            pytest.skip("the target has no shared library")
        (tmp_path / "remedy").mkdir()
        copy = shutil.copy2(library, tmp_path / "remedy" / "libpython-remedy.so")
        remedy = Remedy(
            launcher="pyo3@stand-in",
            library=f"remedy/{Path(copy).name}",
            build_id=build_id(str(copy)),
            soname=None,
            build=(),
            checks=(),
        )
        place = time_remedy(
            run,
            remedy,
            tmp_path,
            limits=Limits(timeout_s=60),
            budget_s=0.001,
            progress=bar,
            watch=PrecisionWatch,
            quiet=Quiet(0, look=lambda: 0.0),
        )
    assert place == tmp_path / remedy_time_folder(remedy)
    begun = load_run(place)
    assert [what.kind for what in begun.plan.passes] == ["chunks"]
    assert len(begun.plan.blocks) == 1
    image = next(one.image for one in begun.plan.launchers if one.name == remedy.launcher)
    assert image is not None
    assert Path(image).read_bytes() == Path(copy).read_bytes()
    assert not Path(image).resolve().is_relative_to(tmp_path), "a result folder may come back with other files"
    once = timed(remedy, tmp_path).times
    assert [(time.against, time.blocks, time.lo) for time in once] == [("python3", 1, None), ("pyo3", 1, None)]

    Path(copy).write_bytes(b"another library")
    ran = tax_probe("ipc", "--resume", str(place), "--budget", "0.5", "--format", "json")
    assert ran.code == 0, ran.err
    against_itself = timed(remedy, tmp_path).times[1]
    if against_itself.ratio is None:
        # Two blocks on a machine with noisy neighbours may leave the baseline's own two runs open: then that is told.
        assert "leave task-clock open" in (against_itself.reason or "")
    else:
        assert against_itself.blocks >= 1
        assert against_itself.ratio == pytest.approx(1.0, abs=0.5), "the same library against itself"
    assert msgspec.json.encode(load_run(place).plan.launchers) == msgspec.json.encode(begun.plan.launchers)
