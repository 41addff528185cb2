"""The client reads every field that the gateway writes: two models, one shape."""

import pytest
from pydantic import BaseModel

from client import answers, held, operations, recovery, switches
from gateway.domain import held as held_readings
from gateway.domain import operations as operation_readings
from gateway.domain import progress, readings
from gateway.domain import switches as switch_readings
from gateway.recovery import story
from gateway.routes import schemas

PAIRS: list[tuple[type[BaseModel], set[str]]] = [
    (answers.Job, set(readings.JobStatus.__dataclass_fields__)),
    (answers.JobSummary, set(readings.JobSummary.__dataclass_fields__)),
    (answers.JobProgress, set(progress.JobProgress.__dataclass_fields__)),
    (answers.JobCancelled, set(schemas.CancelledJob.model_fields)),
    (answers.Results, set(readings.Results.__dataclass_fields__)),
    (answers.JobFault, set(readings.JobFault.__dataclass_fields__)),
    (answers.InvoiceTrouble, set(readings.InvoiceTrouble.__dataclass_fields__)),
    (answers.Invoice, set(readings.InvoiceDetail.__dataclass_fields__)),
    (answers.InvoiceSummary, set(readings.InvoiceSummary.__dataclass_fields__)),
    (answers.Twin, set(readings.Twin.__dataclass_fields__)),
    (
        answers.TimelineEntry,
        set(readings.Moved.__dataclass_fields__) | set(readings.Attempted.__dataclass_fields__),
    ),
    (switches.Pause, set(switch_readings.Pause.__dataclass_fields__)),
    (switches.Paused, set(switch_readings.Paused.__dataclass_fields__)),
    (switches.Flipped, set(switch_readings.Flipped.__dataclass_fields__)),
    (held.HeldSummary, set(held_readings.HeldSummary.__dataclass_fields__)),
    (held.Held, set(held_readings.HeldDetail.__dataclass_fields__)),
    (held.OtherVersion, set(held_readings.OtherVersion.__dataclass_fields__)),
    (held.FieldChange, set(held_readings.FieldChange.__dataclass_fields__)),
    (held.Comparison, set(held_readings.Comparison.__dataclass_fields__)),
    (held.Choice, set(held_readings.Choice.__dataclass_fields__)),
    (held.Resolved, set(held_readings.Resolved.__dataclass_fields__)),
    (recovery.Recovered, set(story.RecoveryReport.__dataclass_fields__)),
    (operations.Alert, set(operation_readings.AlertReading.__dataclass_fields__)),
    (operations.StageCount, set(operation_readings.StageCount.__dataclass_fields__)),
    (operations.Stages, set(operation_readings.Stages.__dataclass_fields__)),
    (operations.SystemSettings, set(operation_readings.SystemSettings.__dataclass_fields__)),
    (answers.Token, set(schemas.Token.model_fields)),
    (answers.Started, set(schemas.Started.model_fields)),
    (answers.Profile, set(schemas.Profile.model_fields)),
]


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_client_knows_exactly_the_gateways_fields(theirs: type[BaseModel], ours: set[str]) -> None:
    assert set(theirs.model_fields) == ours
