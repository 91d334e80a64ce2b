"""The department that a command is about, checked against the catalogue."""


def known_department(slug: str) -> str:
    """The slug itself.

    Raises:
        RequestError: `unknown_department`.
    """
    from exchange.catalogue import load_catalogue
    from exchange.paths import SCHEMAS

    load_catalogue(SCHEMAS).demand(slug)
    return slug
