"""Fixtures of all suites: the real servers, once a session, and a bus of its own on them for each test."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
import redis
from pydantic import SecretStr

from deploy.local.servers import Servers
from deploy.local.stack import Stack
from deploy.local.valkey import DATABASES
from exchange.kafka import open_admin
from exchange.redis_client import connect
from exchange.settings import Settings
from tests.extent import THOROUGH, left_out
from tests.longest import longest_first
from tests.postgres import QUICK, NoPostgresError, RunningPostgres, running_postgres

KEPT = ("CREDITBUS_TEST_", "CREDITBUS_CACHE", "CREDITBUS_MAVEN_URL")
"""What a developer may set for the tests; every other setting is the test's own."""


START_SECONDS = 180.0
"""A server that a test kills is started again beside much else."""


class RunningServer(Protocol):
    """One server as fault tests need it."""

    def kill(self) -> None: ...
    def stop(self) -> None: ...
    def start(self) -> None: ...
    def is_running(self) -> bool: ...


class RunningValkey(RunningServer, Protocol):
    """Valkey, with the folder of its append-only files."""

    @property
    def aof(self) -> Path: ...


class RunningStack(Protocol):
    """The real servers, embedded or in containers."""

    @property
    def kafka(self) -> RunningServer: ...
    @property
    def valkey(self) -> RunningValkey: ...
    def servers(self) -> Servers: ...


BusFactory = Callable[[], Settings]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first; pytest-randomly has shuffled before. What is drawn is left out of a run of whole files."""
    items[:] = longest_first(items)
    if not THOROUGH and not any("::" in argument for argument in config.args):
        out = left_out(items, getattr(config.option, "randomly_seed", 0))
        items[:] = [item for item in items if item not in out]
        config.hook.pytest_deselected(items=out)


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("CREDITBUS_") and not name.startswith(KEPT):
                patch.delenv(name)
        yield


@contextmanager
def running_stack(home: Path) -> Iterator[RunningStack]:
    """The servers of a home folder, ended afterwards; also when the tests' process is killed."""
    if os.environ.get("CREDITBUS_TEST_STACK") == "containers":
        from tests.containers import running_containers

        with running_containers(home) as containers:
            yield containers
        return
    stack = Stack(Settings(home=home, start_timeout_seconds=START_SECONDS))
    try:
        stack.up(attached=True)
        yield stack
    finally:
        stack.down()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, _own_environment: None) -> Iterator[RunningStack]:
    """The servers that tests share. A test that kills one starts it again before it ends."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[RunningPostgres]:
    """A PostgreSQL that tests share; each takes a schema of its own. Where there is none they are skipped, but not in CI."""
    try:
        with running_postgres(QUICK) as running:
            yield running
    except NoPostgresError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def new_bus(stack: RunningStack) -> BusFactory:
    """Makes settings of a new, empty bus on the shared servers: its own topic prefix and Redis database."""
    numbers = count()

    def make() -> Settings:
        servers = stack.servers()
        database = next(numbers) % (DATABASES - 1) + 1
        settings = Settings(
            kafka=servers.kafka,
            redis=f"{servers.redis.rsplit('/', 1)[0]}/{database}",
            topic_prefix=f"t{uuid4().hex[:8]}",
        )
        with redis.Redis.from_url(settings.redis) as client:
            client.flushdb()
        return settings

    return make


@pytest.fixture
def bus_settings(stack: RunningStack, new_bus: BusFactory) -> Iterator[Settings]:
    """Settings of a bus of this test alone; its topics and its Redis database are emptied afterwards."""
    settings = new_bus()
    yield settings
    clear_bus(settings)


def clear_bus(settings: Settings) -> None:
    """Delete a bus's topics and empty its Redis database."""
    admin = open_admin(settings.kafka)
    topics = [name for name in admin.list_topics(timeout=30).topics if name.startswith(f"{settings.topic_prefix}.")]
    if topics:
        for deleted in admin.delete_topics(topics, operation_timeout=30).values():
            deleted.result()
    with connect(settings.redis) as client:
        client.flushdb()


def environment_of(settings: Settings) -> dict[str, str]:
    """This process's environment with every setting that was given, for a process that a test starts."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    plain = {name: one.get_secret_value() if isinstance(one, SecretStr) else str(one) for name, one in given.items()}
    return dict(os.environ) | {f"CREDITBUS_{name.upper()}": text for name, text in plain.items()}
