"""`creditbus certificates`: each door a certificate of its own for its hosts, by an authority that stays; again renews them."""

import json
import ssl
import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.certificates import certificates
from deploy.local.door_certificates import DOORS
from exchange.certificates import load_pair
from exchange.errors import RequestError
from exchange.http.certificate import DoorCertificate

app = typer.Typer()
app.command()(certificates)


def run(folder: Path, *words: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [str(folder), "--json", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def takes(authority: Path, certificate: Path, host: str) -> None:
    """A client that trusts an authority, and a door with a certificate; without a network."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_pair(server, certificate, certificate.with_name("key.pem"))
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cafile=authority).wrap_bio(down, up, server_hostname=host)
    door = server.wrap_bio(up, down, server_side=True)
    for end in (client, door, client, door):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("host", ["bus.example.gov.cn", "10.1.2.3", "localhost", "127.0.0.1"])
def test_clients_of_the_authority_take_them_for_their_hosts(tmp_path: Path, host: str) -> None:
    told = run(tmp_path / "new", "--host", "bus.example.gov.cn", "--host", "10.1.2.3")
    assert told["authority"] == str(tmp_path / "new" / "ca.pem")
    for door in DOORS:
        takes(tmp_path / "new" / "ca.pem", tmp_path / "new" / door / "certificate.pem", host)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        takes(tmp_path / "new" / "ca.pem", tmp_path / "new" / "portal" / "certificate.pem", "elsewhere.example.gov.cn")


def test_again_renews_them_and_a_running_door_takes_them(tmp_path: Path) -> None:
    run(tmp_path)
    authority = (tmp_path / "ca.pem").read_bytes()
    door = DoorCertificate(tmp_path / "portal" / "certificate.pem", tmp_path / "portal" / "key.pem", "CREDITBUS_PORTAL")
    run(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == authority
    assert door.renew()


def test_keys_are_for_their_owner_alone_and_each_door_has_its_own(tmp_path: Path) -> None:
    run(tmp_path)
    keys = [tmp_path / "ca-key.pem", *(tmp_path / door / "key.pem" for door in DOORS)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert len({path.read_bytes() for path in keys}) == len(keys)


def test_what_is_no_host_and_what_is_no_authority_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        run(tmp_path, "--host", "信用.example")
    assert caught.value.code == "bad_host"
    (tmp_path / "ca-key.pem").unlink()
    with pytest.raises(RequestError) as caught:
        run(tmp_path)
    assert caught.value.code == "bad_authority"
    assert not (tmp_path / "portal").exists(), "nothing is half made"
    (tmp_path / "file").touch()
    with pytest.raises(RequestError) as caught:
        run(tmp_path / "file" / "below")
    assert caught.value.code == "bad_folder"
