import pickle
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ubl.documents import INVOICE_NAMESPACES, SAMPLE, Document, amount, official
from ubl.names import Kind
from ubl.profile import Validator, load
from ubl.rules import ENGINE_ERROR, NOT_OURS, local_findings
from ubl.safe import Limits, parse
from ubl.schema import compile_schemas, schema_folder
from ubl.verdict import Layer, Severity, Verdict


def verdict(document: Document | bytes) -> Verdict:
    return load("basic").validate(document if isinstance(document, bytes) else document.xml())


def rules(document: Document | bytes) -> list[str]:
    return [finding.rule for finding in verdict(document).findings]


def tax(value: str, currency: str = "EUR") -> str:
    return f'<cac:TaxTotal><cbc:TaxAmount currencyID="{currency}">{value}</cbc:TaxAmount></cac:TaxTotal>'


def allowance(value: str, *, charge: bool) -> str:
    indicator = f"<cbc:ChargeIndicator>{str(charge).lower()}</cbc:ChargeIndicator>"
    return f"<cac:AllowanceCharge>{indicator}{amount('Amount', value)}</cac:AllowanceCharge>"


def test_the_sample_is_valid_and_warned_about_its_order() -> None:
    found = verdict(SAMPLE)
    assert found.valid
    assert [(each.rule, each.severity) for each in found.findings] == [("XSD-ORDER", Severity.WARNING)]
    assert found.findings[0].location == "Invoice/cac:LegalMonetaryTotal"
    assert found.findings[0].line == SAMPLE[: SAMPLE.index(b"<cac:Legal")].count(b"\n") + 1


@pytest.mark.parametrize("kind", ["Invoice", "CreditNote"])
def test_a_plain_document_has_no_findings(kind: str) -> None:
    assert verdict(Document(kind=kind)) == Verdict("basic", "ubl-2.1+local-1", valid=True)


def test_official_documents_are_valid() -> None:
    paths = list(official())
    if not paths:
        pytest.skip("the official example documents are not here")
    assert {path.name: found for path in paths if not (found := verdict(path.read_bytes())).valid} == {}


def test_a_schema_error_has_rule_place_and_line_and_stops_the_rules() -> None:
    raw = SAMPLE.replace(b'<cbc:PayableAmount currencyID="EUR">121', b"<cbc:PayableAmount>999")
    fatal = [each for each in verdict(raw).findings if each.severity is Severity.FATAL]
    assert not verdict(raw).valid
    assert [each.rule for each in fatal] == ["XSD-CVC-COMPLEX-TYPE-4"]
    assert fatal[0].location == "Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"
    assert fatal[0].message == "Element 'PayableAmount': The attribute 'currencyID' is required but missing."
    assert fatal[0].line == raw[: raw.index(b"<cbc:Payable")].count(b"\n") + 1
    assert fatal[0].layer is Layer.XSD


def test_a_place_in_foreign_prefixes_is_found() -> None:
    raw = (
        SAMPLE.replace(b"cbc:", b"b:")
        .replace(b"xmlns:cbc", b"xmlns:b")
        .replace(b'<b:PayableAmount currencyID="EUR">', b"<b:PayableAmount>")
    )
    assert verdict(raw).findings[-1].location == "Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"


def test_a_place_whose_prefix_is_declared_further_down_is_left_out() -> None:
    raw = SAMPLE.replace(b"<cac:Item>", b'<z:Item xmlns:z="urn:z"/><cac:Item>')
    assert verdict(raw).findings[-1].location is None


def test_an_element_that_ubl_does_not_know_is_fatal() -> None:
    assert rules(SAMPLE.replace(b"<cbc:ID>INV", b"<cbc:Unknown/><cbc:ID>INV")) == ["XSD-ELEMENT-CONTENT"]


def test_order_below_the_root_is_fatal() -> None:
    raw = Document().xml()
    head, totals, tail = re.split(rb"(?<=<cac:LegalMonetaryTotal>)(.*)(?=</cac:LegalMonetaryTotal>)", raw)
    parts = re.findall(rb"<cbc:.*?</cbc:\w+>", totals)
    assert not verdict(head + b"".join(reversed(parts)) + tail).valid


def test_findings_of_the_schema_are_bounded() -> None:
    assert len(verdict(Document(head="<cbc:Note bad=''/>" * 100).xml()).findings) == 50


