"""Settings as they may be logged and handed to others."""

from pathlib import Path

import pytest

from common.settings import redacted
from fetcher.settings import FetcherSettings
from gateway.settings import GatewaySettings
from notifier.settings import NotifierSettings
from sender.settings import SenderSettings
from validator.settings import ValidatorSettings

SECRET = "hunter2"
GIVEN = {
    "DATABASE_URL": f"postgresql://app:{SECRET}@db.example/clearfacts",
    "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092",
    "JWT_KEYS_DIR": str(Path.home() / "ann" / "keys"),
    "REDIS_URL": f"redis://:{SECRET}@redis.example",
    "PUBLIC_URL": "https://clearfacts.example/private?x=hunter2",
    "BOOTSTRAP_ADMIN_USERNAME": "ann.peeters",
    "BOOTSTRAP_ADMIN_PASSWORD": "hunter2-hunter2",
    "SOURCE_URL": f"https://ann:{SECRET}@source.example/invoices",
    "SOURCE_TOKEN": "hunter2",
    "ADMINISTRATIONS": '["0123456749"]',
    "DEFAULT_ADMINISTRATION": "0123456749",
    "DESTINATION_URL": "https://api.clearfacts.example/graphql?key=hunter2",
    "DESTINATION_TOKEN": "hunter2",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.example/services/hunter2",
    "LOG_LEVEL": "warning",
    "SEND_SETTLE": "240",
}
KINDS = (GatewaySettings, FetcherSettings, ValidatorSettings, SenderSettings, NotifierSettings)


@pytest.fixture(autouse=True)
def _given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_name_or_number_of_a_company_is_shown(kind: type[GatewaySettings]) -> None:
    shown = str(redacted(kind()))  # pyright: ignore[reportCallIssue]
    for private in ("hunter2", "ann", "0123456749", "peeters", "private"):
        assert private not in shown


def test_what_helps_is_shown() -> None:
    sender = redacted(SenderSettings())  # pyright: ignore[reportCallIssue]
    fetcher = redacted(FetcherSettings())  # pyright: ignore[reportCallIssue]
    assert sender["DESTINATION_URL"] == "https://api.clearfacts.example"
    assert sender["SEND_SETTLE"] == "0:04:00"
    assert (sender["DATABASE_URL"], sender["LOG_LEVEL"]) == ("set", "warning")
    assert sender["KAFKA_BOOTSTRAP_SERVERS"] == "kafka.example:9092"
    assert (fetcher["ADMINISTRATIONS"], fetcher["DEFAULT_ADMINISTRATION"]) == ("1 entries", "set")
    assert redacted(NotifierSettings())["SCHEDULE_TIMEZONE"] == "Europe/Brussels"  # pyright: ignore[reportCallIssue]


def test_what_is_not_set_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL")
    assert redacted(GatewaySettings())["REDIS_URL"] == "not set"  # pyright: ignore[reportCallIssue]
