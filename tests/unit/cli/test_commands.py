"""What ops type, against the real gateway's API over fakes, without a socket."""

import json
import stat
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cli.settings import CliSettings
from gateway.domain.access import Role
from gateway.domain.readings import InvoiceTrouble, JobFault, Moved, Results, Twin
from tests.unit.cli.desk import URL, Desk
from tests.unit.gateway.fakes import NOON, PASSWORD, invoice, job, user


def test_signing_in_keeps_the_token_for_its_owner_alone(desk: Desk) -> None:
    desk.signed_in()
    path = desk.folder / "sessions.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o700
    assert PASSWORD not in path.read_text(encoding="utf-8")


def test_a_typed_password_is_not_shown(desk: Desk) -> None:
    desk.world.users.add(user(name="ann"))
    shown = desk("login", typed=f"ann\n{PASSWORD}\n")
    assert shown.exit_code == 0
    assert PASSWORD not in shown.output


@pytest.mark.parametrize(
    "words", [("jobs", "list"), ("jobs", "start"), ("invoices", "list"), ("why", "X"), ("status",), ("jobs", "watch")]
)
def test_who_is_not_signed_in_is_told_how_with_code_3(desk: Desk, words: tuple[str, ...]) -> None:
    shown = desk(*words)
    assert (shown.exit_code, shown.stderr) == (3, f"error: not signed in at {URL}; run: clearfacts login --url {URL}\n")


def test_a_token_goes_to_no_other_gateway(desk: Desk) -> None:
    desk.signed_in()
    assert desk("jobs", "list", "--url", "http://other.test").exit_code == 3


def test_where_one_signed_in_is_the_default(desk: Desk) -> None:
    desk.signed_in()
    desk.url = None
    assert desk("jobs", "list").exit_code == 0


