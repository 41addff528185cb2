"""What an address says about itself. Where it leads is judged by the notifier, at each connection."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from common.contracts.webhooks import IPNetwork, may_connect

_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal")


class WebhookAddresses:
    """`networks`: own ones that are allowed, also by http."""

    def __init__(self, networks: Sequence[IPNetwork]) -> None:
        self._networks = networks

    def refused(self, url: str) -> str | None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return "This is no address"
        if parts.scheme != "https" and not (parts.scheme == "http" and self._networks):
            return "Only https addresses are taken"
        if parts.username is not None or parts.password is not None:
            return "An address must not hold a username or a password"
        if parts.fragment or "#" in url:
            return "An address must not have a fragment"
        return self._refused_host(host.lower().rstrip("."))

    def _refused_host(self, host: str) -> str | None:
        if not host:
            return "This is no address"
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            named = any(host == name.lstrip(".") or host.endswith(name) for name in _LOCAL_NAMES)
            return "This name is of no public address" if named and not self._networks else None
        return None if may_connect(literal, self._networks) else "This is no public address"
