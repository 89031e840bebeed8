"""Launchers that prove or refute what a fingerprint shows: the host relieved of it, or its twin given the same."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import msgspec

from profiler.catalogue.interventions import ALL_REMOVED, BARE, GIVEN_ALL, INTERVENTIONS, Given, Intervention
from profiler.catalogue.properties import Fingerprint, differences
from profiler.catalogue.variant_rules import is_host, twin_of
from profiler.errors import MachineError
from profiler.guest import confine
from profiler.guest.script import ENV_TREATMENT
from profiler.launch.binaries.elf import build_id, read_elf
from profiler.model import Launcher, SourceName, Variant, roles_of
from profiler.system.home import cache_folder

_CONFINE = "{confine}"
"""Stands in the catalogue for ``guest/confine.py``, run by this Python."""


def bare_hosts(launchers: tuple[Launcher, ...]) -> tuple[Launcher, ...]:
    """For each host whose eval loop no launcher of ours runs: a program that runs it and nothing else.

    A library goes under our host that starts as the baseline does, which asks nothing of it but ``Py_BytesMain``; a
    program that holds the eval loop is run as an interpreter (where it is none, its check fails and it leaves the
    plan).

    Raises:
        MachineError: the cache cannot be written.
    """
    same_start = roles_of(launchers).same_start
    loads = next((launcher for launcher in launchers if launcher.name == same_start), None)
    made = []
    for host in filter(is_host, launchers):
        if host.image is None or twin_of(host, launchers) is not None:
            continue  # among them every interpreter, which runs nothing else as it is
        if read_elf(host.image).soname is None:
            variant = Variant(of=host.name, intervention=BARE, way="replaced", given_by=host.name)
            made.append(msgspec.structs.replace(vary(host, variant), argv=(host.image, "{script}", "{m}")))
        elif loads is not None:
            variant = Variant(of=loads.name, intervention=BARE, way="replaced", given_by=host.name)
            made.append(on_library(loads, variant, Path(host.image)))
    return tuple(made)


def treated(
    launchers: tuple[Launcher, ...], fingerprints: dict[str, Fingerprint], source: SourceName
) -> tuple[Launcher, ...]:
    """Each host relieved of each suspicious difference and of all, and its twin given what cannot be taken away."""
    reference = fingerprints.get(roles_of(launchers).baseline)
    made: list[Launcher] = []
    for host in filter(is_host, launchers):
        own = fingerprints.get(host.name)
        if reference is not None and own is not None:
            made.extend(_relieved(host, reference, own))
            twin = twin_of(host, launchers)
            if twin is not None:
                made.extend(_given(host, twin, differences(fingerprints.get(twin.name, reference), own), own, source))
    return tuple(made)


def _relieved(host: Launcher, reference: Fingerprint, own: Fingerprint) -> list[Launcher]:
    different = differences(reference, own)
    chosen = [
        intervention
        for intervention in INTERVENTIONS
        if intervention.remove is not None and (intervention.always or set(intervention.keys) & set(different))
    ]
    known = {key: reference.get(key) for entry in INTERVENTIONS for key in entry.keys}
    made = [
        vary(
            host,
            Variant(of=host.name, intervention=intervention.id, way="removed"),
            Given(statements=f"baseline = {known!r}\n{intervention.remove}"),
        )
        for intervention in chosen
    ]
    if len(chosen) > 1:
        everything = "".join(intervention.remove or "" for intervention in chosen)
        made.append(
            vary(
                host,
                Variant(of=host.name, intervention=ALL_REMOVED, way="removed"),
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
        intervention.id: (intervention, given)
        for intervention in INTERVENTIONS
        if set(intervention.keys) & set(different) and (source == "hardware" or not intervention.hardware_only)
        if (given := intervention.give(own)) is not None
    }

    def variant(intervention: str) -> Variant:
        return Variant(of=twin.name, intervention=intervention, way="given", given_by=host.name)

    made = [vary(twin, variant(name), given) for name, (_, given) in gifts.items()]
    # What can be taken from the host is not given to the twin: the two meet in the middle.
    rest = [given for intervention, given in gifts.values() if intervention.remove is None]
    if len(rest) > 1:
        together = Given(
            env={key: value for given in rest for key, value in given.env.items()},
            options=tuple(option for given in rest for option in given.options),
            prefix=tuple(part for given in rest for part in _resolved(given.prefix)),
            statements="".join(given.statements for given in rest),
        )
        made.append(vary(twin, variant(GIVEN_ALL), together))
    return made


def toggled(base: Launcher, entry: Intervention) -> Launcher:
    """``base`` with one thing changed from outside."""
    assert entry.change is not None
    given = entry.change if base.init == "Py_BytesMain" else replace(entry.change, options=())
    return vary(base, Variant(of=base.name, intervention=entry.id, way="changed"), given)


def on_library(host: Launcher, variant: Variant, library: Path, name: str | None = None) -> Launcher:
    """One of our hosts on another libpython, found by the name that the host asks for.

    Raises:
        MachineError: the cache cannot be written.
    """
    wanted = next((soname for soname in read_elf(host.argv[0]).needed if soname.startswith("libpython")), library.name)
    folder = library.parent
    if not (folder / wanted).exists() or (folder / wanted).resolve() != library.resolve():
        # The loader looks for a file name and asks no more of the file, so a link may lead to any libpython.
        folder = cache_folder() / "libraries" / (build_id(str(library)) or library.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / wanted).unlink(missing_ok=True)
            (folder / wanted).symlink_to(library)
        except OSError as error:
            raise MachineError(
                f"cannot write the cache {folder}: {error.strerror}", hint="set XDG_CACHE_HOME to another directory"
            ) from error
    varied = vary(host, variant, Given(env={"LD_LIBRARY_PATH": str(folder)}), name)
    return msgspec.structs.replace(varied, image=None, build_id=None)


def shown_name(variant: Variant) -> str:
    """How people read of it: ``pyo3+malloc``, ``myhost~tracing``, ``python3+dev-mode@myhost``, ``pyo3@swapped``."""
    if variant.way == "removed":
        return f"{variant.of}~{variant.intervention}"
    if variant.way == "replaced":
        owner, what = (variant.of, variant.intervention)[:: 1 if variant.given_by is None else -1]
        return f"{owner}@{variant.given_by or what}"
    return f"{variant.of}+{variant.intervention}" + (f"@{variant.given_by}" if variant.given_by is not None else "")


def vary(base: Launcher, variant: Variant, given: Given | None = None, name: str | None = None) -> Launcher:
    """``base`` made ``variant`` by what is ``given`` to it; shown as ``name``."""
    given = given or Given()
    env = dict(given.env)
    if given.statements:
        env[ENV_TREATMENT] = given.statements
    return msgspec.structs.replace(
        base,
        name=name or shown_name(variant),
        argv=(*_resolved(given.prefix), base.argv[0], *given.options, *base.argv[1:]),
        env=base.env | env,
        variant=variant,
        role=None,
    )


def _resolved(prefix: tuple[str, ...]) -> tuple[str, ...]:
    if prefix[:1] == (_CONFINE,):
        return (sys.executable, confine.__file__, *prefix[1:])
    return (shutil.which(prefix[0]) or prefix[0], *prefix[1:]) if prefix else ()
