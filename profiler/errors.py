"""The error family: every failure that a user can cause or mend, with its exit code and its remedy.

Anything that is not a ``ProbeError`` is a bug and ends with exit code 1.
"""

from __future__ import annotations


class ProbeError(Exception):
    """A failure that is explained to the user: one message, one remedy (``hint``), one exit code."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ProbeError):
    """The command line or an experiment file asks for something that does not exist or contradicts itself."""

    exit_code = 2


class MachineError(ProbeError):
    """This machine cannot measure that; the hint says what would have to change."""

    exit_code = 3


class WorkloadError(ProbeError):
    """A workload failed, hung, printed too much, or printed something else than the baseline did."""

    exit_code = 4


class Interrupted(ProbeError):
    """The run was interrupted; what was measured is saved."""

    exit_code = 5


class GateFailed(ProbeError):
    """A ratio, or its change, is proven to exceed the gate that the user set with ``--max-ratio``."""

    exit_code = 6
