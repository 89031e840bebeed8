"""``targets``, ``provision`` and ``cross`` where nothing is provisioned: what is told, with which exit code."""

from pathlib import Path

import pytest

from profiler.catalogue.targets import TARGETS
from profiler.system.run_lock import only_one_run
from tests.commandline import TaxProbe, assert_refused


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_every_target_says_what_it_lacks_and_what_brings_it(tax_probe: TaxProbe) -> None:
    document = tax_probe("targets", "--format", "json").document
    assert document["schema"] == "tax-probe/targets/1"
    assert [state["name"] for state in document["targets"]] == [entry.name for entry in TARGETS]
    for state in document["targets"]:
        if state["state"] == "no recipe":
            assert state["reason"]
            assert state["command"] is None
        else:
            assert state["state"] == "missing"
            assert state["command"] == f"tax-probe provision {state['name']}"
            assert {"linker", "libpython", "Rust std"} <= {
                need["name"] for need in state["needs"] if not need["present"]
            }
            assert all(need["remedy"] for need in state["needs"] if not need["present"])


def test_people_are_told_the_same(tax_probe: TaxProbe) -> None:
    said = tax_probe("targets", "aarch64-linux-gnu").out
    assert "aarch64-linux-gnu  missing" in said
    assert "missing: linker, Rust std, sysroot, libpython" in said
    assert "→ tax-probe provision aarch64-linux-gnu" in said
    assert "wasm32" not in said


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["cross"], 2, ["needs a target", "tax-probe targets"]),
        (["provision"], 2, ["needs a target", "tax-probe targets"]),
        (["cross", "vax"], 2, ["no target 'vax'", "aarch64-linux-gnu"]),
        (["targets", "vax"], 2, ["no target 'vax'"]),
        (["cross", "aarch64-linux-gnu"], 3, ["not provisioned", "tax-probe provision aarch64-linux-gnu"]),
        (["cross", "aarch64-linux-gnu", "--samples"], 3, ["not provisioned"]),
        (["cross", "s390x-linux-gnu"], 3, ["no recipe yet"]),
        (["provision", "s390x-linux-gnu"], 3, ["no recipe yet"]),
        (["provision", "--gc"], 2, ["nothing of these targets"]),
        (["cross", "aarch64-linux-gnu", "s390x-linux-gnu", "--format", "json"], 2, ["one TARGET"]),
        (["cross", "aarch64-linux-gnu", "--m", "5,5"], 2, ["--m"]),
        (["cross", "aarch64-linux-gnu", "--samples", "--max-ratio", "1.1"], 2, ["--samples", "--max-ratio"]),
        (["cross", "aarch64-linux-gnu", "--samples", "--baseline", "x", "--resume", "y"], 2, ["--resume, --baseline"]),
        (["cross", "aarch64-linux-gnu", "--samples", "--workload", "int_loop"], 2, ["no --workload"]),
        (["cross", "aarch64-linux-gnu", "s390x-linux-gnu", "--resume", "x"], 2, ["--resume", "one TARGET"]),
    ],
)
def test_what_cannot_be_done_is_told_with_its_remedy(
    words: list[str], code: int, told: list[str], tax_probe: TaxProbe
) -> None:
    assert_refused(tax_probe(*words), code, *told)


def test_nothing_is_removed_while_something_is_measured(tax_probe: TaxProbe, tmp_path: Path) -> None:
    kept = tmp_path / "cache/tax-probe/targets/aarch64-linux-gnu/sysroot-1"
    kept.mkdir(parents=True)
    with only_one_run():
        assert_refused(tax_probe("provision", "--gc"), 3, "another")
        assert_refused(tax_probe("provision", "aarch64-linux-gnu", "--update"), 3, "another")
    assert kept.is_dir()
    assert tax_probe("provision", "--gc").code == 0
    assert not kept.exists()


def test_what_goes_on_after_an_interruption_is_what_was_asked_for(
    tax_probe: TaxProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("profiler.provision.provisioner.provision", interrupted)
    said = tax_probe("provision", "aarch64-linux-gnu", "--update").err
    assert "tax-probe provision aarch64-linux-gnu --update goes on" in said
    assert "tax-probe provision aarch64-linux-gnu goes on" in tax_probe("provision", "aarch64-linux-gnu").err
