"""From the target's own build to one combination."""

from pathlib import Path

import pytest

from profiler.errors import UsageError
from profiler.rebuild.plans import load_plan
from profiler.rebuild.recipe import linker_words, setup_local


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
