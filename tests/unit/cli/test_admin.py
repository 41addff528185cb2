"""Users, the audit log and the configuration from the terminal."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from common.contracts.topics import Group, Topic
from gateway.domain.access import Role
from gateway.domain.audit import AuditEntry
from gateway.domain.status import Breaker, Reachability, ServiceSign
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes import NOON, user

GOOD = "a long enough secret\n"


def test_a_user_is_added_changed_and_given_a_password(desk: Desk) -> None:
    desk.signed_in()
    added = desk("users", "add", "bob", "--email", "bob@x.test", "--password-stdin", typed=GOOD)
    assert added.stdout == "added: bob (user)\n"
    changed = desk("users", "change", "bob", "--role", "operator", "--inactive")
    assert changed.stdout == "changed: bob (operator, inactive, bob@x.test)\n"
    assert desk("users", "password", "bob", "--password-stdin", typed=GOOD).exit_code == 0
    assert desk.world.users.accounts["bob"].password_hash == "new:a long enough secret"
    lines = desk("users", "list", "--inactive").stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [["bob", "operator", "no"]]


def test_a_password_is_never_shown_or_an_argument(desk: Desk) -> None:
    desk.signed_in()
    asked = desk("users", "add", "bob", "--email", "b@x.test", typed=GOOD * 2)
    assert (asked.exit_code, "long enough" in asked.output) == (0, False)
    assert desk("users", "add", "eve", "--email", "e@x.test", "--password", "x" * 12).exit_code == 2


def test_a_weak_password_is_refused_with_its_reason(desk: Desk) -> None:
    desk.signed_in()
    refused = desk("users", "add", "bob", "--email", "b@x.test", "--password-stdin", typed="short\n")
    assert (refused.exit_code, "12 to 256 characters" in refused.stderr) == (1, True)


def test_the_last_admin_cannot_leave(desk: Desk) -> None:
    desk.signed_in()
    refused = desk("users", "change", "ann", "--role", "user")
    assert (refused.exit_code, "last active admin" in refused.stderr) == (1, True)


def test_nobody_of_that_name_is_said(desk: Desk) -> None:
    desk.signed_in()
    lost = desk("users", "change", "nobody", "--active")
    assert (lost.exit_code, "clearfacts users list" in lost.stderr) == (1, True)
    assert desk("users", "change", "ann").exit_code == 2


def test_a_user_beyond_the_first_page_is_found(desk: Desk) -> None:
    desk.signed_in()
    for number in range(201):
        desk.world.users.add(user(name=f"bulk-{number:03}"))
    assert desk("users", "change", "bulk-200", "--inactive").exit_code == 0


def test_a_key_is_set_shown_and_rolled_back(desk: Desk) -> None:
    desk.signed_in()
    shown = desk("config", "set", "send_rate", "20", "--reason", "their release night")
    facts = {line.split()[0]: " ".join(line.split()[1:]) for line in shown.stdout.splitlines()}
    assert (facts["value"], facts["version"], facts["why"]) == ("20", "1", "their release night")
    desk("config", "set", "send_rate", "unlimited", "--reason", "over")
    history = desk("config", "history", "send_rate").stdout.splitlines()
    assert [line.split()[0] for line in history[1:]] == ["2", "1"]
    back = json.loads(desk("config", "rollback", "send_rate", "--to", "0", "--reason", "x", "--json").stdout)
    assert (back["value"], back["version"]) == (None, 3)
    assert "not set" in desk("config", "show", "send_rate").stdout


def test_the_list_says_what_counts_where_nothing_is_set(desk: Desk) -> None:
    desk.signed_in()
    desk("config", "set", "report_at", "08:15", "--reason", "x")
    lines = {line.split()[0]: line for line in desk("config", "list").stdout.splitlines()}
    assert "08:15" in lines["report_at"]
    assert "SEND_RATE or unlimited" in lines["send_rate"]
    assert " no " in lines["send_lease"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("send_rate", "fast"), 'or "unlimited"'),
        (("send_rate", "0"), "from 0.01"),
        (("send_lease", "1"), "set SEND_LEASE and restart the sender"),
        (("send_rate", "1", "--expected-version", "7"), "changed meanwhile"),
        (("nothing", "1"), "No such configuration key"),
    ],
)
def test_what_is_refused_is_refused_with_its_reason(desk: Desk, words: tuple[str, ...], said: str) -> None:
    desk.signed_in()
    refused = desk("config", "set", *words, "--reason", "x")
    assert (refused.exit_code, said in refused.stderr) == (1, True), refused.stderr


def test_who_did_what_is_listed_with_why(desk: Desk) -> None:
    desk.signed_in()
    fields: dict[str, Any] = {"user_id": uuid4(), "resource_id": None, "ip_address": None, "user_agent": None}
    desk.world.admin.audit.rows = [
        AuditEntry(
            id=uuid4(), at=NOON + timedelta(days=day), username="ann", action=f"a.{day}", resource_type="switch",
            details={"reason": f"why {day}", "correlation_id": "x"}, **fields,
        )
        for day in range(3)
    ]  # fmt: skip
    lines = desk("audit", "list").stdout.splitlines()
    assert [line.rstrip().split(maxsplit=4)[2:] for line in lines[1:]] == [
        ["ann", f"a.{n}", f"why {n}"] for n in (2, 1, 0)
    ]
    since = json.loads(
        desk("audit", "list", "--since", "2026-11-25", "--until", "2026-11-26T12:00:00Z", "--json").stdout
    )
    assert [item["action"] for item in since["items"]] == ["a.1"]
    assert "more: --cursor" in desk("audit", "list", "--limit", "1").stdout


@pytest.mark.parametrize("words", [("users", "list"), ("audit", "list"), ("config", "list")])
def test_who_is_no_admin_is_told_which_permission_is_missing(desk: Desk, words: tuple[str, ...]) -> None:
    refused = desk.signed_in(Role.OPERATOR)(*words)
    assert (refused.exit_code, ":read" in refused.stderr) == (1, True)


def test_the_whole_system_is_shown_and_degraded_is_exit_code_1(desk: Desk) -> None:
    desk.signed_in(Role.OPERATOR)
    world = desk.world.admin.status
    world.found = [ServiceSign("sender", "up", 1, NOON)]
    shown = desk("system")
    assert (shown.exit_code, "No scheduled job has run yet." in shown.stdout) == (0, True), shown.output
    world.opened = [Breaker("https://a.test", True, "down", NOON, NOON, None)]
    world.around = [Reachability("source", "fetcher", ok=False, why="answered 401", checked_at=NOON)]
    world.behind = {(Group.SENDER, Topic.INVOICES_VALIDATED): 7}
    shown = desk("system")
    text = " ".join(shown.stdout.split())
    assert (shown.exit_code, "https://a.test open: down; next probe at 2026-11-24 12:00:00Z" in text) == (1, True)
    assert "source not well: answered 401, asked 2026-11-24 12:00:00Z" in text
    assert "lag sender invoices.validated.v1: 7" in text
    assert json.loads(desk("system", "--json").stdout)["state"] == "degraded"
