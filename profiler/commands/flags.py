"""Options that several commands share, with one meaning each."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

from profiler.collect.request import DEFAULT_OUT, Request, checked
from profiler.errors import UsageError
from profiler.plan.studies import STUDIES


def add_format(parser: argparse.ArgumentParser) -> None:
    """``--format``: a table for people, or one JSON document on stdout and nothing else."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="what to print on stdout")


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """``-v``, of an answer that is folded."""
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="print all tables, evidence and warnings after the answer"
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    """``--python``."""
    parser.add_argument(
        "--python", metavar="PATH", help="target interpreter (default: the distribution's python3)", default=None
    )


def add_measuring(parser: argparse.ArgumentParser, *, workload: str = "int_loop", sweep: bool = False) -> None:
    """What every measuring command understands; ``--m`` takes two, or for a ``sweep`` as many as there are."""
    add_target(parser)
    parser.add_argument(
        "--workload",
        metavar="NAME|FILE.py",
        help="built-in workload, a script that takes M as its first argument or from the environment variable "
        f"TAX_PROBE_M, or one for pyperf, FILE.py:BENCHMARK (default: {workload})",
    )
    parser.add_argument(
        "--workload-args", metavar="ARGS", help="arguments of the script after M, in one word: '--size 7'"
    )
    parser.add_argument("--stdin", metavar="FILE", help="what the script finds on stdin, in every process")
    parser.add_argument(
        "--host",
        metavar="NAME=CMD",
        action="append",
        default=[],
        help="your own program as a launcher; CMD contains {script} and {m} (repeatable)",
    )
    parser.add_argument("--blocks", metavar="N", type=int, help="blocks to measure (default: by source)")
    parser.add_argument("--budget", metavar="SECONDS", type=float, help="begin no block that would end later")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, help="limit of one process (default: 60)")
    if sweep:
        parser.add_argument("--m", metavar="M,M,…", type=numbers, help="the M of the sweep (default: 1 to 10⁶)")
    else:
        parser.add_argument("--m", metavar="LO,HI", type=numbers, help="the two M of every run (default: by workload)")
    parser.add_argument("--seed", metavar="N", type=int, help="seed of blocks and orders (default: drawn and saved)")
    parser.add_argument("--out", metavar="DIR", help=f"where results go (default: ./{DEFAULT_OUT})")
    parser.add_argument(
        "--private",
        action="store_true",
        default=None,
        help="what is written, results and builds, can be read by you alone (umask 077)",
    )
    parser.add_argument(
        "--source",
        choices=("auto", "hardware", "qemu", "callgrind", "software"),
        help="where counts come from (default: auto)",
    )
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=float,
        help="wait so long for another run on this machine to end (default: not at all)",
    )
    parser.add_argument("--experiment", metavar="FILE.toml", type=Path, help="take options from an experiment file")
    add_resume(parser)
    add_gate(parser)
    add_format(parser)
    add_verbose(parser)


def add_resume(parser: argparse.ArgumentParser) -> None:
    """``--resume``, and what may be said of the folder that it names."""
    parser.add_argument("--resume", metavar="DIR", type=Path, help="continue an interrupted run with the same plan")
    parser.add_argument(
        "--trust-folder", action="store_true", help="with --resume: run what the folder names, whoever began it"
    )
    parser.add_argument(
        "--accept-changes",
        action="store_true",
        help="with --resume: go on with another machine, or other files, than the run began with",
    )


def add_gate(
    parser: argparse.ArgumentParser,
    *,
    on: str = "a launcher's METRIC is proven to exceed R times the baseline's",
    baseline: str = "an earlier result folder: --max-ratio is then on what ratios to the baseline changed by since",
) -> None:
    """``--max-ratio`` and ``--baseline``; ``on`` and ``baseline`` are what the help says of them."""
    parser.add_argument(
        "--max-ratio",
        metavar="METRIC=R",
        action="append",
        default=[],
        help=f"exit 6 if {on}, e.g. instructions=1.25 (repeatable; R alone: instructions, or else wall); 3 if that "
        "was not measured",
    )
    parser.add_argument(
        "--baseline",
        metavar="DIR",
        help=baseline,
    )


def add_against(parser: argparse.ArgumentParser) -> None:
    """``--against``, for commands that can compare two interpreters."""
    parser.add_argument(
        "--against",
        metavar="[NAME=]PATH",
        action="append",
        default=[],
        help="compare the target with this Python, in its venv if it is one's, and leave our hosts out (repeatable)",
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """``--launcher``, for commands whose launchers are a matter of choice."""
    parser.add_argument(
        "--launcher",
        metavar="NAME",
        action="append",
        default=[],
        help="only these launchers of ours, e.g. pyo3, runmain-static (repeatable; python3 is always there)",
    )


def add_precision(parser: argparse.ArgumentParser) -> None:
    """``--precision`` and ``--metric``, for commands that may measure as long as it takes."""
    parser.add_argument(
        "--precision",
        metavar="PCT",
        help="measure until every ratio's interval is ± PCT %% (or --budget, --blocks end it); launchers take turns at "
        "chunks of work",
    )
    parser.add_argument("--metric", metavar="NAME", help="whose interval (default: cycles, or else task-clock)")


def numbers(text: str) -> tuple[int, ...]:
    """``1,1_000``: the type of ``--m``.

    Raises:
        ArgumentTypeError: one is no whole number.
    """
    try:
        return tuple(int(number.replace("_", "")) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers, such as 1000,5000") from None


def request(args: argparse.Namespace, command: str) -> Request:
    """Flags over the experiment file over defaults.

    Raises:
        UsageError: the experiment file is missing, is not TOML, or is of another command; an option is unknown, or
            is not what it must be.
    """
    from_file = _experiment(args.experiment, command) if args.experiment else {}
    given = {
        name: value for name in Request.__struct_fields__ if (value := getattr(args, name, None)) not in (None, [])
    }

    def told(name: str) -> str:
        flag = f"--{name.replace('_', '-')}"
        return f"{args.experiment}: {name}" if args.experiment and name not in given else flag

    return checked(from_file | given, STUDIES[command], told)


def _experiment(path: Path, command: str) -> dict[str, object]:
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"cannot read the experiment {path}: {error}", hint="examples: experiments/*.toml") from error
    if {"factor", "extends"} & set(document):
        raise UsageError(f"{path} is a plan of rebuild, no experiment", hint=f"tax-probe rebuild --plan {path}")
    _require_own(path, document.get("command", command), command)
    options = document.get("options", {})
    if not isinstance(options, dict):
        raise UsageError(f"{path}: options is not a table", hint="write [options], and below it one option a line")
    unknown = set(document) - {"title", "command", "options", "elimination"}
    unknown |= set(options) - set(Request.__struct_fields__) | set(options) & {"elimination"}
    if unknown:
        raise UsageError(
            f"{path}: unknown {', '.join(sorted(unknown))}",
            hint=f"[options] takes {', '.join(Request.__struct_fields__)}",
        )
    own = {name: document[name] for name in ("elimination",) if name in document}
    return options | own


def _require_own(path: Path, own: object, command: str) -> None:
    """An experiment that names a command asks what this one answers; the options of another would be read in vain."""
    if own == command:
        return
    if own not in tuple(STUDIES):
        raise UsageError(f"{path}: no measuring command {own!r}", hint=f"there are {', '.join(sorted(STUDIES))}")
    raise UsageError(f"{path} is an experiment of {own}, not of {command}", hint=f"tax-probe {own} --experiment {path}")
