"""What the guests boot from, made once and kept in the user's cache under the hash of what went into it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from profiler.launch.cargo import find_cargo
from profiler.model import Noun
from profiler.provision import cross_tools, laid_out
from profiler.provision.laid_out import unpack
from profiler.provision.made_once import digest_of_files, is_made, key_of, made
from profiler.system.debian_sources import sources_here
from profiler.system.private_apt import Deb, PrivateApt, Remedies
from tools.pmu_guest.boot import Disks
from tools.pmu_guest.console import say
from tools.pmu_guest.cross import build_for_guest
from tools.pmu_guest.image import initrd, install_wheels, kernel_of, precompile, root_disk
from tools.pmu_guest.limits import Limit
from tools.pmu_guest.locks import Locked, chosen_requirements, locked
from tools.pmu_guest.preflight import require_space
from tools.pmu_guest.side_by_side import side_by_side
from tools.pmu_guest.table import TABLE, Table
from tools.pmu_guest.tree import TOP

HERE = Path(__file__).parent
RECORD = "resolved.json"
_CROSS = digest_of_files(Path(cross_tools.__file__).parent, [Path(cross_tools.__file__)])
_UNPACKING = digest_of_files(Path(laid_out.__file__).parent, [Path(laid_out.__file__)])


class Resolved(Noun, frozen=True, kw_only=True):
    """Which packages the guest was made of; kept until ``--update``, or until the table changes."""

    table: str
    """Hash of ``packages.toml``."""
    packages: dict[str, tuple[Deb, ...]]
    """By the table's groups."""


class Places(Noun, frozen=True, kw_only=True):
    """Where everything lies."""

    tools: Path
    root: Path
    image: Path
    built: Path

    def disks(self, job: Path) -> Disks:
        """The disks of a guest with this job."""
        image = self.image
        return Disks(
            kernel=str(image / "vmlinuz"), initrd=str(image / "initrd.gz"), root=str(image / "root.ext4"), job=str(job)
        )


def prepare(table: Table, cache: Path, *, update: bool, limit: Limit) -> Places:
    """Resolve, fetch, unpack and build whatever is not there yet.

    Raises:
        CannotRun: the disk is too small, or the time is over.
        GuestFailed: something cannot be built.
        MachineError: packages cannot be had, or there is no cargo.
    """
    resolved = _read(cache / RECORD)
    if update or resolved is None or resolved.table != _table_digest():
        require_space(cache)
        resolved = _resolve(table, cache)
    chosen = _requirements(table)
    places = _places(cache, resolved, chosen)
    _unpacked(table, cache, resolved=resolved, chosen=chosen, places=places, limit=limit)
    limit.require("the disks and the builds")
    # The image is a matter of seconds beside cargo's minutes.
    side_by_side({"image": lambda: _image(table, places), "built": lambda: _built(table, cache, places)})
    return places


def _places(cache: Path, resolved: Resolved, chosen: Sequence[Locked]) -> Places:
    hashes = {name: [deb.sha256 for deb in debs] for name, debs in resolved.packages.items()}
    tools = key_of(hashes["tools"], hashes["rust"], _UNPACKING)
    root = key_of(hashes["guest"], msgspec.to_builtins(chosen), _UNPACKING, _code("image.py"))
    image = key_of(root, _code("newc.py", "image.py", "inside/init"))
    crates = [TOP / name for name in ("Cargo.lock", "Cargo.toml")]
    crates += [file for file in (TOP / "runner").rglob("*") if file.is_file() and "target" not in file.parts]
    cargo = subprocess.run((find_cargo().cargo, "-V"), capture_output=True, text=True, check=True).stdout
    built = key_of(tools, root, cargo, digest_of_files(TOP, crates), _code("cross.py"), _CROSS)
    return Places(
        tools=cache / f"tools-{tools}", root=cache / f"root-{root}", image=cache / f"image-{image}",
        built=cache / f"built-{built}",
    )  # fmt: skip


