"""The cache holds programs that are run: it is refused where others may put some there."""

import os
from pathlib import Path

import pytest

from profiler.errors import MachineError
from profiler.system.home import cache_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tax-probe"


def test_a_cache_that_is_not_there_yet_is_no_error(cache: Path) -> None:
    assert cache_folder() == cache
    assert not cache.exists()


def test_ones_own_cache_is_taken(cache: Path) -> None:
    cache.mkdir(mode=0o755)
    assert cache_folder() == cache


def test_a_cache_that_everybody_may_write_to_is_refused(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(MachineError, match="everybody may write to the cache") as refused:
        cache_folder()
    assert refused.value.hint is not None
    assert f"chmod o-w {cache}" in refused.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_another_users_cache_is_refused_but_not_that_of_who_called_sudo(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    os.chown(cache, 4711, -1)
    monkeypatch.delenv("SUDO_UID", raising=False)
    with pytest.raises(MachineError, match="belongs to another user"):
        cache_folder()
    monkeypatch.setenv("SUDO_UID", "4711")
    assert cache_folder() == cache
