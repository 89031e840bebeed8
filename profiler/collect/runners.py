"""A runner per kind of pass: it carries out steps of one pass and block, and yields what is done as it is done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from profiler.collect import run_chunks, run_native, run_phased, run_regions, run_whole
from profiler.collect.recording import Measured
from profiler.collect.setting import Setting
from profiler.model import Block, PassKind, Step
from profiler.system.process_groups import stop_all

_STOPPING_S = 0.05

Runner = Callable[[Setting, Block, Sequence[Step]], Generator[Measured, None, None]]
"""Steps of one kind, all of which need the machine for themselves or none of which does.

Raises WorkloadError and MachineError; what was yielded before stays. It is closed when it is interrupted, and then
ends its processes.
"""

OneProcess = Callable[[Setting, Any, Block, Step, int], Measured]
"""(setting, the pass, of the runner's own kind, block, step, CPU) → what one process left behind."""


def _side_by_side(
    measure: OneProcess, setting: Setting, block: Block, todo: Sequence[Step]
) -> Generator[Measured, None, None]:
    """One process a step: as many at once as there are CPUs, or one after the other on the last of them."""
    exclusive = setting.pass_of(todo[0]).exclusive
    free = setting.place.cpus[-1:] if exclusive else list(setting.place.cpus)
    queue = iter(todo)
    running: dict[Future[Measured], int] = {}
    with ThreadPoolExecutor(max_workers=len(free)) as pool:
        try:
            while True:
                while free and (step := next(queue, None)) is not None:
                    cpu = free.pop()
                    running[pool.submit(measure, setting, setting.pass_of(step), block, step, cpu)] = cpu
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    free.append(running.pop(future))
                    yield future.result()
        except BaseException:
            for future in running:
                future.cancel()
            # Again and again: a thread may be just about to start its process.
            while wait(running, timeout=_STOPPING_S).not_done:
                stop_all()
            raise


RUNNERS: dict[PassKind, Runner] = {
    "whole": partial(_side_by_side, run_whole.measure),
    "native": partial(_side_by_side, run_native.measure),
    "phased": partial(_side_by_side, run_phased.measure),
    "regions": partial(_side_by_side, run_regions.measure),
    "chunks": run_chunks.interleave,
}
