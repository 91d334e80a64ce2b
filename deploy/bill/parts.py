"""What the bus is made of: packages by `requirements.lock`, Kafka's jars by their lock, each with its licence."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from deploy.local.jars import LOCK, parse_lock

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements.lock"
LICENCES = Path(__file__).with_name("licences.toml")
_PINNED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?==(?P<version>[^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One package or jar.

    Attributes:
        name: of the package, or `group:artifact` of a jar.
        version: the locked one.
        licence: SPDX expression; empty when nothing says it.
        sha256: of a jar. A package has one for each of its files, in the lock.
        kind: `pypi` or `maven`.
    """

    name: str
    version: str
    licence: str
    sha256: str = ""
    kind: str = "pypi"


def read_parts() -> list[Part]:
    """Everything that is locked, in order of kind and name.

    Raises:
        ValueError: a line of a lock is not understood, or a package has no checksum.
    """
    licences = tomllib.loads(LICENCES.read_text("utf-8"))
    packages = [
        Part(name=name, version=version, licence=licence_of(name, licences))
        for name, version in read_requirements(REQUIREMENTS.read_text("utf-8"))
    ]
    return sorted([*packages, *_jars(licences["jars"])], key=lambda one: (one.kind, one.name))


def read_requirements(text: str) -> Iterator[tuple[str, str]]:
    """Name and version of every package of a lock.

    Raises:
        ValueError: a line is not a pinned package, or a package has no checksum.
    """
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = _PINNED.match(line)
        if not found or not _HASH.search(line):
            raise ValueError(f"not a pinned package with checksums: {line[:80]!r}")
        yield found["name"], found["version"]


def licence_of(name: str, licences: Mapping[str, Mapping[str, str]]) -> str:
    """The licence of a package: as this project has looked it up, else as the package says."""
    if name in licences["packages"]:
        return licences["packages"][name]
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return ""
    return _said(said, licences["classifiers"])


def unlicensed(parts: list[Part], allowed: Mapping[str, Any]) -> list[str]:
    """Parts whose licence is not known or not among those that are allowed; of `A OR B` one is enough."""
    return [
        f"{one.name} {one.version}: {one.licence or 'no licence known'}"
        for one in parts
        if not any(_all_allowed(choice, allowed) for choice in one.licence.split(" OR "))
    ]


def _all_allowed(expression: str, allowed: Mapping[str, Any]) -> bool:
    return all(one.strip(" ()") in allowed for one in expression.split(" AND "))


def _said(said: PackageMetadata, classifiers: Mapping[str, str]) -> str:
    written = said.get_all("License-Expression")
    if written:
        return str(written[0])
    last = (one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or () if one.startswith("License :: "))
    known = sorted({classifiers[one] for one in last if one in classifiers})
    if known:
        return " OR ".join(known)
    short = str((said.get_all("License") or [""])[0])
    return short if re.fullmatch(r"[A-Za-z0-9.+-]{2,20}", short) else ""


def _jars(licences: Mapping[str, str]) -> Iterator[Part]:
    for jar in parse_lock(LOCK.read_text("utf-8")):
        group, artifact, version = jar.coordinate.split(":")
        yield Part(
            name=f"{group}:{artifact}",
            version=version,
            licence=licences.get(group, ""),
            sha256=jar.sha256,
            kind="maven",
        )