def _code(*names: str) -> str:
    return digest_of_files(HERE, [HERE / name for name in names])


def _table_digest() -> str:
    return digest_of_files(HERE, [TABLE])


def _requirements(table: Table) -> tuple[Locked, ...]:
    lock, dev = (locked((TOP / f"requirements{name}.lock").read_text(encoding="utf-8")) for name in ("", "-dev"))
    wheels = table.wheels
    return chosen_requirements(lock, dev, python=wheels.python, left_out=wheels.left_out, tests=wheels.tests)


def _read(record: Path) -> Resolved | None:
    try:
        return msgspec.json.decode(record.read_bytes(), type=Resolved)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _apts(table: Table, cache: Path) -> dict[str, PrivateApt]:
    architectures = dict.fromkeys(group.architecture for group in table.groups.values())
    remedies = Remedies(no_apt="run it on Debian, 12 or newer", superseded="try again with --update")
    return {
        one: PrivateApt(cache / f"apt-{one}", one, lambda: sources_here(table.suite, table.keyring), remedies)
        for one in architectures
    }


def _resolve(table: Table, cache: Path) -> Resolved:
    apts = _apts(table, cache)
    for architecture, apt in apts.items():
        say(f"fetching the package lists of Debian {table.suite} for {architecture}")
        apt.update()
    packages = {name: apts[group.architecture].resolve(group) for name, group in table.groups.items()}
    resolved = Resolved(table=_table_digest(), packages=packages)
    beside = cache / f"{RECORD}.new"
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(resolved)))
    beside.replace(cache / RECORD)
    return resolved


def _unpacked(
    table: Table, cache: Path, *, resolved: Resolved, chosen: Sequence[Locked], places: Places, limit: Limit
) -> None:
    if is_made(places.tools) and is_made(places.root):
        return
    require_space(cache)
    apts, debs = _apts(table, cache), cache / "debs"
    for name, group in table.groups.items():
        wanted = resolved.packages[name]
        limit.require(f"fetching the packages of the {name}")
        say(f"packages of the {name}: {len(wanted)}, {sum(deb.size for deb in wanted) / 1e6:.0f} MB")
        fetched = apts[group.architecture].download(wanted, debs)
        say(f"packages of the {name}: fetched {fetched / 1e6:.0f} MB, all have their hashes")

    def files(*names: str) -> list[Path]:
        return [debs / deb.file for name in names for deb in resolved.packages[name]]

    def fill_root(root: Path) -> None:
        unpack(files("guest"), root)
        say("the guest's system is unpacked; installing its Python packages")
        install_wheels(chosen, table.wheels, root, root.parent)
        if not precompile(root, table.wheels.python):
            say(f"no python{table.wheels.python} here to compile the guest's Python files: it does so itself, slowly")

    say("unpacking")
    side_by_side(
        {
            "tools": lambda: made(places.tools, lambda tools: unpack(files("tools", "rust"), tools)),
            "root": lambda: made(places.root, fill_root),
        }
    )
    wanted_files = {deb.file for debs_ in resolved.packages.values() for deb in debs_}
    for file in debs.iterdir():
        if file.name not in wanted_files:
            file.unlink()
    for apt_folder in cache.glob("apt-*"):
        shutil.rmtree(apt_folder)


def _image(table: Table, places: Places) -> None:
    def fill(image: Path) -> None:
        say("making the guest's disk")
        shutil.copy2(kernel_of(places.root), image / "vmlinuz")
        (image / "initrd.gz").write_bytes(initrd(places.root, table.modules))
        root_disk(places.root, image / "root.ext4")

    made(places.image, fill)


def _built(table: Table, cache: Path, places: Places) -> None:
    log = cache / "cross-build.log"

    def fill(built: Path) -> None:
        log.write_text("")
        build_for_guest(built, places.tools, places.root, table.wheels.python, log)

    made(places.built, fill)
