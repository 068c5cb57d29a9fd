"""Sign people in by a reverse proxy: a header of its requests names the person.

The header is believed only in requests from the proxy's own addresses.

If a proxy is set up, there is no other way to sign in. No password is asked for, and a request that comes from another
address gets no page.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Self

from starlette.datastructures import Headers
from starlette.types import Scope

from packshot.errors import ConfigError
from tasks.environment.settings import PREFIX, Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FORWARDED_SCHEME = "x-forwarded-proto"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class Proxy:
    """The reverse proxy in front of the desk, which may sign people in.

    The settings name the proxy's addresses, and the header in which it names the person.
    """

    def __init__(self, *, header: str = "", networks: Iterable[Network] = ()) -> None:
        """Believe a header, but only from certain addresses.

        Args:
            header: its name; empty: the proxy signs nobody in.
        """
        self._header = header.strip().lower()
        self._networks = tuple(networks)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the reverse proxy that the settings name; if they name none, one that signs nobody in.

        Args:
            settings: the desk's settings: the name of the header, and the proxy's addresses.

        Raises:
            ConfigError: one of the two settings is missing, or an address is not valid.
        """
        header, addresses = settings.desk_proxy_header, settings.desk_proxy_addresses
        named = [one.strip() for one in addresses.split(",") if one.strip()]
        if bool(header.strip()) != bool(named):
            raise _wrong("one of the settings for sign-in by a proxy is missing", found=f"{header!r} and {addresses!r}")
        try:
            return cls(header=header, networks=[ipaddress.ip_network(one) for one in named])
        except ValueError as error:
            raise _wrong("an address of the proxy is none", found=str(error)) from None

    @property
    def signs_in(self) -> bool:
        """Whether the reverse proxy signs people in. If so, there is no other way to sign in."""
        return bool(self._header)

    def is_peer(self, scope: Scope) -> bool:
        """Return whether a request comes directly from the proxy, by the address of the other end of its connection.

        Args:
            scope: the request's ASGI scope.
        """
        return _is_within(scope, self._networks)

    def name_in(self, scope: Scope) -> str:
        """Return the name of the person in the proxy's header; empty if there is no such header, or more than one.

        It does not check whether the request comes from the proxy: `is_peer` does.

        Args:
            scope: the request's ASGI scope.
        """
        told = Headers(scope=scope).getlist(self._header)
        return " ".join(_as_text(told[0]).split()) if len(told) == 1 else ""

    def note_scheme(self, scope: Scope) -> None:
        """Mark a request as encrypted (https) if its header ``X-Forwarded-Proto`` says so.

        The header is believed only from the proxy's addresses and from this machine.

        Args:
            scope: the request's ASGI scope; it is changed.
        """
        told = Headers(scope=scope).getlist(FORWARDED_SCHEME)
        if told == ["https"] and _is_within(scope, (*self._networks, *LOOPBACK)):
            scope["scheme"] = "https"


def _is_within(scope: Scope, networks: Iterable[Network]) -> bool:
    """Return whether the other end of a request's connection has an address of these."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)


def _as_text(value: str) -> str:
    """Return a header's value as its sender meant it: in UTF-8, else in Latin-1."""
    try:
        return value.encode("latin-1").decode()
    except ValueError:
        return value


def _wrong(what: str, *, found: str) -> ConfigError:
    return ConfigError(
        what,
        f"{PREFIX}DESK_PROXY_HEADER, {PREFIX}DESK_PROXY_ADDRESSES",
        found=found,
        allowed="both or neither: the name of a header, and addresses or networks such as 10.0.0.5 or 10.0.0.0/24",
        next_step="Set them, then start the desk again.",
    )
