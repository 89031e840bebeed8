"""Work of minutes in two threads, and an end that does not wait for what nobody wants any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from profiler.system.process_groups import stop_all

AT_ONCE = 2

T = TypeVar("T")


def side_by_side(tasks: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """Do all ``tasks``, two at a time in their order; gives what each returned.

    When one fails, or the caller is interrupted, no other is begun, and the programs that they wait for are killed.

    Raises:
        Exception: what the first task that failed raised.
    """
    failed: list[BaseException] = []

    def guarded(task: Callable[[], T]) -> T | None:
        if failed:
            return None
        try:
            return task()
        except BaseException as error:
            failed.append(error)
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {name: pool.submit(guarded, task) for name, task in tasks.items()}
        try:
            wait(running.values(), return_when=FIRST_EXCEPTION)
            if failed:
                raise failed[0]
        except BaseException as error:
            failed.append(error)
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise
        return {name: one.result() for name, one in running.items()}  # type: ignore[misc]
