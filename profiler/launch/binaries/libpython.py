"""What a libpython is called."""

from __future__ import annotations

import re

_LIBPYTHON = re.compile(r"(?:^|/)libpython3[\w.]*\.so[\d.]*$")


def names_libpython(name: str) -> bool:
    """Whether a path or a DT_NEEDED entry names a shared libpython, or the stub ``libpython3.so``."""
    return _LIBPYTHON.search(name) is not None
