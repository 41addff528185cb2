"""Identifying in workers that die."""

import pytest

from common.errors import RetryableError
from fetcher.adapters.workers import DEATHS, WorkerIdentification
from fetcher.planning import Ended
from tests.unit.ubl.documents import Document
from ubl.identity import Identity
from ubl.safe import MalformedDocument
from ubl.work import identify_many

DOCUMENTS = [Document(number=f"N-{n}").xml() for n in range(3)]


class Workers:
    """Die of poison, or of whatever is in hand `unlucky` times."""

    def __init__(self, *, unlucky: int = 0) -> None:
        self.unlucky = unlucky
        self.sizes: list[int] = []

    async def run(self, function: object, documents: list[bytes]) -> list[Identity | MalformedDocument]:
        self.sizes.append(len(documents))
        if self.unlucky or b"poison" in documents:
            self.unlucky = max(0, self.unlucky - 1)
            raise RetryableError("a worker process died with this batch in hand")
        return identify_many(documents)


async def test_a_page_is_one_piece_of_work() -> None:
    workers = Workers()
    assert await WorkerIdentification(workers.run)(DOCUMENTS) == identify_many(DOCUMENTS)
    assert workers.sizes == [3]


@pytest.mark.parametrize("unlucky", [1, DEATHS - 1])
async def test_a_worker_that_is_killed_costs_time_and_no_document(unlucky: int) -> None:
    workers = Workers(unlucky=unlucky)
    assert await WorkerIdentification(workers.run)(DOCUMENTS) == identify_many(DOCUMENTS)


async def test_a_document_that_ends_its_worker_three_times_alone_is_parked_and_stops_no_page() -> None:
    workers = Workers()
    answers = await WorkerIdentification(workers.run)([DOCUMENTS[0], b"poison", DOCUMENTS[1]])
    assert [isinstance(answer, Ended) for answer in answers] == [False, True, False]
    assert workers.sizes == [3, 1, *[1] * DEATHS, 1]
