"""Progress on stderr: a bar with time left on a terminal, a line per block elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from profiler.model import Block, Standing, Step
from profiler.present.visible import visible


def tell(text: str) -> None:
    """A line on stderr, where there is no bar yet."""
    Console(stderr=True).print(visible(text), highlight=False, markup=False, soft_wrap=True)


def _seen(what: str, name: str) -> str:
    return f"{what} {escape(visible(name))}".rstrip()


class Foretelling:
    """A progress that says the first figure as soon as there is one; all else is ``bar``'s."""

    def __init__(self, bar: ProgressBar, look: Callable[[], str | None]) -> None:
        self._bar, self._look = bar, look
        self._told = False
        self.start, self.block, self.standing = bar.start, bar.block, bar.standing

    def step(self, step: Step) -> None:
        """One process ended; of the first block it may be the one that was missing."""
        self._bar.step(step)
        if not self._told and step.block == 0 and (text := self._look()) is not None:
            self._told = True
            self._bar.say(text)


class ProgressBar:
    """Implements ``collect.session.Progress``; use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("elapsed"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("measuring", total=None)
        self._blocks = 0

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._console.print(visible(text), highlight=False, markup=False, soft_wrap=True)

    def builds(self, done: float, total: float, doing: str) -> None:
        """How much of building is done, in the builder's own units."""
        self._progress.update(
            self._task,
            total=total or None,
            completed=done,
            description=_seen("building", doing),
        )

    def start(self, total: int | None, done: int) -> None:
        """Know the length of the run."""
        self._progress.reset(self._task, total=total, completed=done, description="measuring")

    def step(self, step: Step) -> None:
        """One process ended."""
        self._progress.update(self._task, advance=1, description=_seen(f"block {step.block},", step.pass_name))

    def block(self, block: Block) -> None:
        """One block is complete."""
        self._blocks += 1
        if not self._console.is_terminal:
            task = self._progress.tasks[self._task]
            of = "" if task.total is None else f" of {task.total:.0f}"
            self.say(f"block {block.index}: {task.completed:.0f}{of} processes measured")

    def standing(self, standing: Standing, blocks: int, left_s: float | None) -> None:
        """How far it is to the precision that was asked for; the bar's length becomes an estimate."""
        task = self._progress.tasks[self._task]
        if standing.blocks_needed is not None:
            total = task.completed * max(1.0, standing.blocks_needed / blocks)
            self._progress.update(self._task, total=total, description=standing.text)
        if not self._console.is_terminal and standing.text:
            left = "" if left_s is None else f", about {left_s:.0f} s left"
            self.say(f"  {standing.text}{'' if standing.reached else left}")
