"""The command line: wires subcommands, turns errors into messages and exit codes, and does nothing else."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from profiler.commands.completion import SHELLS
from profiler.errors import Interrupted, ProbeError, UsageError
from profiler.present.streams import make_usable, printing, silence
from profiler.present.visible import visible
from profiler.system.exhausted import explained, require_memory
from profiler.system.signals import terminable

COMMANDS = {
    "ipc": "how much slower each launcher runs a workload, in instructions, IPC and time",
    "variants": "why: the ladder, toggles on both ends, and the verdict on every cause",
    "amortize": "up to how much work per launch embedding pays: the sweep, the model, the crossover",
    "eliminate": "what a tax does not come from: order, scope, location and other suspects, each removed",
    "opcodes": "where it sits: what each opcode costs on either side, and whether all cost more alike",
    "where": "where it sits, from files down to functions, source lines and kinds of instructions",
    "rebuild": "which build option it is: libraries of every combination, and the one that takes the tax away",
    "inspect": "which file the eval loop comes from, and how it was built; measures nothing",
    "pythons": "every CPython of this machine: how each was built, and with --measure what that costs",
    "targets": "other machines and C libraries: what measuring there needs, and what of it is here",
    "provision": "bring what a target needs into the user's cache: nothing is installed into the system",
    "cross": "the tax within another target, by that target's own exact counter",
    "doctor": "what this machine can measure, why not more, and what to do about it",
    "report": "analyse a result folder again",
    "attach": "its tables, figures and data in a finding of your own, kept fitting",
    "export": "a result folder for other tools: pyperf's commands, Parquet",
    "compare": "what changed between runs: another day, machine, interpreter or commit",
}
"""Name and one line of help; the module of the same name in ``profiler.commands`` has the rest."""

_BINDS = "--workload-args"

_EXIT_CODES = """\
exit codes: 0 measured; 1 a bug; 2 usage; 3 this machine cannot measure that; 4 a workload failed or outputs differ;
5 interrupted, continue with --resume; 6 the gate of --max-ratio failed"""


class _Parser(argparse.ArgumentParser):
    """Errors go the way of all errors."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message, hint=f"{self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code. Every explained failure becomes a message with its remedy."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with terminable():
            return _run(arguments)
    except ProbeError as error:
        return _told(error)
    except KeyboardInterrupt:
        print("tax-probe: interrupted before anything was measured", file=sys.stderr)  # noqa: T201
        return Interrupted.exit_code
    except BrokenPipeError:
        # The reader of a pipe left (head, less): nothing to say, and nobody to say it to.
        silence()
        return 0
    except (OSError, MemoryError) as error:
        failure = explained(error)
        if failure is None:
            raise
        return _told(failure)


def _told(error: ProbeError) -> int:
    print(visible(f"tax-probe: {error.message}"), file=sys.stderr)  # noqa: T201
    print(visible(f"  → {error.hint}"), file=sys.stderr)  # noqa: T201
    return error.exit_code


def _run(arguments: list[str]) -> int:
    with printing():
        args = _parse(_bound(arguments))
    if args.run is None:
        return _without_a_command(args.completion)
    args.argv = arguments
    _require_a_folder()
    require_memory()
    return int(args.run(args))


def entry() -> None:
    """The console script."""
    make_usable()
    code = main()
    # All is said and done: another ^C while we end must not change how.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def _require_a_folder() -> None:
    """Paths are relative to it, and every process is started in it."""
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder does not exist any more", hint="cd into one that does") from error


def _bound(arguments: list[str]) -> list[str]:
    """With the script's arguments bound to their option: what begins with a dash would be read as one of ours."""
    at = arguments.index(_BINDS) if _BINDS in arguments[:-1] else None
    return arguments if at is None else [*arguments[:at], "=".join(arguments[at : at + 2]), *arguments[at + 2 :]]


def _parse(arguments: list[str]) -> argparse.Namespace:
    # Only the module of the command that is asked for is imported: help must come at once.
    asked = next((word for word in arguments if not word.startswith("-")), None)
    return _parser(arguments, [name for name in COMMANDS if name == asked]).parse_args(arguments)


def _without_a_command(completion: str | None) -> int:
    """Help, which is what whoever types the bare name looks for; or the completion script of a shell."""
    if completion is None:
        with printing():
            _parser([], ()).print_help()
        return 0
    from profiler.commands.completion import script_for

    with printing():
        print(script_for(_parser([], COMMANDS), completion))  # noqa: T201
    return 0


def _parser(arguments: Sequence[str], filled: Collection[str]) -> argparse.ArgumentParser:
    """The parser of all commands; those of ``filled`` with their options."""
    parser = _Parser(
        prog="tax-probe",
        description="How much slower CPython runs when it is embedded, and why: counted, with intervals, and proved.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"tax-probe {_version()}" if "--version" in arguments else ""
    )
    parser.add_argument("--completion", choices=SHELLS, help="print the script that completes commands and options")
    parser.set_defaults(run=None)
    subparsers = parser.add_subparsers(metavar="COMMAND")
    for name, line in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=line, description=line)
        if name in filled:
            module = importlib.import_module(f"profiler.commands.{name}")
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser


def _version() -> str:
    from importlib.metadata import version

    return version("tax-probe")
