import pytest

from tests.unit.ubl.documents import SAMPLE, Document
from ubl.difference import Change, Difference, difference
from ubl.safe import MalformedDocument


def line(number: str, note: str) -> str:
    return f"<cac:InvoiceLine><cbc:ID>{number}</cbc:ID><cbc:Note>{note}</cbc:Note></cac:InvoiceLine>"


def with_lines(*lines: str) -> bytes:
    start, rest = SAMPLE.decode().split("<cac:InvoiceLine>")
    return (start + "".join(lines) + rest.split("</cac:InvoiceLine>")[1]).encode()


def test_equal_documents_have_no_difference() -> None:
    assert difference(SAMPLE, SAMPLE.replace(b"\n", b"")) == Difference(())


def test_a_changed_field_is_named_with_both_values() -> None:
    changed = SAMPLE.replace(b">100.00</cbc:TaxEx", b">90.00</cbc:TaxEx")
    path = "Invoice/cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"
    assert difference(SAMPLE, changed).changes == (Change(path, "100.00", "90.00"),)


def test_a_changed_attribute_is_a_field() -> None:
    changed = SAMPLE.replace(b'"EA"', b'"KGM"')
    path = "Invoice/cac:InvoiceLine[cbc:ID=1]/cbc:InvoicedQuantity/@unitCode"
    assert difference(SAMPLE, changed).changes == (Change(path, "EA", "KGM"),)


def test_added_and_removed_fields_have_one_value() -> None:
    more = Document(head="<cbc:UUID>u</cbc:UUID>").xml()
    assert difference(Document().xml(), more).changes == (Change("Invoice/cbc:UUID", None, "u"),)
    assert difference(more, Document().xml()).changes == (Change("Invoice/cbc:UUID", "u", None),)


def test_lines_are_matched_by_their_number() -> None:
    found = difference(with_lines(line("1", "a"), line("2", "b")), with_lines(line("2", "c")))
    assert found.changes == (
        Change("Invoice/cac:InvoiceLine[cbc:ID=1]/cbc:ID", "1", None),
        Change("Invoice/cac:InvoiceLine[cbc:ID=1]/cbc:Note", "a", None),
        Change("Invoice/cac:InvoiceLine[cbc:ID=2]/cbc:Note", "b", "c"),
    )


@pytest.mark.parametrize("number", ["1", "", "9" * 41])
def test_lines_without_numbers_of_their_own_are_matched_by_position(number: str) -> None:
    found = difference(
        with_lines(line(number, "a"), line(number, "b")), with_lines(line(number, "a"), line(number, "c"))
    )
    assert found.changes == (Change("Invoice/cac:InvoiceLine[2]/cbc:Note", "b", "c"),)


def test_mixed_text_and_foreign_attributes_are_fields() -> None:
    one = Document(head='<cbc:Note xmlns:x="urn:x" x:k="1">a<x:b k="2"/></cbc:Note>').xml()
    two = one.replace(b">a<", b">b<").replace(b'x:k="1"', b'x:k="3"').replace(b'k="2"', b'k="4"')
    assert [change.path.removeprefix("Invoice/") for change in difference(one, two).changes] == [
        "cbc:Note",
        "cbc:Note/@k",
        "cbc:Note/b/@k",
    ]


def test_the_list_is_cut_and_says_so() -> None:
    found = difference(SAMPLE, Document(kind="CreditNote").xml(), limit=3)
    assert len(found.changes) == 3
    assert found.more > 10


def test_long_values_are_cut() -> None:
    change = difference(SAMPLE, SAMPLE.replace(b"Product", b"P" * 1000)).changes[0]
    assert change.new == "P" * 500 + "…"


def test_a_malformed_document_is_said_to_be_one() -> None:
    with pytest.raises(MalformedDocument):
        difference(SAMPLE, b"<")
