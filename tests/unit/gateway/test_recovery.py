"""What a forgetful database is given back, and when a recovery may run."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.contracts.events import InvoiceOutcome
from common.invoice.stage import Stage
from gateway.domain.access import Caller, Role
from gateway.domain.faults import NotAllowedNow
from gateway.recovery.hearing import Fate, Told, hear
from gateway.recovery.remedies import Remedy, Standing, Treatment, treat
from gateway.recovery.story import Recover, RecoveryOrder
from tests.unit.gateway.fakes import World, user
from tests.unit.gateway.fakes_recovery import FakeOutcomeLog, FakeRestoring

AT = datetime(2026, 11, 24, 2, tzinfo=UTC)
ROW, REFERENCE = uuid4(), uuid4()
ADMIN, CALLER = user(Role.ADMIN), Caller(None, None, "")


def told(stage: str, version: int, attempt: int | None = None, row: UUID = ROW, **given: Any) -> InvoiceOutcome:
    fields: dict[str, Any] = {
        "source_id": "s-1",
        "dossier": "0123456749",
        "dedupe_key": "k",
        "content_sha256": "00",
        "reference": REFERENCE,
        "uuid": "u-1" if stage == "sent" else None,
    }
    event = {"id": row, "version": version, "stage": stage, "attempt": attempt}
    return InvoiceOutcome.model_validate(event | fields | given)


CLAIM, SENT = told("claimed", 3, 7), told("sent", 4, 7)
REFUSED = told("failed", 4, 7, reason="refused")


def folded(*events: InvoiceOutcome) -> Told:
    heard: dict[UUID, Told] = {}
    for place, event in enumerate(events):
        hear(heard, event, AT + timedelta(seconds=place))
    return heard[ROW]


def treated(standing: Standing | None, known: dict[int, str | None], *events: InvoiceOutcome) -> Treatment:
    return treat(folded(*events), standing, known)


def at(stage: Stage, *, maybe_sent: bool = False) -> Standing:
    return Standing(stage, maybe_sent)


@pytest.mark.parametrize("events", [(CLAIM, SENT), (SENT, CLAIM), (CLAIM, SENT, SENT), (CLAIM, SENT, CLAIM)])
def test_records_may_come_twice_and_in_any_order(events: tuple[InvoiceOutcome, ...]) -> None:
    row = folded(*events)
    assert (row.latest.version, row.latest.stage, row.uuid) == (4, "sent", "u-1")
    assert [(a.number, a.fate, a.uuid, a.at) for a in row.attempts.values()] == [(7, Fate.ACCEPTED, "u-1", AT)]


def test_an_end_that_was_announced_again_still_says_its_uuid() -> None:
    assert folded(CLAIM, told("sent", 4)).sent


MISSING = [
    ((CLAIM, SENT), Remedy.INSERT_SENT),
    ((CLAIM,), Remedy.INSERT_UNKNOWN),
    ((CLAIM, told("held", 5, 7, reason="unknown_outcome")), Remedy.INSERT_UNKNOWN),
    ((CLAIM, told("failed", 6, reason="abandoned")), Remedy.INSERT_ABANDONED),
    ((CLAIM, told("claimed", 5, 9), told("failed", 6, 9, reason="refused")), Remedy.INSERT_UNKNOWN),
    ((CLAIM, REFUSED), Remedy.NOTHING),
    ((told("failed", 2, reason="invalid"),), Remedy.NOTHING),
    ((told("duplicate", 1),), Remedy.NOTHING),
]


@pytest.mark.parametrize(("events", "remedy"), MISSING)
def test_a_row_that_is_not_there_is_made_where_it_was_or_may_have_been_accepted(
    events: tuple[InvoiceOutcome, ...], remedy: Remedy
) -> None:
    treatment = treated(None, {}, *events)
    assert treatment.remedy is remedy
    assert [a.number for a in treatment.attempts] == sorted({e.attempt for e in events if e.attempt})


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.SENT}))
def test_a_row_that_was_sent_is_sent_wherever_it_stands(stage: Stage) -> None:
    assert treated(at(stage), {}, CLAIM, SENT).remedy is Remedy.MOVE_TO_SENT


STANDING = [
    (at(Stage.FETCHED), Remedy.MOVE_TO_UNKNOWN),
    (at(Stage.VALIDATED), Remedy.MOVE_TO_UNKNOWN),
    (at(Stage.SENDING), Remedy.MOVE_TO_UNKNOWN),
    (at(Stage.FAILED), Remedy.MOVE_TO_UNKNOWN),
    (at(Stage.HELD), Remedy.MOVE_TO_UNKNOWN),
    (at(Stage.HELD, maybe_sent=True), Remedy.NOTHING),
    (at(Stage.UNKNOWN, maybe_sent=True), Remedy.NOTHING),
    (at(Stage.SENT), Remedy.NOTHING),
]


@pytest.mark.parametrize(("standing", "remedy"), STANDING)
def test_a_forgotten_claim_makes_its_row_unknown_unless_it_is_no_less_already(
    standing: Standing, remedy: Remedy
) -> None:
    treatment = treated(standing, {}, CLAIM)
    assert treatment.remedy is remedy
    assert [a.fate for a in treatment.attempts] == [Fate.EXPIRED]


def test_what_the_database_knows_is_left_alone() -> None:
    assert treated(at(Stage.VALIDATED), {7: "not_accepted"}, CLAIM) == Treatment(folded(CLAIM), Remedy.NOTHING)
    assert treated(at(Stage.SENT), {7: "accepted"}, CLAIM, SENT).attempts == ()


def test_an_acceptance_that_is_not_noted_is_noted() -> None:
    treatment = treated(at(Stage.SENDING), {7: None}, CLAIM, SENT)
    assert treatment.remedy is Remedy.MOVE_TO_SENT
    assert [a.uuid for a in treatment.attempts] == ["u-1"]


def log_of_two_rows() -> FakeOutcomeLog:
    other = uuid4()
    return FakeOutcomeLog([[CLAIM, SENT], [told("claimed", 3, 9, other), told("duplicate", 1, row=uuid4())]])


async def test_a_recovery_gives_everything_back_and_tells_the_sequence() -> None:
    database = FakeRestoring(forgotten=2)
    report = await Recover(log_of_two_rows(), database)(RecoveryOrder(reason="restored"), ADMIN, CALLER)
    assert (report.records, report.invoices, report.inserted_sent, report.inserted_unknown) == (4, 3, 1, 1)
    assert (report.attempts, report.last_attempt, report.remembers) == (2, 9, True)
    assert [action for action, _ in database.notes] == ["recovery.started", "recovery.ended"]


async def test_a_dry_run_changes_nothing() -> None:
    database = FakeRestoring(forgotten=2)
    report = await Recover(log_of_two_rows(), database)(RecoveryOrder(dry_run=True), ADMIN, CALLER)
    assert (report.dry_run, report.inserted_sent, report.remembers) == (True, 1, False)
    assert (database.treated, database.notes, database.last) == ([], [], 0)


async def test_where_nothing_was_forgotten_only_force_recovers() -> None:
    database = FakeRestoring()
    recover = Recover(log_of_two_rows(), database)
    with pytest.raises(NotAllowedNow):
        await recover(RecoveryOrder(), ADMIN, CALLER)
    assert (await recover(RecoveryOrder(force=True, reason="to be sure"), ADMIN, CALLER)).inserted_sent == 1


async def test_the_route_is_for_admins_and_force_needs_a_reason() -> None:
    world = World()
    world.restoring.forgotten = 1
    http = world.signed_in(world.users.add(user(Role.ADMIN)))
    assert (await http.post("/api/v1/recovery", json={"force": True})).status_code == 422
    answer = await http.post("/api/v1/recovery", json={"reason": "restored from the night's backup"})
    assert answer.status_code == 200
    assert answer.json()["data"]["remembers"] is False, "nothing was told, so nothing could be given back"
    world.restoring.forgotten = 0
    assert (await http.post("/api/v1/recovery", json={})).status_code == 409
    operator = world.signed_in(world.users.add(user(Role.OPERATOR)))
    assert (await operator.post("/api/v1/recovery", json={})).status_code == 403
