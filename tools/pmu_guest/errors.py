"""How a run ends that judges nothing."""

from __future__ import annotations


class CannotRun(Exception):  # noqa: N818 - no error: this machine, or this hour, has no place for the guest
    """The guest cannot run here or now; with the remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} ({remedy})")
        self.reason = reason
        self.remedy = remedy


class GuestFailed(Exception):  # noqa: N818 - red: what was to be made or run did not come out
    """A step on the way failed; ``tail`` is what it said last."""

    def __init__(self, what: str, tail: str) -> None:
        super().__init__(what)
        self.tail = tail
