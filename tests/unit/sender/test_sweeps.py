"""The sender's share of due rows, and its doorbell."""

from uuid import uuid4

from common.contracts.events import InvoiceValidated
from common.invoice.stage import Stage
from common.kafka.consumer import Batch
from sender.handlers import on_invoices_validated
from sender.sweeps import SenderSweeps
from tests.unit.sender.fakes import FakeAnnounce, FakeClaims


async def test_a_lease_that_ran_out_is_unknown_and_an_unknown_outcome_is_held() -> None:
    announce = FakeAnnounce()
    sweeps = SenderSweeps(FakeClaims(), announce)
    row = uuid4()
    await sweeps.expire([(row, 3)])
    await sweeps.hold([(row, 4)])
    assert [(told.id, told.stage, told.version) for told in announce.told] == [
        (row, Stage.UNKNOWN, 4),
        (row, Stage.HELD, 5),
    ]


async def test_an_end_that_was_not_heard_is_announced_again_as_it_stands() -> None:
    announce = FakeAnnounce()
    row = uuid4()
    await SenderSweeps(FakeClaims(), announce).announce_again([(row, 3)])
    assert [(told.id, told.version) for told in announce.told] == [(row, 3)]


def test_the_sender_sweeps_what_the_design_gives_it_and_no_other_failure() -> None:
    owned = {sweep.stage: sweep.condition for sweep in SenderSweeps(FakeClaims(), FakeAnnounce()).all()}
    assert owned == {
        Stage.SENDING: "true",
        Stage.UNKNOWN: "true",
        Stage.SENT: "true",
        Stage.FAILED: "reason = 'refused'",
    }


async def test_the_doorbell_is_rung_and_then_acknowledged() -> None:
    rung: list[bool] = []

    class Consumer:
        def assignment(self) -> set[object]:
            return set()

    batch: Batch[InvoiceValidated] = Batch([], Consumer(), [])
    await on_invoices_validated(lambda: rung.append(batch.acknowledged))(batch)
    assert rung == [False]
    assert batch.acknowledged
