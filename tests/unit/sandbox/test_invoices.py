import random
import re
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.check_digits import is_structured_communication
from sandbox.facts import facts_of
from sandbox.invoices import ADMINISTRATIONS, BENCH_1, DEMO, Corpus, Kind, document
from sandbox.invoices.amounts import draw_bill
from ubl import profile, reading

CENT = Decimal("0.01")


def half_up(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@given(st.integers(0, 10**9), st.integers(1, 60))
@settings(max_examples=60)
def test_every_bill_adds_up(seed: int, count: int) -> None:
    bill = draw_bill(random.Random(seed), count)
    assert len(bill.lines) == count
    assert all(line.net == half_up(line.quantity * line.price) - line.allowance for line in bill.lines)
    assert bill.line_total == sum(line.net for line in bill.lines)
    assert sum(bill.taxable.values()) == bill.exclusive == bill.line_total - bill.allowances + bill.charges
    assert all(bill.taxes[tax] == half_up(amount * tax.rate / 100) for tax, amount in bill.taxable.items())
    assert bill.payable + bill.prepaid == bill.inclusive == bill.exclusive + sum(bill.taxes.values())
    assert bill.payable > 0


@given(st.integers(0, 10**6), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_every_document_satisfies_the_schema_and_the_basic_rules(seed: int, n: int) -> None:
    made = document(seed, n, lines=DEMO)
    verdict = profile.load("basic").validate(made.ubl)
    assert verdict.valid, (made.number, verdict.findings)


def test_the_same_seed_and_place_give_the_same_bytes() -> None:
    assert document(5, 17) == document(5, 17)
    assert document(5, 17).ubl != document(6, 17).ubl


def test_a_document_pays_to_the_supplier_with_a_right_structured_communication() -> None:
    for n in range(50):
        found = re.search(rb"<cbc:PaymentID>([^<]+)<", document(1, n).ubl)
        assert found
        assert is_structured_communication(found[1].decode())


def test_a_corpus_has_every_rate_reverse_charge_allowances_charges_and_both_directions() -> None:
    documents = [document(1, n) for n in range(600)]
    text = b"".join(made.ubl for made in documents).decode()
    assert set(re.findall(r"<cbc:Percent>(\d+)</cbc:Percent>", text)) == {"0", "6", "12", "21"}
    assert set(re.findall(r"<cac:ClassifiedTaxCategory>\s*<cbc:ID>(\w+)<", text)) == {"S", "Z", "AE"}
    assert {"true", "false"} == set(re.findall(r"<cbc:ChargeIndicator>(\w+)<", text))
    assert "PrepaidAmount" in text
    ours = {party.number for party in ADMINISTRATIONS}
    suppliers = {facts_of(made.ubl).supplier for made in documents}
    assert ours < suppliers, "sales of every administration, and purchases"
    assert all(any(number in made.ubl.decode() for number in ours) for made in documents)
    assert 0.05 < sum(made.kind is Kind.CREDIT_NOTE for made in documents) / 600 < 0.15


def test_bench_1_has_the_line_counts_of_its_definition() -> None:
    counts = [
        len(re.findall(rb"<cac:(?:Invoice|CreditNote)Line>", document(1, n, lines=BENCH_1).ubl)) for n in range(3000)
    ]
    assert max(counts) <= 50
    assert min(counts) == 1
    assert 0.96 <= sum(count <= 10 for count in counts) / 3000 <= 0.98


def test_documents_reach_five_hundred_lines() -> None:
    made = document(1, 0, lines=((1.0, 500, 500),))
    assert len(reading.read(made.ubl).lines) == 500
    assert profile.load("basic").validate(made.ubl).valid


def test_numbers_are_unique_in_a_corpus() -> None:
    numbers = [made.number for made in Corpus(3, 500)]
    assert len(set(numbers)) == 500
