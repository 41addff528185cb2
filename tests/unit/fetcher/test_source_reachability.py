"""Whether the source answers, asked long before the night."""

from common.db.reachability import Reached
from fetcher.adapters.source_reachability import source_look
from fetcher.ports import SourceRefused, SourceUnavailable
from tests.unit.fetcher.fakes import NOW, FakeSource


async def test_a_page_of_what_is_new_is_asked_for_and_thrown_away() -> None:
    source = FakeSource([("SRC-1", NOW, "<Invoice/>")])
    assert await source_look(source)() == [Reached("source", ok=True)]
    ((cursor, since, ids),) = source.asked
    assert (cursor, ids) == (None, None)
    assert since


async def test_one_that_is_away_or_refuses_us_says_why() -> None:
    faults = (
        SourceUnavailable("answered 503", endpoint="http://source/invoices", status_code=503),
        SourceRefused("answered 401", endpoint="http://source/invoices", status_code=401),
    )
    look = source_look(FakeSource([], faults=list(faults)))
    found = [await look() for _ in faults]
    assert found == [
        [Reached("source", ok=False, why="http://source/invoices: answered 503")],
        [Reached("source", ok=False, why="http://source/invoices: answered 401")],
    ]
