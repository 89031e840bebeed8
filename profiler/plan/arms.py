"""The arms of ``eliminate``: groups of passes that differ from the reference in the one thing that is suspected.

Eliminations are data: ``eliminations.toml`` holds the default ones, an experiment file may bring its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from profiler.catalogue.causes import CAUSES
from profiler.catalogue.interventions import INTERVENTIONS, Given
from profiler.errors import UsageError
from profiler.folder import json_document
from profiler.model import (
    AnyPass,
    Elimination,
    Launcher,
    Noun,
    Side,
    SourceName,
    Variant,
    Whole,
    Workload,
)
from profiler.plan.schedule import twin
from profiler.plan.treat import vary

DEFAULTS = Path(__file__).parents[1] / "catalogue" / "eliminations.toml"
REFERENCE = "reference"

TOGGLES = {entry.id: entry for entry in INTERVENTIONS if entry.change is not None}

_COUNTED_BLOCKS = 2
"""Counts hardly scatter; times run in every block."""
_TIMED_REPETITIONS = 4
"""Times of a busy machine are bursty: many short runs in turns."""

Complete = Callable[[str], Workload]
"""A workload by name or path, with all its M."""


class ArmSpec(Noun, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side of an elimination as the user writes it; nothing given: the reference."""

    workload: str | None = None
    toggle: str | None = None
    """A toggle of the catalogue, on every launcher that can have it."""
    env: dict[str, str] = msgspec.field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """A program put before the command; it must exec."""
    on: tuple[str, ...] = ()
    """Only these launchers get toggle, env and prefix; empty: all."""
    order: Literal["shuffled", "baseline-first", "host-first"] = "shuffled"
    """Serial orders run all of one launcher before all of the next."""
    warmups: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    repetitions: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    m: tuple[int, int] | None = None
    """The two M of timed runs."""
    late: bool = False
    """The slope of the later half of the work alone."""
    apart: bool = False
    """Measured anew, although it equals another arm."""
    metric: tuple[str, ...] = ()
    """Formulas in place of the metric's own figure, in order of preference."""


class EliminationSpec(Noun, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[elimination]]`` of a TOML file."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]+$")]
    hypothesis: str
    intervention: str
    before: ArmSpec = ArmSpec()
    after: ArmSpec = ArmSpec()
    metrics: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("instructions", "task-clock")
    cause: str | None = None
    margin: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.02
    part: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


class Arms(Noun, frozen=True, kw_only=True):
    """What the eliminations add to a plan."""

    launchers: tuple[Launcher, ...]
    passes: tuple[Whole, ...]
    eliminations: tuple[Elimination, ...]


class _Arm(Noun, frozen=True, kw_only=True):
    name: str
    spec: ArmSpec
    launchers: tuple[Launcher, ...]
    """The launcher that stands for each of the line-up here."""
    countable: bool


def default_eliminations() -> tuple[EliminationSpec, ...]:
    """Those of ``eliminations.toml``."""
    document = tomllib.loads(DEFAULTS.read_text())
    return msgspec.convert(document["elimination"], tuple[EliminationSpec, ...])


def build_arms(
    specs: tuple[EliminationSpec, ...],
    *,
    workload: str,
    complete: Complete,
    launchers: tuple[Launcher, ...],
    offered: tuple[AnyPass, ...],
    source: SourceName,
) -> Arms:
    """Arms, each once however many eliminations use it, and the eliminations that refer to them.

    Raises:
        UsageError: an elimination names a cause, toggle, launcher, workload or metric that does not exist.
    """
    require_known(specs, [launcher.name for launcher in launchers])
    arms = {_key(ArmSpec(), workload): _Arm(name=REFERENCE, spec=ArmSpec(), launchers=launchers, countable=True)}
    wanted: dict[str, set[str]] = {REFERENCE: {"instructions", "task-clock"}}
    eliminations = []
    for spec in specs:
        sides = []
        for which, side in (("before", spec.before), ("after", spec.after)):
            arm = arms.setdefault(_key(side, workload), _arm(f"{spec.name}-{which}", spec, side, launchers, source))
            wanted.setdefault(arm.name, set()).update(spec.metrics)
            sides.append(tuple(_side(arm, side, metric) for metric in spec.metrics))
        eliminations.append(
            Elimination(
                name=spec.name,
                cause=spec.cause,
                hypothesis=spec.hypothesis,
                intervention=spec.intervention,
                before=sides[0],
                after=sides[1],
                margin=spec.margin,
                part=spec.part,
            )
        )
    known = {launcher.name for launcher in launchers}
    return Arms(
        launchers=tuple(
            {
                launcher.name: launcher
                for arm in arms.values()
                for launcher in arm.launchers
                if launcher.name not in known
            }.values()
        ),
        passes=tuple(
            found
            for arm in arms.values()
            for found in _passes(arm, complete(arm.spec.workload or workload), offered, wanted[arm.name])
        ),
        eliminations=tuple(eliminations),
    )


