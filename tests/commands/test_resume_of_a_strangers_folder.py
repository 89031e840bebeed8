"""``--resume`` runs what its user has run before; of a stranger's folder nothing, but when it is said so."""

import io
import json
import os
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from profiler.catalogue.targets import find_entry
from profiler.collect import prepare_abroad, session
from profiler.collect.resume import continued, is_own, own, programs_of
from profiler.commands.trusting import require_trust
from profiler.errors import UsageError
from profiler.folder import load_run, save_run
from profiler.launch.interpreters import resolve_target
from profiler.launch.launchers import baseline_launcher
from profiler.model import Target
from profiler.plan.lineup import user_hosts
from profiler.plan.schedule import make_plan
from profiler.sources.software import SoftwareSource
from profiler.system import machine, run_lock
from profiler.system.user_key import user_key
from profiler.workloads import find_workload
from tests.commandline import TaxProbe, assert_refused, script
from tests.unit.simulated import folder_of

RESULTS = Path(__file__).parents[2] / "results"
ABROAD = find_entry("aarch64-linux-gnu")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a key of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tax-probe"


@pytest.fixture
def folder(cache: Path, tmp_path: Path) -> Path:
    """A run that was begun and measured nothing yet."""
    host = tmp_path / "host"
    host.write_text('#!/bin/sh\nexec python3 "$@"\n')
    host.chmod(0o755)
    target = resolve_target(None)
    launchers = (baseline_launcher(target), *user_hosts((f"mine={host} {{script}} {{m}}",)))
    plan = make_plan(
        seed=1,
        source="software",
        workload=msgspec.structs.replace(find_workload("int_loop"), counts_m=(5, 10), timed_m=(5, 10)),
        launchers=launchers,
        passes=SoftwareSource().passes(find_workload("int_loop")),
        blocks=1,
    )
    place = tmp_path / "results"
    place.mkdir()
    run = load_run(folder_of(place, plan, "ipc", lambda step, workload, count: {"wall": 1.0}))
    run = msgspec.structs.replace(run, machine=msgspec.to_builtins(machine.facts()))
    save_run(place, own(msgspec.structs.replace(run, programs=programs_of(run))))
    return place


def now() -> Target:
    return resolve_target(None)


def as_cross(folder: Path) -> None:
    """It is this user's run of ``cross``."""
    run = load_run(folder)
    target = msgspec.structs.replace(run.target, triple=ABROAD.words["rust"])
    save_run(folder, own(msgspec.structs.replace(run, command="cross", target=target)))


@pytest.fixture
def abroad(monkeypatch: pytest.MonkeyPatch) -> None:
    """The target of ``as_cross`` is provisioned: it is this machine."""
    monkeypatch.setattr(prepare_abroad, "target_abroad", lambda entry: now())
    monkeypatch.setattr(prepare_abroad, "counter_of", lambda entry: SoftwareSource())


def edited(folder: Path, **plan: object) -> None:
    path = folder / "run.json"
    document = json.loads(path.read_text())
    document["plan"] |= plan
    path.write_text(json.dumps(document))


def planted(folder: Path, mark: Path) -> None:
    """The baseline touches ``mark``."""
    launchers = json.loads((folder / "run.json").read_text())["plan"]["launchers"]
    for launcher in launchers:
        launcher["argv"] = ["/bin/sh", "-c", f"touch {mark}", "{script}"]
    edited(folder, launchers=launchers)


def test_whoever_began_it_goes_on_without_a_question(folder: Path) -> None:
    run = load_run(folder)
    require_trust(folder, run, trusted=False)
    assert continued(run, now, accept_changes=False) == run


def test_a_planted_command_does_not_run(tax_probe: TaxProbe, folder: Path, tmp_path: Path) -> None:
    planted(folder, tmp_path / "mark")
    ran = tax_probe("ipc", "--resume", str(folder))
    assert_refused(ran, 2, "was not begun by you", f"sh -c 'touch {tmp_path / 'mark'}'", "--trust-folder")
    assert not (tmp_path / "mark").exists()
    tax_probe("ipc", "--resume", str(folder), "--trust-folder", "--accept-changes")
    assert (tmp_path / "mark").exists(), "it does run where it may: the test can fail"


