"""From the target's own build to one combination."""

from pathlib import Path

import msgspec
import pytest

from profiler.errors import MachineError, UsageError
from profiler.launch.interpreters import ask, resolve_target
from profiler.rebuild import recipe
from profiler.rebuild.plans import load_plan
from profiler.rebuild.recipe import base_of, linker_words, recipe_of, setup_local


def test_what_a_distribution_tells_the_linker_is_kept_and_what_its_machine_needed_is_not() -> None:
    said = "gcc -shared -Wl,-O1 -Wl,-Bsymbolic-functions -L/build/lib -Wl,-rpath,/opt/lib -g -fwrapv -O2 -Wl,-z,relro"
    assert linker_words(said) == ("-Wl,-O1", "-Wl,-Bsymbolic-functions", "-Wl,-z,relro")
    assert linker_words("") == ()


def test_modules_that_the_target_has_built_in_are_built_in() -> None:
    setup = "#_csv _csv.c\n#_ssl _ssl.c -lssl -lcrypto\narray arraymodule.c\n"
    assert setup_local(("_csv", "array", "_ssl", "posix"), ("posix",), setup) == (
        "*static*\n_csv _csv.c\n_ssl _ssl.c -lssl -lcrypto\n"
    )
    assert setup_local(("posix",), ("posix",), setup) == ""


HARDENED = "-Wdate-time -g -fcf-protection -O2 -fvisibility=hidden"


def test_flags_that_the_packager_gave_in_the_environment_are_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Debian's packaging from 3.13 on: CONFIG_ARGS hold no flags. Without them int_loop took 43 instructions less on the
    # rebuilt library than on the distribution's.
    (tmp_path / "one.toml").write_text('without = ["-g", "-O2"]\n' + PLAN)
    plan = load_plan(tmp_path / "one.toml")
    said = {"CONFIG_ARGS": "'--enable-shared' 'CFLAGS=-Wall'", "CONFIGURE_CFLAGS_NODIST": HARDENED}
    real = ask(resolve_target(None).real_path)
    monkeypatch.setattr(recipe, "ask", lambda _: msgspec.structs.replace(real, sysconfig=said))
    base = base_of(resolve_target(None), plan)
    assert base.env["CFLAGS_NODIST"] == "-Wdate-time -fcf-protection -fvisibility=hidden"
    assert base.env["CFLAGS"] == "-Wall"
    assert {"CFLAGS_NODIST: without -g", "CFLAGS_NODIST: without -O2"} <= set(base.changed)


PLAN = """
title = "one"
cflags = ["-O1"]
[[factor]]
name = "pgo"
title = "profile"
levels = [{ name = "pgo" }, { name = "no-pgo" }]
"""


def test_a_plan_that_extends_another_says_its_own_over_it(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(PLAN)
    (tmp_path / "two.toml").write_text(
        'extends = "one.toml"\ntitle = "two"\n'
        '[[factor]]\nname = "lto"\ntitle = "lto"\nlevels = [{ name = "lto" }, { name = "no-lto" }]\n'
        '[[factor]]\nname = "pgo"\ntitle = "another"\nlevels = [{ name = "on" }, { name = "off" }]\n'
    )
    plan = load_plan(tmp_path / "two.toml")
    assert (plan.title, plan.cflags) == ("two", ("-O1",))
    assert [(factor.name, factor.title) for factor in plan.factors] == [("pgo", "another"), ("lto", "lto")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('extends = "two.toml"', "which extends it"),
        ('extends = "none.toml"', "cannot read the plan"),
        ("jobs = 2", "unknown jobs"),
    ],
)
def test_plans_that_cannot_be_read_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "two.toml").write_text(text + PLAN)
    with pytest.raises(UsageError, match=words):
        load_plan(tmp_path / "two.toml")


def test_without_a_compiler_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.toml").write_text(PLAN)
    target = resolve_target(None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="no C compiler") as refused:
        base_of(target, load_plan(tmp_path / "one.toml"))
    assert "apt-get install gcc make" in (refused.value.hint or "")


def test_a_level_for_a_cpu_that_is_not_here_says_so(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(PLAN.replace('name = "pgo" }', 'name = "pgo", hwcap = "x86-64-v99" }'))
    plan = load_plan(tmp_path / "one.toml")
    base = base_of(resolve_target(None), plan)
    assert recipe_of(base, plan, {"pgo": "no-pgo"}).cflags == ("-O1",)
    with pytest.raises(MachineError, match="does not know x86-64-v99"):
        recipe_of(base, plan, {"pgo": "pgo"})
