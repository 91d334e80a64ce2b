"""The campaign's hand on its network: opens links, and cuts, holds, slows and mends them."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from deploy.local.ports import HOST, choose

ROOT = Path(__file__).parents[3]
BROKERS = ("broker-1", "broker-2", "broker-3")
REDIS = "redis"
CLIENTS = ("one", "two", "dispatcher", "departments")
"""Who is told apart on the way to the brokers: two standing processors, the dispatchers, and everybody at the departments."""


class Network:
    """Every link between two places of the campaign; a context manager.

    Links are named by source, destination and kind (a broker has several listeners).
    """

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.campaign.proxy"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True,
        )  # fmt: skip
        self._new: list[dict[str, Any]] = []
        self._ports: dict[tuple[str, str, str], int] = {}

    def free_port(self) -> int:
        """A port that nobody here has yet."""
        port = choose("the campaign", "", given=0, remembered=None, avoid=frozenset(self._taken))
        self._taken.add(port)
        return port

    def link(self, source: str, destination: str, target: int, kind: str = "") -> str:
        """Where the source finds the destination: host:port of a link to the target port, open from `open` on."""
        found = self._ports.get((source, destination, kind))
        if found is None:
            found = self._ports[source, destination, kind] = self.free_port()
            self._new.append(
                {"source": source, "destination": destination, "kind": kind, "port": found, "target": target}
            )
        return f"{HOST}:{found}"

    def open(self) -> None:
        """Open the links that were made."""
        new, self._new = self._new, []
        self._order(do="open", links=new)

    def cut(self, one: str, other: str) -> None:
        """Connections between two places are reset, new ones refused; `*` is every place."""
        self._change(one, other, "cut")

    def hold(self, one: str, other: str) -> None:
        """Nothing moves between two places; connections stay."""
        self._change(one, other, "held")

    def slow(self, one: str, other: str, seconds: float) -> None:
        """All that moves between two places is late."""
        self._change(one, other, "open", seconds)

    def mend(self, one: str = "*", other: str = "*") -> None:
        """As if nothing had been."""
        self._change(one, other, "open")

    def aim(self, destination: str, target: int) -> None:
        """Lead a destination elsewhere, as a virtual address does that follows a primary."""
        self._order(do="aim", destination=destination, target=target)

    def _change(self, one: str, other: str, state: str, delay: float = 0.0) -> None:
        self._order(do="change", one=one, other=other, state=state, delay=delay)

    def _order(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
