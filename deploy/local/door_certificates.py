"""Certificates for the doors of a bus that has no authority of its own yet: in a folder for each, as containers mount them."""

from collections.abc import Iterable
from pathlib import Path

from deploy.local.authority import Issued
from deploy.local.secured import Secured, write_secret
from deploy.processes import PROCESSES
from exchange.errors import RequestError
from exchange.whole_file import write_whole

DOORS = tuple(one.name for one in PROCESSES if one.port)


def write_door_certificates(folder: Path, hosts: Iterable[str], *, days: int) -> list[Path]:
    """Issue each door a certificate and a key of its own, by the folder's authority; what was there is replaced.

    Args:
        folder: with `ca.pem` and `ca-key.pem`, which are made where they are missing.
        hosts: names or addresses that clients reach the doors by, beside localhost.
        days: that they are good for.

    Returns:
        The certificates: `<folder>/<door>/certificate.pem`, each beside its `key.pem`.

    Raises:
        RequestError: `bad_host`, `bad_authority`, `bad_folder`.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        issued = _issue(Secured(folder=folder), list(hosts), days)
        return [_write(folder / door, one) for door, one in issued.items()]
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


def _write(folder: Path, issued: Issued) -> Path:
    """The certificate's file; a door that reads between the two finds no pair and comes again."""
    folder.mkdir(exist_ok=True)
    write_secret(folder / "key.pem", issued.key)
    certificate = folder / "certificate.pem"
    write_whole(certificate, issued.certificate, mode=0o644)
    return certificate
