"""Certificates for the doors of a bus that has no authority of its own yet: in a folder for each, as containers mount them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.authority import Issued
from deploy.local.secured import Secured
from deploy.processes import PROCESSES
from exchange.errors import RequestError
from exchange.whole_file import write_whole

DOORS = tuple(one.name for one in PROCESSES if one.port)


def write_door_certificates(folder: Path, hosts: Iterable[str], *, days: int, key_mode: int = 0o600) -> list[Path]:
    """Issue each door a certificate and a key of its own, by the folder's authority; what was there is replaced.

    Args:
        folder: with `ca.pem` and `ca-key.pem`, which are made where they are missing.
        hosts: names or addresses that clients reach the doors by, beside localhost.
        days: that they are good for.
        key_mode: who may read the keys.

    Returns:
        The certificates: `<folder>/<door>/certificate.pem`, each beside its `key.pem`.

    Raises:
        RequestError: `bad_host`, `bad_authority`, `bad_folder`.
    """
    with writing(folder):
        issued = _issue(Secured(folder=folder), list(hosts), days)
        return [write_pair(folder / door, one, key_mode) for door, one in issued.items()]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make a folder that only its owner may enter, and tell what the system says against it or against what is written there.

    Raises:
        RequestError: `bad_folder`.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise RequestError(
            f"{folder} cannot be written: {error}",
            code="bad_folder",
            remedy="name a folder that this user may write to",
        ) from error


def _issue(secured: Secured, hosts: list[str], days: int) -> dict[str, Issued]:
    try:
        authority = secured.make_authority()
    except (FileNotFoundError, TypeError, ValueError) as error:
        raise RequestError(
            f"{secured.ca} and {secured.ca_key} are no authority: {error}",
            code="bad_authority", remedy="give both as this command makes them, or another folder",
        ) from error  # fmt: skip
    try:
        return {door: authority.issue(f"creditbus {door}", hosts=hosts, days=days) for door in DOORS}
    except ValueError as error:
        raise RequestError(
            f"a host is no name: {error}",
            code="bad_host",
            remedy="give --host an address, or a name in ASCII (xn--… for others)",
        ) from error


def write_pair(folder: Path, issued: Issued, key_mode: int) -> Path:
    """Write a server's certificate and key; the certificate's file: a door that reads between the two finds no pair and comes again."""
    write_whole(folder / "key.pem", issued.key, mode=key_mode)
    certificate = folder / "certificate.pem"
    write_whole(certificate, issued.certificate, mode=0o644)
    return certificate
