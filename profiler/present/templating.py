"""Templates of the page and of its drawings: everything that comes from outside is escaped, nothing may be missing."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from profiler.present.visible import visible

if TYPE_CHECKING:
    from jinja2 import Environment

_PATH = re.compile(r"(?<![\w.:/])(?!/proc/|/sys/)(?:/[\w.+@~-]+)+/([\w.+@~-]+)")


def render(name: str, **data: object) -> bytes:
    """A template, filled; what is missing is an error of ours (``jinja2.UndefinedError``)."""
    return _environment().get_template(name).render(**data).encode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("profiler.present"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: object) -> object:
    from markupsafe import Markup

    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def without_folders(text: str) -> str:
    """``text`` with every absolute path cut to its last part: where something lay is no matter of the answer."""
    return _PATH.sub(r"\1", text)
