"""Searching invoices, and taking them away as files."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.domain.documents import Differences
from gateway.domain.held import Comparison, FieldChange, OtherVersion
from tests.unit.cli.desk import Desk
from tests.unit.gateway.fakes import NOON, invoice
from tests.unit.gateway.invoice_strategies import uuid7_at
from tests.unit.ubl.documents import SAMPLE


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "config").signed_in()
    made.world.invoices.looked_at = 2
    made.world.invoices.rows = [
        invoice(id=uuid7_at(NOON - timedelta(hours=hour), hour), number=f"2026/1{hour}", supplier_name="Café Élysée")
        for hour in range(7)
    ]
    return made


def test_a_search_goes_through_all_pages_also_empty_ones(desk: Desk) -> None:
    found = desk("invoices", "search", "1", "--where", "status=sent", "--json")
    assert [item["number"] for item in json.loads(found.stdout)["items"]] == [f"2026/1{hour}" for hour in range(7)]
    desk.world.invoices.rows[6] = invoice(id=desk.world.invoices.rows[6].id, customer_name="Oldest BV")
    assert "SRC-1" in desk("invoices", "search", "oldest").stdout


def test_a_search_ends_when_there_are_enough(desk: Desk) -> None:
    found = desk("invoices", "search", "café", "--limit", "3", "--json")
    assert len(json.loads(found.stdout)["items"]) == 3


def test_a_search_that_finds_nothing_says_so(desk: Desk) -> None:
    found = desk("invoices", "search", "nowhere")
    assert (found.exit_code, found.stdout) == (0, "no invoice matches\n")


def test_a_criterion_that_is_none_is_used_wrongly(desk: Desk) -> None:
    found = desk("invoices", "list", "--where", "suplier=x")
    assert found.exit_code == 2
    assert "supplier" in found.stderr


def test_an_export_is_a_whole_file(desk: Desk, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    found = desk("invoices", "export", "--format", "csv", "--output", str(output), "--where", "supplier=café")
    assert (found.exit_code, found.stdout) == (0, "")
    with output.open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 7
    assert "7 invoices" in found.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.csv"]


def test_an_export_that_is_cut_fails_loudly_and_is_kept(desk: Desk, tmp_path: Path) -> None:
    desk.world.invoices.most = 3
    output = tmp_path / "out.json"
    found = desk("invoices", "export", "--format", "json", "--output", str(output))
    assert found.exit_code == 1
    assert "narrow it" in found.stderr
    assert json.loads(output.read_text(encoding="utf-8"))["cut"]


def test_a_refused_export_leaves_no_file(desk: Desk, tmp_path: Path) -> None:
    found = desk("invoices", "export", "--format", "xls", "--output", str(tmp_path / "out.xls"))
    assert found.exit_code == 1
    assert "VALIDATION_ERROR" in found.stderr
    assert not (tmp_path / "out.xls").exists()


def test_a_file_that_cannot_be_written_is_one_line(desk: Desk, tmp_path: Path) -> None:
    found = desk("invoices", "export", "--output", str(tmp_path / "nowhere" / "out.csv"))
    assert found.exit_code == 1
    assert "No such file" in found.stderr


def test_a_document_comes_byte_for_byte(desk: Desk, tmp_path: Path) -> None:
    assert desk("invoices", "ubl", "2026/13").stdout_bytes == SAMPLE
    output = tmp_path / "invoice.xml"
    assert desk("invoices", "ubl", "2026/13", "-o", str(output)).exit_code == 0
    assert output.read_bytes() == SAMPLE


def test_a_document_of_one_of_two_has_to_be_said_which(desk: Desk) -> None:
    desk.world.invoices.rows[0] = invoice(number="2026/13")
    found = desk("invoices", "ubl", "2026/13")
    assert found.exit_code == 1
    assert str(desk.world.invoices.rows[3].id) in found.stderr


def test_a_document_is_read_as_an_accountant_reads_it(desk: Desk) -> None:
    read = desk("invoices", "read", "2026/13").stdout
    for said in ("INV-2024-001", "Product Description", "10 EA", "to pay", "121.00"):
        assert said in read
    assert json.loads(desk("invoices", "read", "2026/13", "--json").stdout)["totals"]["payable"] == "121.00"


def test_a_version_is_compared_with_the_one_that_holds_its_place(desk: Desk) -> None:
    row = desk.world.invoices.rows[3]
    assert desk("invoices", "differences", "2026/13").stdout == "no other version holds its place\n"
    other = OtherVersion(uuid4(), "SRC-0", "2026/12", "sent", "sent", None, None, "EUR", None, None, None, "cf-1")
    changes = [FieldChange("Invoice/cbc:ID", "A", "B")]
    desk.world.invoices.compared[row.id] = Differences(row.id, other, Comparison(changes))
    said = desk("invoices", "differences", "2026/13").stdout
    assert f"2026/12, sent, row {other.id}" in said
    assert "Invoice/cbc:ID" in said
    assert json.loads(desk("invoices", "differences", "2026/13", "--json").stdout)["other"]["uuid"] == "cf-1"
