"""A bad record never stops the good ones, and its bytes stay as they were."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from common.db.pool import Database
from fetcher.adapters.postgres_pages import PostgresPages
from fetcher.domain import Listed, listed
from fetcher.planning import Plan
from fetcher.ports import LeaseLost
from tests.integration.fetcher.world import World, document, item, page
from tests.unit.ubl.documents import party
from ubl.identity import Identity
from validator.adapters.postgres import PostgresRows

pytestmark = pytest.mark.stack

LATIN = '<?xml version="1.0" encoding="ISO-8859-1"?>' + document("É-1").replace(
    "A company", "Crème & fils".replace("&", "et")
)


async def validators_bytes(database: Database, row_id: UUID) -> bytes:
    """What the validator (and, by the same rule, the sender) takes as the document."""
    (found,) = await PostgresRows(database).read([(row_id, 1)])
    return found.content


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (document("é €"), document("é €").encode()),
        (LATIN, LATIN.encode("iso-8859-1")),
        (LATIN.replace("ISO-8859-1", "utf-16"), LATIN.replace("ISO-8859-1", "utf-16").encode("utf-16")),
        ("\ufeff" + document("bom"), b"\xef\xbb\xbf" + document("bom").encode()),
    ],
)
async def test_a_document_goes_to_the_validator_in_the_very_bytes_of_its_encoding(
    world: World, text: str, content: bytes
) -> None:
    (moved,) = await world.listing(item("s-1", text))
    assert moved.stage == "fetched"
    assert await validators_bytes(world.database, moved.id) == content


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("<Invoice", b"<Invoice"),
        ("", b""),
        ("<a>\x00</a>", b"<a>\x00</a>"),
        ("<a>\ud800</a>", b"<a>\xed\xa0\x80</a>"),
        ('<?xml version="1.0" encoding="undefined"?><a/>', b'<?xml version="1.0" encoding="undefined"?><a/>'),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    ],
)
async def test_a_malformed_document_is_an_invalid_invoice_with_its_raw_bytes(
    world: World, text: str, content: bytes
) -> None:
    bad, good = await world.listing(item("bad", text), item("good"))
    row = await world.row(bad.id)
    assert (row["status"], row["reason"], row["dossier"]) == ("failed", "invalid", None)
    assert row["error_message"].startswith("LOCAL-XML-")
    assert row["findings"][0]["rule"].startswith("LOCAL-XML-")
    assert (row["raw"] if row["raw"] is not None else row["ubl_data"].encode()) == content
    assert good.stage == "fetched"


async def test_a_document_in_bytes_has_an_empty_text_and_one_in_text_no_bytes(world: World) -> None:
    latin, usual = await world.listing(item("latin", LATIN), item("usual"))
    assert (await world.row(latin.id))["ubl_data"] == ""
    assert (await world.row(usual.id))["raw"] is None


@pytest.mark.parametrize("source_id", ["x" * 256, "", None, 1.5, "a\x00b"])
async def test_an_item_whose_id_cannot_be_used_is_an_invalid_invoice_that_says_so(
    world: World, source_id: object
) -> None:
    odd = listed(source_id, None, document("odd"), b"")
    bad, good = await world.listing(odd, item("good"))
    row = await world.row(bad.id)
    assert (row["status"], row["reason"]) == ("failed", "invalid")
    assert row["error_message"].startswith("LOCAL-SOURCE-01: the item's id is missing, longer than 255")
    assert row["ubl_data"] == document("odd")
    assert good.stage == "fetched"


async def test_an_item_without_a_document_keeps_all_of_the_item(world: World) -> None:
    (bad,) = await world.listing(item("s-1", 7))
    row = await world.row(bad.id)
    assert (row["error_message"], row["raw"]) == ("LOCAL-SOURCE-01: there is no document", b'{"raw":"item"}')


async def test_a_document_that_is_nobodys_is_invalid_by_its_rule_and_holds_no_key(world: World) -> None:
    (bad,) = await world.listing(item("s-1", document("N-1", supplier=party("0403170701"))))
    row = await world.row(bad.id)
    assert (row["status"], row["reason"], row["number"]) == ("failed", "invalid", "N-1")
    assert row["error_message"].startswith("LOCAL-ADMIN-01: ")
    assert await world.count("invoice_keys") == 0


@pytest.mark.parametrize("amount", ["NaN", "1e999", "9" * 400, "INF", "-", "9" * 20 + "." + "9" * 20])
async def test_an_absurd_amount_is_no_reason_to_stop_a_page(world: World, amount: str) -> None:
    odd, good = await world.listing(item("odd", document("odd", payable=amount)), item("good"))
    assert (odd.stage, good.stage) == ("fetched", "fetched")
    row = await world.row(odd.id)
    assert row["amount"] is None or str(row["amount"]) == amount


async def test_a_number_longer_than_any_index_takes_is_clipped_in_its_column_and_nowhere_else(world: World) -> None:
    number = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(10_000))  # no two alike: it does not compress
    odd, good = await world.listing(item("odd", document(number)), item("good"))
    row = await world.row(odd.id)
    assert (odd.stage, good.stage) == ("fetched", "fetched")
    assert row["number"] == number[:255]
    assert row["dedupe_key"].startswith("sha256:")
    assert number in row["ubl_data"]


class Spoilt(PostgresPages):
    """Plans rows that the database refuses, as a defect of ours would."""

    def __init__(self, world: World, spoil: dict[str, Identity]) -> None:
        async def plan(items: Sequence[Listed]) -> list[Plan]:
            plans = await world.plan(items)
            return [replace(p, identity=spoil.get(p.item.source_id, p.identity)) for p in plans]

        super().__init__(world.database, plan, lease=timedelta(seconds=15))


async def spoilt(world: World, *ids: str) -> Spoilt:
    (plan,) = await world.plan([item("x")])
    assert plan.identity is not None
    identity = replace(plan.identity, currency="EUR", supplier=replace(plan.identity.supplier, name="a\x00b"))
    return Spoilt(world, dict.fromkeys(ids, identity))


async def test_rows_that_the_database_refuses_are_parked_and_the_rest_of_the_page_goes_on(world: World) -> None:
    job = await world.job()
    pages = await spoilt(world, "s-3", "s-7")
    moved = await pages.record(job, page(*(item(f"s-{n}") for n in range(10))))
    assert {m.source_id for m in moved if m.stage == "fetched"} == {f"s-{n}" for n in range(10)} - {"s-3", "s-7"}
    for bad in (m for m in moved if m.stage == "failed"):
        row = await world.row(bad.id)
        assert (row["status"], row["reason"], row["dossier"], row["number"]) == ("failed", "parked", None, None)
        assert row["error_message"].startswith("the row cannot be stored: 22021")
        assert row["raw"] == document(bad.source_id).encode()
    assert await world.fates(job) == [["new"] * 10]
    assert await world.count("invoice_keys") == 8
    assert await world.count("invoice_events") == 10


async def test_a_parked_row_holds_no_key_so_the_mended_document_goes_its_way(world: World) -> None:
    await (await spoilt(world, "s-1")).record(await world.job(), page(item("s-1")))
    (again,) = await world.listing(item("s-2", document("s-1")))
    assert again.stage == "fetched"


async def test_a_lost_lease_is_told_as_such_even_where_a_row_would_be_parked(world: World) -> None:
    job = await world.job()
    await world.database.execute("UPDATE jobs SET lease_token = NULL")
    with pytest.raises(LeaseLost):
        await (await spoilt(world, "s-1")).record(job, page(item("s-1"), item("s-2")))
    assert (await world.count(), await world.count("job_pages"), await world.count("invoice_keys")) == (0, 0, 0)
