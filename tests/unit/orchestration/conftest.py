"""A Dagster that forgets, and the settings of a run."""

from collections.abc import Iterator

import dagster as dg
import pytest

SECRETS = {
    "KAFKA_BOOTSTRAP_SERVERS": "nowhere:1",
    "GATEWAY_URL": "http://gateway/",
    "GATEWAY_USERNAME": "dagster",
    "GATEWAY_PASSWORD": "a-secret",
}


@pytest.fixture
def run_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance
