"""What the description promises to programs that are generated from it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from common.observability.tracing import accept_correlation_id
from gateway.routes.description import TAGS
from gateway.routes.examples import DETAIL, DOSSIER, ERROR, REQUESTS, RESPONSES, SOURCE_ID
from gateway.routes.openapi import document
from sandbox.invoices.corpus import Corpus
from tests.contract.schema import problems, resolved
from tests.unit.gateway.fakes import World
from ubl.identity import Direction, dedupe_key, identify, reference

DESCRIBED: dict[str, Any] = json.loads(document())
JSON = "application/json"
METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> dict[str, dict[str, Any]]:
    found = [item[method] for item in DESCRIBED["paths"].values() for method in METHODS if method in item]
    named = {operation["operationId"]: operation for operation in found}
    assert len(named) == len(found), "an operation id is there twice"
    return named


OPERATIONS = operations()
BODIES = {name: operation for name, operation in OPERATIONS.items() if "requestBody" in operation}


def content(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, answer in operation["responses"].items():
        if status.startswith("2") and JSON in answer.get("content", {}):
            yield answer["content"][JSON]


async def test_what_is_served_is_what_is_committed() -> None:
    assert (await World().http().get("/openapi.json")).json() == DESCRIBED


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_an_id_a_tag_and_words(name: str) -> None:
    assert re.fullmatch(r"[a-z]+_[a-z_]+", name)
    assert len(OPERATIONS[name]["tags"]) == 1
    assert OPERATIONS[name]["description"]


def test_every_tag_is_described_and_none_is_unused() -> None:
    used = {operation["tags"][0] for operation in OPERATIONS.values()}
    assert used <= TAGS.keys(), f"describe in routes/description.py: {used - TAGS.keys()}"
    assert {tag["name"] for tag in DESCRIBED["tags"]} == used


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_error_is_the_envelope(name: str) -> None:
    refused = {status: answer for status, answer in OPERATIONS[name]["responses"].items() if status >= "4"}
    assert {"500", "503"} <= refused.keys()
    for answer in refused.values():
        described = resolved(answer, DESCRIBED)
        assert described["content"][JSON]["schema"] == {"$ref": "#/components/schemas/ErrorEnvelope"}
        assert "X-Correlation-ID" in described["headers"]


def test_the_frameworks_own_error_is_nowhere() -> None:
    assert "HTTPValidationError" not in document()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_correlation_id_may_come_with_every_request(name: str) -> None:
    assert {"$ref": "#/components/parameters/CorrelationId"} in OPERATIONS[name]["parameters"]
    described = DESCRIBED["components"]["parameters"]["CorrelationId"]
    assert accept_correlation_id(described["example"]) == described["example"]


def test_one_scheme_secures_all_that_is_not_public() -> None:
    (scheme,) = DESCRIBED["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    public = {name for name, operation in OPERATIONS.items() if "security" not in operation}
    assert {"auth_login", "auth_jwks"} <= public
    assert all(name.startswith(("auth_", "system_", "ui_")) for name in public)


def test_clients_know_where_to_call() -> None:
    assert DESCRIBED["servers"][0]["url"] == "/"


@pytest.mark.parametrize("name", BODIES)
def test_every_body_has_an_example_that_would_be_taken(name: str) -> None:
    body = BODIES[name]["requestBody"]["content"][JSON]
    assert body.get("examples"), f"give one in routes/examples.py: REQUESTS[{name!r}]"
    for example in body["examples"].values():
        assert not problems(example["value"], body["schema"], DESCRIBED)


@pytest.mark.parametrize("name", RESPONSES)
def test_an_example_of_an_answer_is_what_is_described(name: str) -> None:
    (described,) = content(OPERATIONS[name])
    assert not problems(described["examples"]["usual"]["value"], described["schema"], DESCRIBED)


def test_no_example_is_for_an_operation_that_is_gone() -> None:
    assert {*REQUESTS, *RESPONSES} <= OPERATIONS.keys()


def test_the_example_of_an_error_is_one() -> None:
    assert not problems(ERROR, {"$ref": "#/components/schemas/ErrorEnvelope"}, DESCRIBED)


def test_the_invoice_of_the_examples_is_a_document_of_the_sandbox() -> None:
    made = Corpus(seed=7, count=20).document(1)
    found = identify(made.ubl)
    key = dedupe_key(DOSSIER, Direction.SALE, found, made.id)
    assert made.id == SOURCE_ID
    assert found.content_sha256 is not None
    said: dict[str, Any] = {
        "number": found.number,
        "issue_date": str(found.issue_date),
        "supplier": found.supplier.key,
        "supplier_name": found.supplier.name,
        "customer": found.customer.key,
        "customer_name": found.customer.name,
        "currency": found.currency,
        "amount": str(found.payable_amount),
        "dedupe_key": key,
        "content_sha256": found.content_sha256.hex(),
        "reference": str(reference(DOSSIER, key, 0, found.content_sha256)),
    }
    assert {name: DETAIL[name] for name in said} == said
