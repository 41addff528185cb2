"""`clearfacts dlq` and `clearfacts replay`, against the real gateway's API over fakes."""

import json
from base64 import b64encode
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.domain.access import Role
from gateway.domain.failures import DocumentVersion, Kind, ReplayedBy
from gateway.domain.replays import ReplayItem
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes_replays import NOON, failure, status
from tests.unit.ubl.documents import SAMPLE

GROUP = "00000000000000aa"


def test_the_list_fits_a_terminal(desk: Desk) -> None:
    desk.world.replays.failures += [
        failure(number="2026/1"),
        failure(kind=Kind.RECORD, reason="unreadable", topic="invoices.fetched.v1", partition=3, offset=1204),
    ]
    shown = desk.signed_in()("dlq", "list", "--group", GROUP)
    assert shown.exit_code == 0
    assert "2026/1" in shown.stdout
    assert "invoices.fetched" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_pages_of_the_list_follow_each_other(desk: Desk) -> None:
    desk.world.replays.failures += [failure(number="2026/1"), failure(number="2026/2")]
    desk.signed_in()
    first = desk("dlq", "list", "--limit", "1")
    cursor = first.stdout.rsplit("--cursor ", 1)[1].strip()
    second = desk("dlq", "list", "--limit", "1", "--cursor", cursor)
    assert {"2026/1", "2026/2"} == {number for number in ("2026/1", "2026/2") if number in first.stdout + second.stdout}
    assert "more" not in second.stdout


def test_groups_say_how_many_and_why(desk: Desk) -> None:
    desk.world.replays.failures.append(failure(error="BR-CO-15: the total is wrong"))
    shown = desk.signed_in()("dlq", "group").stdout
    assert GROUP in shown
    assert "BR-CO-15" in shown
    assert json.loads(desk("dlq", "group", "--json").stdout)["groups"][0]["count"] == 1


def test_one_failure_is_shown_with_versions_replays_and_body(desk: Desk) -> None:
    replay_id = uuid4()
    row = failure(
        versions=[DocumentVersion(0, NOON, None, None, None), DocumentVersion(1, NOON, uuid4(), "typo", "-a\n+b")],
        replays=[ReplayedBy(replay_id, "done", "superseded", NOON)],
        body="<Invoice>\x1b[31m</Invoice>",
    )
    desk.world.replays.failures.append(row)
    shown = desk.signed_in()("dlq", "show", str(row.id)).stdout
    assert "edited, version 1: typo" in shown
    assert f"replay {replay_id}: superseded" in shown
    assert "<Invoice> [31m</Invoice>" in shown, "what a terminal would obey is taken out"


@pytest.mark.parametrize("is_base64", [False, True])
def test_a_body_alone_is_the_body_byte_for_byte(desk: Desk, *, is_base64: bool) -> None:
    raw = b"<Invoice>\x1b</Invoice>"
    row = failure(body=b64encode(raw).decode() if is_base64 else raw.decode(), body_is_base64=is_base64)
    desk.world.replays.failures.append(row)
    assert desk.signed_in()("dlq", "show", str(row.id), "--body").stdout_bytes == raw


def test_a_dry_run_tells_and_starts_nothing(desk: Desk) -> None:
    desk.world.replays.failures += [failure(), failure(maybe_sent=True)]
    shown = desk.signed_in()("dlq", "replay", "--group", GROUP, "--dry-run").stdout
    assert "2 items: 1 moved, 1 refused" in shown
    assert "it may have been sent" in shown
    assert desk.world.replays.placed == []


def test_a_replay_carries_its_terms_and_reason(desk: Desk) -> None:
    desk.world.replays.failures.append(failure())
    words = ("--where", "reason=invalid", "--reason", "rule repaired", "--canary", "2", "--rate", "9", "--limit", "7")
    shown = desk.signed_in()("dlq", "replay", *words)
    assert shown.exit_code == 0, shown.stderr
    (placed,) = desk.world.replays.placed
    assert (placed.order.reason, placed.order.terms.canary, placed.order.terms.rate, placed.order.limit) == (
        "rule repaired",
        2,
        9.0,
        7,
    )
    assert placed.idempotency_key


def test_a_window_of_a_topic_is_replayed(desk: Desk) -> None:
    words = ("--topic", "invoices.fetched.v1", "--partition", "0", "--from", "10", "--to", "20", "--reason", "lost")
    assert desk.signed_in()("dlq", "replay", *words).exit_code == 0
    assert desk.world.replays.placed[0].order.selection == {
        "source": "window",
        "topic": "invoices.fetched.v1",
        "partition": 0,
        "first": 10,
        "last": 20,
    }


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("dlq", "replay", "--group", GROUP), "say why with --reason"),
        (("dlq", "replay", "--reason", "x"), "say which: --id, or --group"),
        (("dlq", "replay", "--group", GROUP, "--id", str(uuid4()), "--reason", "x"), "say which"),
        (("dlq", "list", "--where", "colour=red"), "--where colour=red: say NAME=VALUE"),
        (("dlq", "archive", "--reason", "x"), "say which"),
        (("dlq", "edit", str(uuid4()), "--file", "/nowhere/x.xml", "--reason", "x"), "No such file"),
    ],
)
def test_what_is_not_whole_is_a_wrong_use(desk: Desk, words: tuple[str, ...], line: str) -> None:
    desk.world.replays.failures.append(failure(id=words[2]) if words[1] == "edit" else failure())
    if words[1] == "edit":
        row = failure()
        desk.world.replays.failures.append(row)
        words = (*words[:2], str(row.id), *words[3:])
    shown = desk.signed_in()(*words)
    assert (shown.exit_code, line in shown.stderr) == (2, True), shown.stderr


