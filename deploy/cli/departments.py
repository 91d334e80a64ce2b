"""The department that a command is about, checked against the catalogue."""

from exchange.errors import RequestError


def known_department(slug: str) -> str:
    """The slug itself.

    Raises:
        RequestError: `unknown_department`.
    """
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS

    if slug not in load_catalogue(SCHEMAS).departments:
        raise RequestError(
            f"no department {slug!r}", code="unknown_department", remedy="see `creditbus catalogue list`"
        )
    return slug
