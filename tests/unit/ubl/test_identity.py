import pickle
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ubl.documents import SAMPLE, Document, party
from ubl.identity import Assignment, Direction, Identity, dedupe_key, direction, identify, reference
from ubl.names import Kind
from ubl.safe import Limits, MalformedDocument

OURS = "0123456749"
THEIRS = "0987654394"


def identity(document: Document | None = None) -> Identity:
    return identify((document or Document()).xml())


def test_the_sample_is_identified() -> None:
    found = identify(SAMPLE)
    assert (found.kind, found.type_code, found.number, found.number_key) == (
        Kind.INVOICE,
        "380",
        "INV-2024-001",
        "inv-2024-001",
    )
    assert (found.issue_date, found.currency, found.payable_amount) == (date(2024, 1, 15), "EUR", Decimal("121.00"))
    assert (found.supplier.key, found.supplier.name) == ("SUPPLIER001", "Supplier Company")
    assert (found.customer.key, found.customer.name) == ("CUSTOMER001", "Customer Company")
    assert (found.tax_exclusive_amount, found.tax_inclusive_amount) == (Decimal("100.00"), Decimal("121.00"))
    assert len(found.content_sha256) == 32


def test_an_identity_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(identity())) == identity()


def test_a_document_with_nothing_in_it_is_identified_all_the_same() -> None:
    found = identify(b'<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"/>')
    assert (found.kind, found.type_code) == (Kind.CREDIT_NOTE, "381")
    assert (found.number, found.number_key, found.issue_date, found.currency, found.payable_amount) == (None,) * 5


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-04", date(2026, 3, 4)),
        ("2026-03-04Z", date(2026, 3, 4)),
        ("\n2026-03-04+01:00 ", date(2026, 3, 4)),
        ("2026-02-30", None),
        ("20260304", None),
        ("2026-W10-3", None),
        ("-2026-03-04", None),
        ("٢٠٢٦-03-04", None),
        ("", None),
    ],
)
def test_dates(written: str, read: date | None) -> None:
    assert identity(Document(issued=written)).issue_date == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1.50", Decimal("1.50")),
        (" -1 ", Decimal(-1)),
        ("+.5", Decimal("0.5")),
        ("1.", Decimal(1)),
        ("NaN", None),
        ("INF", None),
        ("1e9", None),
        ("1,5", None),
        ("9" * 21, None),
        ("", None),
    ],
)
def test_amounts(written: str, read: Decimal | None) -> None:
    assert identity(Document(payable=written)).payable_amount == read


def test_limits_can_be_set() -> None:
    with pytest.raises(MalformedDocument):
        identify(SAMPLE, limits=Limits(size=10))


def test_volatile_paths_reach_the_hash() -> None:
    raw = Document(head="<cbc:UUID>1</cbc:UUID>").xml()
    assert identify(raw, volatile=frozenset({"cbc:UUID"})).content_sha256 == identity().content_sha256


def test_a_supplier_of_ours_is_a_sale() -> None:
    assert direction(identity(), frozenset({"BE 0123.456.749"})) == Assignment(OURS, Direction.SALE)


def test_a_customer_of_ours_is_a_purchase() -> None:
    assert direction(identity(), frozenset({"BE0987654394"})) == Assignment(THEIRS, Direction.PURCHASE)


@pytest.mark.parametrize("kind", ["Invoice", "CreditNote"])
def test_a_credit_note_keeps_the_direction(kind: str) -> None:
    assert direction(identity(Document(kind=kind)), frozenset({OURS})) == Assignment(OURS, Direction.SALE)


@pytest.mark.parametrize(("both", "ours"), [(Direction.SALE, OURS), (Direction.PURCHASE, THEIRS)])
def test_between_two_of_ours_the_configured_side_counts(both: Direction, ours: str) -> None:
    assert direction(identity(), frozenset({OURS, THEIRS}), both=both) == Assignment(ours, both)


def test_a_configured_purchase_side_leaves_plain_sales_alone() -> None:
    assert direction(identity(), frozenset({OURS}), both=Direction.PURCHASE) == Assignment(OURS, Direction.SALE)


def test_numbers_of_others_are_nobody_even_with_a_default() -> None:
    assert direction(identity(), frozenset({"1000000021"}), default=OURS) is None


