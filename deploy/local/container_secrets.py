"""The secrets of a bus in containers: a folder for each server and each principal, mounted into its containers and no others.

A secret that is there stays; certificates are issued anew each time, with keys of their own.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.local.authority import Authority, Issued
from deploy.local.door_certificates import write_door_certificates, write_pair, writing
from deploy.local.secured import ADMINISTRATOR, BROKER, Secured, bus_keys, new_bus_key, new_password
from exchange.grants import Grant
from exchange.redis_acl import REPLICA, users
from exchange.whole_file import write_whole

BROKERS = ("kafka-1", "kafka-2", "kafka-3")
REDIS = "redis"
GRAFANA = "grafana_password"
MODE = 0o444
"""Each container has a user of its own; on this machine the folder above lets nobody in but its owner."""


def write_container_secrets(
    folder: Path, grants: Mapping[str, Grant], hosts: Iterable[str], *, days: int
) -> list[Path]:
    """Make what is missing and renew every certificate; may be run again at any time.

    Args:
        folder: with `ca.pem` and `ca-key.pem`, which are made where they are missing.
        grants: every principal of the bus.
        hosts: names or addresses that clients reach the doors by, beside localhost.
        days: that the certificates are good for.

    Returns:
        The folders for containers, and the files with secrets that several of them share.

    Raises:
        RequestError: `bad_host`, `bad_authority`, `bad_folder`.
    """
    doors = [one.parent for one in write_door_certificates(folder, hosts, days=days, key_mode=MODE)]
    with writing(folder):
        folder.chmod(0o700)
        secured = Secured(folder=folder)
        authority = secured.authority()
        shared = [folder / setting for setting in bus_keys(grants)]
        for path in shared:
            _keep(path, new_bus_key())
        _keep(folder / GRAFANA, new_password())
        knows_redis = {ADMINISTRATOR, *users(grants)}
        principals = {secured.principal(name).folder: name for name in (ADMINISTRATOR, *grants)}
        for own, name in principals.items():
            _write_identity(own, authority, authority.issue(name, days=days))
            if name in knows_redis:
                _keep(secured.principal(name).redis_password, new_password())
        for name in BROKERS:
            _write_identity(folder / name, authority, authority.issue(BROKER, hosts=[name], days=days))
        _write_redis(folder / REDIS, secured, authority, grants, days)
        folders = [*doors, *(folder / name for name in (*BROKERS, REDIS)), *principals]
        for path in folders:
            path.chmod(0o755)
    return [*folders, *shared, folder / GRAFANA]


def _write_identity(folder: Path, authority: Authority, issued: Issued) -> None:
    """Key and certificate in one file: whoever starts between two writes finds a pair."""
    write_whole(folder / "ca.pem", authority.certificate, mode=MODE)
    write_whole(folder / "keystore.pem", issued.both, mode=MODE)


def _write_redis(folder: Path, secured: Secured, authority: Authority, grants: Mapping[str, Grant], days: int) -> None:
    write_pair(folder, authority.issue(REDIS, hosts=[REDIS], days=days), MODE)
    write_whole(folder / "ca.pem", authority.certificate, mode=MODE)
    password = folder / "replica-password"
    _keep(password, new_password())
    told = {REPLICA: password.read_text()}
    write_whole(folder / "users.acl", secured.users_of_redis(grants, told), mode=MODE)
    conf = f"masteruser {REPLICA}\nmasterauth {told[REPLICA]}\n"
    write_whole(folder / "replication.conf", conf.encode(), mode=MODE)


def _keep(path: Path, secret: bytes) -> None:
    """Write a secret where there is none."""
    if not path.exists():
        write_whole(path, secret, mode=MODE)
