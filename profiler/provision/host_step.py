"""The hosts of a provisioned target: built at once, so that nothing is fetched when it is measured."""

from __future__ import annotations

from collections.abc import Callable

from profiler.catalogue.targets import TargetEntry
from profiler.launch.host_builds import HostBuild, build_hosts
from profiler.launch.launchers import names_to_own
from profiler.model import LinkMode
from profiler.provision.abroad import abroad, toolchain_of
from profiler.provision.provisioner import Provisioned, target_folder


def with_hosts(
    entry: TargetEntry, found: Provisioned, say: Callable[[str], None], names: tuple[str, ...] | None = None
) -> dict[LinkMode, HostBuild]:
    """The hosts called ``names`` (all of the entry's unless given), built or taken from the cache, by link.

    Raises:
        UsageError: an unknown name.
        MachineError: one cannot be built; crates cannot be fetched.
    """
    own = names_to_own(entry.launchers if names is None else names)
    place, tools = abroad(entry, found), toolchain_of(entry, found)
    cache = target_folder(entry)
    return {
        link: build_hosts(place.target, link, on_line=say, cache_dir=cache, toolchain=tools, emulator=place.emulator)
        for link in dict.fromkeys(launcher.link for launcher in own)
    }
