"""A town for each file of browser tests; it needs Debian's Chromium (`apt-get install chromium fonts-noto-cjk`).

It ends with its file: Playwright keeps a loop running on the thread of the tests, and other tests kill the servers.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.town import CHROMIUM, Town
from tests.browser.town import town as made_town
from tests.conftest import BusFactory, clear_bus


@pytest.fixture(scope="module")
def town(new_bus: BusFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CHROMIUM} is not there, and CI must not pass without it")
        pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium fonts-noto-cjk")
    settings = new_bus()
    pictures = Path(os.environ.get("CREDITBUS_TEST_PICTURES", tmp_path_factory.mktemp("pictures")))
    pictures.mkdir(parents=True, exist_ok=True)
    with made_town(settings, tmp_path_factory.mktemp("town"), pictures) as made:
        yield made
    clear_bus(settings)
