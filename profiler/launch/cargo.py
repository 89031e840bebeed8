"""Cargo: find one that is new enough, run it with its progress shown, and explain its failures."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from profiler.errors import MachineError
from profiler.launch.stand_ins import MISSING
from profiler.model import Noun
from profiler.system import process
from profiler.system.home import home_folder
from profiler.system.install import how_to_install
from profiler.system.logged import Failed, run_logged
from profiler.system.own_folder import own_folder
from profiler.system.tools import output_of

OLDEST_RUST = (1, 83)
"""What PyO3 0.29 needs, as (major, minor)."""

_SYSTEM = Path("/usr/bin")
_ANSWER_TIMEOUT_S = 20.0
_LINK_TIMEOUT_S = 60.0
_BUILD_TIMEOUT_S = 1800.0
_INSTALL = f"{how_to_install('rust')}, or https://rustup.rs"
_UNREACHABLE = re.compile(
    r"download .*failed|failed to download|[Cc]ould ?n[o']t (?:resolve|connect)|network failure|spurious network error"
    r"|unable to update registry|failed to query replaced source|attempting to make an HTTP request"
)
_NO_STD = re.compile(r"can't find crate for `(?:std|core)`")
_NO_LINKER = re.compile(r"linker `.*` not found")
_LINKER = re.compile(r"\b(?:ld(?:\.\w+)?|rust-lld|mold): (?:error: |fatal error: )?(.*(?:error|cannot find).*)")
_STATUS = re.compile(r"(?:Updating|Locking|Downloading|Downloaded|Compiling|Building|Finished|Blocking) ")
_SCRIPT_SAID = "--- stderr"
_LINE_CHARACTERS = 300


class Toolchain(Noun, frozen=True, kw_only=True):
    """A cargo and the compiler that it shall use."""

    cargo: str
    rustc: str
    version: str
    """Of rustc, e.g. ``"1.85.0"``."""
    triple: str
    """The machine that is built for, e.g. ``"x86_64-unknown-linux-gnu"``."""
    identity: str
    """All of ``rustc -vV``, and the version of the C compiler that links: tells apart compilers of one version."""
    linker: str | None = None
    """The C compiler that links for another machine than rustc's own; None: this machine's ``cc``."""
    ar: str | None = None
    """The same, of archives."""

    @property
    def cross(self) -> dict[str, str]:
        """Variables of cargo and PyO3 that say so; empty where nothing is built for another machine."""
        if self.linker is None:
            return {}
        name = self.triple.upper().replace("-", "_")
        return {f"CARGO_TARGET_{name}_LINKER": self.linker, "PYO3_CROSS": "1"}


def find_cargo() -> Toolchain:
    """The first cargo whose rustc is new enough: on PATH, rustup's, then the distribution's (versioned ones too).

    Raises:
        MachineError: there is none, or every one is older than Rust 1.83.
    """
    too_old: list[str] = []
    for cargo in _candidates():
        toolchain = _toolchain(cargo)
        if toolchain is None:
            continue
        if _major_minor(toolchain.version) >= OLDEST_RUST:
            return toolchain
        too_old.append(f"{cargo} ({toolchain.version})")
    oldest = ".".join(map(str, OLDEST_RUST))
    if too_old:
        raise MachineError(f"cargo is too old: {', '.join(too_old)}; the hosts need Rust ≥ {oldest}", hint=_INSTALL)
    raise MachineError(f"no working cargo: the hosts are built with Rust ≥ {oldest}", hint=_INSTALL)


def require_linking(toolchain: Toolchain) -> None:
    """Build an empty program with the compiler that was found (half a second).

    Raises:
        MachineError: it cannot: there is no linker, no C library to link with, or no standard library.
    """
    with own_folder() as scratch:
        source = scratch / "empty.rs"
        source.write_text("fn main() {}\n")
        words = (toolchain.rustc, "-o", f"{scratch}/empty", str(source))
        try:
            done = process.run(process.helper(words, cwd=str(scratch), timeout_s=_LINK_TIMEOUT_S))
        except OSError as error:
            said = [f"error: {error.strerror}"]
        else:
            if done.exit == 0:
                return
            said = done.stderr_tail.splitlines()
    missing = "rust" if any(_NO_STD.search(line) for line in said) else "compiler"
    raise MachineError(f"{toolchain.rustc} builds no program: {reason(said)}", hint=how_to_install(missing))


def run_cargo(
    command: Sequence[str],
    *,
    what: str,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    on_line: Callable[[str], None],
) -> None:
    """Run ``command``, which builds ``what``, to its end; its output is appended to the file ``log``, and
    ``on_line`` gets its progress.

    Errors and warnings, a linker's two screens among them, are in ``log`` only.

    Raises:
        MachineError: cargo fails or takes more than 30 minutes; the message is one line, the hint names ``log``.
    """
    try:
        run_logged(command, env=env, cwd=cwd, log=log, timeout_s=_BUILD_TIMEOUT_S, on_line=_progress(on_line))
    except Failed as error:
        if error.exit is None:
            message = f"cargo did not finish within {_BUILD_TIMEOUT_S:.0f} s"
            raise MachineError(message, hint=f"its output is in {log}") from None
        raise _failure(what, error.lines, log) from None


def _progress(on_line: Callable[[str], None]) -> Callable[[str], None]:
    """Hands on what comes before an error or a warning, and again from cargo's next status line on."""
    complaining = False

    def hand_on(line: str) -> None:
        nonlocal complaining
        if line.startswith(("error", "warning")):
            complaining = True
        elif _STATUS.match(line):
            complaining = False
        if not complaining:
            on_line(line)

    return hand_on


