"""The client reads every field that the gateway writes: two models, one shape."""

import pytest
from pydantic import BaseModel

from client import admin, answers, documents, held, invoices, operations, recovery, switches
from gateway.domain import audit as audit_readings
from gateway.domain import configuration as configuration_readings
from gateway.domain import documents as document_readings
from gateway.domain import held as held_readings
from gateway.domain import operations as operation_readings
from gateway.domain import previews, progress, readings
from gateway.domain import status as status_readings
from gateway.domain import switches as switch_readings
from gateway.domain import users as user_readings
from gateway.domain.invoices import InvoiceFilter
from gateway.domain.why import Why
from gateway.recovery import story
from gateway.routes import schemas
from ubl import reading
from ubl.parties import Party

PAIRS: list[tuple[type[BaseModel], set[str]]] = [
    (answers.Job, set(readings.JobStatus.__dataclass_fields__)),
    (answers.JobSummary, set(readings.JobSummary.__dataclass_fields__)),
    (answers.JobProgress, set(progress.JobProgress.__dataclass_fields__)),
    (answers.JobPreview, set(previews.JobPreview.__dataclass_fields__)),
    (answers.PreviewCause, set(previews.PreviewCause.__dataclass_fields__)),
    (answers.PreviewItem, set(previews.PreviewItem.__dataclass_fields__)),
    (answers.Started, set(schemas.Started.model_fields)),
    (answers.JobCancelled, set(schemas.CancelledJob.model_fields)),
    (answers.Results, set(readings.Results.__dataclass_fields__)),
    (answers.JobFault, set(readings.JobFault.__dataclass_fields__)),
    (answers.InvoiceTrouble, set(readings.InvoiceTrouble.__dataclass_fields__)),
    (answers.Invoice, set(readings.InvoiceDetail.__dataclass_fields__)),
    (answers.InvoiceSummary, set(readings.InvoiceSummary.__dataclass_fields__)),
    (answers.Finding, set(readings.FindingReading.__dataclass_fields__)),
    (answers.ValidationReport, set(readings.ValidationReport.__dataclass_fields__)),
    (documents.Reading, set(reading.Reading.__dataclass_fields__)),
    (documents.PartyReading, set(reading.PartyReading.__dataclass_fields__)),
    (documents.PartyIdentity, set(Party.__dataclass_fields__)),
    (documents.LineReading, set(reading.LineReading.__dataclass_fields__)),
    (documents.VatReading, set(reading.VatReading.__dataclass_fields__)),
    (documents.TotalsReading, set(reading.TotalsReading.__dataclass_fields__)),
    (documents.Payment, set(reading.Payment.__dataclass_fields__)),
    (documents.Differences, set(document_readings.Differences.__dataclass_fields__)),
    (invoices.Why, set(Why.__dataclass_fields__)),
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
    (admin.User, set(user_readings.UserReading.__dataclass_fields__)),
    (admin.AuditEntry, set(audit_readings.AuditEntry.__dataclass_fields__)),
    (admin.ConfigurationEntry, set(configuration_readings.ConfigurationEntry.__dataclass_fields__)),
    (admin.ConfigurationDetail, set(configuration_readings.ConfigurationDetail.__dataclass_fields__)),
    (admin.ConfigurationVersion, set(configuration_readings.ConfigurationVersion.__dataclass_fields__)),
    (admin.Dependency, set(status_readings.Dependency.__dataclass_fields__)),
    (admin.ServiceSign, set(status_readings.ServiceSign.__dataclass_fields__)),
    (admin.GroupLag, set(status_readings.GroupLag.__dataclass_fields__)),
    (admin.Breaker, set(status_readings.Breaker.__dataclass_fields__)),
    (admin.SystemStatus, set(status_readings.SystemStatus.__dataclass_fields__)),
    (admin.UiConfig, set(status_readings.UiConfig.__dataclass_fields__)),
    (answers.Token, set(schemas.Token.model_fields)),
    (answers.Started, set(schemas.Started.model_fields)),
    (answers.Profile, set(schemas.Profile.model_fields)),
]


def test_the_client_can_ask_for_whatever_the_gateway_filters_by() -> None:
    assert set(invoices.InvoiceCriteria.__annotations__) == set(InvoiceFilter.__dataclass_fields__)


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_client_knows_exactly_the_gateways_fields(theirs: type[BaseModel], ours: set[str]) -> None:
    assert set(theirs.model_fields) == ours