def test_a_planted_command_does_not_run_abroad(tax_probe: TaxProbe, folder: Path, tmp_path: Path, abroad: None) -> None:
    as_cross(folder)
    planted(folder, tmp_path / "mark")
    for words in (("cross", ABROAD.name), ("cross",)):
        ran = tax_probe(*words, "--resume", str(folder))
        assert_refused(ran, 2, "was not begun by you", f"sh -c 'touch {tmp_path / 'mark'}'", "--trust-folder")
    assert not (tmp_path / "mark").exists()
    tax_probe("cross", "--resume", str(folder), "--trust-folder", "--accept-changes")
    assert (tmp_path / "mark").exists(), "it does run where it may: the test can fail"


def test_whoever_began_it_goes_on_abroad(tax_probe: TaxProbe, folder: Path, abroad: None) -> None:
    as_cross(folder)
    ran = tax_probe("cross", "--resume", str(folder), "--baseline", str(folder))
    assert ran.code == 0, ran.err


def test_who_measures_beside_it_is_told_abroad_too(
    tax_probe: TaxProbe, folder: Path, abroad: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_cross(folder)
    monkeypatch.setattr(run_lock, "_of_others", lambda own: " (pid 1)")
    assert tax_probe("cross", "--resume", str(folder)).code == 0
    assert "measured-beside" in {warning.code for warning in load_run(folder).warnings}


def test_a_baseline_of_another_workload_is_refused_before_anything_is_measured(
    tax_probe: TaxProbe, folder: Path, abroad: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_cross(folder)
    monkeypatch.setattr(session, "measure", lambda *_, **__: pytest.fail("measured"))
    ran = tax_probe("cross", "--resume", str(folder), "--baseline", str(RESULTS / "ipc-dynamic"))
    assert_refused(ran, 2, "dynamic")


def test_another_target_abroad_is_refused(
    tax_probe: TaxProbe, folder: Path, abroad: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_cross(folder)
    other = msgspec.structs.replace(now(), build_id="00")
    monkeypatch.setattr(prepare_abroad, "target_abroad", lambda entry: other)
    assert_refused(tax_probe("cross", "--resume", str(folder)), 2, "is not the interpreter that it was")


def test_cross_goes_on_with_runs_of_its_own_only(tax_probe: TaxProbe, folder: Path, abroad: None) -> None:
    assert_refused(tax_probe("cross", ABROAD.name, "--resume", str(folder)), 2, "was begun by tax-probe ipc")
    as_cross(folder)
    assert_refused(tax_probe("cross", "s390x-linux-gnu", "--resume", str(folder)), 2, f"was begun on {ABROAD.name}")


@pytest.mark.parametrize("what", ["script", "environment", "target", "path", "secret", "another key", "no key"])
def test_whatever_would_run_otherwise_is_asked_about(
    tax_probe: TaxProbe, folder: Path, cache: Path, tmp_path: Path, what: str
) -> None:
    document = json.loads((folder / "run.json").read_text())
    if what == "script":
        evil = script(tmp_path, f"open({str(tmp_path / 'mark')!r}, 'w'); print(1)", "evil.py")
        edited(folder, workload=document["plan"]["workload"] | {"path": evil, "sha256": None})
    elif what == "environment":
        launchers = document["plan"]["launchers"]
        launchers[0]["env"]["LD_PRELOAD"] = "/nonexistent/evil.so"
        edited(folder, launchers=launchers)
    elif what == "target":
        document["target"]["path"] = "/bin/sh"
        (folder / "run.json").write_text(json.dumps(document))
    elif what == "path":
        launchers = document["plan"]["launchers"]
        launchers[0]["env"]["PATH"] = str(tmp_path)
        edited(folder, launchers=launchers)
    elif what == "secret":
        # What was kept back of a command is nothing that may be filled in.
        launchers = document["plan"]["launchers"]
        launchers[0]["argv"] = ["/bin/sh", "-c", "API_TOKEN=one true", "{script}"]
        edited(folder, launchers=launchers)
        save_run(folder, own(load_run(folder)))
        text = (folder / "run.json").read_text()
        assert "API_TOKEN=[redacted]" in text
        assert is_own(load_run(folder))
        (folder / "run.json").write_text(text.replace("[redacted]", f"$(touch${{IFS}}{tmp_path / 'mark'})"))
    elif what == "another key":
        (cache / f"key-{os.geteuid()}").unlink()
    else:
        (cache / f"key-{os.geteuid()}").chmod(0o644)
    assert_refused(tax_probe("ipc", "--resume", str(folder)), 2, "was not begun by you", "--trust-folder")
    assert not (tmp_path / "mark").exists()


class Terminal(io.StringIO):
    """Somebody sits before it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "runs"), [("n\n", False), ("\n", False), ("", False), ("y\n", True)])
def test_on_a_terminal_it_is_a_question(
    folder: Path, tmp_path: Path, answer: str, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(folder, tmp_path / "mark")
    said = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", said)
    with nullcontext() if runs else pytest.raises(UsageError, match="nothing was run"):
        require_trust(folder, load_run(folder), trusted=False)
    assert f"touch {tmp_path / 'mark'}" in said.getvalue().replace("\n", "")
    assert "run these? [y/N]" in said.getvalue()


def test_the_question_shows_all_that_runs_each_word_as_one(folder: Path, tmp_path: Path) -> None:
    launchers = json.loads((folder / "run.json").read_text())["plan"]["launchers"]
    launchers[0]["argv"] = ["/bin/sh", "-c", "true\nmine: /usr/bin/python3", "{script}"]
    launchers[0]["env"]["PATH"] = str(tmp_path)
    many = [launchers[0] | {"name": f"host-{number}"} for number in range(30)]
    edited(folder, launchers=[*launchers, *many])
    with pytest.raises(UsageError) as refused:
        require_trust(folder, load_run(folder), trusted=False)
    lines = refused.value.message.splitlines()
    assert not [line for line in lines if line.strip().startswith("mine: /usr/bin/python3")]
    assert sum("host-" in line and f"PATH={tmp_path}" in line for line in lines) == len(many)


def test_another_machine_is_refused_and_can_be_accepted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = msgspec.structs.replace(machine.facts(), cpu_model="Another CPU", kernel="9.9")
    monkeypatch.setattr(machine, "facts", lambda: other)
    run = load_run(folder)
    with pytest.raises(UsageError, match=r"cpu model is 'Another CPU'.*kernel is '9.9'") as refused:
        continued(run, now, accept_changes=False)
    assert "--accept-changes" in refused.value.hint
    (told,) = continued(run, now, accept_changes=True).warnings
    assert told.code == "resumed-elsewhere"
    assert "Another CPU" in told.message


def test_another_program_is_refused(folder: Path, tmp_path: Path) -> None:
    """A host that is a script has no build-id: its bytes are compared."""
    host = tmp_path / "host"
    host.write_text(host.read_text() + "\n")
    with pytest.raises(UsageError, match=f"{host} is another file"):
        continued(load_run(folder), now, accept_changes=False)


def test_another_build_is_refused(folder: Path) -> None:
    """Of a library that a launcher was seen to map."""
    run = load_run(folder)
    image = run.target.real_path
    run = msgspec.structs.replace(run, fingerprints={"python3": {"images": {image: "00"}}})
    with pytest.raises(UsageError, match=f"{image} is another build"):
        continued(run, now, accept_changes=False)


def test_a_key_is_made_once_and_is_its_users_alone(cache: Path) -> None:
    key = user_key()
    assert key is not None
    assert user_key() == key
    assert (cache / f"key-{os.geteuid()}").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in cache.iterdir()] == [f"key-{os.geteuid()}"]
