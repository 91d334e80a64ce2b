"""A Redis that comes back from an older copy of its append-only files, as after a disk was restored."""

import shutil
from pathlib import Path

from tests.conftest import RunningStack


def keep_copy(stack: RunningStack, folder: Path) -> None:
    """Copy all that Redis has, at rest; it runs again afterwards."""
    stack.valkey.stop()
    shutil.copytree(stack.valkey.aof, folder)
    stack.valkey.start()


def come_back_from(stack: RunningStack, folder: Path) -> None:
    """Kill Redis and start it with the copy."""
    stack.valkey.kill()
    shutil.rmtree(stack.valkey.aof)
    shutil.copytree(folder, stack.valkey.aof)
    stack.valkey.start()
