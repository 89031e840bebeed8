"""Symbols of another revision: fetched only when asked for, and taken only of files that cost the same."""

import dataclasses
import hashlib
import os
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from profiler.analyze.conclude import analyse
from profiler.analyze.costing import costs_of
from profiler.analyze.profile.counted import RARELY_RUN, counted
from profiler.analyze.profile.matched_files import differences, stand_in_pairs
from profiler.analyze.rows import measured, read_all
from profiler.catalogue.caveats import SYMBOLS_DIFFER
from profiler.catalogue.interventions import MATCHED
from profiler.collect.request import checked
from profiler.errors import MachineError, UsageError
from profiler.folder import RowWriter, load_run, save_run
from profiler.launch.interpreters import resolve_target
from profiler.launch.matched_set import MatchedSet, fetched_set
from profiler.launch.source_lines import debug_file
from profiler.model import Launcher, Variant
from profiler.plan.matched_launchers import matched
from profiler.plan.studies import STUDIES
from profiler.present.view import view
from profiler.system.debian_sources import system_targets
from profiler.system.unpacked_packages import unpacked
from tests.builders import launcher
from tests.unit.test_drilldown import LIBRARY, PROGRAM, Line, base_lines, folder, here_lines, places_of, profile_rows

SET = MatchedSet(
    revision="3.11.2-7", program="/c/usr/bin/python3.11", library="/c/lib/libpython3.11.so.1.0", prefix="/usr"
)
PACKAGES = ("python9-minimal", "python9-dbg")


# The archive


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake apt-get and dpkg-deb first on PATH; what they are asked for is in ``asked``."""
    tools = tmp_path / "tools"
    tools.mkdir()
    minimal, dbg = (f"{name}_1%3a9.{{}}-2_amd64.deb" for name in PACKAGES)
    apt = f"""#!/bin/sh
echo "$@" >>{tmp_path}/asked
ours={minimal.format(1)}
dbg={dbg.format(f"$(cat {tmp_path}/dbg 2>/dev/null || echo 1)")}
case "$*" in
*update*) [ ! -e {tmp_path}/offline ] || {{ echo "E: Failed to fetch: no network"; exit 100; }} ;;
*print-uris*)
    for deb in $ours $dbg libc6_2_amd64.deb; do
        echo "'http://archive/$deb' $deb 4 SHA256:{hashlib.sha256(b"deb!").hexdigest()}"
    done ;;
