"""Configure, make, train and test one combination in its work folder: everything that starts a builder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

from profiler.errors import MachineError
from profiler.launch.binaries.elf import read_elf
from profiler.model import Target
from profiler.model.factorial import FactorialPlan
from profiler.rebuild.build_cache import BuildCache, Facts, WorkFolders, key_of
from profiler.rebuild.recipe import USE, BuildRecipe, setup_local
from profiler.rebuild.source_tree import SourceTree
from profiler.system.build_environment import for_builders
from profiler.system.install import how_to_build_python, how_to_install
from profiler.system.logged import Failed, run_logged
from profiler.system.tools import run_briefly

_CONFIGURE_S, _MAKE_S, _RUN_S = 900.0, 7200.0, 7200.0
"""Limits, far above what a slow machine needs."""

_HELPERS = ("Programs/_freeze_module",)
"""Programs of CPython's build that its rules link as the interpreter is, with minutes of LTO that nobody uses."""

_CPYTHONS_TASK = ("-m", "test", "--pgo", "--timeout=1200")
"""Makefile.pre.in."""
_SINGLE = "-s"
"""One test file per run, the next one each time; the runner keeps its place in ``_PLACE`` until the last is done."""
_PLACE = "build/pynexttest"

_MISMATCH = re.compile(r"In function '([^']+)'|\[-W(?:error=)?coverage-mismatch\]")

_REMEDIES = (
    (r"\.h: No such file", f"a header is missing: {how_to_build_python()} brings what CPython's build needs"),
    (r"dtrace", how_to_install("dtrace")),
    (r"[Nn]o space left", "make room; what is built is kept, and the same command goes on"),
    (r"[Kk]illed signal|Cannot allocate memory", "the compiler ran out of memory: fewer at a time with --jobs 1"),
)
"""What a builder says, and what helps."""

OnLine = Callable[[str], None]


def task_of(source: SourceTree, plan: FactorialPlan) -> tuple[str, ...]:
    """Arguments of the interpreter for the training run; ``{source}`` stands for the tree."""
    theirs = source.training_task if plan.training_task == "distribution" else None
    return theirs or _CPYTHONS_TASK


