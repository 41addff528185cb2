"""What the gateway, which registers endpoints, and the notifier, which sends to them, must see alike."""

import hmac
import ipaddress
from base64 import b64encode
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias
from uuid import UUID

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

SHORTEST_KEY = 32
"""Characters of `WEBHOOK_SIGNING_KEY`."""

_CARRIES_IPV4 = ipaddress.ip_network("64:ff9b::/96")  # NAT64, RFC 6052
_DEPRECATED = (ipaddress.ip_network("::/96"), ipaddress.ip_network("fec0::/10"), ipaddress.ip_network("64:ff9b:1::/48"))


class WebhookEvent(StrEnum):
    """What an endpoint can be told of. Stored and sent: added to, never renamed."""

    INVOICE_SENT = "invoice.sent"
    INVOICE_FAILED = "invoice.failed"
    INVOICE_DUPLICATE = "invoice.duplicate"
    INVOICE_HELD = "invoice.held"
    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"


PING = "webhook.ping"
"""The test delivery: to any endpoint, whatever it asked for."""


def secret_of(signing_key: str, endpoint: UUID, number: int) -> bytes:
    """The secret of an endpoint: derived, so that no database holds it."""
    return hmac.new(signing_key.encode(), f"webhook/{endpoint}/{number}".encode(), sha256).digest()


def shown(secret: bytes) -> str:
    """As it is given to people (Standard Webhooks 1.0.0)."""
    return f"whsec_{b64encode(secret).decode()}"


def key_id(signing_key: str) -> str:
    """Which key that is, without a hint at it."""
    return hmac.new(signing_key.encode(), b"webhook/key-id", sha256).hexdigest()[:16]


def may_connect(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    """Whether a delivery may go there: to the public internet, or into one of `networks`."""
    if any(address in network for network in networks):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    inner = _inside(address)
    if inner is not None:
        return may_connect(inner, networks)
    unusable = address.is_multicast or any(address in network for network in _DEPRECATED)
    return address.is_global and not unusable


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that such an IPv6 one leads to."""
    if address in _CARRIES_IPV4:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
