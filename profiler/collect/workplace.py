"""Where processes run: a folder for scripts and side files, the CPUs to use, and the command of each process."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from profiler.collect.fingerprint import FINGERPRINT_SCRIPT
from profiler.guest import script
from profiler.model import Block, Launcher, Step, Workload
from profiler.system.process import Command

MAX_OUTPUT_BYTES = 1 << 20
"""A workload prints one line; a megabyte is a mistake that would fill the disk or the memory."""


class Workplace:
    """Every script is written once and stands for all launchers: all run the same file."""

    def __init__(self, folder: Path, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.cpus = sorted(os.sched_getaffinity(0))
        self._folder = folder

    @contextmanager
    def scratch(self, step: Step | None = None) -> Iterator[Path]:
        """A directory of one process alone, or of the processes that live together; of equally long paths for all, and
        the same whenever ``step`` is repeated.
        """
        name = "bare" if step is None else f"{step.block:05d}-{step.position:05d}"
        path = self._folder / f"process-{name:>11}".replace(" ", "-")
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def probe(self) -> Path:
        """What says what a launcher is from inside."""
        return self._written("fingerprint.py", lambda path: FINGERPRINT_SCRIPT)

    def placed(self, block: Block, workload: Workload) -> Path:
        """The script of ``block``: its heap phase, then the work."""
        name = f"block-{block.index:05d}-{_mark(workload)}.py"
        return self._written(name, lambda path: script.render(block, self._own(workload), path))

    def marked(self, workload: Workload) -> Path:
        """The workload between the marks that cut a process into phases."""
        return self._written(f"marked-{_mark(workload)}.py", lambda path: script.render_marked(self._own(workload)))

    def native(self, workload: Workload, launchers: tuple[Launcher, ...]) -> Path:
        """The workload's own file; where a launcher hands on no arguments, or the workload has more than M, all run one
        that takes them by another way.
        """
        if not workload.arguments and all(any("{m}" in part for part in launcher.argv) for launcher in launchers):
            return Path(self._own(workload).path)
        return self._written(f"native-{_mark(workload)}.py", lambda path: script.render_native(self._own(workload)))

    def _own(self, workload: Workload) -> Workload:
        """``workload``, or a script that reads M itself in the place of one for pyperf's runner."""
        if workload.pyperf is None:
            return workload
        path = self._written(f"pyperf-{_mark(workload)}.py", lambda path: script.render_pyperf(workload))
        return msgspec.structs.replace(workload, path=str(path), pyperf=None)

    def _written(self, name: str, text: Callable[[Path], str]) -> Path:
        path = self._folder / name
        if not path.exists():
            path.write_text(text(path))
        return path

    def command(  # noqa: PLR0917 - what a process is made of
        self,
        path: Path,
        workload: Workload,
        block: Block,
        launcher: Launcher,
        m: int,
        side: Path,
        cpu: int | None,
        *,
        probe: Path | None = None,
        watch: bool = False,
    ) -> Command:
        """One process of ``launcher``: the script ``path`` at ``m``, which does ``workload``, with the nuisances of
        ``block``.
        """
        return Command(
            argv=tuple(
                part.replace("{script}", str(path)).replace("{m}", str(m)).replace("{text}", path.read_text())
                for part in launcher.argv
            ),
            env=script.environment(block, m=m, side=side, extra=launcher.env, probe=probe, watch=watch),
            cwd=str(Path.cwd()),
            cpu=cpu,
            timeout_s=self.timeout_s,
            max_output_bytes=MAX_OUTPUT_BYTES,
            stdin=None if workload.stdin is None else workload.stdin.path,
            printed=f"{side}{script.PRINTED}",
        )


def _mark(workload: Workload) -> str:
    """Of one length for all workloads, which may share a name."""
    return hashlib.sha256(repr(workload.work).encode()).hexdigest()[:8]
