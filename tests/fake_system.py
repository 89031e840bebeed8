"""Systems that this machine is not, for ``tools/setup``: their os-release, a fake apt, and packages of stand-ins."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

SETUP = Path(__file__).parents[1] / "tools" / "setup"

OWN = """
    awk basename cat cp cut dirname echo env grep head ln ls mkdir readlink sed sh sort tail touch tr true uname xargs
""".split()  # noqa: SIM905 (one a line would be twenty lines)
"""What a bare system has; nothing else of this machine is on PATH."""

APT_GET = """#!/bin/sh
echo "$*" >>{home}/apt.log
if [ -s {home}/failures ]; then
    sed -i '$d' {home}/failures
    echo 'E: Failed to fetch' >&2
    exit 100
fi
case " $* " in
*" update "*) mkdir -p {root}/var/lib/apt/lists && touch {root}/var/lib/apt/lists/main_Packages ;;
*" install "*)
    names=$(echo "$*" | sed 's/.*install //')
    for name in $names; do
        [ -e {home}/packages/$name ] || {{ echo "E: Unable to locate package $name" >&2; exit 100; }}
    done
    for name in $names; do . {home}/packages/$name; done
    ;;
esac
"""

APT_CACHE = """#!/bin/sh
[ -e {root}/var/lib/apt/lists/main_Packages ] || exit 0
case "$1 $2" in
pkgnames*) ls {home}/packages | grep "^$2" ;;
'show --no-all-versions') echo 'Version: 3.{minor}.0-1' ;;
esac
"""

PYTHON = """#!/bin/sh
case "$*" in
*Python.h*) [ -e ROOT/usr/include/python3.MINOR/Python.h ] ;;
*ensurepip*) [ -e ROOT/usr/lib/python3.MINOR/ensurepip ] ;;
*'version_info < (3, 11)'*) [ MINOR -ge 11 ] ;;
*'version_info[1]'*) echo MINOR ;;
*) exit 9 ;;
esac
"""

WORKS = "#!/bin/sh\nexit 0\n"
RUSTC = "#!/bin/sh\necho 'rustc 1.MINOR.0 (0123456789 2026-01-01)'\n"


class System:
    """One bare system: ``offers`` maps a package's name to the files that it brings (path below / → text)."""

    def __init__(
        self, folder: Path, *, release: str, offers: Mapping[str, Mapping[str, str]], python: int = 11
    ) -> None:
        """``release`` is ``/etc/os-release``; ``python`` the minor version of the distribution's ``python3``."""
        self.home, self.root, self.programs = folder, folder / "root", folder / "programs"
        for name in ("root/etc", "root/usr/bin", "programs", "packages"):
            (folder / name).mkdir(parents=True)
        (self.root / "etc" / "os-release").write_text(release)
        for name in OWN:
            (self.programs / name).symlink_to(shutil.which(name) or name)
        self.program("sleep", WORKS)
        self._python = python
        (folder / "owners").touch()
        for name, files in offers.items():
            self._package(name, files)

    def has_apt(self) -> None:
        """apt-get, apt-cache and dpkg are there."""
        for name, text in (("apt-get", APT_GET), ("apt-cache", APT_CACHE)):
            self.program(name, text.format(home=self.home, root=self.root, minor=self._python))
        self.program("dpkg", f'#!/bin/sh\ngrep ": $2\\$" {self.home}/owners\n')

    def program(self, name: str, text: str) -> None:
        """A program on PATH."""
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def setup(self, *options: str, uid: int = 0) -> subprocess.CompletedProcess[str]:
        """Run ``tools/setup --packages`` with ``options``."""
        self.program("id", f"#!/bin/sh\necho {uid}\n")
        return self._run([str(SETUP), "--packages", *options])

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        """Type a command that was printed, as somebody who may."""
        return self._run(["sh", "-c", command.replace("sudo ", "")])

    def installed(self) -> list[list[str]]:
        """The packages that each call of ``apt-get install`` named, in alphabetical order."""
        return [sorted(line.rpartition("install ")[2].split()) for line in self._log() if "install " in line]

    def updates(self) -> int:
        """How often lists of packages were fetched."""
        return sum(line.endswith("update") for line in self._log())

    def fail(self, times: int) -> None:
        """The next calls of apt-get do not reach the mirror."""
        (self.home / "failures").write_text("one\n" * times)

    def _log(self) -> list[str]:
        log = self.home / "apt.log"
        return log.read_text().splitlines() if log.exists() else []

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.root}/usr/bin{os.pathsep}{self.programs}",
            "HOME": str(self.home),
            "TAX_PROBE_SETUP_ROOT": str(self.root),
        }
        return subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )

    def _package(self, name: str, files: Mapping[str, str]) -> None:
        lines = []
        for path, text in files.items():
            place = self.root / path
            lines.append(f"mkdir -p {place.parent}")
            if text.startswith("-> "):
                lines.append(f"ln -sf {self.root / text.removeprefix('-> ')} {place}")
                continue
            stored = self.home / "stored" / name / path
            stored.parent.mkdir(parents=True, exist_ok=True)
            stored.write_text(text.replace("ROOT", str(self.root)))
            stored.chmod(0o755)
            lines.append(f"cp {stored} {place}")
            lines.append(f"echo '{name}: {place}' >>{self.home}/owners")
        (self.home / "packages" / name).write_text("\n".join(lines) + "\n")


