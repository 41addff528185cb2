"""What is refused at the start, and what the settings become."""

import json
from datetime import time

import pytest

from common.configuration import Value
from common.errors import ConfigurationError
from common.settings import load_settings, redacted
from notifier.channelling import channels_of, live_hours, owners_of, voice_of
from notifier.domain.channels import Channel, Rhythm, What
from notifier.domain.message import Severity
from notifier.domain.words import Language
from notifier.settings import NotifierSettings

BASE = {"DATABASE_URL": "postgresql://h/d", "KAFKA_BOOTSTRAP_SERVERS": "h:1"}
MAIL = {
    "SMTP_HOST": "mail.example.test",
    "EMAIL_FROM": "clearfacts@example.test",
    "EMAIL_RECIPIENTS": json.dumps(
        {
            "ann": {"address": "ann@example.test"},
            "boss": {"address": "boss@example.test", "language": "fr", "at_least": "warning", "rhythm": "weekly"},
            "books": {"address": "books@example.test", "what": "owned"},
        }
    ),
    "ALERT_OWNERS": json.dumps([{"name": "Books", "prefixes": ["LOCAL-"], "channels": ["email:books", "slack"]}]),
}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> NotifierSettings:
    return loaded(monkeypatch)


def loaded(monkeypatch: pytest.MonkeyPatch, **more: str) -> NotifierSettings:
    for name, text in {**BASE, **MAIL, **more}.items():
        monkeypatch.setenv(name, text)
    return load_settings(NotifierSettings)


def test_each_recipient_is_a_channel_besides_slack(settings: NotifierSettings) -> None:
    assert channels_of(settings) == {
        "slack": Channel("slack"),
        "email:ann": Channel("email:ann"),
        "email:boss": Channel("email:boss", Severity.WARNING, Rhythm.WEEKLY, language=Language.FR),
        "email:books": Channel("email:books", what=What.OWNED),
    }
    assert owners_of(settings).channels == ["email:books", "slack"]


def test_without_a_mail_server_there_is_slack_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(channels_of(loaded(monkeypatch, SMTP_HOST=""))) == ["slack"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("EMAIL_FROM", "", "SMTP_HOST needs EMAIL_FROM and EMAIL_RECIPIENTS"),
        ("EMAIL_RECIPIENTS", "{}", "SMTP_HOST needs EMAIL_FROM and EMAIL_RECIPIENTS"),
        ("EMAIL_RECIPIENTS", '{"A B": {"address": "a@b.test"}}', "EMAIL_RECIPIENTS"),
        ("EMAIL_RECIPIENTS", '{"a": {"address": "a@b.test", "rythm": "daily"}}', "EMAIL_RECIPIENTS"),
        ("EMAIL_FROM", "Ann <ann@example.test>", "give one address"),
        ("EMAIL_FROM", "a@b.test, c@d.test", "give one address"),
        ("EMAIL_FROM", "a@b.test\nBcc: c@d.test", "give one address"),
        ("SMTP_USERNAME", "us", "SMTP_USERNAME and SMTP_PASSWORD belong together"),
        ("ALERT_OWNERS", '[{"name": "x", "prefixes": ["a"], "channels": ["email:nobody"]}]', "there are email:ann"),
        ("ALERT_OWNERS", '[{"name": "x", "prefixes": [""]}]', "ALERT_OWNERS"),
        ("NOTIFY_LANGUAGE", "de", "NOTIFY_LANGUAGE"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says) as refused:
        loaded(monkeypatch, **{name: text})
    assert "c@d.test" not in str(refused.value)


@pytest.mark.parametrize(("host", "allowed"), [("mail.example.test", False), ("127.0.0.1", True)])
def test_a_password_leaves_this_machine_under_tls_only(
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    allowed: bool,  # noqa: FBT001
) -> None:
    login = {"SMTP_HOST": host, "SMTP_SECURITY": "none", "SMTP_USERNAME": "us", "SMTP_PASSWORD": "secret"}
    if allowed:
        assert loaded(monkeypatch, **login).smtp_host == host
    else:
        with pytest.raises(ConfigurationError, match="a password is not sent without TLS"):
            loaded(monkeypatch, **login)


def test_what_is_handed_to_others_names_no_address(settings: NotifierSettings) -> None:
    shown = redacted(settings)
    assert "@" not in " ".join(shown.values())
    assert shown["EMAIL_RECIPIENTS"] == "3 entries"


async def test_hours_and_language_are_those_of_the_table_and_else_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = loaded(monkeypatch, QUIET_FROM="22:00", QUIET_UNTIL="07:00", NOTIFY_LANGUAGE="nl")
    values: dict[str, Value] = {}

    async def live() -> dict[str, Value]:
        return values

    hours, channels = live_hours(settings, live), channels_of(settings)
    usual = await hours()
    assert usual.quiet
    assert (usual.quiet.start, usual.quiet.end, usual.digest_at, usual.digest_day) == (time(22), time(7), time(8), 0)
    voice = voice_of(channels, hours)
    spoken = [(await voice(name)).language for name in ("slack", "email:ann", "email:boss")]
    assert spoken == [Language.NL, Language.NL, Language.FR]
    values |= {"quiet_until": "06:30", "digest_at": "09:15", "digest_day": 5, "notify_language": "en"}
    changed = await hours()
    assert changed.quiet
    assert (changed.quiet.end, changed.digest_at, changed.digest_day) == (time(6, 30), time(9, 15), 4)
    assert (await voice("slack")).language is Language.EN
