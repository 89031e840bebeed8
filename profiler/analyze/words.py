"""The answer in one or two sentences, made from figures only."""

from __future__ import annotations

from profiler.analyze.stats import blocks_needed, too_wide
from profiler.events import BY_NAME
from profiler.model import AGAIN, BASELINE, Cause, Comparison, Doubt, Run, Unexplained
from profiler.treatments import is_host

_SUBJECTS = ("pyo3", "runmain")
_TOLD = ("instructions", "cycles", "wall")
_USEFUL = 0.05
"""A difference that a run should be able to show, where it is asked how many blocks it needs."""
_WORDS = {"slower": "more", "faster": "fewer"}


def percent(comparison: Comparison) -> str:
    """``20.2 % ± 0.1 %``: the relative difference and the larger half of its interval."""
    assert comparison.ratio is not None
    difference = abs(comparison.ratio - 1) * 100
    if comparison.lo is None or comparison.hi is None:
        return f"{difference:.2f} % (no interval)"
    half = 100 * max(comparison.hi - comparison.ratio, comparison.ratio - comparison.lo)
    digits = 1 if half >= 0.05 else 2
    return f"{difference:.{digits}f} % ± {max(half, 10**-digits):.{digits}f} %"


def sentence(
    comparisons: tuple[Comparison, ...],
    run: Run,
    causes: tuple[Cause, ...],
    left: dict[str, Unexplained],
    withdrawn: tuple[Doubt, ...] = (),
) -> str:
    """What the run says: the cost of each launcher in words, what is ``withdrawn``, then whose code runs where."""
    found = {(c.baseline, c.launcher, c.metric): c for c in comparisons}
    subjects = [launcher.name for launcher in run.plan.launchers if launcher.name in _SUBJECTS or is_host(launcher)]
    if "pyo3" in subjects and "runmain" in subjects:
        subjects.remove("runmain")
    parts = [_cost(name, found) for name in subjects]
    start_up = found.get(("runmain", "pyo3", "instructions"))
    if start_up is not None and start_up.verdict == "same":
        parts.append("pyo3 and runmain take the same instructions: the start-up path costs nothing per iteration.")
    parts += [
        f"Nothing is claimed in {BY_NAME[doubt.metric].title}: {doubt.reason}."
        for doubt in withdrawn
        if doubt.metric in _TOLD
    ]
    parts.append(_images(run))
    parts.extend(_why(name, causes, left.get(name)) for name in subjects)
    return " ".join(filter(None, parts))


def _why(name: str, causes: tuple[Cause, ...], left: Unexplained | None) -> str:
    own = [cause for cause in causes if cause.launcher == name]
    confirmed = [cause for cause in own if cause.status == "confirmed"]
    suspects = [cause.cause for cause in own if cause.status == "unresolved" and cause.strength == "correlated"]
    if not own:
        return ""
    told = ", ".join(
        cause.cause + ("" if cause.share is None else f" ({cause.share:.1%} of the tax, {cause.strength})")
        for cause in confirmed
    )
    said = [f"{name}: caused by {told}" if confirmed else f"{name}: no cause is confirmed"]
    refuted = [cause.cause for cause in own if cause.status == "refuted" and cause.strength == "intervened"]
    if confirmed and refuted:
        said.append(f"ruled out by intervention: {', '.join(refuted)}")
    if suspects:
        said.append(f"differs too, unresolved: {', '.join(suspects)}")
    if left is not None and left.share is not None and left.lo is not None and left.hi is not None:
        said.append(f"unexplained: {left.share:.1%} of the tax ({left.lo:.1%} to {left.hi:.1%})")
    return "; ".join(said) + "."


def _cost(name: str, found: dict[tuple[str, str, str], Comparison]) -> str:
    known = [c for metric in _TOLD if (c := found.get((BASELINE, name, metric))) is not None and c.ratio is not None]
    once = [c for c in known[:2] if measured_once(c)]
    claims = [_claim(c) for c in known[:2] if c not in once]
    told = f"{name} costs {' and '.join(claims)} per iteration" if claims else ""
    if once:
        times = " and ".join(f"{c.ratio:.4f} times the {BY_NAME[c.metric].title}" for c in once)
        takes = f"{told}; it takes {times}" if told else f"{name} takes {times}"
        told = f"{takes} of {BASELINE}, measured once (no interval: --blocks 3)"
    if not told:
        return f"{name} could not be compared with {BASELINE}."
    ipc = found.get((BASELINE, name, "ipc"))
    tail = {"same": "; IPC is unchanged", "slower": "; IPC is lower", "faster": "; IPC is higher"}
    return f"{told}{tail.get(ipc.verdict, '') if ipc else ''}."


def measured_once(comparison: Comparison) -> bool:
    """Whether the figure is that of a single block, which has no interval."""
    return comparison.blocks == 1 and comparison.ratio is not None and comparison.lo is None


def _claim(comparison: Comparison) -> str:
    title = BY_NAME[comparison.metric].title
    if comparison.verdict == "same":
        return f"the same {title}"
    if comparison.verdict == "unresolved":
        between = ""
        if comparison.lo is not None and comparison.hi is not None:
            between = f" (between {comparison.lo - 1:+.1%} and {comparison.hi - 1:+.1%})"
            if too_wide(comparison.lo, comparison.hi):
                between = f" (the interval is wider than a factor of two; {more(comparison)})"
        return f"an unresolved difference in {title}{between}"
    return f"{percent(comparison)} {_WORDS[comparison.verdict]} {title}"


def more(comparison: Comparison) -> str:
    """What it takes to see a difference of use in the metric of an unresolved ``comparison``."""
    effect = comparison.smallest_effect
    needed = None if effect is None else blocks_needed(effect, comparison.blocks, _USEFUL)
    if needed is None:
        return "more --blocks or more work per run"
    return f"some --blocks {needed} of this scatter would show a difference of {_USEFUL:.0%}"


def _images(run: Run) -> str:
    """Whose eval loop runs in the program and in an embedder, as seen in the processes and found in the files."""
    built = {True: "PGO-built", False: "built without PGO", None: "of unknown build"}
    pgo = {program["real_path"]: program["pgo"] for program in run.interpreters.get("programs", ())}
    images = {
        launcher.name: launcher.image
        for launcher in run.plan.launchers
        if launcher.image is not None and launcher.base is None and launcher.link not in ("static", "pic")
    }
    own = images.pop(BASELINE, None)
    others = sorted({image for name, image in images.items() if name != AGAIN} - {own})
    if own is None:
        return ""
    told = f"{BASELINE} runs the eval loop of {own} ({built[pgo.get(own)]})"
    if not others:
        return f"All launchers run the same eval loop: {own}." if len(images) > 1 else f"{told}."
    hosts = ", ".join(f"{image} ({built[pgo.get(image)]})" for image in others)
    return f"{told}; embedded, it is that of {hosts}."
