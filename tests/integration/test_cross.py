"""``cross`` on a target that is provisioned here: the counter counts right, all launchers print the same, the folder
is read again. Skipped where it is not: provisioning takes a network.
"""

import pytest

from profiler.catalogue.targets import TARGETS
from profiler.errors import ProbeError
from profiler.folder import load_run
from profiler.provision.provisioner import require_provisioned
from tests.commandline import TaxProbe, comparison

pytestmark = pytest.mark.slow


@pytest.fixture(params=[entry.name for entry in TARGETS if entry.reason is None])
def target(request: pytest.FixtureRequest) -> str:
    entry = next(entry for entry in TARGETS if entry.name == request.param)
    try:
        require_provisioned(entry)
    except ProbeError as error:
        pytest.skip(f"{error.message}: {error.hint}")
    return entry.name


def test_the_tax_within_the_target_is_counted_and_read_again(target: str, tax_probe: TaxProbe) -> None:
    entry = next(entry for entry in TARGETS if entry.name == target)
    assert entry.counts is not None
    ran = tax_probe("cross", target, "--blocks", "2", "--seed", "3", "--format", "json", "--out", str(tax_probe.out))
    assert ran.code == 0, ran.err
    verdict = ran.document
    again = comparison(verdict, "python3-again", entry.counts)
    assert again["ratio"] == pytest.approx(1.0, abs=1e-6), "the same process repeats to the instruction"
    for name in entry.launchers:
        found = comparison(verdict, name, entry.counts)
        assert 0.99 < found["ratio"] < 1.5
    folder = tax_probe.folder()
    assert load_run(folder).plan.launchers[1].role == "twin"
    assert tax_probe("report", str(folder), "--format", "json").out == ran.out


def test_every_sample_is_equal(target: str, tax_probe: TaxProbe) -> None:
    ran = tax_probe("cross", target, "--samples", "--launcher", "pyo3", "--format", "json", "--out", str(tax_probe.out))
    assert ran.code == 0, ran.err
    table = ran.document
    assert len(table["samples"]) >= 40
    assert [run for run in table["runs"] if run["outcome"] != "equal"] == []