def test_a_schema_hint_in_the_document_loads_nothing() -> None:
    hint = (
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="urn:x file:///nowhere.xsd" xsi:noNamespaceSchemaLocation="http://127.0.0.1:9/x.xsd"'
    )
    assert verdict(Document().xml().replace(b"<Invoice", f"<Invoice{hint}".encode())).valid


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"<", "LOCAL-XML-01"),
        (f"<!DOCTYPE x><Invoice {INVOICE_NAMESPACES}/>".encode(), "LOCAL-XML-02"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "LOCAL-XML-03"),
        (SAMPLE + b" " * 10_000, "LOCAL-XML-04"),
        (f"<Invoice {INVOICE_NAMESPACES}>{'<cac:Party>' * 70}{'</cac:Party>' * 70}</Invoice>".encode(), "LOCAL-XML-05"),
        (b"<a/>", "LOCAL-XML-07"),
    ],
)
def test_malformed_documents_are_invalid(raw: bytes, rule: str) -> None:
    validator = Validator("basic", compile_schemas(), Limits(size=10_000))
    found = validator.validate(raw)
    assert (found.valid, [each.rule for each in found.findings]) == (False, [rule])


def test_an_attachment_too_large_has_a_rule_of_its_own() -> None:
    raw = f"<Invoice {INVOICE_NAMESPACES}><cbc:Note>{'A' * 10_100_000}</cbc:Note></Invoice>".encode()
    assert rules(raw) == ["LOCAL-XML-06"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(Document(number=" "), "LOCAL-ID-01", id="no number"),
        pytest.param(Document(issued="1999-12-31"), "LOCAL-DATE-02", id="long ago"),
        pytest.param(Document(issued="2100-01-01"), "LOCAL-DATE-02", id="far away"),
        pytest.param(Document(issued="-2026-01-01"), "LOCAL-DATE-01", id="before Christ"),
        pytest.param(Document(supplier=""), "LOCAL-PARTY-01", id="no supplier"),
        pytest.param(Document(customer=""), "LOCAL-PARTY-02", id="no customer"),
        pytest.param(Document(line_amount="99.97", exclusive="99.97"), "LOCAL-TOTAL-01", id="lines"),
        pytest.param(Document(exclusive="100.03"), "LOCAL-TOTAL-02", id="without tax"),
        pytest.param(Document(before_totals=tax("20.97")), "LOCAL-TOTAL-03", id="with tax"),
        pytest.param(Document(payable="121.03"), "LOCAL-TOTAL-04", id="payable"),
        pytest.param(
            Document(before_totals=allowance("10.00", charge=False)), "LOCAL-TOTAL-02", id="an allowance left out"
        ),
    ],
)
def test_one_thing_wrong_is_one_fatal_finding(document: Document, expected: str) -> None:
    assert rules(document) == [expected]
    assert not verdict(document).valid


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(Document(line_amount="100.02", exclusive="100.02"), id="within two cents"),
        pytest.param(Document(before_totals=tax("21.02")), id="tax within two cents"),
        pytest.param(Document(before_totals=tax("21.00") + tax("24.00", "USD")), id="tax in another currency as well"),
        pytest.param(Document(before_totals=tax("24.00", "USD")), id="tax in another currency only"),
        pytest.param(
            Document(
                before_totals=allowance("10.00", charge=False) + allowance("4.00", charge=True),
                exclusive="94.00",
                inclusive="94.00",
                payable="94.00",
            ),
            id="allowances and charges of the document",
        ),
        pytest.param(
            Document(
                in_totals=amount("AllowanceTotalAmount", "10.00")
                + amount("ChargeTotalAmount", "4.00")
                + amount("PrepaidAmount", "50.00")
                + amount("PayableRoundingAmount", "-0.04"),
                exclusive="94.00",
                inclusive="94.00",
                payable="43.96",
            ),
            id="stated totals, prepaid and rounding",
        ),
        pytest.param(Document(supplier="<cac:PartyName><cbc:Name>x</cbc:Name></cac:PartyName>"), id="a name is enough"),
        pytest.param(
            Document(supplier="<cac:PartyIdentification><cbc:ID>x</cbc:ID></cac:PartyIdentification>"),
            id="a number is enough",
        ),
    ],
)
def test_what_adds_up_is_valid(document: Document) -> None:
    assert rules(document) == []


@pytest.mark.parametrize(
    "document",
    [
        Document(head="<cbc:DueDate>2026-03-03</cbc:DueDate>"),
        Document(
            kind="CreditNote",
            before_totals="<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>"
            "<cbc:PaymentDueDate>2026-03-03</cbc:PaymentDueDate></cac:PaymentMeans>",
        ),
    ],
)
def test_a_due_date_before_the_issue_date_is_a_warning(document: Document) -> None:
    assert rules(document) == ["LOCAL-DATE-03"]
    assert verdict(document).valid


