"""Launchers that run another Python than the baseline: said first, and nothing of their files is claimed beside it.

Another version, implementation or ABI is another eval loop by its source. What its files were built with cannot be told
from that by comparing them with the baseline's; what is changed inside such a host still can, by the host itself.
"""

from __future__ import annotations

import msgspec

from profiler.analyze.causes.case import Case, fingerprint
from profiler.catalogue.caveats import OTHER_VERSION, caveat
from profiler.catalogue.interventions import SWAPPED
from profiler.catalogue.properties import Fingerprint
from profiler.model import Cause, Noun, Run, Verdict

CAUSE = "version"

_OF_THE_FILES = frozenset({"eval-loop-image", "pgo", "lto", "optimisation-level", "pic", "plt", "tls", "usdt"})
"""Causes that are properties of a file's machine code."""

_MEASURED = frozenset({"throttling", "frequency"})
"""Causes that are confirmed by what was measured of them, and not because nothing else differs."""

_NAMES = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


class Python(Noun, frozen=True, kw_only=True):
    """Which Python a process runs, as far as its machine code goes by it."""

    implementation: str
    version: str
    free_threaded: bool
    debug: bool
    jit: bool = False
    """Its JIT compiler is on."""

    @property
    def source(self) -> tuple[str, str, bool]:
        """Equal for processes whose eval loop is compiled from one source; a debug build is another cause's."""
        return self.implementation, self.version, self.free_threaded

    def __str__(self) -> str:
        """``3.12.1``, ``3.13.0t``, ``3.14.0 with its JIT on``, ``PyPy 3.10.14``."""
        name = "" if self.implementation == "cpython" else f"{_name(self)} "
        return f"{name}{self.version}{'t' * self.free_threaded}{'d' * self.debug}{' with its JIT on' * self.jit}"

    def in_words(self) -> str:
        """``CPython 3.13.0, free-threaded, a debug build, its JIT on``."""
        kinds = ((self.free_threaded, "free-threaded"), (self.debug, "a debug build"), (self.jit, "its JIT on"))
        return ", ".join((f"{_name(self)} {self.version}", *(words for there, words in kinds if there)))


def python_of(found: Fingerprint) -> Python | None:
    """From a fingerprint, also of folders of before it named the version itself; None where it does not tell."""
    told = str(found.get("python") or "")
    version = found.get("version") or next(iter(told.split()), None)
    if version is None:
        return None
    return Python(
        implementation=str(found.get("implementation") or ("pypy" if "PyPy" in told else "cpython")).lower(),
        version=str(version),
        free_threaded=bool(found.get("free_threaded", "free-threading build" in told)),
        debug=bool(found.get("debug_build")),
        jit=bool(found.get("jit_enabled")),
    )


def another(run: Run, name: str) -> str | None:
    """``3.12.1 in mine, 3.11.2 in python3``; None where both run one Python, or it is not known."""
    base = run.plan.roles.baseline
    own, reference = python_of(fingerprint(run, name)), python_of(fingerprint(run, base))
    if own is None or reference is None or own.source == reference.source:
        return None
    return f"{own} in {name}, {reference} in {base}"


def separated(run: Run, case: Case, causes: list[Cause]) -> list[Cause]:
    """The verdicts on ``case`` where it runs another Python: that is the cause, and its files are none beside it."""
    difference = another(run, case.launcher.name)
    return [_separated(run, case, cause, difference) for cause in causes]


def _separated(run: Run, case: Case, cause: Cause, difference: str | None) -> Cause:
    if difference is None:
        return _same(run, case, cause) if cause.cause == CAUSE else cause
    no_tax = cause.status == "refuted" and cause.strength is None
    if cause.cause == CAUSE:
        measured = cause.share is not None or no_tax
        return msgspec.structs.replace(
            cause,
            status="refuted" if no_tax or (measured and cause.status == "refuted") else "confirmed",
            strength=None if no_tax else "intervened" if measured else "correlated",
            evidence=f"{difference}; {cause.evidence}" if measured else difference,
        )
    alone = cause.status == "confirmed" and cause.strength == "correlated" and cause.cause not in _MEASURED
    if no_tax or not (cause.cause in _OF_THE_FILES or alone):
        return cause
    return msgspec.structs.replace(
        cause,
        status="unresolved",
        strength="correlated" if alone else None,
        share=None,
        lo=None,
        hi=None,
        evidence=f"{cause.evidence}; cannot be separated from the version ({difference})"
        if alone
        else f"cannot be separated from the version ({difference})",
    )


def _same(run: Run, case: Case, cause: Cause) -> Cause:
    """Not another one: seen to be the same, unless nothing was seen or there is no tax at all."""
    if cause.strength is None and cause.status in ("refuted", "unresolved"):
        return cause
    own = python_of(fingerprint(run, case.launcher.name))
    if own is None or fingerprint(run, run.plan.roles.baseline) == {}:
        return msgspec.structs.replace(
            cause, status="not-tested", strength=None, evidence="its process did not say which Python it runs"
        )
    return msgspec.structs.replace(
        cause, status="refuted", strength="correlated", evidence=f"equal on both sides: {own.in_words()}"
    )


class Other(Noun, frozen=True, kw_only=True):
    """A launcher that runs another Python than the baseline."""

    launcher: str
    python: Python
    reference: Python
    """The baseline's."""
    what: str
    """What kind of another it is: ``another CPython version``."""


def others(run: Run) -> tuple[Other, ...]:
    """The launchers in their own right that run another Python, and the embedder on a library of another."""
    reference = python_of(fingerprint(run, run.plan.roles.baseline))
    found = []
    for launcher in run.plan.launchers:
        own = python_of(fingerprint(run, launcher.name))
        of_its_own = launcher.variant is None or launcher.variant.intervention == SWAPPED
        if of_its_own and own is not None and reference is not None and own != reference:
            found.append(
                Other(launcher=launcher.name, python=own, reference=reference, what=_what(own, reference)),
            )
    return tuple(found)


def said_first(verdict: Verdict, run: Run) -> Verdict:
    """``verdict`` with a sentence before all others, and a caveat, for every launcher that runs another Python."""
    base = run.plan.roles.baseline
    sentences, caveats = [], []
    for other in others(run):
        both = f"{other.launcher} runs {other.python.in_words()}, and {base} is {other.reference.in_words()}"
        what = other.what
        sentences.append(f"{both}: {what} is part of every difference between them.")
        caveats.append(
            caveat(
                OTHER_VERSION,
                f"{both}: what {what} costs cannot be separated from how its files were built",
                remedy=f"compare it with a {other.python.in_words()} through --python PATH",
            )
        )
    return msgspec.structs.replace(
        verdict,
        sentence=" ".join((*sentences, verdict.sentence)),
        warnings=(*caveats, *verdict.warnings),
    )


def _what(own: Python, reference: Python) -> str:
    if own.implementation != reference.implementation:
        return "another implementation"
    if own.version != reference.version:
        return f"another {_name(own)} version"
    if own.free_threaded != reference.free_threaded:
        return "another ABI"
    return "a debug build" if own.debug != reference.debug else "a JIT compiler"


def _name(python: Python) -> str:
    return _NAMES.get(python.implementation, python.implementation)
