"""From the target's own build to one combination: configure arguments, flags, built-in modules. Pure but for two reads.

The target's flags are what sysconfig says (``CONFIG_ARGS``, and ``CONFIGURE_CFLAGS_NODIST`` for what the packager gave
``configure`` in the environment): a claim, and on Debian an edited one, so a plan may take flags away and add others;
every change is listed.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import msgspec

from profiler.catalogue.factorial_design import levels_of
from profiler.errors import MachineError
from profiler.launch.interpreters import ask
from profiler.model import Noun, Target
from profiler.model.factorial import FactorialPlan, Level, Levels
from profiler.system.install import how_to_install
from profiler.system.tools import output_of, run_briefly

_DECIDED: Final = ("--enable-shared", "--disable-shared", "--enable-optimizations", "--with-lto", "--enable-bolt")
"""Configure arguments that stand for factors: a plan's levels say them, not the target."""
_FLAGS: Final = ("CFLAGS", "CPPFLAGS", "LDFLAGS", "CFLAGS_NODIST")
_TOOL_PREFIX: Final = re.compile(r"^(.*-)?gcc(-[0-9]+)?$")

GENERATE: Final = ("-fprofile-generate",)
USE: Final = ("-fprofile-use", "-fprofile-correction", "-Wno-missing-profile", "-Wno-error=coverage-mismatch")
"""As CPython's own ``profile-opt`` does it (PGO_PROF_USE_FLAG of configure.ac), with mismatches reported."""


class Base(Noun, frozen=True, kw_only=True):
    """What all combinations share: the target's own build as far as it can be known."""

    configure: tuple[str, ...]
    env: dict[str, str]
    """CC, AR, RANLIB, CFLAGS, CPPFLAGS, LDFLAGS, CFLAGS_NODIST."""
    link: tuple[str, ...]
    """What the target's BLDSHARED tells the linker. A distribution may have patched that into ``configure.ac`` alone
    (Debian: ``-Bsymbolic-functions``), where neither the arguments nor the released ``configure`` show it."""
    builtins: tuple[str, ...]
    """``sys.builtin_module_names`` of the target's program: its standard library has no files for them."""
    compiler: str
    """All of ``gcc -v``."""
    changed: tuple[str, ...]
    """Sentences: what is not as sysconfig says, and why."""


class BuildRecipe(Noun, frozen=True, kw_only=True):
    """One combination, ready to be configured and made."""

    levels: Levels
    configure: tuple[str, ...]
    env: dict[str, str]
    builtins: tuple[str, ...]
    compiler: str
    cflags: tuple[str, ...]
    """For ``make CFLAGS_NODIST=``: after every flag of configure."""
    ldflags: tuple[str, ...]
    """For ``make CONFIGURE_LDFLAGS=``: every link."""
    core_ldflags: tuple[str, ...]
    """For ``make CONFIGURE_LDFLAGS_NODIST=``: the link of the product."""
    program_cflags: tuple[str, ...]
    """For ``make CFLAGSFORSHARED=``: the objects of the interpreter, and of no extension module."""
    program_ldflags: tuple[str, ...]
    """For ``make LINKCC=``: the link of programs, and of no shared object."""
    product: Literal["program", "library"]
    profile: bool


def base_of(target: Target, plan: FactorialPlan) -> Base:
    """The target's configure arguments, flags and built-in modules, less what ``plan`` takes away.

    Raises:
        MachineError: no gcc.
        UsageError: the target does not answer.
    """
    answer = ask(target.real_path)
    words = shlex.split(answer.sysconfig.get("CONFIG_ARGS", ""))
    said = dict(word.split("=", 1) for word in words if _is_variable(word))
    arguments = [word for word in words if not _is_variable(word)]
    dropped = [word for word in arguments if word.startswith(_DECIDED) or word in plan.without]
    compiler = _compiler(said.get("CC"))
    env = {"CC": compiler} | _binutils(compiler)
    changed = [f"configure {word}: left to the plan's factors" for word in dropped]
    if said.get("CC") not in (None, compiler):
        changed.append(f"CC: {compiler} instead of {said['CC']}, which is not installed")
    # autoconf records in CONFIG_ARGS only the variables that it knows itself, and this one is CPython's own. Debian
    # gives its hardening in it from 3.13 on (-fcf-protection: an endbr64 at each target of an indirect jump).
    said.setdefault("CFLAGS_NODIST", answer.sysconfig.get("CONFIGURE_CFLAGS_NODIST", ""))
    for name in _FLAGS:
        flags = said.get(name, "").split()
        kept = [flag for flag in flags if flag not in plan.without and not _machine_bound(flag)]
        changed += [f"{name}: without {flag}" for flag in flags if flag not in kept]
        env[name] = " ".join(kept)
    changed += [f"CFLAGS: with {flag}" for flag in plan.cflags]
    builtins = (output_of(target.real_path, "-ISc", "import sys; print(*sys.builtin_module_names)") or "").split()
    return Base(
        configure=tuple(word for word in arguments if word not in dropped) or (f"--prefix={target.prefix}",),
        env=env,
        link=linker_words(answer.sysconfig.get("BLDSHARED", "")),
        builtins=tuple(builtins),
        compiler=_identity(compiler),
        changed=tuple(changed),
    )


