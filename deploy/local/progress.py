"""Shows people what the stack is doing; the stack itself knows only a function that it calls."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.jars import Advance


def silent(_doing: str, _done: int, _total: int) -> None:
    """Shows nothing: for programs and tests."""


@contextmanager
def showing_progress() -> Iterator[Advance]:
    """A progress bar on standard error, gone when done; plain lines where that is not a terminal."""
    if not sys.stderr.isatty():
        yield _Lines().advance
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing, completed=done, total=total)

        yield advance


class _Lines:
    """One line when a stage begins."""

    def __init__(self) -> None:
        self._last = ""

    def advance(self, doing: str, _done: int, _total: int) -> None:
        if doing != self._last:
            self._last = doing
            sys.stderr.write(f"{doing} ...\n")
