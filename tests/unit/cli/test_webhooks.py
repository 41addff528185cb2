"""Webhooks from the terminal."""

import json
from uuid import UUID

import pytest

from cli.commands.webhooks import EVENTS
from common.contracts.webhooks import WebhookEvent, secret_of, shown
from gateway.domain.access import Role
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes_webhooks import SIGNING_KEY, delivery, endpoint


@pytest.fixture
def known(desk: Desk) -> str:
    """The id of an endpoint that is there; an admin is signed in."""
    desk.signed_in()
    desk.world.webhooks.rows.append(endpoint())
    return str(desk.world.webhooks.rows[0].id)


def test_the_commands_know_every_event() -> None:
    assert set(EVENTS) == set(WebhookEvent)


def test_a_secret_is_shown_when_it_is_made_and_never_again(desk: Desk) -> None:
    desk.signed_in()
    added = desk("webhooks", "add", "https://hooks.example.com/x", "--event", "invoice.sent", "--description", "ERP")
    made = desk.world.webhooks.rows[0].id
    assert added.stdout == f"registered: {made}\nsecret, shown this once: {shown(secret_of(SIGNING_KEY, made, 1))}\n"
    listed = desk("webhooks", "list").stdout + desk("webhooks", "show", str(made)).stdout
    assert str(made) in listed
    assert "whsec_" not in listed


def test_rotating_shows_the_new_secret_and_until_when_both_sign(desk: Desk, known: str) -> None:
    said = desk("webhooks", "rotate", known, "--reason", "yearly", "--overlap", "3600").stdout
    assert said.startswith("both sign until 2026-11-24 13:00:00Z")
    assert shown(secret_of(SIGNING_KEY, UUID(known), 2)) in said


def test_an_address_is_changed(desk: Desk, known: str) -> None:
    said = desk("webhooks", "change", known, "--address", "https://new.example.com/x").stdout
    assert said == "changed: https://new.example.com/x (invoice.sent)\n"
    assert desk("webhooks", "change", known).exit_code == 2
    assert "address_refused" not in said
    assert "no public address" in desk("webhooks", "change", known, "--address", "https://10.0.0.1/").stderr


def test_disabling_enabling_and_removing_say_how_it_stands(desk: Desk, known: str) -> None:
    said = [desk("webhooks", what, known, "--reason", "x").stdout for what in ("disable", "enable", "remove")]
    assert said == ["disabled\n", "active\n", "removed\n"]
    gone = desk("webhooks", "show", known)
    assert (gone.exit_code, "No such webhook" in gone.stderr) == (1, True)


def test_a_ping_says_how_it_went(desk: Desk, known: str) -> None:
    assert desk("webhooks", "ping", known).stdout == "arrived: 200 after 12 ms\n"
    desk.world.webhooks.ping_ends = "failed"
    failed = desk("webhooks", "ping", known)
    assert (failed.exit_code, "did not arrive" in failed.stderr) == (1, True)


def test_the_log_and_what_goes_again(desk: Desk, known: str) -> None:
    desk.world.webhooks.log.append(delivery())
    row = desk.world.webhooks.log[0].delivery
    found = json.loads(desk("webhooks", "deliveries", known, "--status", "failed", "--json").stdout)
    assert [item["id"] for item in found["items"]] == [str(row.id)]
    assert str(row.id) in desk("webhooks", "deliveries", known).stdout
    assert desk("webhooks", "replay", known, "--delivery", str(row.id)).stdout == "waits to be delivered: evt_1_4\n"
    since = ("--since", "2026-11-24T00:00:00Z", "--until", "2026-11-24T06:00:00Z", "--all")
    assert desk("webhooks", "replay", known, *since).stdout == "waiting to be delivered: 1\n"
    [window] = desk.world.webhooks.windows
    assert (window.since.hour, window.until.hour, window.also_delivered) == (0, 6, True)


def test_a_replay_of_nothing_in_particular_is_used_wrongly(desk: Desk, known: str) -> None:
    assert desk("webhooks", "replay", known).exit_code == 2


def test_an_operator_may_ping_and_not_register(desk: Desk) -> None:
    desk.signed_in(Role.OPERATOR)
    desk.world.webhooks.rows.append(endpoint())
    assert desk("webhooks", "ping", str(desk.world.webhooks.rows[0].id)).exit_code == 0
    refused = desk("webhooks", "add", "https://hooks.example.com/x", "--event", "invoice.sent")
    assert "FORBIDDEN" in refused.stderr


def test_without_a_signing_key_it_says_what_is_missing(desk: Desk) -> None:
    desk.signed_in()
    desk.world.webhooks.key = None
    assert (
        "WEBHOOK_SIGNING_KEY" in desk("webhooks", "add", "https://hooks.example.com/x", "--event", "job.failed").stderr
    )