*download*) printf deb! >$ours; printf deb! >$dbg ;;
esac
"""
    (tools / "apt-get").write_text(apt)
    (tools / "apt-config").write_text("#!/bin/sh\n")
    (tools / "dpkg").write_text("#!/bin/sh\necho amd64\n")
    monkeypatch.setattr("profiler.system.unpacked_packages.sources_here", lambda suite, keyring: "Types: deb\n")
    (tools / "dpkg-deb").write_text('#!/bin/sh\nmkdir -p "$3/usr" && touch "$3/usr/${2##*/}"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return tmp_path


def fetch(archive: Path, installed: str | None = None) -> tuple[str, Path]:
    return unpacked(PACKAGES, archive / "cache", lambda line: None, installed=installed)


def newer(archive: Path) -> None:
    """The archive has another revision by now."""
    tool = archive / "tools/apt-get"
    tool.write_text(tool.read_text().replace("3a9.1-2", "3a9.2-1").replace("|| echo 1)-2", "|| echo 2)-1"))


def test_packages_of_one_version_are_unpacked_side_by_side(archive: Path) -> None:
    version, root = fetch(archive)
    assert (version, root.name) == ("1:9.1-2", "1:9.1-2")
    assert sorted(file.name.partition("_")[0] for file in (root / "usr").iterdir()) == [
        "python9-dbg",
        "python9-minimal",
    ]
    update, resolve, download = (archive / "asked").read_text().splitlines()
    assert update.endswith("update")
    assert resolve.endswith("install python9-minimal python9-dbg")
    assert download.endswith("download python9-minimal=1:9.1-2 python9-dbg=1:9.1-2")


def test_what_was_unpacked_before_is_taken_without_the_archive(archive: Path) -> None:
    before = fetch(archive)
    newer(archive)
    assert fetch(archive, "1:9.1-2") == before
    assert len((archive / "asked").read_text().splitlines()) == 3


def test_a_newer_revision_is_fetched_and_taken_where_the_archive_cannot_be_asked(archive: Path) -> None:
    fetch(archive)
    newer(archive)
    version, root = fetch(archive, "1:9.0-9")
    assert version == "1:9.2-1"
    assert fetch(archive) == (version, root), "and it is the newest still"
    assert (archive / "asked").read_text().count("download") == 2
    (archive / "offline").touch()
    assert fetch(archive) == (version, root)


def test_packages_that_are_gone_have_a_remedy_of_the_command_and_a_log_that_stays(archive: Path) -> None:
    tool = archive / "tools/apt-get"
    tool.write_text(
        tool.read_text().replace("*download*) ", '*download*) echo "E: Version 1 was not found"; exit 100;')
    )
    with pytest.raises(MachineError, match="Version 1 was not found") as error:
        fetch(archive)
    assert "--update" not in error.value.hint
    (log,) = (archive / "cache").rglob("apt.log")
    assert str(log) in error.value.hint
    assert "Version 1 was not found" in log.read_text()


@pytest.mark.parametrize(("tool", "does"), [("apt-config", "echo 'E: no'; exit 3"), ("dpkg", "echo no >&2; exit 2")])
def test_a_tool_that_fails_is_told(archive: Path, tool: str, does: str) -> None:
    (archive / "tools" / tool).write_text(f"#!/bin/sh\n{does}\n")
    with pytest.raises(MachineError, match=f"{tool} failed: ") as error:
        fetch(archive)
    assert error.value.hint


def test_the_systems_sources_that_cannot_be_asked_for_are_told(archive: Path) -> None:
    (archive / "tools/apt-get").write_text("#!/bin/sh\necho 'E: broken sources' >&2; exit 100\n")
    with pytest.raises(MachineError, match="apt-get failed: broken sources"):
        system_targets()


def test_without_network_the_remedy_is_named_and_nothing_is_left(archive: Path) -> None:
    (archive / "offline").touch()
    with pytest.raises(MachineError, match="package lists cannot be fetched: Failed to fetch: no network") as error:
        fetch(archive)
    assert "connect this machine" in error.value.hint
    (log,) = (path for path in (archive / "cache").rglob("*") if path.is_file())
    assert str(log) in error.value.hint


def test_packages_of_two_versions_are_no_set(archive: Path) -> None:
    (archive / "dbg").write_text("0")
    with pytest.raises(MachineError, match=r"of no one version: 1:9\.0-2, 1:9\.1-2"):
        fetch(archive)


def test_a_system_without_apt_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match=r"apt-get and .* and dpkg-deb, which this machine lacks") as error:
        unpacked(PACKAGES, tmp_path / "cache", lambda line: None)
    assert "debuginfod" in error.value.hint


def test_an_interpreter_that_no_package_holds_is_refused() -> None:
    target = msgspec.structs.replace(resolve_target(None), real_path="/opt/python/bin/python3", shared_library=None)
    with pytest.raises(UsageError, match="belongs to no package"):
        fetched_set(target, lambda line: None)
    with pytest.raises(UsageError, match="virtual environment"):
        fetched_set(msgspec.structs.replace(target, venv_program="/v/bin/python"), lambda line: None)


def test_debug_information_that_was_fetched_is_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its build-id; of an image that is stripped, as the file that stands there says nothing of itself."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = tmp_path / "tax-probe/symbols/python9/1-2/usr/lib/debug/.build-id/ab/cdef.debug"
    place.parent.mkdir(parents=True)
    image = resolve_target(None).real_path
    assert debug_file(image, "abcdef") is None
    place.write_bytes(Path("/bin/sh").read_bytes())
    assert debug_file(image, "abcdef") == str(place)


def test_only_where_fetches_symbols() -> None:
    assert checked({"symbols": "fetch"}, STUDIES["where"], str).symbols == "fetch"
    with pytest.raises(UsageError, match="tells no functions"):
        checked({"symbols": "fetch"}, STUDIES["opcodes"], str)


# Its launchers


def test_the_program_and_each_host_on_the_library_have_one() -> None:
    base = launcher("python3", "/usr/bin/python3.11", "{script}", "{m}", link="program")
    others = (launcher("pyo3"), launcher("own", link=None, kind="user"), launcher("runmain-static", link="static"),
              launcher("python3-again", link="program"))  # fmt: skip
    found = {one.name: one for one in matched((base, *others), SET)}
    assert set(found) == {"python3@symbols", "pyo3@symbols", "own@symbols"}
    program = found["python3@symbols"]
    assert program.argv == ("/c/usr/bin/python3.11", "{script}", "{m}")
    assert program.env == {"PYTHONHOME": "/usr"}
    assert found["pyo3@symbols"].env == {"LD_LIBRARY_PATH": "/c/lib"}
    assert program.role is None
    assert matched((base, *others[2:]), SET) == (), "no host loads the library"
    assert stand_in_pairs((base, *others, *found.values())) == {
        "python3": "python3@symbols", "pyo3": "pyo3@symbols", "own": "own@symbols",
    }  # fmt: skip


# Its acceptance


def named(lines: list[Line]) -> list[Line]:
    """The same work in files of other addresses."""
    moved = {PROGRAM: f"/c{PROGRAM}", LIBRARY: f"/c{LIBRARY}"}
    return [(moved.get(image or "", image), f"sym_{function}" if function == "0x500" else function, at, op, times)
            for image, function, at, op, times in lines]  # fmt: skip


def with_stand_ins(
    tmp_path: Path, *, more: float = 0.0, counted: bool = True, rare: int = 0, lacks: int | None = None
) -> Path:
    made = folder(tmp_path, "where")
    run = load_run(made)
    others = tuple(
        msgspec.structs.replace(one, name=f"{one.name}@symbols", role=None,
                                variant=Variant(of=one.name, intervention=MATCHED, way="replaced"))
        for one in run.plan.launchers
        if one.role != "twin"
    )  # fmt: skip
    plan = msgspec.structs.replace(run.plan, launchers=(*run.plan.launchers, *others))
    save_run(made, msgspec.structs.replace(run, plan=plan, matched_revision="3.11.2-7"))
    writer = RowWriter(made)
    for block in run.plan.blocks if counted else ():
        for name, lines in (("python3", base_lines(block.index)), ("pyo3", here_lines(block.index))):
            if name == "pyo3" and block.index == lacks:
                continue
            extra: list[Line] = [(f"/c{LIBRARY}", "sym_more", 0x1, None, more)] if name == "pyo3" and more else []
            extra += [(f"/c{LIBRARY}", "sym_rare", 0x10 + n, None, 0.0009) for n in range(rare) if name == "pyo3"]
            writer.append((), (), profile_rows(f"{name}@symbols", block.index, [*named(lines), *extra]), ())
    return made


def functions(made: Path) -> set[str | None]:
    return {name for (level, _, name) in places_of(analyse(made).verdict) if level == "function"}


def test_files_that_cost_the_same_name_the_functions(tmp_path: Path) -> None:
    made = with_stand_ins(tmp_path)
    assert "sym_0x500" in functions(made)
    verdict = analyse(made).verdict
    assert verdict.symbols_of == "3.11.2-7"
    assert dict(view(analyse(made)).facts)["Symbols"] == "symbols of revision 3.11.2-7, whose files cost as much."
    assert {comparison.launcher for comparison in verdict.comparisons} == {"python3-again", "pyo3"}
    whole = [row.difference for (level, _, _), row in places_of(verdict).items() if level == "image"]
    compared = next(c for c in verdict.comparisons if c.launcher == "pyo3")
    assert sum(whole) == pytest.approx((compared.value or 0) - (compared.baseline_value or 0))


@pytest.mark.parametrize(("more", "counted"), [(0.02, True), (0.0, False)])
def test_files_that_cost_more_name_nothing(tmp_path: Path, more: float, counted: bool) -> None:
    made = with_stand_ins(tmp_path, more=more, counted=counted)
    assert "sym_0x500" not in functions(made)
    verdict = analyse(made).verdict
    assert verdict.symbols_of is None
    said = [warning.message for warning in verdict.warnings if warning.code == SYMBOLS_DIFFER.code]
    assert any(("by 0.020 instructions" if counted else "was not counted") in message for message in said)


def test_a_hundredth_of_an_instruction_is_no_difference(tmp_path: Path) -> None:
    assert analyse(with_stand_ins(tmp_path, more=0.009)).verdict.symbols_of == "3.11.2-7"


def test_what_hardly_ever_runs_is_no_difference_and_stands_in_a_row_of_its_own(tmp_path: Path) -> None:
    """Thirty instructions, each once in some thousand iterations; the sum stays that of the comparison."""
    made = with_stand_ins(tmp_path, rare=30)
    verdict = analyse(made).verdict
    assert verdict.symbols_of == "3.11.2-7"
    compared = next(c for c in verdict.comparisons if c.launcher == "pyo3")
    rows = {name: row for (level, _, name), row in places_of(verdict).items() if level == "image"}
    whole = (compared.value or 0) - (compared.baseline_value or 0)
    assert sum(row.difference for row in rows.values()) == pytest.approx(whole)
    assert rows[RARELY_RUN].difference == pytest.approx(-30 * 0.0009)


def test_a_block_that_a_stand_in_lacks_is_no_work_that_runs_rarely(tmp_path: Path) -> None:
    verdict = analyse(with_stand_ins(tmp_path, lacks=0)).verdict
    assert verdict.symbols_of == "3.11.2-7"
    rows = {name: row for (level, _, name), row in places_of(verdict).items() if level == "image"}
    assert RARELY_RUN not in rows or rows[RARELY_RUN].difference == pytest.approx(0, abs=1e-9)


def test_stand_ins_that_share_no_block_are_none(tmp_path: Path) -> None:
    made = with_stand_ins(tmp_path)
    found = counted(made)
    costs, _ = costs_of(load_run(made), measured(read_all(made)))
    pairs = stand_in_pairs(load_run(made).plan.launchers)
    profile = found.profile[(found.profile["launcher"] != "pyo3@symbols")]
    lacking = dataclasses.replace(found, profile=profile, stand_ins=pairs)
    assert lacking.stood_in(costs, "pyo3") == set()
    base, here = lacking.of(costs, "pyo3")
    assert set(base["launcher"]) <= {"python3", "python3-again"}
    assert set(here["launcher"]) == {"pyo3"}


def test_symbols_are_told_of_launchers_that_have_them_alone(tmp_path: Path) -> None:
    made = with_stand_ins(tmp_path)
    run = load_run(made)
    launchers = tuple(one for one in run.plan.launchers if one.name != "pyo3@symbols")
    save_run(made, msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, launchers=launchers)))
    assert analyse(made).verdict.symbols_of is None


def test_the_block_that_differs_most_decides() -> None:
    profile = pd.DataFrame(
        [(name, block, cost) for name, costs in (("a", (10.0, 10.0)), ("a@", (10.0, 9.5)), ("b", (1.0, 1.0)))
         for block, cost in enumerate(costs)],
        columns=["launcher", "block", "instructions"],
    )  # fmt: skip
    assert differences(profile, {"a": "a@", "b": "b@"}) == {"a": 0.5}


def test_no_symbols_were_asked_for_and_none_are_named(tmp_path: Path) -> None:
    found = analyse(folder(tmp_path, "where")).verdict
    assert found.symbols_of is None
    assert isinstance(load_run(tmp_path).plan.launchers[0], Launcher)
