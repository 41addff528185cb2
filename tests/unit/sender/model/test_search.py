"""Everything that may happen to one row, searched whole; and broken senders, each of which the search must catch."""

from dataclasses import replace

import pytest

from common.invoice.stage import Stage
from tests.unit.sender.model.core import Core, broken_promise
from tests.unit.sender.model.search import search
from tests.unit.sender.model.world import LEASE, OLD, RULES, TICK, Row, Worker


def test_no_order_of_events_sends_a_row_twice_loses_it_or_lets_it_hang() -> None:
    searched = search(Core(), Row())
    print(f"{searched.states} states")
    assert searched.trace == (), searched.promise
    assert searched.stuck == ()
    assert searched.states > 50_000
    assert searched.stages == set(Stage) - {Stage.FETCHED, Stage.DUPLICATE}


class LeaseBackToValidated(Core):
    """What ran out is simply sent again."""

    after_lease = Stage.VALIDATED


class ResendAfterLookupsAlone(Core):
    """Absent twice is taken for proof, however old the key is."""

    rules = replace(RULES, key_life=100 * OLD * TICK)


class ClaimWithoutLookingAtTheKey(Core):
    """The key was alive when the lookups were judged; how long the row then waited is not looked at."""

    def time_to_leave(self, row: Row) -> int:
        return LEASE


class CompareAndSetWithoutTheVersion(Core):
    """Whoever comes with an answer moves the row, as long as it is being sent."""

    def is_mine(self, worker: Worker) -> bool:
        return True


class MaybeSentFreesItsKey(Core):
    """A failed row frees its key, whatever may have become of its attempts."""

    def frees_its_key(self, row: Row) -> bool:
        return row.stage is Stage.FAILED


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (LeaseBackToValidated, "sent twice"),
        (ResendAfterLookupsAlone, "sent twice"),
        (ClaimWithoutLookingAtTheKey, "sent twice"),
        (CompareAndSetWithoutTheVersion, "an attempt in flight was moved by another's answer"),
        (MaybeSentFreesItsKey, "sent twice"),
    ],
)
def test_the_search_catches_a_broken_sender(broken: type[Core], promise: str) -> None:
    searched = search(broken(), Row(), promise=lambda row: promise if broken_promise(row) == promise else None)
    print(f"{searched.states} states; {' · '.join(searched.trace)}")
    assert searched.promise == promise
