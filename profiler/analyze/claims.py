"""The answer in one or two sentences, made from figures only."""

from __future__ import annotations

from profiler.analyze import price
from profiler.analyze.causes.case import NEGLIGIBLE, sits
from profiler.analyze.causes.files import recorded
from profiler.analyze.causes.nested import beneath, parts, untold
from profiler.analyze.stats import too_wide
from profiler.analyze.wording import difference, measured_once, stands_on
from profiler.catalogue.events import BY_NAME, COUNTS
from profiler.catalogue.interventions import INTERVENTIONS
from profiler.catalogue.variant_rules import is_judged
from profiler.model import Cause, Comparison, Doubt, Run, Unexplained

_NONE = 0.0005
"""A rest that would be told as 0.0 %."""
_TOLD = (*COUNTS, "cycles", "wall")
_WORDS = {"slower": "more", "faster": "fewer"}


def sentence(
    comparisons: tuple[Comparison, ...],
    run: Run,
    causes: tuple[Cause, ...],
    left: dict[str, Unexplained],
    withdrawn: tuple[Doubt, ...] = (),
) -> str:
    """What the run says: the cost of each launcher in words, what is ``withdrawn``, then whose code runs where."""
    found, roles = {(c.baseline, c.launcher, c.metric): c for c in comparisons}, run.plan.roles
    instead = roles.same_start if roles.embedder is None else None
    subjects = [launcher.name for launcher in run.plan.launchers if is_judged(launcher) or launcher.name == instead]
    parts = [_cost(name, roles.baseline, found) for name in subjects]
    parts += [
        f"{c.launcher} and {c.baseline} take the same instructions: the start-up path costs nothing per iteration."
        for c in comparisons
        if (c.baseline, c.launcher, c.verdict) == (roles.same_start, roles.embedder, "same") and c.metric in COUNTS
    ]
    parts += [
        f"Nothing is claimed in {BY_NAME[doubt.metric].title}: {doubt.reason}."
        for doubt in withdrawn
        if doubt.metric in _TOLD
    ]
    parts.append(_images(run))
    parts.extend(why(name, causes, left.get(name)) for name in subjects)
    return " ".join(filter(None, parts))


def why(name: str, causes: tuple[Cause, ...], left: Unexplained | None) -> str:
    """The causes of one launcher's tax, parts after their whole; what is ruled out, where it sits, what is left."""
    own = [cause for cause in causes if cause.launcher == name]
    if not own:
        return ""
    causal = [cause for cause in own if cause.role == "cause"]
    told = [_told(cause, causal) for depth, cause in beneath(_confirmed(causal)) if depth == 0]
    said = [f"{name}: caused by {', '.join(told)}" if told else f"{name}: no cause is confirmed"]
    refuted = [cause.cause for cause in causal if cause.status == "refuted" and cause.strength == "intervened"]
    if told and refuted:
        said.append(f"ruled out by intervention: {', '.join(refuted)}")
    suspects = [cause.cause for cause in causal if cause.status == "unresolved" and cause.strength == "correlated"]
    if suspects:
        said.append(f"differs too, unresolved: {', '.join(suspects)}")
    said.extend(_places(own))
    if left is not None and left.share is not None and left.lo is not None and left.hi is not None:
        said.append(f"unexplained: {left.share:.1%} of the tax ({left.lo:.1%} to {left.hi:.1%})" + _overlap(left))
    return "; ".join(said) + "."


def _confirmed(causes: list[Cause]) -> list[Cause]:
    return [cause for cause in causes if cause.status == "confirmed"]


def _told(cause: Cause, causes: list[Cause]) -> str:
    """``eval-loop-image (100.0% of the tax, intervened; of that pgo 35.6%, …)``: a cause with what it brings along."""
    said = [] if cause.share is None else [f"{cause.share:.1%} of the tax{orders(cause)}, {cause.strength}"]
    own = _confirmed(list(parts(causes, cause)))
    if own:
        inner = [cause.cause + ("" if cause.share is None else f" {cause.share:.1%}{orders(cause)}") for cause in own]
        said.append(f"of that {', '.join(inner)}{_rest(untold(causes, cause))}")
    return cause.cause + (f" ({'; '.join(said)})" if said else "")


