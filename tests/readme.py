"""The README's programs, as a department would copy them."""

import re
import subprocess
import sys
from pathlib import Path

from exchange.settings import Settings
from tests.conftest import environment_of

REPOSITORY = Path(__file__).parent.parent


def programs() -> list[str]:
    """Every Python program of the README, in order: publish, receive, feed back."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run_program(program: str, settings: Settings, folder: Path) -> str:
    """Run one in a process of its own, in a folder; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment_of(settings), cwd=folder, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
