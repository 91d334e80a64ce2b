"""Registrations as the directory's tests make them."""

from exchange.domain.enrolment import Amended, Registered


def registered(
    number: int,
    name: str,
    *,
    subject: str = "",
    entry: str = "设立",
    revision: int = 1,
    digest: int = 0,
    decided_on: int = 0,
    division: str = "",
    kind: int = 0,
    status: int = 0,
    aliases: tuple[str, ...] = (),
) -> Registered:
    """A registration of the n-th organisation, or of another subject."""
    return Registered(
        subject or f"org:{number}", f"registration/gd.amr/{entry}", revision, digest, decided_on, name, division, kind, status, aliases,
    )  # fmt: skip


def amended(
    number: int, *, entry: str = "设立", slot: str = "withdrawal/1", revision: int = 1, voids: bool = True
) -> Amended:
    """What voids a registration of the n-th organisation, or once did."""
    return Amended(f"org:{number}", f"registration/gd.amr/{entry}", slot, revision, 0, voids)
