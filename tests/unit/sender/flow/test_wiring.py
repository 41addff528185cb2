"""The gate as the settings make it."""

import pytest

from common.errors import ConfigurationError
from common.settings import load_settings
from sender.app import make_gate
from sender.settings import SenderSettings


@pytest.fixture(autouse=True)
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in SenderSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:s3cr3t@h/d")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "h:9092")
    monkeypatch.setenv("DESTINATION_URL", "http://h/")
    monkeypatch.setenv("SEND_CONCURRENCY", "64")
    return monkeypatch


def slots(*, lookup: bool = True) -> int:
    return make_gate(load_settings(SenderSettings), lookup=lookup).slots


def test_it_starts_from_four_calls_and_as_many_that_wait() -> None:
    assert slots() == 8


def test_fixed_it_is_all_of_the_concurrency_at_once(env: pytest.MonkeyPatch) -> None:
    env.setenv("SEND_ADAPTIVE", "false")
    assert slots() == 128


@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_where_nothing_can_be_looked_up_nothing_claimed_waits(env: pytest.MonkeyPatch, adaptive: str) -> None:
    env.setenv("SEND_ADAPTIVE", adaptive)
    assert slots(lookup=False) == (4 if adaptive == "true" else 64)


def test_a_known_rate_bounds_what_is_claimed_ahead(env: pytest.MonkeyPatch) -> None:
    env.setenv("SEND_RATE", "0.5")
    assert slots() == 5


@pytest.mark.parametrize("rate", ["0", "-1", "inf", "nan"])
def test_a_rate_that_is_none_is_refused(env: pytest.MonkeyPatch, rate: str) -> None:
    env.setenv("SEND_RATE", rate)
    with pytest.raises(ConfigurationError, match="SEND_RATE"):
        load_settings(SenderSettings)
