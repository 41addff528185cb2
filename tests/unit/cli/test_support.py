"""`clearfacts support-bundle` and `clearfacts alerts`, against the real gateway's API over fakes."""

import json
import stat
import zipfile
from pathlib import Path

import pytest

from gateway.domain.operations import StageCount
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes import NOON, job
from tests.unit.gateway.fakes_operations import alert

SUPPLIER, NUMBER, TOKEN = "ACME Bakery NV", "BE0123456749", "s3cr3t-token-value"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "logs"
    folder.mkdir(parents=True)
    lines = [json.dumps({"event.action": "tick", "number": number}) for number in range(300)]
    lines.append(json.dumps({"event.action": "fault", "error": f'bad "{SUPPLIER}" of {NUMBER}, token={TOKEN}'}))
    (folder / "sender.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "sender.1.log").write_text("older\n", encoding="utf-8")
    (folder / "postgres.log").write_text(f"x DETAIL:  row ({SUPPLIER})\nready\n", encoding="utf-8")
    status = {"state": "running", "parts": [{"name": "sender", "state": "ready"}]}
    (folder.parent / "status.json").write_text(json.dumps(status), encoding="utf-8")
    return folder


def opened(desk: Desk, *words: str) -> dict[str, str]:
    """The files of the bundle."""
    path = desk.folder.parent / "bundle.zip"
    shown = desk("support-bundle", "--output", str(path), *words)
    assert shown.exit_code == 0, shown.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_a_bundle_has_versions_settings_alerts_pauses_counts_and_the_last_lines(desk: Desk, logs: Path) -> None:
    operations = desk.world.operations
    operations.rows, operations.settings = [alert()], {"LOG_LEVEL": "info"}
    operations.counts = [StageCount("validated", None, 7, False, NOON, 60)]
    desk.world.jobs.rows.append(job())
    files = opened(desk.signed_in(), "--logs", str(logs))
    assert set(files) == {"README.txt", "summary.json", "status.json", "logs/sender.log", "logs/postgres.log"}
    summary = json.loads(files["summary.json"])
    assert summary["system"]["settings"] == {"LOG_LEVEL": "info"}
    assert summary["system"]["versions"]["postgresql"] == "18.0"
    assert summary["alerts"]["items"][0]["kind"] == "duplicate_suspected"
    assert summary["stages"]["items"][0]["count"] == 7
    assert (summary["pauses"], summary["errors"], len(summary["jobs"])) == ([], [], 1)
    assert len(files["logs/sender.log"].splitlines()) == 200


def test_no_name_number_or_secret_of_the_system_is_in_a_bundle(desk: Desk, logs: Path) -> None:
    details = {"why": f'"{SUPPLIER}" {NUMBER} token={TOKEN}'}
    desk.world.operations.rows = [alert(subject=f"sender:{NUMBER}", details=details)]
    everything = "".join(opened(desk.signed_in(), "--logs", str(logs)).values())
    for private in (SUPPLIER, NUMBER, TOKEN, NUMBER[2:]):
        assert private not in everything


def test_a_bundle_is_made_where_the_gateway_is_away_and_says_so(desk: Desk, logs: Path) -> None:
    desk.signed_in()
    desk.away = True
    files = opened(desk, "--logs", str(logs), "--lines", "1")
    errors = json.loads(files["summary.json"])["errors"]
    assert {error.split(":")[0] for error in errors} >= {"health", "system", "alerts"}
    assert files["logs/postgres.log"] == "ready\n"


def test_who_is_not_signed_in_gets_what_can_be_had(desk: Desk, logs: Path) -> None:
    errors = json.loads(opened(desk, "--logs", str(logs))["summary.json"])["errors"]
    assert "system: UNAUTHENTICATED" in errors


def test_a_bundle_overwrites_nothing(desk: Desk, logs: Path) -> None:
    there = desk.folder.parent / "there.zip"
    there.write_text("mine", encoding="utf-8")
    shown = desk.signed_in()("support-bundle", "--output", str(there), "--logs", str(logs))
    assert (shown.exit_code, there.read_text(encoding="utf-8")) == (1, "mine")
    assert shown.stderr.startswith(f"error: cannot write {there}: ")


def test_a_folder_of_logs_that_is_none_is_said(desk: Desk, tmp_path: Path) -> None:
    assert desk.signed_in()("support-bundle", "--logs", str(tmp_path / "none")).exit_code == 1


def test_status_tells_of_open_alerts(desk: Desk) -> None:
    desk.world.operations.rows = [alert(), alert(closed_at=NOON, subject="over")]
    shown = desk.signed_in()("status").stdout
    assert "critical: duplicate_suspected (row-1)" in shown
    assert "over" not in shown


def test_alerts_are_listed_within_a_terminal_and_closed_with_a_reason(desk: Desk) -> None:
    row = alert()
    desk.world.operations.rows = [row]
    shown = desk.signed_in()("alerts", "list").stdout
    assert str(row.id) in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert desk("alerts", "close", str(row.id), "--reason", "deleted there").stdout.startswith("closed: critical: ")
    assert desk.world.operations.closed[0].reason == "deleted there"
    assert json.loads(desk("alerts", "list", "--json").stdout)["items"] == []
