"""Claims are only taken from a database that remembers, and go back when it turns out that it does not."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, cast

from sender.domain import Outcome, Settlement
from sender.ports import Claims
from sender.remembering import Remembered
from tests.contract.destination.test_destination import claim

LEASE = timedelta(seconds=90)


class FakeMemory:
    """Answers in turn; `seen` is compared like the real one."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.seen = 0

    async def sure(self) -> bool:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def follows(self, numbers: Iterable[int]) -> bool:
        numbers = list(numbers)
        after, self.seen = min(numbers) > self.seen, max(numbers)
        return after


class OneRow:
    """Claims that always have one row, under the given attempt numbers."""

    def __init__(self, *attempts: int, content: bytes = b"<Invoice/>") -> None:
        self.attempts = list(attempts)
        self.content = content
        self.settled: list[Settlement] = []
        self.asked = 0

    async def dossiers_due(self, since: timedelta = timedelta(0)) -> Sequence[str]:
        self.asked += 1
        return ["0123456749"]

    async def claim(self, dossiers: Sequence[str], limit: int, lease: timedelta) -> Sequence[tuple[Any, Any]]:
        assert (dossiers, limit, lease) == (["0123456749"], 4, LEASE)
        return [(claim(attempt=self.attempts.pop(0), content=self.content), None)]

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Any]:
        self.settled += settlements
        return ()


def remembered(rows: OneRow, *answers: bool) -> Remembered:
    return Remembered(cast("Claims", rows), FakeMemory(*answers))


async def test_while_it_is_sure_rows_are_claimed() -> None:
    rows = OneRow(7, 8)
    due = remembered(rows, True)
    assert await due.dossiers_due() == ["0123456749"]
    for attempt in (7, 8):
        pairs = await due.claim(["0123456749"], 4, LEASE)
        assert [taken.attempt for taken, _ in pairs] == [attempt]
    assert rows.settled == []


async def test_while_it_is_not_sure_the_rows_are_not_even_looked_at() -> None:
    rows = OneRow()
    assert await remembered(rows, False).dossiers_due() == ()
    assert rows.asked == 0


async def test_a_claim_over_a_connection_that_proves_forgetful_goes_back_unsent() -> None:
    rows = OneRow(7)
    assert await remembered(rows, False).claim(["0123456749"], 4, LEASE) == ()
    assert [settlement.outcome for settlement in rows.settled] == [Outcome.RELEASED]


async def test_an_attempt_number_that_was_seen_before_goes_back_unsent() -> None:
    rows = OneRow(7, 7)
    due = remembered(rows, True)
    await due.claim(["0123456749"], 4, LEASE)
    assert await due.claim(["0123456749"], 4, LEASE) == ()
    assert [settlement.outcome for settlement in rows.settled] == [Outcome.RELEASED]


async def test_a_recovered_row_without_its_document_is_never_sent_and_its_key_is_free_for_the_next_listing() -> None:
    rows = OneRow(7, content=b"")
    assert await remembered(rows, True).claim(["0123456749"], 4, LEASE) == []
    ended = rows.settled[0]
    assert (ended.to, ended.reason, ended.outcome, ended.maybe_sent) == ("failed", "cancelled", Outcome.RELEASED, False)
