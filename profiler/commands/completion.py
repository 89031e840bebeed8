"""What a shell completes ``tax-probe`` with: all commands and options, their choices, files where a path goes.

No command of its own: an option of the command line, for which the whole parser is made.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh", "tcsh")
"""What shtab writes for."""

_FOLDERS, _FILES = ("DIR",), ("FILE", "PATH", "PYTHON")
"""What metavars of options that take a path hold: what is shown to people says it already."""


def script_for(parser: argparse.ArgumentParser, shell: str) -> str:
    """The completion script of ``parser``, one of ``SHELLS``, to be sourced or put where the shell looks for it."""
    import shtab

    for action in _actions(parser):
        words = str(action.metavar)
        if any(word in words for word in _FILES) or "DIR|" in words:
            action.complete = shtab.FILE  # type: ignore[attr-defined] # shtab's own way to say it
        elif any(word in words for word in _FOLDERS):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Those of the parser and of every subcommand."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _actions(subparser)