@pytest.mark.parametrize(("url", "line"), [(None, "error: which gateway?"), ("ftp://x", "error: ftp://x is not the")])
def test_no_gateway_or_a_strange_one_is_a_wrong_use(desk: Desk, url: str | None, line: str) -> None:
    desk.url = url
    shown = desk("jobs", "list")
    assert shown.exit_code == 2
    assert shown.stderr.startswith(line)
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("jobs", "list", "--bogus"), ("jobs", "list", "--limit", "0"), ("nonsense",)])
def test_a_misspelt_command_is_a_wrong_use(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk(*words).exit_code == 2


def test_a_gateway_that_is_away_is_one_line_and_code_1(desk: Desk) -> None:
    desk.signed_in()
    desk.away = True
    shown = desk("jobs", "list")
    assert (shown.exit_code, shown.stderr) == (1, f"error: no answer from {URL}: Connection refused\n")


def test_a_start_without_an_answer_says_how_to_repeat_it_safely(desk: Desk) -> None:
    desk.signed_in()
    desk.away = True
    shown = desk("jobs", "start", "--idempotency-key", "k-1")
    assert shown.exit_code == 1
    assert shown.stderr.endswith("repeat safely with --idempotency-key k-1\n")


def test_a_refused_order_is_one_line_with_its_cause(desk: Desk) -> None:
    shown = desk.signed_in()("jobs", "start", "--force")
    assert shown.exit_code == 1
    assert shown.stderr.startswith(
        "error: The request is not valid: body: force_processing needs invoice_ids and a reason"
    )
    assert shown.stderr.count("\n") == 1


def test_what_a_role_may_not_do_is_said(desk: Desk) -> None:
    shown = desk.signed_in(Role.USER)("jobs", "start")
    assert shown.exit_code == 1
    assert "The role user has no permission invoices:process" in shown.stderr


def test_a_job_is_started_with_what_was_asked(desk: Desk) -> None:
    shown = desk.signed_in()("jobs", "start", "--invoice-id", "A", "--invoice-id", "B", "--force", "--reason", "r")
    order = desk.world.jobs.placed[0].order
    assert (order.invoice_ids, order.force_processing, order.reason) == (("A", "B"), True, "r")
    assert shown.stdout.splitlines()[0] == str(desk.world.jobs.placed[0].job_id)


def test_watching_shows_the_end_and_the_troubles(desk: Desk) -> None:
    desk.signed_in()
    amounts = {"sent": {"EUR": "12.30"}}
    results = Results(total_invoices=3, processed=1, failed=1, held=1, amounts=amounts)
    trouble = InvoiceTrouble("SRC-1", "bad \x1b[31m totals", NOON, invoice().id, "failed", "invalid")
    desk.world.jobs.rows.append(job(results=results, errors=[trouble]))
    shown = desk("jobs", "watch")
    assert shown.exit_code == 0
    assert "1 sent, 1 failed" in shown.stdout
    assert "12.30 EUR" in shown.stdout
    assert "failed  SRC-1: bad  [31m totals" in shown.stdout


def test_watching_a_job_that_failed_ends_with_code_1(desk: Desk) -> None:
    desk.signed_in()
    desk.world.jobs.rows.append(job(status="failed", error=JobFault("EXTERNAL_API_ERROR", "no source", {})))
    shown = desk("jobs", "watch")
    assert shown.exit_code == 1
    assert "no source [EXTERNAL_API_ERROR]" in shown.stdout


def test_watching_nothing_says_so(desk: Desk) -> None:
    assert "there is no job yet" in desk.signed_in()("jobs", "watch").stderr


def test_watching_ends_in_time(desk: Desk) -> None:
    desk.signed_in()
    desk.world.jobs.rows.append(job(status="running"))
    shown = desk("jobs", "watch", "--minutes", "0.01")
    assert shown.exit_code == 1
    assert "it goes on" in shown.stderr


LONG = "2026/" + "9" * 60


def test_tables_fit_into_80_columns_and_never_wrap(desk: Desk) -> None:
    desk.signed_in()
    desk.world.jobs.rows = [job(results=Results(total_invoices=100_000, processed=99_000)) for _ in range(3)]
    desk.world.invoices.rows = [
        invoice(
            number=LONG,
            status="duplicate",
            reason="conflicting_version",
            amount=Decimal("123456789.00"),
            currency="EUR",
        )
    ]
    jobs, invoices = desk("jobs", "list").stdout.splitlines(), desk("invoices", "list").stdout.splitlines()
    assert (len(jobs), len(invoices)) == (4, 2)
    assert all(len(line.rstrip()) <= 80 for line in (*jobs, *invoices))
    assert all(str(row.job_id) in "\n".join(jobs) for row in desk.world.jobs.rows)


def test_a_further_page_is_offered(desk: Desk) -> None:
    desk.signed_in()
    desk.world.jobs.rows = [job(), job()]
    offer = desk("jobs", "list", "--limit", "1").stdout.splitlines()[-1]
    assert offer.startswith("more: --cursor ")
    assert desk("jobs", "list", "--limit", "1", "--cursor", offer.split()[-1]).exit_code == 0


def test_why_takes_a_number_a_source_id_or_a_row_id(desk: Desk) -> None:
    desk.signed_in()
    row = invoice(number="2026/1", invoice_id="SRC-1", clearfacts_response={"uuid": "cf-1"}, processed_at=NOON)
    row.timeline.append(Moved(NOON, 1, "fetched", None, "fetcher", None))
    desk.world.invoices.rows = [row]
    shown = {desk("why", reference).stdout for reference in ("2026/1", "SRC-1", str(row.id))}
    why = "2026/1 was sent to Clearfacts at 2026-11-24 12:00:00Z and accepted as cf-1."
    assert shown == {f"{why}\n2026-11-24 12:00:00Z  fetched by fetcher\n"}


def test_why_says_when_several_match_and_shows_the_newest(desk: Desk) -> None:
    desk.signed_in()
    older = invoice(number="2026/1", status="failed", stage="failed", reason="refused", error="unknown VAT")
    newer = invoice(number="2026/1", created_at=NOON + timedelta(hours=1))
    desk.world.invoices.rows = [older, newer]
    shown = desk("why", "2026/1").stdout
    assert shown.startswith("2026/1 was sent")
    assert "2 rows match" in shown
    assert str(older.id) in shown


def test_why_nothing_is_found_is_one_line(desk: Desk) -> None:
    shown = desk.signed_in()("why", "2026/404")
    assert (shown.exit_code, shown.stderr) == (
        1,
        "error: no invoice has the number, source id or row id '2026/404'\n",
    )


def test_show_leaves_out_what_is_not_known(desk: Desk) -> None:
    desk.signed_in()
    row = invoice(number="2026/1", duplicate_of=Twin(invoice().id, "SRC-0", "2026/0", "sent", "sent"))
    desk.world.invoices.rows = [row]
    shown = desk("invoices", "show", str(row.id)).stdout
    assert "duplicate of 2026/0 (sent" in shown
    assert "maybe sent" not in shown
    assert "None" not in shown


def test_status_tells_health_open_jobs_and_what_the_last_job_left(desk: Desk) -> None:
    desk.signed_in()
    desk.world.jobs.rows = [
        job(status="running"),
        job(created_at=NOON + timedelta(1), results=Results(failed=2, held=3)),
    ]
    shown = desk("status").stdout
    assert "gateway ok" in shown
    assert "open jobs 1" in shown
    assert "2 failed, 3 held" in shown


@pytest.mark.parametrize(
    "command", ["jobs list", "jobs start", "jobs watch", "invoices list", "invoices show", "status", "why"]
)
def test_json_is_json_and_nothing_else(desk: Desk, command: str) -> None:
    desk.signed_in()
    desk.world.jobs.rows.append(job())
    desk.world.invoices.rows.append(row := invoice())
    reference = [str(row.id)] if command in {"why", "invoices show"} else []
    shown = desk(*command.split(), *reference, "--json")
    assert shown.exit_code == 0, shown.output
    assert isinstance(json.loads(shown.stdout), dict)


def test_a_broken_session_file_is_as_good_as_none(desk: Desk) -> None:
    desk.folder.mkdir()
    for content in ("{", "[]", '{"sessions": 1}', '{"sessions": {"http://gateway.test": {"url": 1}}}'):
        (desk.folder / "sessions.json").write_text(content, encoding="utf-8")
        assert desk("jobs", "list").exit_code == 3, content
    desk.signed_in()


def test_settings_follow_the_xdg_convention(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert CliSettings.from_environment().config_dir == tmp_path / ".config" / "clearfacts"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("CLEARFACTS_URL", "http://x.test")
    assert CliSettings.from_environment() == CliSettings("http://x.test", tmp_path / "xdg" / "clearfacts")