def test_one_foreign_number_is_enough_not_to_go_to_the_default() -> None:
    document = Document(supplier=party(), customer=party(vat="FR40303265045"))
    assert direction(identity(document), frozenset({OURS}), default=OURS) is None


def test_the_sample_goes_to_the_default_administration_as_a_sale() -> None:
    assert direction(identify(SAMPLE), frozenset({OURS}), default="BE0123.456.749") == Assignment(OURS, Direction.SALE)


def test_a_document_without_numbers_and_without_a_default_is_nobodys() -> None:
    assert direction(identify(SAMPLE), frozenset({OURS})) is None


def test_a_member_of_a_vat_group_is_found_by_either_number() -> None:
    document = Document(supplier=party("1000000021", "BE0123456749"))
    assert direction(identity(document), frozenset({OURS})) == Assignment(OURS, Direction.SALE)
    assert direction(identity(document), frozenset({"1000000021"})) == Assignment("1000000021", Direction.SALE)


def test_a_dedupe_key_is_readable() -> None:
    key = dedupe_key(OURS, Direction.SALE, identity(), "S1")
    assert key == "0123456749|SALE|0123456749|0987654394|380|inv-7|2026"


@pytest.mark.parametrize(
    "document",
    [
        Document(number=" inv-7 "),
        Document(issued="2026-12-31"),
        Document(supplier=party(vat="BE 0123.456.749", name="Another name")),
        Document(payable="9.99"),
    ],
)
def test_the_same_business_document_has_the_same_key(document: Document) -> None:
    keys = {dedupe_key(OURS, Direction.SALE, each, "S") for each in (identity(), identity(document))}
    assert len(keys) == 1


@pytest.mark.parametrize(
    "document",
    [
        Document(number="INV-07"),
        Document(issued="2025-03-04"),
        Document(supplier=party("1000000021")),
        Document(customer=party("1000000021")),
        Document(customer=party()),
        Document(type_code="384"),
        Document(kind="CreditNote"),
        Document(issued=""),
    ],
)
def test_another_business_document_has_another_key(document: Document) -> None:
    keys = {dedupe_key(OURS, Direction.SALE, each, "S") for each in (identity(), identity(document))}
    assert len(keys) == 2


def test_administration_and_direction_are_part_of_the_key() -> None:
    one = identity()
    keys = {dedupe_key(ours, side, one, "S") for ours in (OURS, THEIRS) for side in Direction}
    assert len(keys) == 4


@pytest.mark.parametrize("document", [Document(number=""), Document(supplier=party())])
def test_without_a_number_or_a_supplier_the_source_id_is_the_key(document: Document) -> None:
    assert dedupe_key(OURS, Direction.SALE, identity(document), "S1|a") == "0123456749|SALE|source|S1%7Ca"


def test_a_long_key_becomes_its_hash() -> None:
    keys = [dedupe_key(OURS, Direction.SALE, identity(Document(number="9" * length)), "S") for length in (1000, 1001)]
    assert all(key.startswith("sha256:") and len(key) == 71 for key in keys)
    assert keys[0] != keys[1]


parts = st.text("|%2C57a ", max_size=4)


@given(parts, parts, parts, parts)
def test_parts_never_run_into_each_other(one: str, two: str, other_one: str, other_two: str) -> None:
    def key(number: str, kind: str) -> str:
        return dedupe_key(OURS, Direction.SALE, replace(identity(), type_code=kind, number_key="x" + number), "S")

    assert (key(one, two) == key(other_one, other_two)) == ((one, two) == (other_one, other_two))


def test_a_reference_is_the_same_for_ever() -> None:
    expected = UUID("28119d32-f554-5b6d-92b2-e1216d7a0a89")
    assert reference(OURS, "key", 1, b"\0" * 32) == expected


def test_every_part_of_a_reference_counts() -> None:
    made = {
        reference(OURS, "key", 1, b"\0" * 32),
        reference(THEIRS, "key", 1, b"\0" * 32),
        reference(OURS, "key2", 1, b"\0" * 32),
        reference(OURS, "key", 2, b"\0" * 32),
        reference(OURS, "key", 1, b"\1" * 32),
    }
    assert len(made) == 5
    assert {each.version for each in made} == {5}
