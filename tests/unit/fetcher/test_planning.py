"""From items to planned rows: whose document it is, and what starts as invalid."""

from collections.abc import Sequence

import pytest

from common.invoice.stage import Reason, Stage
from fetcher.domain import Listed, listed
from fetcher.planning import ENDED, Ended, Plan, Planner, parked, plan
from tests.unit.ubl.documents import SAMPLE, Document, party
from ubl.identity import Direction, Identity, identify
from ubl.placing import Ours
from ubl.safe import MalformedDocument
from ubl.work import identify_many

US, THEM, OTHER = "0123456749", "0987654394", "0403170701"
OURS = Ours(frozenset({US}), default=None, both=Direction.SALE)


def item(content: bytes = b"<a/>", source_id: str = "s-1") -> Listed:
    return listed(source_id, None, content.decode(), b"")


def planned(document: Document, ours: Ours = OURS) -> Plan:
    return plan(item(document.xml()), identify(document.xml()), ours)


def test_our_supplier_makes_a_sale_under_a_business_key() -> None:
    made = planned(Document())
    assert (made.stage, made.dossier, made.direction) == (Stage.FETCHED, US, Direction.SALE)
    assert made.key == f"{US}|SALE|{US}|{THEM}|380|inv-7|2026"


def test_our_customer_makes_a_purchase() -> None:
    made = planned(Document(supplier=party(THEM), customer=party(US)))
    assert (made.dossier, made.direction) == (US, Direction.PURCHASE)


@pytest.mark.parametrize("both", Direction)
def test_between_two_of_ours_the_configured_side_decides(both: Direction) -> None:
    made = planned(Document(), Ours(frozenset({US, THEM}), None, both))
    assert made.direction is both


def test_a_document_that_is_nobodys_starts_as_invalid_by_its_rule() -> None:
    made = planned(Document(supplier=party(OTHER)))
    assert (made.stage, made.reason, made.dossier, made.key) == (Stage.FAILED, Reason.INVALID, None, None)
    assert made.error is not None
    assert made.error.startswith("LOCAL-ADMIN-01: ")
    assert [finding["rule"] for finding in made.findings] == ["LOCAL-ADMIN-01"]
    assert made.identity is not None
    assert made.identity.number == "INV-7"


def test_a_document_without_numbers_goes_to_the_default_administration() -> None:
    made = plan(item(SAMPLE), identify(SAMPLE), Ours(frozenset(), "BE 0123.456.749", Direction.SALE))
    assert (made.stage, made.dossier, made.direction) == (Stage.FETCHED, US, Direction.SALE)


def test_a_malformed_document_starts_as_invalid_with_the_parsers_words() -> None:
    (answer,) = identify_many([b"<Invoice"])
    made = plan(item(b"<Invoice"), answer, OURS)
    assert (made.stage, made.reason, made.identity) == (Stage.FAILED, Reason.INVALID, None)
    assert made.error is not None
    assert made.error.startswith("LOCAL-XML-01: ")


def test_an_unusable_item_starts_as_invalid_even_when_its_document_is_fine() -> None:
    made = plan(listed(None, None, Document().xml().decode(), b""), identify(Document().xml()), OURS)
    assert (made.stage, made.reason) == (Stage.FAILED, Reason.INVALID)
    assert made.error is not None
    assert made.error.startswith("LOCAL-SOURCE-01: the item's id is missing")


def test_a_row_that_the_database_refuses_keeps_its_bytes_and_the_cause_and_nothing_else() -> None:
    made = parked(planned(Document()), "22003: too \x00 large\n" + "x" * 5000)
    assert (made.stage, made.reason, made.identity, made.key, made.item.text) == (
        Stage.FAILED, Reason.PARKED, None, None, None,
    )  # fmt: skip
    assert made.item.document == Document().xml()
    assert made.error is not None
    assert made.error.startswith("the row cannot be stored: 22003: too   large xxx")
    assert len(made.error) == 1000


async def test_the_planner_answers_in_the_order_of_the_items() -> None:
    asked: list[int] = []

    async def who_is_ours() -> Ours:
        return OURS

    async def identify_them(documents: Sequence[bytes]) -> Sequence[Identity | MalformedDocument]:
        asked.append(len(documents))
        return identify_many(documents)

    items = [item(Document(number=f"N-{n}").xml(), f"s-{n}") for n in range(3)]
    plans = await Planner(identify_them, who_is_ours)([items[0], item(b"<", "bad"), *items[1:]])
    assert [made.item.source_id for made in plans] == ["s-0", "bad", "s-1", "s-2"]
    assert [made.identity.number if made.identity else None for made in plans] == ["N-0", None, "N-1", "N-2"]
    assert asked == [4]


def test_a_document_that_ended_its_reader_is_parked() -> None:
    made = plan(item(b"<Invoice"), Ended(), OURS)
    assert (made.stage, made.reason, made.error) == (Stage.FAILED, Reason.PARKED, ENDED)
