"""Records that were deleted before anybody worked them."""

from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition

from common.clock import Clock
from common.kafka.gaps import QUIET, RETENTION_GAP, Gaps
from common.kafka.stillness import Look, Stillness

P = TopicPartition("t", 3)


class FakeAlerts:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, Mapping[str, Any]]] = []

    async def open(self, kind: str, subject: str, details: Mapping[str, Any]) -> None:
        assert kind == RETENTION_GAP
        self.told.append(("open", subject, details))

    async def close(self, kind: str, subject: str) -> None:
        assert kind == RETENTION_GAP
        self.told.append(("close", subject, {}))

    async def opened(self, kind: str, subject: str) -> Mapping[str, Any] | None:
        raise AssertionError(f"nobody asks for {kind} of {subject}")


async def test_a_gap_is_told_once_and_closed_when_it_has_been_quiet() -> None:
    now, alerts = 0.0, FakeAlerts()
    gaps = Gaps(alerts, "validator:t", clock=Clock(monotonic=lambda: now))
    for _ in range(3):
        await gaps.found(P, 5, 9)
    await gaps.none()
    assert alerts.told == [("open", "validator:t", {"partition": 3, "stood": 5, "first": 9, "records": 4})]
    now = QUIET.total_seconds() + 1
    for _ in range(3):
        await gaps.none()
    assert [told[:2] for told in alerts.told[1:]] == [("close", "validator:t")]


def look(at: float, committed: int | None, start: int, end: int) -> Look:
    stood = {} if committed is None else {P: committed}
    return Look(at, frozenset({P}), {P: end}, stood, {P: start})


def test_a_log_that_begins_behind_what_was_acknowledged_is_a_gap_and_a_new_group_has_none() -> None:
    assert look(0, 5, 9, 20).gaps == {P: (5, 9)}
    assert look(0, 9, 9, 20).gaps == {}
    assert look(0, None, 9, 20).gaps == {}


def test_what_was_deleted_is_no_work_that_anybody_could_be_behind_with() -> None:
    stillness = Stillness()
    assert [stillness.judge(look(float(n), 5, 9, 9)) for n in range(4)] == [0.0] * 4


def test_a_group_without_a_commit_stands_where_its_log_starts() -> None:
    stillness = Stillness()
    assert [stillness.judge(look(float(n), None, 9, 12)) for n in range(4)] == [0.0, 0.0, 1.0, 2.0]
