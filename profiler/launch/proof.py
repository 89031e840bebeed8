"""Proof that a host is what was asked for: by its ELF file, and by what it maps when it runs."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from profiler.errors import MachineError, UsageError
from profiler.launch.binaries.elf import read_elf
from profiler.launch.runtime_maps import eval_loop_image
from profiler.model import Emulator, LinkMode, Noun, Target
from profiler.system.install import how_to_install
from profiler.system.own_folder import own_folder
from profiler.system.process import helper, run

PROGRAM = "TAX_PROBE_PROGRAM"
"""As what our host ``runmain`` starts Python (``runner/host/src/runmain.rs``)."""

_ANSWER_TIMEOUT_S = 20.0
_GIST_CHARACTERS = 300
_QUESTION = """\
import json, sys
print(json.dumps({
    "version": ".".join(map(str, sys.version_info[:3])),
    "base_prefix": sys.base_prefix,
    "argument": sys.argv[1],
    "maps": open("/proc/self/maps").read(),
}))
"""
_ARGUMENT = "17"


class _Answer(Noun, frozen=True, kw_only=True):
    version: str
    base_prefix: str
    argument: str
    maps: str


def emulated(argv: tuple[str, ...], emulator: Emulator | None) -> tuple[str, ...]:
    """The command ``argv`` of the target, as this machine runs it."""
    return argv if emulator is None else (*emulator.words, *argv)


def host_environment(target: Target, emulator: Emulator | None = None) -> dict[str, str]:
    """Variables under which a host finds the target's standard library and no other.

    ``Py_InitializeEx`` knows no program name and looks for ``python3`` on PATH: with a virtual environment or another
    Python in front, the host would take that one's prefix (https://docs.python.org/3/c-api/init_config.html). Of a
    target in a virtual environment it is that one's ``python3`` which has to be found; ``Py_BytesMain`` goes by the
    name of the program, which our host takes from ``PROGRAM``.
    """
    named = target.venv_program
    first = [str(Path(program).parent) for program in (named, target.real_path) if program is not None]
    path = os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])
    own = {} if emulator is None else emulator.env
    return {"PATH": path} | ({} if named is None else {PROGRAM: named}) | own


def check_host(
    host: Path, target: Target, link: LinkMode, *, log: Path | None = None, emulator: Emulator | None = None
) -> None:
    """Prove that ``host`` is linked as ``link`` says and runs the target's Python, by the ``emulator`` if there is one.

    What a host says that does not run is appended to the file ``log``, where one is given.

    Raises:
        MachineError: it is not, or it does not run.
    """
    _check_file(host, link)
    with own_folder() as scratch:
        script = scratch / "question.py"
        script.write_text(_QUESTION, encoding="utf-8")
        answer = _ask(host, script, target, link, log, emulator)
    expected = target.shared_library if link == "shared" else str(host.resolve())
    image = eval_loop_image(answer.maps, str(host))
    if image != expected:
        raise MachineError(
            f"the {link} host {host.name} takes its eval loop from {image or 'an unknown file'}, not from {expected}",
            hint="unset LD_LIBRARY_PATH and LD_PRELOAD, and look whether several packages provide this libpython",
        )
    if answer.version != target.version:
        raise MachineError(
            f"{target.real_path} is Python {target.version}, but its libpython is {answer.version}",
            hint=f"bring both to one version: {_upgrade(target)}",
        )
    if Path(answer.base_prefix).resolve() != Path(target.prefix).resolve():
        raise MachineError(
            f"the {link} host {host.name} uses the standard library of {answer.base_prefix}, not of {target.prefix}",
            hint="unset PYTHONHOME; a Python that was moved after its build cannot be embedded without it",
        )
    if answer.argument != _ARGUMENT:
        raise MachineError(f"the host {host.name} does not hand on its arguments", hint="report this as a bug")


def _check_file(host: Path, link: LinkMode) -> None:
    try:
        elf = read_elf(str(host))
    except UsageError as error:
        raise MachineError(f"cargo made no usable {link} host: {error.message}", hint="report this as a bug") from error
    loaded = [name for name in elf.needed if name.startswith("libpython")]
    if (link == "shared") != bool(loaded) or (link == "static") == elf.pie:
        loads = ", ".join(loaded) or "no libpython"
        raise MachineError(
            f"the {link} host {host.name} came out wrong: it loads {loads} and is {'' if elf.pie else 'not '}a PIE",
            hint="look for build.rustflags or a linker setting in cargo's configuration (~/.cargo/config.toml)",
        )


def _ask(  # noqa: PLR0917 - what a question is made of
    host: Path, script: Path, target: Target, link: LinkMode, log: Path | None, emulator: Emulator | None
) -> _Answer:
    foreign = ("LD_", "PYTHON")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    command = helper(
        emulated((str(host), str(script), _ARGUMENT), emulator),
        env=env | host_environment(target, emulator),
        timeout_s=_ANSWER_TIMEOUT_S,
    )
    try:
        done = run(command)
    except OSError as error:
        hint = "the cache may lie on a file system mounted noexec: set XDG_CACHE_HOME to another directory"
        raise MachineError(f"the host {host} cannot be started: {error.strerror}", hint=hint) from error
    try:
        return msgspec.json.decode(done.stdout, type=_Answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        message = f"the {link} host {host.name} does not run (exit {done.exit}); it said: {_gist(done.stderr_tail)}"
        hint = f"a libpython that does not fit {target.real_path} does this: {_upgrade(target)}"
        if log is not None:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"# {host.name} (exit {done.exit}) said:\n{done.stderr_tail}\n")
            hint += f"; all that it said is in {log}"
        raise MachineError(message, hint=hint) from None


def _gist(said: str) -> str:
    """The line that tells most: of a fatal error or the loader's complaint the first, of a traceback the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = (line for line in lines if line.startswith("Fatal Python error") or "error while loading" in line)
    return next(telling, lines[-1] if lines else "nothing")[:_GIST_CHARACTERS]


def _upgrade(target: Target) -> str:
    short = ".".join(target.version.split(".")[:2])
    if target.prefix == "/usr":
        return how_to_install("python", version=short)
    return "install this Python again"
