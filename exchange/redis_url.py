"""The URL of Redis with user, password and TLS files in it, as redis-py reads it."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr


def with_credentials(url: str, given: Mapping[str, object]) -> str:
    """A URL with what the settings `redis_*` say added to it; with secrets, so it is not for showing.

    Args:
        url: `redis://host:port/db`, or `rediss://` for TLS.
        given: settings by name.

    Raises:
        ValueError: they do not go together; the text says what to set.

    >>> with_credentials("rediss://h:1/0", {"redis_user": "u", "redis_password": SecretStr("p/"), "redis_ca": "/ca"})
    'rediss://u:p%2F@h:1/0?ssl_ca_certs=%2Fca'
    """
    user, secret = str(given.get("redis_user") or ""), given.get("redis_password")
    password = secret.get_secret_value() if isinstance(secret, SecretStr) else ""
    names = {"redis_ca": "ssl_ca_certs", "redis_certificate": "ssl_certfile", "redis_key": "ssl_keyfile"}
    files = {query: str(given[name]) for name, query in names.items() if given.get(name)}
    if not user and not password and not files:
        return url
    parts = urlsplit(url)
    if user and not password:
        raise ValueError("CREDITBUS_REDIS_USER needs CREDITBUS_REDIS_PASSWORD (or CREDITBUS_REDIS_PASSWORD_FILE)")
    if files and not parts.scheme.startswith("rediss"):
        raise ValueError("TLS files are set but not used: CREDITBUS_REDIS must begin with rediss://")
    if ("ssl_certfile" in files) != ("ssl_keyfile" in files):
        raise ValueError("CREDITBUS_REDIS_CERTIFICATE and CREDITBUS_REDIS_KEY go together")
    host = parts.netloc
    if password:
        if "@" in host:
            raise ValueError("user and password are in CREDITBUS_REDIS already: leave them out of it")
        host = f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    query = "&".join(filter(None, [parts.query, urlencode(files)]))
    return urlunsplit((parts.scheme, host, parts.path, query, ""))
