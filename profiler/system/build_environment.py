"""The user's environment for builders (cargo, make, compilers), without what would change what they build, unseen."""

from __future__ import annotations

from collections.abc import Mapping

_FOREIGN = frozenset(
    {
        "AR", "ARFLAGS", "AS", "CC", "CFLAGS", "CPP", "CPPFLAGS", "CXX", "CXXFLAGS", "LD", "LDFLAGS", "LDSHARED",
        "LIBS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "NM", "RANLIB",
        # gcc(1), "Environment Variables Affecting GCC", and ld(1).
        "COMPILER_PATH", "CPATH", "CPLUS_INCLUDE_PATH", "C_INCLUDE_PATH", "GCC_COMPARE_DEBUG", "GCC_EXEC_PREFIX",
        "GNUTARGET", "LDEMULATION", "LIBRARY_PATH",
        "RUSTC", "RUSTDOC", "RUSTFLAGS",
    }
)  # fmt: skip
_FOREIGN_BEGINNINGS = (
    "CARGO_BUILD_", "CARGO_ENCODED_", "CARGO_INCREMENTAL", "CARGO_PROFILE_", "CARGO_TARGET_", "GCOV_", "LD_", "PYO3_",
    "PYTHON", "RUSTC_",
)  # fmt: skip
_NEEDED = "LD_LIBRARY_PATH"
"""Compilers of environment modules run with it alone; it changes nothing of what is linked with whole paths."""


def for_builders(environment: Mapping[str, str], **added: str) -> dict[str, str]:
    """``environment`` without foreign flags, compilers and search paths, with English messages, and ``added``."""
    kept = {
        name: value
        for name, value in environment.items()
        if name == _NEEDED or not (name in _FOREIGN or name.startswith(_FOREIGN_BEGINNINGS))
    }
    return kept | {"LC_ALL": "C.UTF-8"} | added
