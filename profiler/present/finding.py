"""``finding.md``: the result as a text that can be attached to a report."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from pathlib import Path

from profiler.folder import ROWS, RUN, recorded, write_result
from profiler.model import AGAIN, Comparison, Run, Verdict
from profiler.present import extra
from profiler.present.causes import about_ladder, linked_with_archives, nested, ratio_of, share_of, verdict_of
from profiler.present.grid import to_markdown
from profiler.present.why import paths
from profiler.present.words import (
    amount,
    detectable,
    effect,
    interval,
    ratio,
    ratio_interval,
    title,
    verdict_word,
)

_ATTACHED = (ROWS, RUN, "verdict.json", "summary.csv", "causes.csv")


def write(folder: Path, verdict: Verdict, run: Run, pictures: tuple[str, ...]) -> None:
    """Write the finding; the data stand beside it and are named with their SHA-256.

    Raises:
        MachineError: the folder cannot be written to.
    """
    write_result(folder, "finding.md", render(folder, verdict, run, pictures).encode())


def render(folder: Path, verdict: Verdict, run: Run, pictures: tuple[str, ...]) -> str:
    """The text of the finding."""
    lines = [
        f"# What embedding costs: {verdict.workload.name} on CPython {verdict.target.version}",
        "",
        verdict.sentence,
        "",
        *(f"![{Path(name).stem}]({name})\n" for name in pictures),
        "## Setting",
        "",
        f"- target: `{verdict.target.real_path}`, build-id `{verdict.target.build_id}`",
        *(f"- {one.name}: eval loop in `{one.image}`, build-id `{one.build_id}`" for one in verdict.launchers),
        f"- counts: {run.source_sentence}",
        f"- machine: {run.machine.get('cpu_model')}, kernel {run.machine.get('kernel')}",
        f"- {len(run.plan.blocks)} blocks, seed {run.plan.seed}, begun {run.started_utc}",
        f"- outputs bit-exact in all launchers: {verdict.workload.bit_exact}",
        "",
        *(line for grid in extra.grids(verdict) or () for line in to_markdown(grid)),
        "## Data",
        "",
        *_table(verdict.comparisons),
        "",
        *_ladder(verdict),
        *_causes(verdict),
        "## Split",
        "",
        *_splits(verdict),
        "",
        *(line for grid in extra.grids_besides(verdict) for line in to_markdown(grid)),
        *(
            ("## Reservations", "", *(f"- `{c.code}`: {c.message}" for c in verdict.warnings), "")
            * bool(verdict.warnings)
        ),
        "## Repeat it",
        "",
        f"    tax-probe {shlex.join(_repeat(run))}",
        "",
        "Files:",
        "",
        *(
            f"- [{path.relative_to(folder)}]({path.relative_to(folder)}) sha256 `{_sha256(path)}`"
            for path in (recorded(folder, name) for name in (*_ATTACHED, *pictures))
        ),
        "",
    ]
    return "\n".join(lines)


def _table(comparisons: Iterable[Comparison]) -> Iterable[str]:
    yield "| launcher | against | metric | value | baseline | ratio | 95 % interval | detectable | verdict |"
    yield "|---|---|---|---:|---:|---:|---:|---:|---|"
    for c in comparisons:
        if c.value is not None:
            launcher = "A/A" if c.launcher == AGAIN else c.launcher
            value, baseline = amount(c.metric, c.value), amount(c.metric, c.baseline_value)
            yield (
                f"| {launcher} | {c.baseline} | {title(c.metric)} | {value} | {baseline} "
                f"| {ratio(c.ratio, c.lo, c.hi)} | {ratio_interval(c.lo, c.hi)} | {effect(c.smallest_effect)} "
                f"| {verdict_word(c)} |"
            )


def _ladder(verdict: Verdict) -> Iterable[str]:
    if not verdict.ladder:
        return
    yield from ("## Ladder", "")
    yield "| from | to | what changes | metric | ratio | 95 % interval | share |"
    yield "|---|---|---|---|---:|---:|---:|"
    for rung in verdict.ladder:
        share = "–" if rung.share is None else f"{rung.share:.1%}"
        yield (
            f"| {rung.from_} | {rung.to} | {rung.factor} | {rung.metric} | {ratio_of(rung)} "
            f"| {ratio_interval(rung.lo, rung.hi)} | {share} |"
        )
    notes = dict.fromkeys(
        about_ladder(path, linked_with_archives(verdict))
        for metric in dict.fromkeys(rung.metric for rung in verdict.ladder)
        for path in paths(verdict.ladder, metric)
    )
    yield from (line for note in filter(None, notes) for line in ("", f"{note[0].upper()}{note[1:]}."))
    metrics, steps = (rung.metric for rung in verdict.ladder), (rung.to for rung in verdict.ladder)
    yield from ("", detectable(verdict.comparisons, metrics, steps), "")


def _causes(verdict: Verdict) -> Iterable[str]:
    if not verdict.causes:
        return
    yield from ("## Causes: hypothesis, verdict, evidence", "")
    yield "| launcher | cause | verdict | strength | share of the tax | evidence |"
    yield "|---|---|---|---|---:|---|"
    for name, cause in nested(verdict):
        yield (
            f"| {cause.launcher} | {name} | {verdict_of(cause)} | {cause.strength or ''} | {share_of(cause)} "
            f"| {cause.evidence.replace('|', chr(92) + '|')} |"
        )
    left = verdict.unexplained
    if left.share is not None:
        yield from ("", f"Unexplained: {left.share:.2%} of the tax {interval(left.lo, left.hi)}.")
    still_open = [cause.cause for cause in verdict.causes if cause.status in ("unresolved", "not-tested")]
    yield from ("", f"What stays open: {', '.join(dict.fromkeys(still_open)) or 'nothing'}.", "")


def _splits(verdict: Verdict) -> Iterable[str]:
    for split in verdict.decomposition:
        terms = ", ".join(
            f"{term.term} {ratio(term.ratio, term.lo, term.hi)} {ratio_interval(term.lo, term.hi)}"
            + ("" if term.share is None else f" = {term.share:.1%}")
            for term in split.terms
            if term.ratio is not None
        )
        yield f"- {split.launcher}, {split.of}: {terms or 'not known'}" + (f" ({split.reason})" if split.reason else "")
    yield from ("", detectable(verdict.comparisons, (split.of for split in verdict.decomposition)))


def _repeat(run: Run) -> list[str]:
    argv = list(run.argv)
    return argv if any(word.startswith("--seed") for word in argv) else [*argv, "--seed", str(run.plan.seed)]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