def command_of(said: str) -> str:
    """The command that setup asks to type."""
    found = re.search(r"^setup: run this, then try again:  (.*)$", said, re.MULTILINE)
    assert found, said
    return found[1]


def python3(minor: int) -> dict[str, dict[str, str]]:
    """The distribution's own Python: program, venv and headers."""
    program = {"usr/bin/python3": PYTHON.replace("MINOR", str(minor))}
    return {
        "python3": program,
        "python3-venv": program | {f"usr/lib/python3.{minor}/ensurepip": ""},
        "libpython3-dev": {f"usr/include/python3.{minor}/Python.h": ""},
    }


def rust(minor: int, suffix: str = "") -> dict[str, dict[str, str]]:
    """A Rust as Debian packs it (``suffix`` is -web there)."""
    return {
        f"cargo{suffix}": {"usr/bin/cargo": WORKS},
        f"rustc{suffix}": {"usr/bin/rustc": RUSTC.replace("MINOR", str(minor))},
        f"rust{suffix}-clippy": {"usr/bin/cargo-clippy": WORKS, "usr/bin/clippy-driver": WORKS},
        f"rustfmt{suffix}": {"usr/bin/cargo-fmt": WORKS, "usr/bin/rustfmt": WORKS},
    }


def versioned_rust(minor: int) -> dict[str, dict[str, str]]:
    """A Rust as Ubuntu packs it: in a folder of its own, with versioned links for some of its programs."""
    version, folder = f"-1.{minor}", f"usr/lib/rust-1.{minor}/bin"
    return {
        f"cargo{version}": {f"{folder}/cargo": WORKS, f"usr/bin/cargo{version}": f"-> {folder}/cargo"},
        f"rustc{version}": {
            f"{folder}/rustc": RUSTC.replace("MINOR", str(minor)),
            f"usr/bin/rustc{version}": f"-> {folder}/rustc",
        },
        f"rust{version}-clippy": {f"{folder}/cargo-clippy": WORKS, f"{folder}/clippy-driver": WORKS},
        f"rustfmt{version}": {f"{folder}/cargo-fmt": WORKS, f"{folder}/rustfmt": WORKS},
    }


def default_rust(minor: int) -> dict[str, dict[str, str]]:
    """Ubuntu's plain names: packages that depend on the versioned ones, and hold links to their programs."""
    folder, plain = f"usr/lib/rust-1.{minor}/bin", {}
    for name, files in versioned_rust(minor).items():
        links = {f"usr/bin/{Path(file).name}": f"-> {file}" for file in files if file.startswith(folder)}
        plain[name.replace(f"-1.{minor}", "")] = files | links
    return plain
