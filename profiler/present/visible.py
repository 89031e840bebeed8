"""Text from outside as a reader can see all of it: the one edge before terminals, pages, Markdown and CSV."""

from __future__ import annotations

import re

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (a terminal's escapes begin with one), marks that turn the reading direction, halves of pairs: no
document may hold them, or a reader cannot see that it does.
"""


def visible(text: str) -> str:
    """``text`` with a mark in the place of each character that is not seen; line ends and tabs stay."""
    return _INVISIBLE.sub("\ufffd", text)
