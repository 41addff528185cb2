"""A Clearfacts with the `rest` face: key, lookup, faults, and an oracle that forgets nothing it accepted."""

import hashlib
import hmac
import logging
import re
from collections import Counter
from http import HTTPStatus
from itertools import islice

from sandbox.control import Player
from sandbox.facts import Facts, facts_of
from sandbox.faults import AFTER, Behaviour, Effect, apply, spoil
from sandbox.graphql import Graphql
from sandbox.ledger import Known, Ledger, Upload
from sandbox.oracle import Accepted, read
from sandbox.web import Headers, Later, Plan, Reply, Request, Routes, error, json_reply

log = logging.getLogger(__name__)
_ADMINISTRATION = re.compile(r"[0-9A-Z]{4,30}")
_EFFECTS = frozenset(Effect) - {Effect.SHIFT}
_FILTERS = ("reference", "number", "administration", "direction", "supplier", "sha256", "uuid", "filename")


class Destination:
    """Answers by its script; without one, accepts every UBL document and replays under the same key.

    `conflicts` answers 409 to a document that was accepted under another key, where a real peer may just take it.
    """

    def __init__(
        self, ledger: Ledger, *, token: str, behaviour: Behaviour | None = None, conflicts: bool = False
    ) -> None:
        self._ledger = ledger
        self._plain_token = token
        self._token = f"Bearer {token}".encode()
        self._conflicts = conflicts
        self.player = Player(behaviour or Behaviour(), "post", _EFFECTS)
        self.counts: Counter[str] = Counter()

    def routes(self) -> Routes:
        """Both faces: `rest`, and beside it the public API's."""
        graphql = Graphql(self._ledger, token=self._plain_token, player=self.player, counts=self.counts)
        return Routes(
            {
                ("POST", "/invoices"): self.post,
                ("GET", "/invoices"): self.lookup,
                ("GET", "/sandbox/oracle"): self._oracle,
                ("GET", "/sandbox/oracle/documents"): self._documents,
                **graphql.handlers(),
                **self.player.routes(),
            }
        )

    def post(self, request: Request) -> Plan:
        self.counts["posts"] += 1
        facts = facts_of(request.body)
        rule = self.player.script.pick("post", facts.number)
        if rule is None:
            return self._answer(request, facts)
        self.counts[f"spoilt_{rule.effect}"] += 1
        if rule.effect is Effect.LATE_ACCEPT:
            return Later(rule.seconds, lambda: self._answer(request, facts))
        if rule.effect in AFTER:
            return apply(rule, self._answer(request, facts))
        return spoil(rule, self.player.script.latency()) or self._answer(request, facts)

    def lookup(self, request: Request) -> Plan:
        self.counts["lookups"] += 1
        if not self._authorised(request):
            return error(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "the token is not known")
        reference = request.query.get("reference", "")
        if not reference:
            return error(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "a reference is needed")
        rule = self.player.script.pick("get", reference)
        denied = rule is not None and rule.effect is Effect.ABSENT
        found = [] if denied else self._ledger.find(reference)
        reply = json_reply({"items": [known.item(reference) for known in found]})
        return apply(rule, reply._replace(delay=self.player.script.latency()))

    def _answer(self, request: Request, facts: Facts) -> Reply:
        """The verdict without faults; an accepted document is in the log when this returns."""
        return self._verdict(request, facts)._replace(delay=self.player.script.latency())

    def _verdict(self, request: Request, facts: Facts) -> Reply:
        wrong = self._wrong(request, facts)
        if wrong is not None:
            self.counts[f"refused_{wrong.status}"] += 1
            return wrong
        upload = _upload(request, facts)
        known = self._ledger.replayable(upload.reference)
        if known is not None:
            self.counts["replays"] += 1
            self.counts["replays_of_other_content"] += known.sha256 != upload.sha256
            return _accepted(known, HTTPStatus.OK, (("idempotency-replayed", "true"),))
        if self._conflicts and self._ledger.holds(upload):
            self.counts["conflicts"] += 1
            return error(HTTPStatus.CONFLICT, "ALREADY_EXISTS", "this document was uploaded before")
        return self._accept(upload)

    def _accept(self, upload: Upload) -> Reply:
        try:
            known = self._ledger.accept(upload)
        except OSError as failure:
            log.warning("a document could not be recorded, so it was not accepted: %s", failure)
            self.counts["not_recorded"] += 1
            return error(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error")
        self.counts["accepted"] += 1
        return _accepted(known, HTTPStatus.CREATED)

    def _wrong(self, request: Request, facts: Facts) -> Reply | None:
        if not self._authorised(request):
            return error(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "the token is not known")
        if not _ADMINISTRATION.fullmatch(request.query.get("administration", "")):
            return error(
                HTTPStatus.BAD_REQUEST,
                "BAD_REQUEST",
                "administration: a company number is needed, letters and digits only",
            )
        if request.query.get("direction") not in {"SALE", "PURCHASE"}:
            return error(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "direction: SALE or PURCHASE is needed")
        if not facts.kind:
            return error(HTTPStatus.UNPROCESSABLE_ENTITY, "INVALID_DOCUMENT", "the body is not a UBL document")
        return None

    def _authorised(self, request: Request) -> bool:
        return hmac.compare_digest(request.headers.get(b"authorization", b""), self._token)

    def _oracle(self, _: Request) -> Plan:
        counts = {name: count for name, count in sorted(self.counts.items()) if count}
        return json_reply({**self._ledger.summary(), "posts": self.counts["posts"], "by_outcome": counts})

    def _documents(self, request: Request) -> Plan:
        """Read from the log, oldest first; `offset` and `limit` page, the other parameters filter by equality."""
        wanted = {name: request.query[name] for name in _FILTERS if name in request.query}
        offset, limit = request.query.get("offset", "0"), request.query.get("limit", "1000")
        if not (offset.isdecimal() and limit.isdecimal()):
            return error(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "offset and limit are whole numbers")
        matching = (
            document
            for document in map(Accepted._asdict, read(self._ledger.path))
            if all(document[name] == value for name, value in wanted.items())
        )
        return json_reply({"items": list(islice(matching, int(offset), int(offset) + int(limit)))})


def _upload(request: Request, facts: Facts) -> Upload:
    query = request.query
    return Upload(
        reference=request.headers.get(b"idempotency-key", b"").decode("latin-1"),
        sha256=hashlib.sha256(request.body).hexdigest(),
        administration=query["administration"],
        direction=query["direction"],
        kind=facts.kind,
        supplier=facts.supplier,
        number=facts.number,
        filename=query.get("filename", ""),
        comment=query.get("comment", ""),
        journal=query.get("journal", ""),
        size=len(request.body),
    )


def _accepted(known: Known, status: HTTPStatus, headers: Headers = ()) -> Reply:
    return json_reply({"uuid": known.uuid, "amountOfPages": 1}, status, headers)
