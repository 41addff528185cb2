"""The validator's story on fakes: judge, move, announce, acknowledge."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from common.contracts.events import InvoiceFetched
from common.errors import InfrastructureError, RowFault
from common.invoice.move import Move, Moved
from common.invoice.stage import Reason, Stage
from common.kafka.consumer import Batch
from validator.domain import Document, Judged
from validator.handlers import on_due, on_invoices_fetched, park_due, park_event
from validator.ports import Key
from validator.use_cases import ValidateInvoices


@dataclass
class FakeRows:
    """Fetched rows by id; a row whose content is `unstorable` cannot be moved with a verdict."""

    fetched: dict[UUID, Document] = field(default_factory=dict[UUID, Document])
    moved: dict[UUID, Moved] = field(default_factory=dict[UUID, Moved])
    batches: list[int] = field(default_factory=list[int])
    deaths: dict[UUID, int] = field(default_factory=dict[UUID, int])

    def add(self, content: bytes = b"<a/>") -> Key:
        row = Document(uuid4(), 1, content)
        self.fetched[row.id] = row
        return row.id, row.version

    async def read(self, keys: Sequence[Key]) -> Sequence[Document]:
        return [self.fetched[i] for i, version in keys if i in self.fetched and self.fetched[i].version == version]

    async def moved_before(self, keys: Sequence[Key]) -> Sequence[Moved]:
        return [self.moved[i] for i, version in keys if i in self.moved and self.moved[i].version == version + 1]

    async def set_aside(self, keys: Sequence[Key]) -> Sequence[Key]:
        for row_id, _ in keys:
            self.deaths[row_id] = self.deaths.get(row_id, 0) + 1
        return [key for key in keys if self.deaths[key[0]] >= 3]

    async def apply(self, moves: Sequence[Move]) -> Sequence[Moved]:
        self.batches.append(len(moves))
        if any(self.fetched[m.id].content == b"unstorable" and m.reason != Reason.PARKED for m in moves):
            raise RowFault("22P05: unsupported Unicode escape sequence")
        done = [Moved(m.id, m.version + 1, m.to, m.reason, None, "s", None, None, 0, None, None) for m in moves]
        for one in done:
            self.moved[one.id] = one
            del self.fetched[one.id]
        return done


def judge_one(document: bytes) -> Judged | None:
    if document == b"poison":
        return None
    valid = document != b"bad"
    return Judged(valid, ruleset="r", findings=(), summary=None if valid else "F-1: no")


async def judge(documents: Sequence[bytes]) -> Sequence[Judged | None]:
    return list(map(judge_one, documents))


def story(rows: FakeRows) -> ValidateInvoices:
    return ValidateInvoices(rows, judge)


async def test_valid_documents_go_on_and_the_others_end() -> None:
    rows = FakeRows()
    good, bad = rows.add(), rows.add(b"bad")
    moved = {m.id: (m.stage, m.reason) for m in await story(rows)([good, bad])}
    assert moved == {good[0]: (Stage.VALIDATED, None), bad[0]: (Stage.FAILED, Reason.INVALID)}


async def test_a_batch_that_comes_again_moves_nothing_and_is_announced_again() -> None:
    rows = FakeRows()
    keys = [rows.add(), rows.add(b"bad")]
    first = await story(rows)(keys)
    assert await story(rows)(keys) == first
    assert rows.batches == [2]


async def test_a_row_at_another_version_is_left_alone() -> None:
    rows = FakeRows()
    row_id, version = rows.add()
    assert await story(rows)([(row_id, version + 1)]) == []


async def test_a_verdict_that_the_database_refuses_parks_only_its_row() -> None:
    rows = FakeRows()
    keys = [rows.add(b"unstorable" if n == 3 else b"<a/>") for n in range(8)]
    moved = {m.id: m.reason for m in await story(rows)(keys)}
    assert moved == {key[0]: Reason.PARKED if n == 3 else None for n, key in enumerate(keys)}


async def test_a_document_that_ends_its_worker_is_set_aside_while_the_others_go_on_and_parked_the_third_time() -> None:
    rows = FakeRows()
    good, poison = rows.add(), rows.add(b"poison")
    assert [m.id for m in await story(rows)([good, poison])] == [good[0]]
    assert await story(rows)([poison]) == []
    (moved,) = await story(rows)([poison])
    assert (moved.id, moved.stage, moved.reason) == (poison[0], Stage.FAILED, Reason.PARKED)


async def test_a_row_that_cannot_be_worked_is_ended_and_announced_by_consumer_and_sweeper_alike() -> None:
    rows = FakeRows()
    told: list[Moved] = []

    async def announce(moved: Sequence[Moved]) -> None:
        told.extend(moved)

    first, second = rows.add(), rows.add()
    await park_event(story(rows).park, announce)(InvoiceFetched(id=first[0], version=first[1]), "a defect")
    await park_due(story(rows).park, announce)(second, "a defect")
    assert [(m.id, m.stage, m.reason) for m in told] == [
        (first[0], Stage.FAILED, Reason.PARKED),
        (second[0], Stage.FAILED, Reason.PARKED),
    ]


async def test_the_handler_acknowledges_after_everybody_heard() -> None:
    rows = FakeRows()
    told: list[str] = []
    row_id, version = rows.add()

    class Recorded(Batch[InvoiceFetched]):
        async def acknowledge(self) -> None:
            told.append("acknowledged")

    async def announce(moved: Sequence[Moved]) -> None:
        told.append(f"announced {len(moved)}")

    await on_invoices_fetched(story(rows), announce)(Recorded([InvoiceFetched(id=row_id, version=version)], None, []))
    assert told == ["announced 1", "acknowledged"]


async def test_a_batch_that_nobody_heard_is_not_acknowledged() -> None:
    class Refuses(Batch[InvoiceFetched]):
        async def acknowledge(self) -> None:
            raise AssertionError("too early")

    async def deaf(_: Sequence[Moved]) -> None:
        raise InfrastructureError("kafka")

    with pytest.raises(InfrastructureError):
        await on_invoices_fetched(story(FakeRows()), deaf)(Refuses([], None, []))


async def test_the_sweeper_does_the_same_work() -> None:
    rows = FakeRows()
    heard: list[Moved] = []

    async def announce(moved: Sequence[Moved]) -> None:
        heard.extend(moved)

    await on_due(story(rows), announce)([rows.add()])
    assert [m.stage for m in heard] == [Stage.VALIDATED]