class CPythonBuild:
    """Makes what one source gives for one target."""

    def __init__(self, target: Target, source: SourceTree, build_cache: BuildCache) -> None:
        self.stopping = False
        self._target = target
        self._source = source
        self._build_cache = build_cache

    def train(self, recipe: BuildRecipe, task: tuple[str, ...], folders: WorkFolders, on_line: OnLine) -> Facts:
        """Build instrumented, run the training ``task``, keep the counts.

        Raises:
            MachineError: a step failed; with the builder's own words.
        """
        self._configure(recipe, folders)
        self._make(recipe, (), folders, on_line)
        for counts in folders.work.rglob("*.gcda"):
            counts.unlink()
        env = {"LD_LIBRARY_PATH": str(folders.work)} if recipe.product == "library" else {}
        mark = folders.log.stat().st_size
        # A failing test of the training is no failure of the training (CPython's own rule ends in "|| true").
        command = [str(_program(folders.work)), *(word.replace("{source}", self._source.path) for word in task)]
        self._run(command, folders, _RUN_S, env=env, on_line=on_line, may_fail=True)
        while _SINGLE in task and (folders.work / _PLACE).exists():
            self._run(command, folders, _RUN_S, env=env, on_line=on_line, may_fail=True)
        found = sorted(folders.work.rglob("*.gcda"))
        if not found:
            raise MachineError("the training run left no counts", hint=f"its output is in {folders.log}; PGO needs gcc")
        for counts in found:
            beside = folders.filled / counts.relative_to(folders.work)
            beside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(counts, beside)
        ran, failed = ran_and_failed(folders.log.read_text(errors="replace")[mark:])
        return {"files": len(found), "tests": ran, "failed_tests": len(failed), "failed_names": " ".join(failed)}

    def product(self, recipe: BuildRecipe, counts: str | None, folders: WorkFolders, on_line: OnLine) -> Facts:
        """Build the program or library, with the counts of a training where there is one, and keep it.

        Raises:
            MachineError: a step failed; with the builder's own words.
        """
        self._configure(recipe, folders)
        used = recipe
        if counts is not None:
            shutil.copytree(counts, folders.work, dirs_exist_ok=True)
            used = msgspec.structs.replace(recipe, cflags=(*recipe.cflags, *USE))
        goal = _goal(self._target, recipe)
        mark = folders.log.stat().st_size
        self._make(used, (goal,), folders, on_line)
        kept = _keep(recipe, goal, folders)
        mismatched = mismatches(folders.log.read_text(errors="replace")[mark:]) if counts is not None else None
        return {"product": str(kept.relative_to(folders.filled)), "mismatched_functions": mismatched}

    def test(
        self, recipe: BuildRecipe, product: str, tests: tuple[str, ...], folders: WorkFolders, on_line: OnLine
    ) -> Facts:
        """Build interpreter, test programs and extension modules, and run ``tests`` on the library ``product``.

        Raises:
            MachineError: they cannot be built.
        """
        self._configure(recipe, folders)
        self._make(recipe, (), folders, on_line)
        mark = folders.log.stat().st_size
        command = (str(_program(folders.work)), "-m", "test", "--timeout=600", *tests)
        env = {"LD_LIBRARY_PATH": str(Path(product).parent)}
        self._run(command, folders, _RUN_S, env=env, on_line=on_line, may_fail=True)
        failed, told = outcome(folders.log.read_text(errors="replace")[mark:])
        return {"passed": int(not failed), "told": f"fails: {', '.join(sorted(failed))}; {told}" if failed else told}

    def _configure(self, recipe: BuildRecipe, folders: WorkFolders) -> None:
        work = folders.work
        done = work / ".configured"
        if done.exists():
            return
        source = Path(self._source.path)
        setup = (source / "Modules" / "Setup").read_text(errors="replace")
        bootstrap = [path.read_text(errors="replace") for path in (source / "Modules").glob("Setup.bootstrap*")]
        already = re.findall(r"^(\w+)[ \t]+\S*\.c\b", "\n".join(bootstrap), re.MULTILINE)
        (work / "Modules").mkdir(exist_ok=True)
        (work / "Modules" / "Setup.local").write_text(setup_local(recipe.builtins, already, setup))
        folders.log.write_text("")
        # Combinations of the same arguments find the same answers: configure's own cache saves most of its time.
        answers = key_of(
            "configure",
            self._source.digest,
            msgspec.structs.replace(
                recipe,
                cflags=(),
                ldflags=(),
                core_ldflags=(),
                program_cflags=(),
                program_ldflags=(),
                product="library",
                profile=False,
            ),
        )
        kept = self._build_cache.folder / "configure" / answers
        own = work / "config.cache"
        if kept.exists():
            shutil.copy2(kept, own)
        command = (str(source / "configure"), *recipe.configure, f"--cache-file={own}")
        self._run(command, folders, _CONFIGURE_S, env=recipe.env)
        beside = kept.with_suffix(f".{work.name}")
        shutil.copy2(own, beside)
        beside.replace(kept)
        done.touch()

    def _make(self, recipe: BuildRecipe, goals: tuple[str, ...], folders: WorkFolders, on_line: OnLine) -> None:
        helpers = [goal for goal in _HELPERS if f"\n{goal}:" in (folders.work / "Makefile").read_text(errors="replace")]
        if helpers and "-ffat-lto-objects" in recipe.cflags:
            plain = msgspec.structs.replace(recipe, core_ldflags=("-fno-lto",))
            self._run(_make(plain, *helpers), folders, _MAKE_S, on_line=on_line)
        self._run(_make(recipe, *goals), folders, _MAKE_S, on_line=on_line)

    def _run(
        self,
        command: Iterable[str],
        folders: WorkFolders,
        timeout_s: float,
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        may_fail: bool = False,
    ) -> None:
        command = _tied(command)
        if self.stopping:
            raise MachineError("stopped", hint="the same command goes on where it stopped")
        try:
            run_logged(
                command,
                cwd=folders.work,
                log=folders.log,
                timeout_s=timeout_s,
                env=for_builders(os.environ, **(env or {})),
                on_line=on_line,
            )
        except Failed as error:
            if may_fail and error.exit is not None and error.exit >= 0:
                return
            remedy = next((remedy for said, remedy in _REMEDIES if re.search(said, error.said)), None)
            hint = "; ".join(filter(None, (remedy, f"all of its output is in {folders.log}")))
            raise MachineError(error.said, hint=hint) from None


