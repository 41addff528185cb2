"""The sender's share of due rows, and its doorbell."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from common.contracts.events import InvoiceValidated
from common.errors import RowFault
from common.invoice.move import Moved
from common.invoice.stage import Stage
from common.kafka.consumer import Batch
from sender.handlers import on_invoices_validated
from sender.ports import Key
from sender.sweeps import SenderSweeps
from tests.unit.sender.fakes import FakeAnnounce, FakeClaims


async def nothing(_: Sequence[Key]) -> None:
    pass


async def test_a_lease_that_ran_out_is_unknown() -> None:
    announce = FakeAnnounce()
    row = uuid4()
    await SenderSweeps(FakeClaims(), nothing, announce).expire([(row, 3)])
    assert [(told.id, told.stage, told.version) for told in announce.told] == [(row, Stage.UNKNOWN, 4)]


async def test_an_end_that_was_not_heard_is_announced_again_as_it_stands() -> None:
    announce = FakeAnnounce()
    row = uuid4()
    await SenderSweeps(FakeClaims(), nothing, announce).announce_again([(row, 3)])
    assert [(told.id, told.version) for told in announce.told] == [(row, 3)]


@dataclass(slots=True)
class Picky(FakeClaims):
    """A database that does not take one of the rows."""

    bad: UUID | None = None

    async def give_up(self, keys: Sequence[Key], to: Stage, error: str) -> Sequence[Moved]:
        if self.bad in {row for row, _ in keys}:
            raise RowFault("22021: invalid byte sequence")
        return await FakeClaims.give_up(self, keys, to, error)


async def test_one_bad_row_does_not_keep_the_others_of_its_batch() -> None:
    announce = FakeAnnounce()
    rows = [uuid4() for _ in range(9)]
    await SenderSweeps(Picky(bad=rows[4]), nothing, announce).expire([(row, 3) for row in rows])
    assert [told.id for told in announce.told] == [*rows[:4], *rows[5:]]


def test_the_sender_sweeps_what_the_design_gives_it_and_no_other_failure() -> None:
    sweeps = SenderSweeps(FakeClaims(), nothing, FakeAnnounce())
    owned = {sweep.stage: sweep.condition for sweep in (*sweeps.quick(), *sweeps.slow())}
    assert owned == {
        Stage.SENDING: "true",
        Stage.UNKNOWN: "true",
        Stage.SENT: "true",
        Stage.FAILED: "reason = 'exhausted' OR reason = 'refused'",
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
