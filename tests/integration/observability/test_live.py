"""A real Alertmanager that delivers to stubs, and a real Prometheus that reads, judges and hands over."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.errors import LocalError
from local.infrastructure import Infrastructure
from local.observability import Mail, Programs, alertmanager_part, find_programs, prometheus_part

QUICK = {
    "group_wait: 30s": "group_wait: 100ms",
    "group_wait: 10s": "group_wait: 100ms",
    "group_interval: 5m": "group_interval: 300ms",
}


@pytest.fixture(scope="module")
def programs() -> Programs:
    try:
        return find_programs()
    except LocalError as missing:
        pytest.skip(str(missing))


@contextmanager
def http_server(answer: Callable[[bytes], bytes]) -> Generator[int]:
    """The port of a server that answers every request with what `answer` makes of its body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - its name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@dataclass
class People:
    """What reached them."""

    slack: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    mails: list[Message] = field(default_factory=list[Message])

    def titles(self) -> Sequence[str]:
        return [message["attachments"][0]["title"] for message in self.slack]

    def posted(self, body: bytes) -> bytes:
        self.slack.append(json.loads(body))
        return b"ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        self.mails.append(message_from_bytes(envelope.original_content or b""))
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def people() -> Generator[tuple[People, str, Mail]]:
    """Who listens, the address of their Slack, and their mail."""
    them = People()
    mail = Controller(them, hostname="127.0.0.1", port=free_port())
    with http_server(them.posted) as slack:
        mail.start()
        try:
            yield them, f"http://127.0.0.1:{slack}/services/T/B/x", Mail(mail.port)
        finally:
            mail.stop()


@asynccontextmanager
async def alertmanager(data: Path, program: str, slack: str, mail: Mail) -> AsyncGenerator[httpx.AsyncClient]:
    """Its API; impatient, so that a test need not be patient."""
    async with Infrastructure(data, parts=frozenset(), say=lambda _: None) as infrastructure:
        part = alertmanager_part(infrastructure, program, slack=slack, mail=mail)
        config = data / "alertmanager/alertmanager.yml"
        text = config.read_text()
        for patient, quick in QUICK.items():
            assert patient in text
            text = text.replace(patient, quick)
        config.write_text(text)
        await infrastructure.supervisor.start([part])
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{part.port}", trust_env=False) as client:
            yield client


def alert(name: str, severity: str, owner: str = "platform", **labels: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, "severity": severity, "owner": owner, **labels},
        "annotations": {
            "summary": f"{name} it is",
            "description": "Nothing is lost.",
            "runbook_url": f"https://runbooks.example.test/{name}.md",
        },
    }


def names(alerts: Sequence[Any]) -> set[str]:
    return {one["labels"]["alertname"] for one in alerts}


def words(mail: Message) -> str:
    parts = [part.get_payload(decode=True) for part in mail.walk() if part.get_content_type() == "text/plain"]
    return b"".join(part for part in parts if isinstance(part, bytes)).decode()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def test_people_are_told_by_slack_and_mail_and_told_when_it_is_over(tmp_path: Path, programs: Programs) -> None:
    with people() as (them, slack, mail):
        async with alertmanager(tmp_path / "data", programs.alertmanager, slack, mail) as api:
            fired = [alert("BalanceBroken", "critical", "operations")]
            (await api.post("/api/v2/alerts", json=fired)).raise_for_status()
            await until(lambda: bool(them.slack and them.mails))
            over = [{**fired[0], "endsAt": "2026-01-01T00:00:00Z"}]
            (await api.post("/api/v2/alerts", json=over)).raise_for_status()
            await until(lambda: len(them.slack) > 1 and len(them.mails) > 1)
    assert list(them.titles()) == ["CRITICAL: BalanceBroken it is", "Over: BalanceBroken it is"]
    told = them.slack[0]["attachments"][0]
    assert told["color"] == "danger"
    assert told["title_link"] == "https://runbooks.example.test/BalanceBroken.md"
    assert "Nothing is lost.\nWhat to do: https://runbooks.example.test/BalanceBroken.md" in told["text"]
    mailed = them.mails[0]
    assert (mailed["To"], mailed["Subject"]) == ("operations@clearfacts.example", "CRITICAL: BalanceBroken it is")
    assert "What to do: https://runbooks.example.test/BalanceBroken.md" in words(mailed)


