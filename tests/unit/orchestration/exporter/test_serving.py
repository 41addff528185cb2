"""The exporter's three answers, and its loop while the storage is away."""

import json
import threading
from http import HTTPStatus

import pytest
from dagster import DagsterInstance

from common.errors import ConfigurationError
from common.settings import load_settings
from orchestration.exporter.__main__ import refresh
from orchestration.exporter.serving import HUNG_AFTER, LATE_AFTER, Shown, answer
from orchestration.exporter.settings import ExporterSettings


def health(path: str, shown: Shown, now: float) -> tuple[HTTPStatus, dict[str, object]]:
    status, _, body = answer(path, shown, now)
    return status, json.loads(body)


def test_before_the_first_reading_it_is_alive_and_shows_no_numbers() -> None:
    shown = Shown(began_at=100.0)
    assert answer("/metrics", shown, 101.0)[0] is HTTPStatus.SERVICE_UNAVAILABLE
    assert health("/health/ready", shown, 101.0)[0] is HTTPStatus.SERVICE_UNAVAILABLE
    assert health("/health/live", shown, 101.0) == (HTTPStatus.OK, {"status": "ok", "parts": {"loop": "up"}})


def test_after_a_reading_it_is_ready_until_the_next_is_overdue() -> None:
    shown = Shown(began_at=0.0, page=b"up 1\n", read_at=100.0, tried_at=100.0)
    assert answer("/metrics", shown, 101.0)[2] == b"up 1\n"
    assert health("/health/ready", shown, 101.0)[0] is HTTPStatus.OK
    assert health("/health/ready", shown, 101.0 + LATE_AFTER)[0] is HTTPStatus.SERVICE_UNAVAILABLE


def test_a_loop_that_hangs_is_not_alive_and_one_that_only_fails_is() -> None:
    shown = Shown(began_at=0.0, read_at=1.0, tried_at=1.0)
    assert health("/health/live", shown, 2.0 + HUNG_AFTER)[0] is HTTPStatus.SERVICE_UNAVAILABLE
    shown.tried_at = 1.0 + HUNG_AFTER
    assert health("/health/live", shown, 2.0 + HUNG_AFTER)[0] is HTTPStatus.OK


def test_an_unknown_path_is_not_found() -> None:
    assert answer("/", Shown(began_at=0.0), 0.0)[0] is HTTPStatus.NOT_FOUND


def test_a_storage_that_is_away_is_asked_again_and_the_last_page_stays() -> None:
    stop, shown = threading.Event(), Shown(began_at=0.0, page=b"before\n")
    seen: list[bytes] = []

    def connect() -> DagsterInstance:
        seen.append(shown.page)
        if len(seen) < 3:
            raise ConnectionError("storage away")
        stop.set()
        return DagsterInstance.ephemeral()

    refresh(connect, shown, stop, every=0.001)
    assert seen == [b"before\n"] * 3
    assert b"dagster_storage_read_timestamp_seconds" in shown.page


def test_without_a_home_it_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with pytest.raises(ConfigurationError, match="DAGSTER_HOME is not set"):
        load_settings(ExporterSettings)
