from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.catalogue import CorpusCatalogue
from sandbox.destination import Destination
from sandbox.faults import STATUSES
from sandbox.invoices import Corpus
from sandbox.ledger import Ledger
from sandbox.source import Source
from tests.unit.sandbox.calls import TOKEN, content, get, post_invoice

DOCS = Path(__file__).parents[3] / "docs" / "api"


def contract(name: str) -> dict[str, Any]:
    return yaml.safe_load((DOCS / f"{name}.openapi.yaml").read_text(encoding="utf-8"))


def schema(name: str, part: str) -> dict[str, Any]:
    return contract(name)["components"]["schemas"][part]


def conforms(value: dict[str, Any], part: dict[str, Any]) -> bool:
    """Every required property is there, and every property is a documented one."""
    return set(part["required"]) <= set(value) <= set(part["properties"])


def test_the_documents_are_openapi_3_1() -> None:
    assert [contract(name)["openapi"] for name in ("source", "destination")] == ["3.1.0", "3.1.0"]


def test_every_status_that_the_destination_can_give_is_documented() -> None:
    documented = contract("destination")["paths"]["/invoices"]["post"]["responses"]
    assert {str(status.value) for status, _, _ in STATUSES.values()} | {"200", "201"} == set(documented)


@pytest.mark.parametrize("name", ["source", "destination"])
def test_every_reference_inside_a_document_leads_somewhere(name: str) -> None:
    whole = contract(name)

    def references(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [str(part["$ref"])] if "$ref" in part else []
            return own + [found for value in part.values() for found in references(value)]
        return [found for value in part for found in references(value)] if isinstance(part, list) else []

    for reference in references(whole):
        target: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_the_source_answers_as_documented() -> None:
    routes = Source(CorpusCatalogue(Corpus(1, 3)), token=TOKEN).routes()
    page = content(get(routes, "/invoices", limit="2"))
    assert conforms(page, schema("source", "Page"))
    assert all(conforms(item, schema("source", "Item")) for item in page["items"])
    assert conforms(content(get(routes, "/invoices", limit="x")), schema("source", "Error"))


def test_the_destination_answers_as_documented(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "oracle.jsonl")
    routes = Destination(ledger, token=TOKEN).routes()
    assert conforms(content(post_invoice(routes, Corpus(1, 1).document(0).ubl)), schema("destination", "Accepted"))
    found = content(get(routes, "/invoices", reference="key-1"))
    assert conforms(found, schema("destination", "Found"))
    assert conforms(found["items"][0], schema("destination", "Found")["properties"]["items"]["items"])
    assert conforms(content(post_invoice(routes, b"", "k")), schema("destination", "Error"))
    ledger.close()
