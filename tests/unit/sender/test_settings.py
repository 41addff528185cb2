"""The order of the three clocks, and the prefetch that was measured."""

from datetime import timedelta

import pytest

from common.errors import ConfigurationError
from common.settings import load_settings
from sender.settings import SenderSettings


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in SenderSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:s3cr3t@h/d")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "h:9092")
    monkeypatch.setenv("DESTINATION_URL", "http://h/")
    return monkeypatch


def test_the_usual_clocks_are_those_of_the_design(env: pytest.MonkeyPatch) -> None:
    settings = load_settings(SenderSettings)
    assert (settings.send_deadline, settings.send_lease) == (timedelta(seconds=30), timedelta(seconds=90))
    assert settings.send_settle > settings.send_lease


@pytest.mark.parametrize(
    ("deadline", "lease", "settle"),
    [
        ("90", "90", "180"),
        ("91", "90", "180"),
        ("61", "90", "180"),
        ("30", "90", "90"),
        ("30", "90", "89"),
        ("0", "90", "180"),
        ("-1", "2", "3"),
    ],
)
def test_clocks_out_of_order_are_refused(env: pytest.MonkeyPatch, deadline: str, lease: str, settle: str) -> None:
    env.setenv("SEND_DEADLINE", deadline)
    env.setenv("SEND_LEASE", lease)
    env.setenv("SEND_SETTLE", settle)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(SenderSettings)
    assert "SEND_LEASE" in str(caught.value)
    assert "SEND_DEADLINE" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_a_key_is_not_relied_on_to_its_last_moment(env: pytest.MonkeyPatch) -> None:
    settings = load_settings(SenderSettings)
    assert (settings.key_life, settings.key_margin) == (timedelta(hours=24), timedelta(hours=1))
    env.setenv("KEY_MARGIN", "179")
    with pytest.raises(ConfigurationError, match="KEY_MARGIN must be at least SEND_SETTLE"):
        load_settings(SenderSettings)


@pytest.mark.parametrize(("concurrency", "given", "prefetch"), [
    (1, None, 1), (16, None, 16), (64, None, 64), (16, "0", 0), (16, "3", 3),
])  # fmt: skip
def test_the_prefetch_is_as_large_as_the_concurrency_where_it_is_not_given(
    env: pytest.MonkeyPatch, concurrency: int, given: str | None, prefetch: int
) -> None:
    env.setenv("SEND_CONCURRENCY", str(concurrency))
    if given is not None:
        env.setenv("SEND_PREFETCH", given)
    assert load_settings(SenderSettings).prefetch == prefetch
