"""What the user asked for: every option with its range, checked here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec

from profiler.catalogue.gates import parse_gates
from profiler.catalogue.statement_list import FORM
from profiler.errors import UsageError
from profiler.model import Noun
from profiler.model.across import Gate
from profiler.plan.arms import EliminationSpec
from profiler.plan.statement_forms import LEAST_DIFFERENCE
from profiler.plan.studies import STUDIES, Study

_FINEST = 1e-6
"""A finer interval is no matter of more blocks: the figures themselves are not as fine."""
DEFAULT_OUT = "tax-probe-results"

Seconds = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
Number = Annotated[int, msgspec.Meta(ge=1)]


class Request(Noun, frozen=True, kw_only=True):
    """What the user asked for, defaults filled in."""

    python: str | None = None
    workload: str | None = None
    workload_args: str | None = None
    """Of the script beside M, as on a command line."""
    stdin: str | None = None
    """A file that every process reads from its beginning."""
    host: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    """Other interpreters, ``PATH`` or ``NAME=PATH``."""
    launcher: tuple[str, ...] | None = None
    blocks: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    budget: Seconds | None = None
    timeout: Seconds = 60.0
    m: tuple[Number, ...] | None = None
    seed: int | None = None
    out: str = DEFAULT_OUT
    source: Literal["auto", "hardware", "qemu", "callgrind", "software"] = "auto"
    max_ratio: float | str | tuple[float | str, ...] | None = None
    """``1.25`` or ``"instructions=1.05"``, or several of these; see ``gates``."""
    baseline: str | None = None
    """A result folder on whose change the gates are."""
    libpython: str | None = None
    elimination: tuple[EliminationSpec, ...] | None = None
    per_launch_ms: Annotated[float, msgspec.Meta(gt=0)] | None = None
    plan: str | None = None
    source_tree: str | None = None
    jobs: Number | None = None
    remedy: bool = False
    remedy_budget: Seconds = 900.0
    precision: str | float | None = None
    """In per cent, ``0.5`` or ``"0.5%"``; see ``half_width``."""
    metric: str | None = None
    symbols: Literal["fetch"] | None = None
    """Files with debug information are fetched where none is at hand; None: nothing is downloaded."""
    private: bool = False
    """Nobody else may read what is written: results, builds, temporary files."""
    wait: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 0.0
    """Seconds to wait for another run on this machine to end."""

    @property
    def half_width(self) -> float | None:
        """The precision as a part: ``0.5``, ``"0.5"`` and ``"0.5%"`` are all 0.005."""
        return None if self.precision is None else float(str(self.precision).removesuffix("%")) / 100

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The ratios that must not be exceeded."""
        return parse_gates(self.max_ratio)


def checked(options: Mapping[str, object], study: Study, told: Callable[[str], str]) -> Request:
    """The request of ``study`` that ``options`` make; ``told``: how the user wrote the option of that name.

    Raises:
        UsageError: an option is of another type, out of its range, or makes no sense for ``study``.
    """
    try:
        request = msgspec.convert(options, Request, strict=True)
    except UnicodeEncodeError as error:
        raise UsageError(
            f"an option holds bytes that are no text: {error.object!r}", hint=f"tax-probe {study.command} --help"
        ) from error
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        at = re.fullmatch(r"`\$\.(\w+)(.*)`", place)
        message = str(error) if at is None else f"{told(at[1])}{at[2]}: {words}"
        raise UsageError(message, hint=f"tax-probe {study.command} --help") from error
    parse_gates(request.max_ratio, told("max_ratio"))
    if request.against and not study.beside_interpreters:
        raise UsageError(
            f"{told('against')}: {study.command} compares no second interpreter",
            hint=f"these do: {', '.join(name for name, other in STUDIES.items() if other.beside_interpreters)}",
        )
    if request.symbols is not None and "places" not in study.sections:
        raise UsageError(f"{told('symbols')}: {study.command} tells no functions", hint="tax-probe where does")
    if study.passes == "statements":
        _require_own_statements(request, study, told)
    if request.m is not None:
        _require_m(request.m, study, told("m"))
    if request.precision is not None:
        _require_precision(request, study, told("precision"))
    elif request.metric is not None:
        raise UsageError(
            f"{told('metric')} names the metric of --precision", hint="for example --precision 0.5 --metric wall"
        )
    return request


def _require_own_statements(request: Request, study: Study, told: Callable[[str], str]) -> None:
    if request.workload is not None:
        raise UsageError(
            f"{told('workload')}: {study.command} measures statements of its own",
            hint="leave it out; tax-probe opcodes says what each opcode of a workload costs",
        )
    if request.m is not None and not LEAST_DIFFERENCE <= request.m[-1] - request.m[0] < FORM - request.m[0]:
        raise UsageError(
            f"{told('m')} needs LO,HI that differ by {LEAST_DIFFERENCE} at least, with HI below {FORM}",
            hint="for example --m 100,300",
        )


def _require_m(m: tuple[int, ...], study: Study, name: str) -> None:
    given = ",".join(map(str, m))
    if study.any_m:
        if len(set(m)) < 2:
            raise UsageError(f"{name} needs two or more different M, not {given}", hint="for example --m 1,1000,100000")
    elif not (len(m) == 2 and m[0] < m[1]):
        raise UsageError(f"{name} needs LO,HI with 0 < LO < HI, not {given}", hint="for example --m 1000,5000")


def _require_precision(request: Request, study: Study, name: str) -> None:
    if not study.parts_suffice:
        raise UsageError(f"{study.command} measures a fixed number of blocks", hint="precision is for tax-probe ipc")
    try:
        fits = _FINEST <= (request.half_width or 0) < 1
    except ValueError:
        fits = False
    if not fits:
        raise UsageError(
            f"{name}: {request.precision} is no percentage from 0.0001 to 100", hint="for example --precision 0.5"
        )
