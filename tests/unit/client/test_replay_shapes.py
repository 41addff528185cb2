"""The client reads every field of failures and replays that the gateway writes."""

import pytest
from pydantic import BaseModel

from client import failures, replays
from gateway.domain import editing as edit_readings
from gateway.domain import failures as failure_readings
from gateway.domain import replays as replay_readings
from gateway.routes import replay_schemas

PAIRS: list[tuple[type[BaseModel], set[str]]] = [
    (failures.FailedSummary, set(failure_readings.FailedSummary.__dataclass_fields__)),
    (failures.DocumentVersion, set(failure_readings.DocumentVersion.__dataclass_fields__)),
    (failures.ReplayedBy, set(failure_readings.ReplayedBy.__dataclass_fields__)),
    (failures.Failed, set(failure_readings.FailedDetail.__dataclass_fields__)),
    (failures.CauseGroup, set(failure_readings.CauseGroup.__dataclass_fields__)),
    (failures.CauseGroups, set(replay_schemas.CauseGroups.__dataclass_fields__)),
    (failures.Edited, set(edit_readings.Edited.__dataclass_fields__)),
    (failures.Archived, set(replay_schemas.Archived.__dataclass_fields__)),
    (replays.Cause, set(replay_readings.Cause.__dataclass_fields__)),
    (replays.ItemRefusal, set(replay_readings.ItemRefusal.__dataclass_fields__)),
    (replays.Preview, set(replay_readings.Preview.__dataclass_fields__)),
    (replays.Terms, set(replay_readings.Terms.__dataclass_fields__)),
    (replays.ReplaySummary, set(replay_readings.ReplaySummary.__dataclass_fields__)),
    (replays.Replay, set(replay_readings.ReplayStatus.__dataclass_fields__)),
    (replays.ReplayItem, set(replay_readings.ReplayItem.__dataclass_fields__)),
    (replays.ReplayStarted, set(replay_schemas.ReplayStarted.__dataclass_fields__)),
]


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_client_knows_exactly_the_gateways_fields(theirs: type[BaseModel], ours: set[str]) -> None:
    assert set(theirs.model_fields) == ours
