"""A Clearfacts with the face of its public API: GraphQL, errors inside 200, no key, no lookup, every copy accepted.

It reads queries by their shape, as a peer that has one mutation and one query can; what is known of the real one, and
from where, is in docs/api/clearfacts-graphql.md.
"""

import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from sandbox.control import Player
from sandbox.facts import Facts, facts_of
from sandbox.faults import AFTER, Effect, Rule, apply, spoil
from sandbox.ledger import Ledger, Upload
from sandbox.multipart import Part, parts_of
from sandbox.oracle import Accepted, read
from sandbox.web import Handler, Later, Plan, Reply, Request, error, json_reply

PATH = "/graphql"
_UPLOAD = re.compile(r"\buploadFile\s*\(([^)]*)\)")
_DOCUMENT = re.compile(r"\bdocument\s*\(\s*id\s*:\s*(\"(?:[^\"\\]|\\.)*\")\s*\)")
_ADMINISTRATION = re.compile(r"\b(\w+)\s*:\s*administration\s*\(\s*companyNumber\s*:\s*\"(\w+)\"\s*\)")
_ARGUMENT = re.compile(r"(\w+)\s*:\s*\$(\w+)")
_ARGUMENTS = frozenset({"companyNumber", "vatnumber", "filename", "comment", "tags", "invoicetype", "journal"})
_TYPES = frozenset({"PURCHASE", "SALE", "VARIOUS"})
_FILES = frozenset({"application/pdf", "image/jpeg", "application/xml", "text/xml"})
_COMPANY = re.compile(r"[0-9A-Z]{4,30}")
_REFERENCE = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_INTERNAL = "Internal server error"
_MESSAGES = {
    Effect.REFUSE: "The file is not a valid UBL document",
    Effect.BAD_REQUEST: 'Variable "$invoicetype" got invalid value; expected type InvoiceTypeArgument',
    Effect.CONFLICT: "This document exists already",
    Effect.SERVER_ERROR: _INTERNAL,
    Effect.SERVER_ERROR_AFTER: _INTERNAL,
}
"""The effects that this peer answers inside 200."""


class WrongInputError(ValueError):
    """The message of the error that is answered."""


class Call(NamedTuple):
    """What was asked for."""

    query: str
    variables: Mapping[str, Any]
    file: Part | None