def _make(recipe: BuildRecipe, *goals: str) -> tuple[str, ...]:
    return (
        "make",
        "-j1",
        f"CFLAGS_NODIST={' '.join(recipe.cflags)}",
        f"CONFIGURE_LDFLAGS={' '.join(recipe.ldflags)}",
        f"CONFIGURE_LDFLAGS_NODIST={' '.join(recipe.core_ldflags)}",
        "CONFIGURE_LDFLAGS_NOLTO=-fno-lto",
        *([f"CFLAGSFORSHARED={' '.join(recipe.program_cflags)}"] if recipe.program_cflags else []),
        *([f"LINKCC={recipe.env['CC']} {' '.join(recipe.program_ldflags)}"] if recipe.program_ldflags else []),
        *goals,
    )


def _goal(target: Target, recipe: BuildRecipe) -> str:
    if recipe.product == "program":
        return "python"
    if target.shared_library is not None:
        return Path(target.shared_library).name.partition(".so")[0] + ".so"
    return f"libpython{'.'.join(target.version.split('.')[:2])}.so"


def _program(work: Path) -> Path:
    found = [path for path in (work / "python", work / "python.exe") if path.is_file()]
    if not found:
        raise MachineError("make built no python", hint="the log shows its output")
    return found[0]


def _keep(recipe: BuildRecipe, goal: str, folders: WorkFolders) -> Path:
    """Copy the product under the name by which it is loaded or run."""
    made = folders.work / goal
    if not made.is_file():
        raise MachineError(f"make built no {goal}", hint="the log shows its output")
    folder = folders.filled / ("bin" if recipe.product == "program" else "lib")
    folder.mkdir()
    kept = folder / ("python3" if recipe.product == "program" else read_elf(str(made)).soname or goal)
    shutil.copy2(made, kept)
    return kept


def outcome(text: str) -> tuple[frozenset[str], str]:
    """Which test cases failed, and a summary, of what ``python -m test`` printed.

    A file that failed without naming a case counts as one; a run that did not come to its end is a failure of its own.
    """
    cases = re.findall(r"^(?:FAIL|ERROR): (test\w*) \(([\w.]+)", text, re.MULTILINE)
    failed = {where if where.endswith(f".{case}") else f"{where}.{case}" for case, where in cases}
    files = set(re.findall(r"^test (test_\w+) (?:failed|crashed)", text, re.MULTILINE))
    failed |= {file for file in files if not any(f"{file}." in case for case in failed)}
    ended = re.search(r"^(?:Tests? result|Result): ", text, re.MULTILINE) is not None
    if not ended:
        failed |= {"the tests did not come to an end"}
    told = re.findall(r"^(?:All )?\d+ tests? (?:OK|failed|skipped|run no tests)", text, re.MULTILINE)
    return frozenset(failed), ", ".join(told) or ("ended" if ended else "")


def ran_and_failed(text: str) -> tuple[int, tuple[str, ...]]:
    """How many test files ``python -m test`` began, and which failed, or were skipped for want of a module."""
    began = re.findall(r"^\S+ .*\[ *\d+/\d+(?:/\d+)?\] (test_\w+)", text, re.MULTILINE)
    failed = re.findall(r"\b(test_\w+) (?:failed|crashed|skipped)\b", text)
    return len(set(began)), tuple(sorted(set(failed)))


def mismatches(text: str) -> int:
    """How many functions GCC names in coverage-mismatch diagnostics: one is named above each."""
    functions: set[str] = set()
    current = ""
    for found in _MISMATCH.finditer(text):
        if found[1] is not None:
            current = found[1]
        else:
            functions.add(current)
    return len(functions)


def _tied(command: Iterable[str]) -> tuple[str, ...]:
    """Let the kernel end the builder when we are killed: two of them in one folder would spoil it."""
    setpriv = shutil.which("setpriv")
    return (*_heeding(), *((setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()), *command)


@cache
def _heeding() -> tuple[str, ...]:
    """Undo that a script's jobs in the background ignore SIGINT: CPython's tests send it to themselves."""
    words = ("env", "--default-signal=INT")
    try:
        return words if run_briefly(*words, "true").exit == 0 else ()
    except OSError:
        return ()
