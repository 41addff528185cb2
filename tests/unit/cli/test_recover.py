"""`clearfacts recover`, against the real API over a database that has forgotten."""

import json

from gateway.domain.access import Role
from tests.unit.cli.desk import Desk


def test_a_recovery_says_what_it_gave_back_and_that_all_is_well(desk: Desk) -> None:
    desk.world.restoring.forgotten, desk.world.restoring.heals = 3, True
    shown = desk.signed_in()("recover", "--reason", "restored from the night's backup")
    assert shown.exit_code == 0, shown.output
    assert "the database remembers everything" in shown.stdout
    assert desk.world.restoring.notes[0][1]["reason"] == "restored from the night's backup"


def test_where_something_is_still_forgotten_it_fails(desk: Desk) -> None:
    desk.world.restoring.forgotten = 3
    shown = desk.signed_in()("recover", "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["remembers"] is False


def test_a_dry_run_is_no_failure(desk: Desk) -> None:
    desk.world.restoring.forgotten = 3
    shown = desk.signed_in()("recover", "--dry-run")
    assert shown.exit_code == 0
    assert "nothing was changed" in shown.stdout


def test_where_nothing_was_forgotten_it_is_refused(desk: Desk) -> None:
    shown = desk.signed_in()("recover")
    assert shown.exit_code == 1
    assert "remembers every sending" in shown.stderr


def test_force_needs_a_reason_and_an_admin(desk: Desk) -> None:
    assert desk.signed_in(Role.OPERATOR)("recover", "--force").exit_code == 2
    refused = desk("recover", "--force", "--reason", "x")
    assert refused.exit_code == 1
    assert "recovery:run" in refused.stderr