def _failure(what: str, lines: Sequence[str], log: Path) -> MachineError:
    hint = f"all of its output is in {log}"
    if any(_UNREACHABLE.search(line) for line in lines):
        hint = (
            "the first build downloads PyO3: connect this machine to crates.io or to a mirror "
            f"(https://doc.rust-lang.org/cargo/reference/source-replacement.html); {hint}"
        )
    elif any(_NO_LINKER.search(line) for line in lines):
        hint = f"{how_to_install('compiler')}; {hint}"
    return MachineError(f"cargo could not build {what}: {reason(lines)}", hint=hint)


def reason(lines: Sequence[str]) -> str:
    """Why cargo failed, in one line: what the linker found nowhere, or the first error and its innermost cause."""
    found = (MISSING.search(line) for line in lines)
    missing = list(dict.fromkeys(match.group(1) for match in found if match))
    if missing:
        more = f" and {len(missing) - 1} more symbols" if len(missing) > 1 else ""
        return f"the linker finds no {missing[0]}{more}"
    stripped = [line.strip() for line in lines if line.strip()]
    start = next((number for number, line in enumerate(stripped) if line.startswith("error")), None)
    if start is None:
        return _shortened(stripped[-1]) if stripped else "it said nothing"
    first, after = stripped[start], stripped[start + 1 :]
    complaint = next(filter(None, map(_LINKER.search, after)), None)
    cause = complaint.group(1) if complaint is not None else _innermost(after)
    return f"{_shortened(first)}: {_shortened(cause)}" if cause else _shortened(first)


def _innermost(after: Sequence[str]) -> str | None:
    """A failed build script's own error, or the last of cargo's "Caused by" lines."""
    if _SCRIPT_SAID in after:
        said = after[after.index(_SCRIPT_SAID) + 1 :]
        return next((line for line in said if line.startswith("error")), next(iter(said), None))
    causes = [below for line, below in pairwise(after) if line == "Caused by:"]
    return causes[-1] if causes else None


def _shortened(line: str) -> str:
    return line if len(line) <= _LINE_CHARACTERS else f"{line[: _LINE_CHARACTERS - 1]}…"


def _candidates() -> Iterator[Path]:
    cargo_home = Path(os.environ.get("CARGO_HOME") or home_folder() / ".cargo")
    on_path = shutil.which("cargo")
    places = [Path(on_path)] if on_path else []
    places += [cargo_home / "bin" / "cargo", _SYSTEM / "cargo"]
    versioned = [path for path in _SYSTEM.glob("cargo-1.*") if re.fullmatch(r"cargo-1\.\d+", path.name)]
    places += sorted(versioned, key=lambda path: _major_minor(path.name.removeprefix("cargo-")), reverse=True)
    yield from (path for path in dict.fromkeys(places) if os.access(path, os.X_OK))


def _toolchain(cargo: Path) -> Toolchain | None:
    """``cargo`` with the rustc of the same name's suffix beside it (or on PATH); None when they do not work."""
    beside = cargo.with_name(cargo.name.replace("cargo", "rustc"))
    rustc = str(beside) if beside.exists() else shutil.which("rustc")
    if rustc is None:
        return None
    try:
        # A rustup proxy is there without any toolchain behind it, so both have to answer.
        subprocess.run([cargo, "-V"], check=True, capture_output=True, timeout=_ANSWER_TIMEOUT_S)
        answer = subprocess.run([rustc, "-vV"], check=True, capture_output=True, text=True, timeout=_ANSWER_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError):
        return None
    facts = dict(line.split(": ", 1) for line in answer.stdout.splitlines() if ": " in line)
    if not {"release", "host"} <= facts.keys():
        return None
    linker = (output_of("cc", "--version") or "none").partition("\n")[0]
    return Toolchain(
        cargo=str(cargo),
        rustc=rustc,
        version=facts["release"],
        triple=facts["host"],
        identity=f"{answer.stdout}linker: {linker}\n",
    )


def _major_minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
