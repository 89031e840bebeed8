"""The answer of ``eliminate`` for people: each suspect with both ratios, and the state dump."""

from __future__ import annotations

from profiler.analyze.numbers import share, told
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Verdict
from profiler.model.suspects import Eliminated, Suspects
from profiler.model.verdict import part
from profiler.present.section import Section
from profiler.present.table import Cell, Mark, Table, Tone, columns, notes
from profiler.present.words import detectable, exact_metrics

_TONES: dict[str, Tone] = {"confirmed": "worse", "refuted": "better", "unresolved": "open", "not-tested": "faint"}


def sections(verdict: Verdict) -> tuple[Section, ...]:
    """A table per launcher, and what differs in its state; nothing where nothing was removed."""
    removed = part(verdict, Suspects)
    if removed is None:
        return ()
    launchers = tuple(dict.fromkeys(eliminated.launcher for eliminated in removed.eliminations))
    return (
        Section(
            title="Suspects, each removed",
            tables=(*(_eliminations(verdict, removed, name) for name in launchers), _hypotheses(removed)),
        ),
        Section(title="State", tables=tuple(_state(removed, name) for name in launchers)),
    )


def _eliminations(verdict: Verdict, removed: Suspects, launcher: str) -> Table:
    own = [eliminated for eliminated in removed.eliminations if eliminated.launcher == launcher]
    exact = exact_metrics(verdict)
    return Table(
        title=f"{launcher} against {BASELINE}: suspects, each removed",
        columns=(
            *columns("word", "suspect", "metric"),
            *columns("ratio", "before", "after", "change"),
            *columns("share", "of the tax"),
            *columns("verdict", "verdict"),
        ),
        rows=tuple(_row(eliminated, exact=eliminated.metric in exact) for eliminated in own),
        notes=notes(
            "before, after: ratio with and without the suspect; change: before ÷ after; the first metric decides",
            detectable(verdict.comparisons, (eliminated.metric for eliminated in own), {launcher}),
        ),
    )


def _row(eliminated: Eliminated, *, exact: bool) -> tuple[Cell, ...]:
    return (
        eliminated.elimination,
        title(eliminated.metric),
        *(
            str(told(value, lo, hi, exact=exact))
            for value, lo, hi in (
                (eliminated.before, eliminated.before_lo, eliminated.before_hi),
                (eliminated.after, eliminated.after_lo, eliminated.after_hi),
                (eliminated.change, eliminated.change_lo, eliminated.change_hi),
            )
        ),
        share(eliminated.share),
        Mark(text=eliminated.status, tone=_TONES[eliminated.status]),
    )


def _hypotheses(removed: Suspects) -> Table:
    return Table(
        title="hypotheses and interventions",
        columns=columns("word", "suspect", "hypothesis", "intervention"),
        rows=tuple(
            dict.fromkeys(
                (eliminated.elimination, eliminated.hypothesis, eliminated.intervention)
                for eliminated in removed.eliminations
            )
        ),
        notes=(),
    )


def _state(removed: Suspects, launcher: str) -> Table:
    own = [entry for entry in removed.state if entry.launcher == launcher]
    return Table(
        title=f"state of {launcher}: what differs from {BASELINE}",
        columns=columns("word", "what", BASELINE, launcher),
        rows=tuple((entry.key, entry.baseline, entry.value) for entry in own if not entry.equal),
        notes=(f"equal: {', '.join(entry.key for entry in own if entry.equal)}",),
    )
