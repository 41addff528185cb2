"""The face of the public API, and its traps."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.destination import Destination
from sandbox.invoices import document
from sandbox.ledger import Ledger
from sandbox.multipart import Part, parts_of
from sandbox.oracle import Oracle
from sandbox.web import Handler, Request
from tests.unit.sandbox.calls import AUTHORISED, TOKEN, content, reply

UBL = document(1, 1).ubl
REFERENCE = "0192e4a0-0000-7000-8000-000000000001"
ARGUMENTS = "companyNumber: $c, filename: $f, comment: $m, invoicetype: $t"
VARIABLES = {"c": "0123456749", "f": "a.xml", "m": f"INV-1 {REFERENCE}", "t": "SALE"}


@pytest.fixture
def face(tmp_path: Path) -> Iterator[tuple[Handler, Oracle]]:
    ledger = Ledger(tmp_path / "oracle.jsonl")
    yield Destination(ledger, token=TOKEN).routes(), Oracle(tmp_path / "oracle.jsonl")
    ledger.close()


def multipart(**parts: bytes) -> Request:
    pieces = [
        b'--B\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), b'; filename="a.xml"\r\nContent-Type: application/xml' if name == "file" else b"", value)
        for name, value in parts.items()
    ]
    headers = {**AUTHORISED, b"content-type": b"multipart/form-data; boundary=B"}
    return Request("POST", "/graphql", {}, headers, b"".join(pieces) + b"--B--\r\n")


def upload(face: Handler, arguments: str = ARGUMENTS, file: bytes = UBL, **changes: Any) -> Any:
    query = f"mutation upload {{ uploadFile({arguments}) {{ uuid amountOfPages }} }}"
    variables = json.dumps({**VARIABLES, **changes}).encode()
    answer = reply(face(multipart(query=query.encode(), variables=variables, file=file)))
    assert answer.status == 200, "everything is said inside 200"
    return content(answer)


def query(face: Handler, text: str) -> Any:
    headers = {**AUTHORISED, b"content-type": b"application/json"}
    return content(face(Request("POST", "/graphql", {}, headers, json.dumps({"query": text}).encode())))


def test_an_upload_is_in_the_oracle_under_the_reference_of_its_comment(face: tuple[Handler, Oracle]) -> None:
    uuid = upload(face[0])["data"]["uploadFile"]["uuid"]
    recorded = face[1].accepted()[0]
    assert (recorded.uuid.upper(), recorded.reference) == (uuid, REFERENCE)
    assert (recorded.administration, recorded.direction, recorded.filename) == ("0123456749", "SALE", "a.xml")


def test_every_copy_is_accepted_under_a_new_uuid(face: tuple[Handler, Oracle]) -> None:
    uuids = {upload(face[0])["data"]["uploadFile"]["uuid"] for _ in range(3)}
    assert len(uuids) == 3


def test_an_upload_with_tags_is_lost(face: tuple[Handler, Oracle]) -> None:
    answer = upload(face[0], f"{ARGUMENTS}, tags: $x", x=["a"])
    assert answer == {"errors": [{"message": "Internal server error"}], "data": {"uploadFile": None}}
    assert face[1].accepted() == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"c": "BE 0123"}, "companyNumber"), ({"t": "CREDIT_NOTE"}, "invoicetype"), ({"f": ""}, "file")],
)
def test_wrong_input_is_named_inside_200(face: tuple[Handler, Oracle], changes: dict[str, Any], word: str) -> None:
    assert word in upload(face[0], **changes)["errors"][0]["message"]


def test_a_file_that_is_no_ubl_is_refused(face: tuple[Handler, Oracle]) -> None:
    assert "valid UBL" in upload(face[0], file=b"<html/>")["errors"][0]["message"]


def test_an_argument_that_the_schema_does_not_have_is_never_executed(face: tuple[Handler, Oracle]) -> None:
    assert "data" not in upload(face[0], f"{ARGUMENTS}, reference: $m")


def test_a_document_is_read_back_by_its_uuid_alone(face: tuple[Handler, Oracle]) -> None:
    uuid = upload(face[0])["data"]["uploadFile"]["uuid"]
    found = query(face[0], f'{{ document(id: "{uuid}") {{ date comment }} }}')["data"]["document"]
    assert found["comment"] == VARIABLES["m"]
    assert query(face[0], '{ document(id: "x") { date } }') == {"data": {"document": None}}


def test_without_the_token_nothing_is_read_or_written(face: tuple[Handler, Oracle]) -> None:
    body = json.dumps({"query": "{ __typename }"}).encode()
    assert reply(face[0](Request("POST", "/graphql", {}, {}, body))).status == 401
    assert query(face[0], "{ __typename }") == {"data": {"__typename": "Query"}}
    assert "errors" in query(face[0], "{ documents { id } }")


def test_parts_keep_their_bytes() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n\r\n--\r\n\xff\r\n--B--\r\n'
    assert parts_of('multipart/form-data; boundary="B"', body) == {"file": Part(b"\r\n--\r\n\xff", "a.xml", "")}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--B--"),
        ("multipart/form-data; boundary=B", b"x--B--"),
        ("multipart/form-data; boundary=B", b"--B\r\n\r\nx"),
        ("multipart/form-data; boundary=B", b"--B\r\nX: y\r\n\r\nx\r\n--B--"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_answered_400(face: tuple[Handler, Oracle], kind: str, body: bytes) -> None:
    headers = {**AUTHORISED, b"content-type": kind.encode()}
    assert reply(face[0](Request("POST", "/graphql", {}, headers, body))).status == 400
