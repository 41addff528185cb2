"""What the sender writes down of its destination, on the real PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from common.db.pool import Database
from sender.adapters.destination_reachability import destination_look

pytestmark = pytest.mark.stack


@dataclass
class FakeDestination:
    why: str | None = None
    missing: Sequence[str] | str = ()

    async def probe(self) -> str | None:
        return self.why

    async def unreachable(self, administrations: Sequence[str]) -> Sequence[str] | str:
        return [number for number in administrations if number in self.missing] if self.missing else self.missing


@pytest.mark.parametrize(
    ("destination", "found"),
    [
        (FakeDestination(), {"destination": (True, None), "administrations": (True, "all 2")}),
        (
            FakeDestination(missing=("0202239951",)),
            {"destination": (True, None), "administrations": (False, "not reachable: 0202239951")},
        ),
        (
            FakeDestination(why="answered 401"),
            {"destination": (False, "answered 401"), "administrations": (None, "the destination does not answer")},
        ),
    ],
)
async def test_the_administrations_are_asked_for_where_the_destination_answers(
    database: Database, destination: FakeDestination, found: dict[str, tuple[bool | None, str | None]]
) -> None:
    sql = "INSERT INTO administrations (enterprise_number) VALUES ('0123456749'), ('0202239951')"
    await database.execute(sql)
    assert {one.name: (one.ok, one.why) for one in await destination_look(destination, database)()} == found