def _key(spec: ArmSpec, workload: str) -> bytes:
    """Equal for specs that are measured alike."""
    own = None if spec.workload == workload else spec.workload
    return json_document(msgspec.structs.replace(spec, workload=own, metric=()))


def _arm(
    name: str, elimination: EliminationSpec, spec: ArmSpec, launchers: tuple[Launcher, ...], source: SourceName
) -> _Arm:
    toggle = TOGGLES.get(spec.toggle or "")
    change = Given() if toggle is None or toggle.change is None else toggle.change
    env, prefix = spec.env | change.env, change.prefix + spec.prefix
    suffix = toggle.id if toggle and not spec.env and not spec.prefix else elimination.name
    # What is changed on the embedder alone, such as its signal handlers, means nothing to the others.
    own = toggle is not None and toggle.ends == ("embedder",)
    stand_ins = tuple(
        vary(launcher, Variant(of=launcher.name, intervention=suffix, way="changed"), Given(env=env, prefix=prefix))
        if (env or prefix) and (not spec.on or launcher.name in spec.on) and (not own or launcher.role == "embedder")
        else launcher
        for launcher in launchers
    )
    countable = source == "hardware" or toggle is None or not toggle.hardware_only
    return _Arm(name=name, spec=spec, launchers=stand_ins, countable=countable)


def _side(arm: _Arm, spec: ArmSpec, metric: str) -> Side:
    return Side(
        arm=arm.name,
        baseline=arm.launchers[0].name,
        hosts=tuple(launcher.name for launcher in arm.launchers[1:]),
        formulas=spec.metric or (metric,),
    )


def _passes(arm: _Arm, workload: Workload, offered: tuple[AnyPass, ...], metrics: set[str]) -> list[Whole]:
    """The fewest passes of the source that read what is asked for, with the arm's own order and M."""
    needed = [*(["instructions"] * ("instructions" in metrics and arm.countable))]
    needed += ["task-clock"] * bool(metrics - {"instructions"})
    chosen: list[Whole] = []
    for event in needed:
        able = [pass_ for pass_ in offered if isinstance(pass_, Whole) and event in pass_.events]
        if able and not any(event in pass_.events for pass_ in chosen):
            chosen.append(min(able, key=lambda pass_: len(pass_.events)))
    names = [launcher.name for launcher in arm.launchers]
    if arm.spec.order == "host-first":
        names = [*names[1:], names[0]]
    if arm.name == REFERENCE:
        names.insert(1, twin(arm.launchers[0]).name)
    return [_pass(arm, workload, pass_, tuple(names)) for pass_ in chosen]


def _pass(arm: _Arm, workload: Workload, pass_: Whole, names: tuple[str, ...]) -> Whole:
    assert workload.timed_m is not None
    assert workload.counts_m is not None
    lo, hi = arm.spec.m or workload.timed_m
    timed = (hi - (hi - lo) // 2, hi) if arm.spec.late else (lo, hi)
    end = pass_.blocks[1]
    return msgspec.structs.replace(
        pass_,
        name=f"{arm.name}/{pass_.name}",
        m=timed if pass_.exclusive else workload.counts_m,
        repetitions=(arm.spec.repetitions or _TIMED_REPETITIONS) if pass_.exclusive else 1,
        blocks=(0, end if pass_.exclusive else _COUNTED_BLOCKS),
        warmups=arm.spec.warmups if pass_.exclusive else 0,
        workload=workload,
        launchers=names,
        serial=arm.spec.order != "shuffled",
    )


def require_known(specs: tuple[EliminationSpec, ...], launchers: Collection[str]) -> None:
    """All that ``specs`` name exists, among ``launchers`` too.

    Raises:
        UsageError: a cause, toggle or launcher does not, or M are none.
    """
    causes = {cause.id for cause in CAUSES}
    names = set(launchers)
    if len({spec.name for spec in specs}) < len(specs):
        raise UsageError("two eliminations have the same name", hint="give each [[elimination]] its own name")
    for spec in specs:
        what = f"elimination {spec.name}"
        if spec.cause is not None and spec.cause not in causes:
            raise UsageError(f"{what}: no cause {spec.cause!r}", hint=f"there are {', '.join(sorted(causes))}")
        for side in (spec.before, spec.after):
            if side.toggle is not None and side.toggle not in TOGGLES:
                raise UsageError(f"{what}: no toggle {side.toggle!r}", hint=f"there are {', '.join(sorted(TOGGLES))}")
            if not set(side.on) <= names:
                raise UsageError(
                    f"{what}: no launcher {', '.join(sorted(set(side.on) - names))}",
                    hint=f"measured are {', '.join(sorted(names))}",
                )
            if side.m is not None and not 0 < side.m[0] < side.m[1]:
                raise UsageError(
                    f"{what}: m needs 0 < LO < HI, not {list(side.m)}", hint="for example m = [1, 1000000]"
                )
