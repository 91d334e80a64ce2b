"""The guard against server-side request forgery: which addresses the dispatcher may connect to.

A name is resolved once, every address it stands for is checked, and the connection goes to exactly those.
"""

import errno
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from exchange.errors import RequestError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_EMBEDDING = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96"))
"""IPv6 ranges that lead to an IPv4 address inside them: NAT64, 6to4, IPv4-compatible. Nothing official answers there."""
MAX_URL = 500


class RefusedAddressError(OSError):
    """An address that the dispatcher must not connect to."""


class Guard:
    """Says which URLs and addresses are allowed.

    Args:
        allowed: networks that are not public and may be connected to all the same.
        plain_http: whether http is allowed beside https.
    """

    def __init__(self, allowed: Iterable[str] = (), *, plain_http: bool = False) -> None:
        try:
            self._allowed: tuple[Network, ...] = tuple(ipaddress.ip_network(text) for text in allowed)
        except ValueError as error:
            raise RequestError(
                f"no network: {error}", code="bad_setting", remedy="set CREDITBUS_WEBHOOK_NETWORKS to CIDRs with commas"
            ) from error
        self._schemes = ("https", "http") if plain_http else ("https",)

    def check_url(self, url: str) -> None:
        """See that a URL is one that may be pushed to; a literal address in it is checked at once.

        Raises:
            RequestError: `bad_webhook_url`.
        """
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise _bad_url(str(error)) from error
        if parts.scheme not in self._schemes:
            raise _bad_url(f"its scheme is {parts.scheme!r}, not {' or '.join(self._schemes)}")
        if not parts.hostname or "@" in parts.netloc or parts.fragment or len(url) > MAX_URL or not url.isprintable():
            raise _bad_url("it has no host, a user, a fragment, unprintable characters or more than 500 characters")
        address = literal(parts.hostname)
        if address is not None and not self.allows(address):
            raise _bad_url(f"{address} is no public address")

    def allows(self, address: Address) -> bool:
        """Whether an address may be connected to: public, or in a network that is allowed."""
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is not None:
                return self.allows(address.ipv4_mapped)
            if address.scope_id:
                return False
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        inside = any(address in network for network in _EMBEDDING if network.version == address.version)
        return address.is_global and not address.is_multicast and not address.is_reserved and not inside


def literal(host: str) -> Address | None:
    """The address that a host is written as, in any form that a system's resolver takes; None for a name.

    >>> literal("127.1"), literal("::1"), literal("credit.example")
    (IPv4Address('127.0.0.1'), IPv6Address('::1'), None)
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if all(part and part.lower().strip("0123456789abcdefx") == "" for part in host.rstrip(".").split(".")):
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
        except OSError:
            return None
    return None


class GuardedResolver(AbstractResolver):
    """Resolves names for the HTTP client, and gives it only addresses that are allowed.

    aiohttp connects to what this answers and does not resolve again, so what was checked is what is connected to.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            RefusedAddressError: one of them is not allowed; a name with one bad address is not trusted with the others.
        """
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            if not self._guard.allows(ipaddress.ip_address(one["host"])):
                raise RefusedAddressError(errno.EACCES, f"{host} leads to {one['host']}, which is no public address")
        return found

    async def close(self) -> None:
        """Nothing is kept."""
        await self._resolver.close()


def _bad_url(why: str) -> RequestError:
    return RequestError(
        f"this cannot be an endpoint's URL: {why}",
        code="bad_webhook_url",
        remedy="give an https URL on a public address; CREDITBUS_WEBHOOK_PLAIN_HTTP and CREDITBUS_WEBHOOK_NETWORKS allow others "
        "(docs/delivery.md, the guard)",
    )