def test_a_due_date_on_the_issue_date_is_fine() -> None:
    assert rules(Document(head="<cbc:DueDate>2026-03-04</cbc:DueDate>")) == []


def test_amounts_that_are_missing_are_not_added_up() -> None:
    raw = Document(payable="5.00").xml()
    for tag in (b"LineExtensionAmount", b"TaxExclusiveAmount", b"TaxInclusiveAmount"):
        raw = re.sub(b"(<cac:LegalMonetaryTotal>.*?)<cbc:%b.*?</cbc:%b>" % (tag, tag), rb"\1", raw)
    assert rules(raw) == []


def test_our_rules_stand_on_their_own() -> None:
    root = parse(f"<Invoice {INVOICE_NAMESPACES}/>".encode())
    assert [each.rule for each in local_findings(root)] == [
        "LOCAL-ID-01",
        "LOCAL-DATE-01",
        "LOCAL-PARTY-01",
        "LOCAL-PARTY-02",
        "LOCAL-LINE-01",
    ]


def test_a_local_finding_says_where() -> None:
    found = verdict(Document(payable="121.03")).findings[0]
    assert (found.location, found.line) == ("Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount", 1)
    assert found.message == "PayableAmount is 121.03, but the amount with tax less prepaid plus rounding is 121.00"


def test_a_repeated_element_is_numbered_in_its_place() -> None:
    raw = SAMPLE.replace(b"</cac:InvoiceLine>", b"</cac:InvoiceLine><cac:InvoiceLine/>")
    assert verdict(raw).findings[-1].location == "Invoice/cac:InvoiceLine[2]"


def test_an_engine_that_fails_is_a_fatal_finding() -> None:
    found = Validator("basic", {}).validate(SAMPLE)
    assert (found.valid, found.findings[0].rule) == (False, "RULE-ENGINE-ERROR")


def test_a_verdict_travels_between_processes() -> None:
    found = verdict(SAMPLE.replace(b"INV-2024-001", b""))
    assert pickle.loads(pickle.dumps(found)) == found


def test_the_schemas_name_no_file_outside_their_folder() -> None:
    top = schema_folder().parent.resolve()
    for path in top.rglob("*.xsd"):
        for location in re.findall(r'schemaLocation\s*=\s*"([^"]*)"', path.read_text("utf-8")):
            assert (path.parent / location).resolve().is_relative_to(top), (path.name, location)
            assert (path.parent / location).is_file(), (path.name, location)


def test_the_schemas_are_those_of_oasis() -> None:
    for name in ("Invoice", "CreditNote"):
        text = (schema_folder() / f"UBL-{name}-2.1.xsd").read_text("utf-8")
        assert "OASIS Universal Business Language (UBL) 2.1 OS" in text
        assert set(compile_schemas()) == set(Kind)


def test_not_ours_is_fatal() -> None:
    assert (NOT_OURS.rule, NOT_OURS.severity) == ("LOCAL-ADMIN-01", Severity.FATAL)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 30), st.binary(max_size=5)), max_size=4))
def test_no_bytes_break_the_engine(edits: list[tuple[int, int, bytes]]) -> None:
    raw = SAMPLE
    for at, length, new in edits:
        raw = raw[:at] + new + raw[at + length :]
    assert ENGINE_ERROR not in rules(raw)


TAGS = sorted(set(re.findall(rb"</?c[ab]c:\w+>", SAMPLE)))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=3))
def test_no_exchange_of_tags_breaks_the_engine(exchanges: list[tuple[bytes, bytes]]) -> None:
    raw = SAMPLE
    for old, new in exchanges:
        names = old.strip(b"</>"), new.strip(b"</>")
        raw = re.sub(b"(</?)%b(?=[ >])" % names[0], rb"\1" + names[1], raw)
    assert ENGINE_ERROR not in rules(raw)


@given(st.decimals("0.00", "9999.99", places=2), st.integers(-5, 5))
def test_the_tolerance_is_two_cents(payable: Decimal, cents: int) -> None:
    total = payable + 10
    document = replace(Document(), inclusive=f"{total}", payable=f"{total + Decimal(cents) / 100}")
    assert rules(document) == ([] if abs(cents) <= 2 else ["LOCAL-TOTAL-04"])
