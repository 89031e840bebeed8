"""What looks like a secret in a command line is not kept: a result folder is made to be handed on."""

from __future__ import annotations

import re

import msgspec

from profiler.model import Launcher, Run, Workload

KEPT_BACK = "[redacted]"
_NAME = (
    r"[\w-]*(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key|credential)s?"
    r"(?![a-z])[\w-]*"
)
_GIVEN = re.compile(rf"(?i)(?<![\w-])((?:--?)?{_NAME}=)[^\s'\"]+|((?<![\w-])--?{_NAME}\s+)[^\s'\"]+")
_OPTION = re.compile(rf"(?i)--?{_NAME}")
_USER = re.compile(r"(?<=://)[^\s/@]+@")
_KNOWN = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}|xox[abpr]-[\w-]{10,}|sk-[\w-]{20,}"
    r"|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)
"""Forms that hosters of code and clouds give their keys, and JSON web tokens."""


def redacted(run: Run) -> Run:
    """``run`` as it is written: without what looks like a secret among the words of any command."""
    plan = run.plan
    return msgspec.structs.replace(
        run,
        argv=redacted_words(run.argv),
        plan=msgspec.structs.replace(
            plan,
            workload=_of_work(plan.workload),
            launchers=tuple(map(_of_launcher, plan.launchers)),
            passes=tuple(
                msgspec.structs.replace(pass_, workload=_of_work(own))
                if isinstance(own := getattr(pass_, "workload", None), Workload)
                else pass_
                for pass_ in plan.passes
            ),
        ),
    )


def redacted_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a command: the value of an option, of a variable, or in the word behind an option."""
    found = []
    before = ""
    for word in words:
        found.append(KEPT_BACK if _OPTION.fullmatch(before) and not word.startswith("-") else _of_word(word))
        before = word
    return tuple(found)


def keeps_back(run: Run) -> bool:
    """Whether words are missing without which it cannot go on."""
    commands = (
        *(launcher.argv for launcher in run.plan.launchers),
        run.plan.workload.arguments,
        () if run.plan.workload.pyperf is None else run.plan.workload.pyperf.arguments,
    )
    return any(KEPT_BACK in word for words in commands for word in words)


def _of_word(word: str) -> str:
    word = _GIVEN.sub(lambda found: (found[1] or found[2]) + KEPT_BACK, word)
    return _KNOWN.sub(KEPT_BACK, _USER.sub(f"{KEPT_BACK}@", word))


def _of_launcher(launcher: Launcher) -> Launcher:
    return msgspec.structs.replace(launcher, argv=redacted_words(launcher.argv))


def _of_work(work: Workload) -> Workload:
    pyperf = work.pyperf
    if pyperf is not None:
        pyperf = msgspec.structs.replace(pyperf, arguments=redacted_words(pyperf.arguments))
    return msgspec.structs.replace(work, arguments=redacted_words(work.arguments), pyperf=pyperf)
