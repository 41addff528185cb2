"""What a person says about an unknown outcome is read back before the row is called sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Claim, Delivery, OutcomeUnknown, ReadBack
from sender.domain.evidence import Absent, Evidence, Found, LookupFailed
from sender.domain.statements import Believed, Contradicted, NotNow, Reply, Statement, by_lookup, by_read_back
from sender.ports import Key
from sender.statements import UNREAD, ReadStatements
from tests.unit.sender.fakes import FakeAnnounce, moved

SAID = Statement(uuid4(), 6, uuid4(), "cf-1", "ann")


@pytest.mark.parametrize("answer", [ReadBack.OURS, ReadBack.FOREIGN])
def test_a_document_that_is_there_is_sent_also_where_somebody_uploaded_it_by_hand(answer: ReadBack) -> None:
    assert isinstance(reply := by_read_back(SAID, answer), Believed)
    assert reply.uuid == "cf-1"


def test_a_document_that_is_not_there_waits_for_a_person_again() -> None:
    assert isinstance(reply := by_read_back(SAID, ReadBack.ABSENT), Contradicted)
    assert "cf-1" in reply.why


def test_no_answer_is_no_proof() -> None:
    assert by_read_back(SAID, ReadBack.UNANSWERED) == by_lookup(SAID, LookupFailed("down")) == NotNow()


def test_what_is_there_under_our_reference_wins_over_a_mistyped_uuid() -> None:
    assert by_lookup(SAID, Found(("cf-1",))) == Believed("cf-1", "confirmed: it is there under our reference")
    assert isinstance(reply := by_lookup(SAID, Found(("cf-2",))), Believed)
    assert (reply.uuid, "cf-1" in reply.read_back) == ("cf-2", True)


def test_nothing_under_our_reference_says_nothing_of_an_upload_by_hand() -> None:
    assert isinstance(reply := by_lookup(SAID, Absent()), Believed)
    assert reply.read_back.startswith("not possible")


@dataclass
class FakeStatements:
    waiting: Sequence[Statement]
    concluded: list[Reply] = field(default_factory=list[Reply])

    async def statements(self, keys: Sequence[Key]) -> Sequence[Statement]:
        return self.waiting

    async def conclude(self, statement: Statement, reply: Reply) -> Moved | None:
        self.concluded.append(reply)
        return moved(statement.id, Stage.SENT) if isinstance(reply, Believed) else None


@dataclass
class Blind:
    """A destination that cannot be asked."""

    lookup: bool = False
    idempotency_key: timedelta | None = None
    evidence: Evidence = field(default_factory=Absent)

    async def deliver(self, claim: Claim) -> Delivery:
        return OutcomeUnknown("not asked to")

    async def find(self, reference: UUID) -> Evidence:
        return self.evidence


class Readable(Blind):
    async def read_back(self, uuid: str, reference: UUID) -> ReadBack:
        return ReadBack.OURS


@pytest.mark.parametrize(
    ("destination", "read_back"),
    [
        (Blind(), UNREAD),
        (Blind(lookup=True, evidence=Found(("cf-1",))), "confirmed: it is there under our reference"),
        (Readable(), "confirmed: it is there and carries our reference"),
    ],
)
async def test_each_destination_is_asked_as_it_can_be(destination: Blind, read_back: str) -> None:
    statements, announce = FakeStatements([SAID]), FakeAnnounce()
    await ReadStatements(statements, destination, announce)([(SAID.id, SAID.version)])
    assert statements.concluded == [Believed("cf-1", read_back)]
    assert [told.stage for told in announce.told] == [Stage.SENT]


async def test_a_statement_that_cannot_be_read_back_now_moves_nothing() -> None:
    statements, announce = FakeStatements([SAID]), FakeAnnounce()
    silent = Blind(lookup=True, evidence=LookupFailed("down"))
    await ReadStatements(statements, silent, announce)([(SAID.id, SAID.version)])
    assert statements.concluded == [NotNow()]
    assert announce.told == []
