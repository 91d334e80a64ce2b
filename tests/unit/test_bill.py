"""The bill of materials: everything that is locked, with checksums and licences that are allowed."""

import subprocess
import sys
import tomllib

import pytest

from deploy.bill.parts import LICENCES, REQUIREMENTS, Part, read_parts, read_requirements, unlicensed

ALLOWED = tomllib.loads(LICENCES.read_text("utf-8"))["allowed"]


def test_every_locked_package_has_checksums() -> None:
    assert len(list(read_requirements(REQUIREMENTS.read_text("utf-8")))) > 100
    for line in ("requests==2.0", "requests>=2.0 --hash=sha256:" + "0" * 64, "requests==2.0 --hash=md5:00"):
        with pytest.raises(ValueError, match="requests"):
            list(read_requirements(line))


def test_every_part_has_a_licence_that_is_allowed() -> None:
    parts = read_parts()
    assert not unlicensed(parts, ALLOWED)
    assert {one.kind for one in parts} == {"pypi", "maven"}
    assert all(len(one.sha256) == 64 for one in parts if one.kind == "maven")


@pytest.mark.parametrize(
    ("licence", "is_allowed"),
    [("MIT", True), ("AGPL-3.0-only OR MIT", True), ("AGPL-3.0-only", False), ("MIT AND AGPL-3.0-only", False), ("", False)],
)  # fmt: skip
def test_a_licence_is_allowed_or_named(licence: str, is_allowed: bool) -> None:
    assert bool(unlicensed([Part(name="x", version="1", licence=licence)], ALLOWED)) is not is_allowed


def test_the_bill_is_true_to_the_locks() -> None:
    done = subprocess.run([sys.executable, "-m", "deploy.bill", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