class Graphql:
    """Shares oracle, script and counts with the `rest` face beside it."""

    def __init__(self, ledger: Ledger, *, token: str, player: Player, counts: Counter[str]) -> None:
        self._ledger = ledger
        self._token = f"Bearer {token}".encode()
        self._player = player
        self._counts = counts

    def handlers(self) -> dict[tuple[str, str], Handler]:
        return {("POST", PATH): self.call}

    def call(self, request: Request) -> Plan:
        try:
            call = _call(request)
        except ValueError as wrong:
            return error(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", str(wrong))
        if (upload := _UPLOAD.search(call.query)) is not None:
            return self._spoilt(request, call, dict(_ARGUMENT.findall(upload[1])))
        if not self._authorised(request):
            return _unauthorised()
        return self._read(call)

    def _read(self, call: Call) -> Plan:
        """A query, or what is none that this peer has."""
        if (document := _DOCUMENT.search(call.query)) is not None:
            return self._document(json.loads(document[1]))
        if "__typename" in call.query:
            return _data({"__typename": "Query"})
        if administrations := _ADMINISTRATION.findall(call.query):
            return _data({alias: {"companyNumber": number} for alias, number in administrations})
        return _errors('Cannot query field on type "Query".', executed=False)

    def _spoilt(self, request: Request, call: Call, arguments: Mapping[str, str]) -> Plan:
        """An upload under the script."""
        self._counts["posts"] += 1
        facts = facts_of(call.file.content if call.file else b"")
        rule = self._player.script.pick("post", facts.number)
        if rule is None:
            return self._answer(request, call, arguments, facts)
        self._counts[f"spoilt_{rule.effect}"] += 1
        if rule.effect is Effect.LATE_ACCEPT:
            return Later(rule.seconds, lambda: self._answer(request, call, arguments, facts))
        if rule.effect in AFTER:
            return _apply(rule, self._answer(request, call, arguments, facts))
        if rule.effect in _MESSAGES:
            return _errors(_MESSAGES[rule.effect])._replace(delay=self._player.script.latency() + rule.seconds)
        return spoil(rule, self._player.script.latency()) or self._answer(request, call, arguments, facts)

    def _answer(self, request: Request, call: Call, arguments: Mapping[str, str], facts: Facts) -> Reply:
        return self._verdict(request, call, arguments, facts)._replace(delay=self._player.script.latency())

    def _verdict(self, request: Request, call: Call, arguments: Mapping[str, str], facts: Facts) -> Reply:
        if not self._authorised(request):
            return _unauthorised()
        if unknown := sorted(set(arguments) - _ARGUMENTS):
            return _errors(f'Unknown argument "{unknown[0]}" on field "uploadFile" of type "Mutation".', executed=False)
        if "tags" in arguments:
            return _errors(_INTERNAL)  # documented, and broken: the upload is lost
        try:
            upload = _upload(call, {name: call.variables.get(variable) for name, variable in arguments.items()}, facts)
        except WrongInputError as wrong:
            return _errors(str(wrong))
        return self._accept(upload)

    def _accept(self, upload: Upload) -> Reply:
        try:
            known = self._ledger.accept(upload)
        except OSError:
            self._counts["not_recorded"] += 1
            return _errors(_INTERNAL)
        self._counts["accepted"] += 1
        return _data({"uploadFile": {"uuid": known.uuid.upper(), "amountOfPages": 1}})

    def _document(self, uuid: str) -> Plan:
        self._counts["documents_read"] += 1
        rule = self._player.script.pick("get", uuid)
        denied = rule is not None and rule.effect is Effect.ABSENT
        found = None if denied else next((a for a in read(self._ledger.path) if a.uuid == uuid.lower()), None)
        return _apply(rule, _data({"document": _shown(found)})._replace(delay=self._player.script.latency()))

    def _authorised(self, request: Request) -> bool:
        return hmac.compare_digest(request.headers.get(b"authorization", b""), self._token)


def _call(request: Request) -> Call:
    """Raises ValueError for a body of none of the three kinds."""
    kind = request.headers.get(b"content-type", b"").decode("latin-1")
    if kind.startswith("multipart/form-data"):
        parts = parts_of(kind, request.body)
        if "query" not in parts:
            raise ValueError("a part named query is needed")
        variables = json.loads(parts["variables"].content) if "variables" in parts else {}
        return Call(parts["query"].content.decode(), variables, parts.get("file"))
    if kind.startswith("application/graphql"):
        return Call(request.body.decode(), {}, None)
    content = json.loads(request.body)
    return Call(str(content["query"]), content.get("variables") or {}, None)


def _upload(call: Call, given: Mapping[str, Any], facts: Facts) -> Upload:
    """Raises WrongInputError with what the answer says."""
    company = given.get("companyNumber") or given.get("vatnumber")
    if not isinstance(company, str) or not _COMPANY.fullmatch(company):
        raise WrongInputError("No administration was found for this companyNumber")
    if given.get("invoicetype") not in _TYPES:
        raise WrongInputError(_MESSAGES[Effect.BAD_REQUEST])
    if not given.get("filename") or call.file is None:
        raise WrongInputError("The file is missing")
    if call.file.content_type not in _FILES or not facts.kind:
        raise WrongInputError(_MESSAGES[Effect.REFUSE])
    comment = str(given.get("comment") or "")
    reference = _REFERENCE.search(comment)
    return Upload(
        reference=reference[0] if reference else "",
        sha256=hashlib.sha256(call.file.content).hexdigest(),
        administration=company,
        direction=str(given["invoicetype"]),
        kind=facts.kind,
        supplier=facts.supplier,
        number=facts.number,
        filename=str(given["filename"]),
        comment=comment,
        journal=str(given.get("journal") or ""),
        size=len(call.file.content),
    )


def _apply(rule: Rule | None, reply: Reply) -> Plan:
    if rule is not None and rule.effect in _MESSAGES:
        return _errors(_MESSAGES[rule.effect])._replace(delay=reply.delay + rule.seconds)
    return apply(rule, reply)


def _shown(accepted: Accepted | None) -> dict[str, object] | None:
    if accepted is None:
        return None
    file = {"uuid": accepted.uuid.upper(), "name": accepted.filename, "amountOfPages": 1, "comment": accepted.comment}
    return {
        "date": accepted.accepted_at[:10],
        "comment": accepted.comment,
        "type": accepted.direction,
        "paymentState": "UNPAID",
        "file": file,
    }


def _data(data: Mapping[str, object]) -> Reply:
    return json_reply({"data": data})


def _errors(message: str, *, executed: bool = True) -> Reply:
    """As the real one does: HTTP 200; a query that was never executed has no `data`."""
    content: dict[str, object] = {"errors": [{"message": message}]}
    return json_reply({**content, "data": {"uploadFile": None}} if executed else content)


def _unauthorised() -> Reply:
    return error(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "the token is not known")
