"""A bar on stderr, for people who wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many of how many are done, and the time left; nothing where stderr is no terminal.

    Yields
    ------
    function
        To be told ``(done, total)``.
    """
    with _bar() as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def rows_progress(
    title: str,
) -> Iterator[tuple[Callable[[str, int, int], None], Callable[[str], None]]]:
    """Show one bar over several runs, and a line for each that ended, terminal or not.

    Yields
    ------
    function
        To be told ``(what is run, done, total)``.
    function
        To be told a line.
    """
    hour = 3600.0  # a picture may take minutes, and a run that is taken up again jumps ahead
    with _bar(hour) as bar:
        task = bar.add_task(title, total=None)

        def watch(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        def say(line: str) -> None:
            bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

        yield watch, say


def _bar(speed_estimate_period: float = 30.0) -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        speed_estimate_period=speed_estimate_period,
    )