def orders(cause: Cause) -> str:
    """`` (a mean over orders, 27.4% to 73.5%)``; empty for a share that depends on no order."""
    if cause.share_least is None or cause.share_most is None:
        return ""
    return f" (a mean over orders, {cause.share_least:.1%} to {cause.share_most:.1%})"


def _rest(rest: float | None) -> str:
    if rest is None or abs(rest) < _NONE:
        return ""
    if rest < 0:
        return f", which overlap: together they are {-rest:.1%} more than it"
    return f", and {rest:.1%} that is not told apart"


def _places(own: list[Cause]) -> list[str]:
    """Where the difference sits, of settings that are equal on both ends."""
    told = [
        words
        for cause in own
        for entry in INTERVENTIONS
        if entry.where and cause.role == "place" and cause.cause == entry.cause and cause.share is not None
        # Of several changes that show a place, the verdict has the share of one.
        if (words := sits(cause.share, entry)) in cause.evidence
    ]
    return [f"of the difference {', '.join(told)}"] if told else []


def _overlap(left: Unexplained) -> str:
    """Why what is left is not what stays when all is met at once."""
    said = []
    if left.share is not None and left.share < -NEGLIGIBLE:
        said.append("less than nothing: the causes overlap, and each alone takes away what another does too")
    if left.all_met is not None and left.share is not None and abs(left.all_met - left.share) > NEGLIGIBLE:
        said.append(f"with all of them met at once {left.all_met:.1%} is left")
    return f" ({'; '.join(said)})" if said else ""


def _cost(name: str, baseline: str, found: dict[tuple[str, str, str], Comparison]) -> str:
    known = [c for metric in _TOLD if (c := found.get((baseline, name, metric))) is not None and c.ratio is not None]
    once = [c for c in known[:2] if measured_once(c)]
    claims = [_claim(c) for c in known[:2] if c not in once]
    told = f"{name} costs {' and '.join(claims)} per iteration" if claims else ""
    if once:
        times = " and ".join(f"{c.ratio:.4f} times the {BY_NAME[c.metric].title}" for c in once)
        takes = f"{told}; it takes {times}" if told else f"{name} takes {times}"
        told = f"{takes} of {baseline}, measured once (no interval: --blocks 3)"
    if not told:
        return f"{name} could not be compared with {baseline}."
    ipc = found.get((baseline, name, "ipc"))
    tail = {"same": "; IPC is unchanged", "slower": "; IPC is lower", "faster": "; IPC is higher"}
    return f"{told}{tail.get(ipc.verdict, '') if ipc else ''}."


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
    return f"{difference(comparison)} {_WORDS[comparison.verdict]} {title}{stands_on(comparison)}"


def more(comparison: Comparison) -> str:
    """What it takes to see a difference of use in the metric of an unresolved ``comparison``."""
    needed = price.price(comparison)
    if needed is None:
        return "more --blocks or more work per run"
    return f"some --blocks {needed} of this scatter would show a difference of {price.told(comparison)}"


def _images(run: Run) -> str:
    """Whose eval loop runs in the program and in an embedder, as seen in the processes and found in the files."""
    built = {True: "PGO-built", False: "built without PGO", None: "of unknown build"}
    pgo = {path: facts["pgo"] for path, facts in recorded(run).items()}
    images = {
        launcher.name: launcher.image
        for launcher in run.plan.launchers
        if launcher.image is not None and launcher.variant is None and launcher.link not in ("static", "pic")
    }
    roles = run.plan.roles
    own = images.pop(roles.baseline, None)
    seconds = {launcher.name for launcher in run.plan.launchers if launcher.kind == "program"} - roles.baselines
    others = sorted({image for name, image in images.items() if name != roles.twin and name not in seconds} - {own})
    if own is None:
        return ""
    told = f"{roles.baseline} runs the eval loop of {own} ({built[pgo.get(own)]})"
    if set(images.values()) <= {own}:
        return f"All launchers run the same eval loop: {own}." if len(images) > 1 else f"{told}."
    if others:
        told += f"; embedded, it is that of {', '.join(f'{image} ({built[pgo.get(image)]})' for image in others)}"
    told_ = (f"{name} that of {images[name]} ({built[pgo.get(images[name])]})" for name in images if name in seconds)
    return f"{'; '.join((told, *told_))}."