async def test_a_cause_silences_its_symptoms_and_one_message_names_all_of_a_kind(
    tmp_path: Path, programs: Programs
) -> None:
    with people() as (them, slack, mail):
        async with alertmanager(tmp_path / "data", programs.alertmanager, slack, mail) as api:
            cause = [
                alert("ServiceDown", "critical", app="notifier"),
                alert("ServiceDown", "critical", app="sender"),
                alert("AmnesiaSuspected", "critical"),
            ]
            symptoms = [
                alert("TargetDown", "warning", app="sender", instance="s1"),
                alert("GaugesNotRead", "critical"),
                alert("SendingPaused", "warning", "operations"),
                alert("OpenInvoicesOld", "warning", "operations", stage="fetched"),
            ]
            other = alert("DeadLettersOpen", "warning", cause="unreadable")
            (await api.post("/api/v2/alerts", json=[*cause, *symptoms, other])).raise_for_status()
            await until(lambda: len(them.slack) >= 3)
            silenced = (await api.get("/api/v2/alerts", params={"active": "false", "inhibited": "true"})).json()
    assert sorted(them.titles()) == [
        "CRITICAL: AmnesiaSuspected it is",
        "CRITICAL: ServiceDown it is",
        "WARNING: DeadLettersOpen it is",
    ]
    assert names(silenced) == names(symptoms)
    (several,) = [message for message in them.slack if "ServiceDown" in message["attachments"][0]["title"]]
    assert several["attachments"][0]["text"].count("What to do:") == 2


async def test_prometheus_reads_a_service_and_hands_its_alerts_over(tmp_path: Path, programs: Programs) -> None:
    async with Infrastructure(tmp_path / "data", parts=frozenset(), say=lambda _: None) as infrastructure:
        with http_server(lambda _: b"amnesia_suspected 1\n") as port, people() as (_, slack, mail):
            targets = {"notifier": port, "dagster-exporter": port}
            prometheus = prometheus_part(infrastructure, programs.prometheus, targets)
            config = tmp_path / "data/prometheus/prometheus.yml"
            config.write_text(config.read_text().replace('"5s"', '"1s"').replace('"10s"', '"1s"'))
            await infrastructure.supervisor.start(
                [prometheus, alertmanager_part(infrastructure, programs.alertmanager, slack=slack, mail=mail)]
            )
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{prometheus.port}", trust_env=False) as api:
                read = await answer_of(api, "targets", lambda found: all_up(found["activeTargets"]))
                judged = await answer_of(api, "alerts", lambda found: "AmnesiaSuspected" in names(found["alerts"]))
                known = await answer_of(api, "alertmanagers", lambda found: bool(found["activeAlertmanagers"]))
                rules = (await api.get("/api/v1/rules")).json()["data"]
    labels = sorted((target["labels"]["job"], target["labels"]["app"]) for target in read["activeTargets"])
    assert labels == [("clearfacts", "notifier"), ("dagster", "dagster-exporter")]
    assert {one["annotations"]["runbook_url"].partition("docs/")[2] for one in judged["alerts"]} >= {
        "runbooks/AmnesiaSuspected.md"
    }
    assert len(known["activeAlertmanagers"]) == 1
    assert {rule.get("lastError", "") for group in rules["groups"] for rule in group["rules"]} == {""}


def all_up(targets: Sequence[Any]) -> bool:
    return bool(targets) and {target["health"] for target in targets} == {"up"}


async def answer_of(api: httpx.AsyncClient, what: str, enough: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(20):
        while True:
            found = (await api.get(f"/api/v1/{what}")).json()["data"]
            if enough(found):
                return found
            await asyncio.sleep(0.1)
