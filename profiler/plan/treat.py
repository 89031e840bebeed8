"""Launchers that prove or refute what a fingerprint shows: the host relieved of it, or its twin given the same."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import msgspec
from platformdirs import user_cache_path

from profiler.catalogue.causes import SAME_START, Toggle
from profiler.catalogue.treatments import (
    ALL_REMOVED,
    BARE,
    GIVEN_ALL,
    TREATMENTS,
    Fingerprint,
    Given,
    differences,
    is_host,
    twin_of,
)
from profiler.errors import MachineError
from profiler.guest import confine
from profiler.guest.script import ENV_TREATMENT
from profiler.launch.binaries.elf import build_id, read_elf
from profiler.model import BASELINE, Launcher, SourceName

_CONFINE = "{confine}"
"""Stands in the catalogue for ``launch/confine.py``, run by this Python."""


def bare_hosts(launchers: tuple[Launcher, ...]) -> tuple[Launcher, ...]:
    """For each host whose eval loop no launcher of ours runs: a program that runs it and nothing else.

    A library goes under the ``runmain`` host, which asks nothing of it but ``Py_BytesMain``; a program that holds the
    eval loop is run as an interpreter (where it is none, its check fails and it leaves the plan).

    Raises:
        MachineError: the cache cannot be written.
    """
    by_name = {launcher.name: launcher for launcher in launchers}
    made = []
    for host in filter(is_host, launchers):
        if host.image is None or twin_of(host, by_name) is not None:
            continue
        name = f"{BARE}@{host.name}"
        if read_elf(host.image).soname is None:
            made.append(msgspec.structs.replace(vary(host, name, BARE), argv=(host.image, "{script}", "{m}")))
        elif SAME_START in by_name:
            made.append(on_library(by_name[SAME_START], name, BARE, Path(host.image)))
    return tuple(made)


def treated(
    launchers: tuple[Launcher, ...], fingerprints: dict[str, Fingerprint], source: SourceName
) -> tuple[Launcher, ...]:
    """Each host relieved of each suspicious difference and of all, and its twin given what cannot be taken away."""
    by_name = {launcher.name: launcher for launcher in launchers}
    reference = fingerprints.get(BASELINE)
    made: list[Launcher] = []
    for host in filter(is_host, launchers):
        own = fingerprints.get(host.name)
        if reference is not None and own is not None:
            made.extend(_relieved(host, reference, own))
            twin = twin_of(host, by_name)
            if twin is not None:
                made.extend(_given(host, twin, differences(fingerprints.get(twin.name, reference), own), own, source))
    return tuple(made)


def _relieved(host: Launcher, reference: Fingerprint, own: Fingerprint) -> list[Launcher]:
    different = differences(reference, own)
    chosen = [one for one in TREATMENTS if one.remove is not None and (one.always or set(one.keys) & set(different))]
    known = {key: reference.get(key) for treatment in TREATMENTS for key in treatment.keys}
    made = [
        vary(
            host,
            f"{host.name}~{one.name}",
            one.name,
            Given(statements=f"baseline = {known!r}\n{one.remove}"),
        )
        for one in chosen
    ]
    if len(chosen) > 1:
        everything = "".join(one.remove or "" for one in chosen)
        made.append(
            vary(
                host,
                f"{host.name}~{ALL_REMOVED}",
                ALL_REMOVED,
                Given(statements=f"baseline = {known!r}\n{everything}"),
            )
        )
    return made


def _given(
    host: Launcher,
    twin: Launcher,
    different: dict[str, tuple[object, object]],
    own: Fingerprint,
    source: SourceName,
) -> list[Launcher]:
    gifts = {
        one: given
        for one in TREATMENTS
        if set(one.keys) & set(different) and (source == "hardware" or not one.hardware_only)
        if (given := one.give(own)) is not None
    }
    made = [vary(twin, f"{twin.name}+{one.name}@{host.name}", one.name, given) for one, given in gifts.items()]
    # What can be taken from the host is not given to the twin: the two meet in the middle.
    rest = [given for one, given in gifts.items() if one.remove is None]
    if len(rest) > 1:
        together = Given(
            env={key: value for given in rest for key, value in given.env.items()},
            options=tuple(option for given in rest for option in given.options),
            prefix=tuple(part for given in rest for part in _resolved(given.prefix)),
            statements="".join(given.statements for given in rest),
        )
        made.append(vary(twin, f"{twin.name}+{GIVEN_ALL}@{host.name}", GIVEN_ALL, together))
    return made


def toggled(base: Launcher, toggle: Toggle) -> Launcher:
    """``base`` with one factor changed from outside."""
    takes_options = base.init == "Py_BytesMain"
    given = Given(env=toggle.env, options=toggle.options if takes_options else (), prefix=toggle.prefix)
    return vary(base, f"{base.name}+{toggle.name}", toggle.name, given)


def on_library(host: Launcher, name: str, factor: str, library: Path) -> Launcher:
    """One of our hosts on another libpython, found by the name that the host asks for.

    Raises:
        MachineError: the cache cannot be written.
    """
    wanted = next((one for one in read_elf(host.argv[0]).needed if one.startswith("libpython")), library.name)
    folder = library.parent
    if not (folder / wanted).exists() or (folder / wanted).resolve() != library.resolve():
        # The loader looks for a file name and asks no more of the file, so a link may lead to any libpython.
        folder = user_cache_path("tax-probe") / "libraries" / (build_id(str(library)) or library.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / wanted).unlink(missing_ok=True)
            (folder / wanted).symlink_to(library)
        except OSError as error:
            raise MachineError(
                f"cannot write the cache {folder}: {error.strerror}", hint="set XDG_CACHE_HOME to another directory"
            ) from error
    variant = vary(host, name, factor, Given(env={"LD_LIBRARY_PATH": str(folder)}))
    return msgspec.structs.replace(variant, image=None, build_id=None)


def vary(base: Launcher, name: str, factor: str, given: Given | None = None) -> Launcher:
    """``base`` with a name and factor of its own, and what is ``given`` to it."""
    given = given or Given()
    env = dict(given.env)
    if given.statements:
        env[ENV_TREATMENT] = given.statements
    return msgspec.structs.replace(
        base,
        name=name,
        argv=(*_resolved(given.prefix), base.argv[0], *given.options, *base.argv[1:]),
        env=base.env | env,
        base=base.name,
        factor=factor,
    )


def _resolved(prefix: tuple[str, ...]) -> tuple[str, ...]:
    if prefix[:1] == (_CONFINE,):
        return (sys.executable, confine.__file__, *prefix[1:])
    return (shutil.which(prefix[0]) or prefix[0], *prefix[1:]) if prefix else ()
