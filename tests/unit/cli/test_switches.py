"""Pausing and resuming from the terminal."""

import json

import pytest

from gateway.domain.access import Role
from tests.unit.cli.desk import Desk


def test_a_pause_is_shown_with_who_and_why_until_it_is_resumed(desk: Desk) -> None:
    desk.signed_in(Role.OPERATOR)
    assert desk("pause", "sender", "--reason", "their release night").stdout.startswith("paused\n")
    listed = desk("switches", "list").stdout.splitlines()
    assert listed[1].split(maxsplit=5)[:2] == ["sender", "all"]
    assert "ann" in listed[1]
    assert "their release night" in listed[1]
    assert desk("resume", "sender", "--reason", "done").stdout == "resumed\nnothing is paused\n"
    assert [(flip.pause, flip.reason) for flip in desk.world.switches.flips] == [
        (True, "their release night"), (False, "done"),
    ]  # fmt: skip


def test_status_tells_what_is_paused(desk: Desk) -> None:
    desk.signed_in()
    desk("pause", "sender", "--reason", "x", "--administration", "0123456749")
    assert "sender (0123456749) since 2026-11-24 12:00:00Z by ann: x" in " ".join(desk("status").stdout.split())
    assert json.loads(desk("status", "--json").stdout)["paused"][0]["administration"] == "0123456749"


@pytest.mark.parametrize("written", ["BE 0123.456.749", "be0123456749", " 0123456749 "])
def test_an_administration_may_be_written_as_people_do(desk: Desk, written: str) -> None:
    desk.signed_in()
    shown = desk("pause", "sender", "--reason", "x", "--administration", written, "--json")
    assert json.loads(shown.stdout)["items"][0]["administration"] == "0123456749"


def test_what_stands_so_already_is_said_and_is_no_failure(desk: Desk) -> None:
    desk.signed_in()
    assert desk("resume", "sender", "--reason", "x").stdout == "that was not paused\nnothing is paused\n"
    desk("pause", "sender", "--reason", "x")
    again = desk("pause", "sender", "--reason", "y")
    assert (again.exit_code, again.stdout.splitlines()[0]) == (0, "it was paused already")


def test_a_resume_of_all_leaves_the_pause_of_one_and_shows_it(desk: Desk) -> None:
    desk.signed_in()
    for words in ((), ("--administration", "0123456749")):
        desk("pause", "sender", "--reason", "x", *words)
    assert "0123456749" in desk("resume", "sender", "--reason", "x").stdout


@pytest.mark.parametrize("words", [("pause", "sender"), ("pause", "gateway", "--reason", "x"), ("resume",)])
def test_a_pause_needs_a_known_service_and_a_reason(desk: Desk, words: tuple[str, ...]) -> None:
    desk.signed_in()
    assert desk(*words).exit_code == 2
    assert desk.world.switches.flips == []


def test_who_may_only_read_is_told_so(desk: Desk) -> None:
    shown = desk.signed_in(Role.USER)("pause", "sender", "--reason", "x")
    assert shown.exit_code == 1
    assert "switches:write" in shown.stderr
    assert desk("switches", "list").exit_code == 0
