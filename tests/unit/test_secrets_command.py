"""`creditbus secrets`: made once and kept, certificates renewed, a folder for each container, nothing shown."""

import json
import stat
from pathlib import Path

import pytest
import typer
from cryptography import x509
from typer.testing import CliRunner

from deploy.cli.certificates import secrets
from deploy.local.secured import ADMINISTRATOR
from exchange.errors import RequestError
from exchange.redis_acl import REPLICA
from tests.unit.test_certificates_command import takes

app = typer.Typer()
app.command()(secrets)
RENEWED = {"keystore.pem", "certificate.pem", "key.pem"}


def run(folder: Path, *words: str) -> str:
    done = CliRunner().invoke(app, [str(folder), *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_again_it_keeps_every_secret_and_renews_every_certificate(tmp_path: Path) -> None:
    (tmp_path / "signing_keys").write_text("k7:of-an-older-deployment")
    run(tmp_path)
    before = contents(tmp_path)
    assert before["signing_keys"] == b"k7:of-an-older-deployment"
    run(tmp_path, "--host", "bus.example.gov.cn")
    after = contents(tmp_path)
    changed = {name for name in before if after[name] != before[name]}
    assert set(after) == set(before)
    assert changed == {name for name in before if Path(name).name in RENEWED}
    takes(tmp_path / "ca.pem", tmp_path / "portal" / "certificate.pem", "bus.example.gov.cn")


def test_no_secret_is_shown_and_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    shown = run(folder) + run(folder, "--json")
    secret = [
        path
        for path in folder.rglob("*")
        if path.name in {"redis-password", "replica-password", "grafana_password"} or path.name.endswith("_keys")
    ]
    assert len(secret) > 10
    assert not [path for path in secret if path.read_text() in shown]
    assert "PRIVATE" not in shown
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "ca-key.pem").stat().st_mode) == 0o600
    told = json.loads(run(folder, "--json"))
    assert {stat.S_IMODE(Path(one).stat().st_mode) for one in told["secrets"]} == {0o755, 0o444}, (
        "containers have users of their own"
    )


def test_a_principal_has_its_name_and_only_what_it_needs(tmp_path: Path) -> None:
    run(tmp_path)
    own = tmp_path / "principals"
    for folder in own.iterdir():
        found = x509.load_pem_x509_certificate((folder / "keystore.pem").read_bytes())
        assert found.subject.rfc4514_string() == f"CN={folder.name}"
    assert {path.name for path in (own / "credit.ledger").iterdir()} == {"ca.pem", "keystore.pem"}
    assert {path.name for path in (own / "credit.standing").iterdir()} == {"ca.pem", "keystore.pem", "redis-password"}
    listed = (tmp_path / "redis" / "users.acl").read_text()
    assert {line.split()[1] for line in listed.splitlines()} >= {"default", ADMINISTRATOR, REPLICA, "credit.standing"}
    assert (tmp_path / "redis" / "replica-password").read_text() in (
        tmp_path / "redis" / "replication.conf"
    ).read_text()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RequestError) as caught:
        run(tmp_path / "file" / "below")
    assert caught.value.code == "bad_folder"