def recipe_of(base: Base, plan: FactorialPlan, levels: Levels) -> BuildRecipe:
    """The recipe of one combination.

    Raises:
        MachineError: a program that one of its levels needs is not installed.
    """
    chosen = [plan.factor(name).level(level) for name, level in levels.items()]
    for level in chosen:
        missing = [program for program in level.needs if shutil.which(program) is None]
        if missing:
            raise MachineError(f"{level.name} needs {', '.join(missing)}", hint=how_to_install(missing[0]))
        if level.hwcap is not None and f"{level.hwcap} (supported" not in (output_of(_LOADER, "--help") or ""):
            raise MachineError(
                f"{level.name}: this CPU, or the C library, does not know {level.hwcap}",
                hint=f"{_LOADER} --help lists what it knows (glibc 2.33 or newer)",
            )
    without = {word for level in chosen for word in level.without}
    env = dict(base.env)
    for name in _FLAGS:
        env[name] = " ".join(flag for flag in env[name].split() if flag not in without)
    return BuildRecipe(
        levels=dict(levels),
        configure=(*(word for word in base.configure if word not in without), *_all(chosen, "configure")),
        env=env,
        builtins=base.builtins,
        compiler=base.compiler,
        cflags=(*plan.cflags, *_all(chosen, "cflags")),
        ldflags=(*env["LDFLAGS"].split(), *_all(chosen, "ldflags")),
        core_ldflags=(*(word for word in base.link if word not in without), *_all(chosen, "core_ldflags")),
        program_cflags=tuple(_all(chosen, "program_cflags")),
        program_ldflags=tuple(_all(chosen, "program_ldflags")),
        product=next((level.product for level in reversed(chosen) if level.product is not None), "library"),
        profile=any(level.profile for level in chosen),
    )


def training_of(base: Base, plan: FactorialPlan, recipe: BuildRecipe) -> BuildRecipe:
    """The instrumented build whose counts ``recipe`` is compiled with."""
    kept = dict(plan.training) | {
        name: level for name, level in recipe.levels.items() if plan.factor(name).level(level).retrain
    }
    instrumented = recipe_of(base, plan, levels_of(plan, kept))
    return msgspec.structs.replace(
        instrumented,
        cflags=(*instrumented.cflags, *GENERATE),
        ldflags=(*instrumented.ldflags, *GENERATE),
        profile=False,
    )


_LOADER = "/lib64/ld-linux-x86-64.so.2"
"""The System V ABI fixes this path."""


def linker_words(command: str) -> tuple[str, ...]:
    """What a command that links a shared object tells the linker, less paths and names of the machine it ran on."""
    return tuple(word for word in shlex.split(command) if word.startswith("-Wl,") and not _machine_bound(word))


def setup_local(builtins: Iterable[str], already: Iterable[str], setup: str) -> str:
    """``Modules/Setup.local`` that links into the interpreter what the target has there.

    The rules are the lines, mostly commented out, of the source's own ``Modules/Setup``; ``already`` are modules that
    need none.
    """
    rules: dict[str, str] = {}
    for found in re.finditer(r"^#?[ \t]*(\w+)[ \t]+([^#\n]*\.c\b[^\n]*)$", setup, re.MULTILINE):
        rules.setdefault(found[1], f"{found[1]} {found[2].strip()}")
    enabled = set(re.findall(r"^(\w+)[ \t]+\S*\.c\b", setup, re.MULTILINE)) | set(already)
    lines = [rules[name] for name in builtins if name in rules and name not in enabled]
    return "\n".join(("*static*", *lines, "")) if lines else ""


def _is_variable(word: str) -> bool:
    return re.match(r"^[A-Za-z_][A-Za-z0-9_]*=", word) is not None


def _machine_bound(flag: str) -> bool:
    """Flags that name folders or spec files of the machine that built the target, or belong to factors."""
    return flag.startswith(
        (
            "-ffile-prefix-map=",
            "-fdebug-prefix-map=",
            "-specs=",
            "-flto",
            "-fprofile",
            "-I",
            "-L",
            "-Wl,-rpath",
            "-Wl,-h",
        )
    )


def _compiler(said: str | None) -> str:
    for name in (said, "gcc", "cc"):
        if name is not None and shutil.which(name.split()[0]) is not None:
            return name.split()[0]
    raise MachineError("there is no C compiler", hint=how_to_install("builders"))


def _binutils(compiler: str) -> dict[str, str]:
    """The compiler's own ar and ranlib, which can read LTO objects."""
    found = _TOOL_PREFIX.match(Path(compiler).name)
    if found is None:
        return {}
    tools = {name: f"{found[1] or ''}gcc-{tool}{found[2] or ''}" for name, tool in (("AR", "ar"), ("RANLIB", "ranlib"))}
    return tools if all(shutil.which(tool) for tool in tools.values()) else {}


def _identity(compiler: str) -> str:
    return run_briefly(compiler, "-v").stderr_tail


def _all(levels: Iterable[Level], what: str) -> list[str]:
    return [word for level in levels for word in getattr(level, what)]
