"""Where deliveries may go, and secrets that are made from a key."""

import ipaddress
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.contracts.webhooks import WebhookEvent, key_id, may_connect, secret_of, shown

INSIDE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "192.0.2.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_reached(address: str) -> None:
    assert not may_connect(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_public_internet_is(address: str) -> None:
    assert may_connect(ipaddress.ip_address(address), ())


def test_a_network_of_ones_own_is_where_it_is_named() -> None:
    networks = (ipaddress.ip_network("10.0.0.0/8"),)
    assert may_connect(ipaddress.ip_address("10.1.2.3"), networks)
    assert may_connect(ipaddress.ip_address("::ffff:10.1.2.3"), networks)
    assert not may_connect(ipaddress.ip_address("192.168.1.1"), networks)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_every_spelling(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(0xFFFF_0000_0000 | int(address))
    nat = ipaddress.IPv6Address((0x64_FF9B << 96) | int(address))
    assert {may_connect(other, ()) for other in (mapped, nat)} == {may_connect(address, ())}


def test_events_keep_their_names() -> None:
    """Integrators have them in their code."""
    assert {event: event.value for event in WebhookEvent} == {
        WebhookEvent.INVOICE_SENT: "invoice.sent",
        WebhookEvent.INVOICE_FAILED: "invoice.failed",
        WebhookEvent.INVOICE_DUPLICATE: "invoice.duplicate",
        WebhookEvent.INVOICE_HELD: "invoice.held",
        WebhookEvent.JOB_COMPLETED: "job.completed",
        WebhookEvent.JOB_FAILED: "job.failed",
    }


def test_secrets_differ_by_endpoint_number_and_key() -> None:
    one, other = uuid4(), uuid4()
    made = {secret_of(key, endpoint, n) for key in ("k" * 32, "l" * 32) for endpoint in (one, other) for n in (1, 2)}
    assert len(made) == 8
    assert {len(secret) for secret in made} == {32}
    assert shown(next(iter(made))).startswith("whsec_")
    assert key_id("k" * 32) != key_id("l" * 32)
