"""What looks like a secret stays at home: a result folder is made to be handed on."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from profiler.catalogue.properties import Fingerprint
from profiler.collect.resume import continued
from profiler.errors import UsageError
from profiler.folder import RUN, load_run, save_run
from profiler.folder.secrets import KEPT_BACK, keeps_back, redacted_words
from profiler.guest import probe
from tests.recorded import FOLDERS

SECRET = "hunter2" * 4


@pytest.mark.parametrize(
    "words",
    [
        ("app", f"--token={SECRET}"),
        ("app", "--api-key", SECRET),
        ("app", "-password", SECRET),
        ("env", f"GITHUB_TOKEN={SECRET}", "app"),
        ("app", f"https://user:{SECRET}@example.org/x"),
        ("ipc", "--host", f"app=/bin/app --db-password={SECRET} {{script}} {{m}}"),
        ("ipc", f"--host=app=/bin/app --secret {SECRET} {{script}}"),
        ("app", f"ghp_{SECRET}"),
        ("app", f"AWS_SECRET_ACCESS_KEY={SECRET}"),
    ],
)
def test_a_secret_is_not_kept(words: tuple[str, ...]) -> None:
    kept = redacted_words(words)
    assert SECRET not in " ".join(kept)
    assert KEPT_BACK in " ".join(kept)
    assert len(kept) == len(words)
    assert ("{script}" in " ".join(words)) == ("{script}" in " ".join(kept))


@pytest.mark.parametrize(
    "words",
    [
        ("ipc", "--python", "/usr/bin/python3", "--workload", "int_loop"),
        ("app", "--tokenizer=fast", "{script}"),
        ("app", "--author=me", "--keyboard", "de"),
        ("app", "https://example.org/a@b"),
        ("app", "--token", "--verbose"),
    ],
)
def test_what_is_none_is_kept(words: tuple[str, ...]) -> None:
    assert redacted_words(words) == words


def test_a_run_is_written_without_and_cannot_go_on(tmp_path: Path) -> None:
    run = load_run(FOLDERS[0])
    launchers = tuple(msgspec.structs.replace(one, argv=(*one.argv, f"--token={SECRET}")) for one in run.plan.launchers)
    plan = msgspec.structs.replace(run.plan, launchers=launchers)
    run = msgspec.structs.replace(run, plan=plan, argv=("ipc", f"--workload-args=--password {SECRET}"))
    assert not keeps_back(run), "what is measured now has it still"
    save_run(tmp_path, run)
    assert SECRET not in (tmp_path / RUN).read_text()
    written = load_run(tmp_path)
    assert keeps_back(written)
    with pytest.raises(UsageError, match="was not kept"):
        continued(written, lambda: written.target, accept_changes=True)


def test_of_unknown_variables_only_that_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONANYWHERE_TOKEN", SECRET)
    monkeypatch.setenv("MALLOC_SERVICE_KEY", SECRET)
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    found: Fingerprint = probe.surroundings()
    assert SECRET not in str(found)
    assert found["python_environment"].items() >= {"PYTHONMALLOC": "malloc", "PYTHONANYWHERE_TOKEN": "set"}.items()
    assert found["allocator_environment"]["MALLOC_SERVICE_KEY"] == "set"