def test_a_start_without_an_answer_says_how_to_repeat_it(desk: Desk) -> None:
    desk.signed_in().away = True
    shown = desk("dlq", "replay", "--group", GROUP, "--reason", "x", "--idempotency-key", "k-1")
    assert shown.exit_code == 1
    assert "repeat safely with --idempotency-key k-1" in shown.stderr


def test_nothing_to_replay_is_an_error_of_one_line(desk: Desk) -> None:
    shown = desk.signed_in()("dlq", "replay", "--group", GROUP, "--reason", "x")
    assert shown.exit_code == 1
    assert "Nothing fits this selection" in shown.stderr


def test_an_edit_is_sent_with_the_version_that_was_looked_at(desk: Desk, tmp_path: Path) -> None:
    row = failure(version=7, dossier="0123456749")
    desk.world.replays.failures.append(row)
    file = tmp_path / "new.xml"
    file.write_bytes(SAMPLE)
    shown = desk.signed_in()("dlq", "edit", str(row.id), "--file", str(file), "--reason", "number repaired")
    assert shown.exit_code == 0, shown.stderr
    (edit,) = desk.world.replays.edits
    assert (edit.version, edit.content, edit.reason, edit.replay) == (7, SAMPLE, "number repaired", True)
    assert "+++ after" in shown.stdout


def test_an_edit_that_would_fail_again_is_refused_with_its_rule(desk: Desk, tmp_path: Path) -> None:
    row = failure(dossier="0123456749")
    desk.world.replays.failures.append(row)
    file = tmp_path / "new.xml"
    file.write_text("<Invoice/>", encoding="utf-8")
    shown = desk.signed_in()("dlq", "edit", str(row.id), "--file", str(file), "--reason", "x")
    assert (shown.exit_code, desk.world.replays.edits) == (1, [])
    assert "would fail again" in shown.stderr
    assert "DOCUMENT_INVALID" in shown.stderr


def test_failures_are_set_aside_and_taken_back(desk: Desk) -> None:
    row = failure()
    desk.world.replays.failures.append(row)
    desk.signed_in()
    assert desk("dlq", "archive", "--id", str(row.id), "--reason", "known").stdout == "1 set aside\n"
    assert desk("dlq", "restore", str(row.id), "--reason", "not known").stdout == "1 taken back\n"
    (aside, back) = desk.world.replays.set_aside
    assert (aside[0], aside[1].ids, back[0], back[1].archived) == ("archive", (row.id,), "restore", True)


def test_replays_are_listed_and_shown(desk: Desk) -> None:
    replay = status(note="1 of 1 first items failed again", state="failed", outcomes={"moved": 1, "superseded": 1})
    desk.world.replays.replays.append(replay)
    desk.world.replays.item_rows.append(
        ReplayItem(1, "invoice", uuid4(), "done", "superseded", "row X has its key now", "failed", NOON)
    )
    desk.signed_in()
    assert str(replay.id) in desk("replay", "list").stdout
    shown = desk("replay", "show", "--items").stdout
    assert "1 of 1 first items failed again" in shown
    assert "superseded: row X has its key now" in shown
    assert max(map(len, desk("replay", "list").stdout.splitlines())) <= 80


def test_watching_a_replay_that_failed_ends_with_code_1(desk: Desk) -> None:
    replay = status(state="failed")
    desk.world.replays.replays.append(replay)
    assert desk.signed_in()("replay", "show", str(replay.id), "--watch").exit_code == 1


def test_a_replay_is_paused_resumed_and_cancelled_with_a_reason(desk: Desk) -> None:
    replay = status()
    desk.world.replays.replays.append(replay)
    desk.signed_in()
    states = [
        desk("replay", verb, str(replay.id), "--reason", "because").stdout.split(";")[0]
        for verb in ("pause", "resume", "cancel")
    ]
    assert states == ["the replay is paused", "the replay is running", "the replay is cancelled"]
    late = desk("replay", "resume", str(replay.id), "--reason", "again")
    assert (late.exit_code, "cannot become running" in late.stderr) == (1, True)


def test_no_replay_yet_says_how_to_start_one(desk: Desk) -> None:
    assert "clearfacts dlq replay" in desk.signed_in()("replay", "show").stderr


def test_readers_may_not_look_at_documents_of_failures(desk: Desk) -> None:
    shown = desk.signed_in(Role.USER)("dlq", "list")
    assert (shown.exit_code, "failed:read" in shown.stderr) == (1, True)
