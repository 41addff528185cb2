"""What an answer of the Clearfacts GraphQL endpoint proves. Pure: a response in, a delivery out.

The endpoint says everything inside HTTP 200 and documents no error codes, so the texts decide. Whatever is not
recognised is unknown: there is no lookup and no key, and a wrong "refused" could be sent a second time by a person.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from common.clock import Clock
from sender.adapters.answers import not_now, object_of, unclear, usable_uuid
from sender.domain import Accepted, Delivery, NotAccepted, OutcomeUnknown, ReadBack, Refused

_MISFIT_WAIT = timedelta(seconds=60)
"""How long an API that does not know our query is left alone."""
_STUMBLED = re.compile(r"internal server error|unexpected|time[d -]?out", re.IGNORECASE)
_THERE_ALREADY = re.compile(r"already|duplicate", re.IGNORECASE)
_OUR_QUERY = re.compile(
    r"^(syntax error|cannot query field|unknown (argument|type|field|directive)"
    r"|field \"\w+\" (argument|of type)|fragment|variable \"\$\w+\" (is never used|is not defined|of type))",
    re.IGNORECASE,
)
"""How GraphQL's own validation words a query that does not fit the schema (webonyx and graphql-js alike)."""
_DENIED = re.compile(r"access denied|not allowed to|unauthori[sz]ed|forbidden|permission", re.IGNORECASE)
_INPUT = re.compile(
    r"company ?number|vat ?number|file|invoice|journal|comment|document|administration|variable|argument|xml|ubl"
    r"|mime",
    re.IGNORECASE,
)


def read_upload(response: httpx.Response, clock: Clock) -> Delivery:
    """What came of `uploadFile`."""
    code = response.status_code
    if code == 413:  # by whoever stands in front: it never reached the application
        return Refused("413", "the document is too large for the destination", object_of(response))
    if delivery := not_now(response, clock):
        return delivery
    if code not in {200, 400, 422}:
        return unclear(code)
    return _by_body(object_of(response), code)


def _by_body(body: Mapping[str, Any], code: int) -> Delivery:
    uploaded = field(body, "uploadFile")
    if code == 200 and (uuid := usable_uuid(uploaded.get("uuid"))):
        return Accepted(uuid, uploaded)
    messages = error_messages(body)
    if not messages:
        return OutcomeUnknown(f"answered {code} without a uuid and without an error")
    if uploaded:
        return OutcomeUnknown(f"answered half an upload: {messages[0]}"[:500])
    return _by_messages(messages, body)


def _by_messages(messages: Sequence[str], body: Mapping[str, Any]) -> Delivery:
    """One doubtful error makes the whole answer doubtful."""
    text = "; ".join(messages)
    if "data" not in body and all(_OUR_QUERY.search(message) for message in messages):
        # Nothing was executed (GraphQL, 7.1: no `data` then), and it would be the same for every document.
        return NotAccepted(f"the query does not fit the API: {text}"[:500], _MISFIT_WAIT, everyone=True)
    if any(_STUMBLED.search(message) for message in messages):
        return OutcomeUnknown(f"answered: {text}"[:500], everyone=True)
    if any(_THERE_ALREADY.search(message) for message in messages):
        return OutcomeUnknown(f"answered: {text}"[:500])
    if all(_DENIED.search(message) for message in messages):
        return NotAccepted(f"not allowed: {text}"[:500])  # perhaps only for this administration
    if all(_INPUT.search(message) for message in messages):
        return Refused("GRAPHQL", text, body)
    return OutcomeUnknown(f"an error that names nothing of ours: {text}"[:500])


def read_document(response: httpx.Response, reference: UUID) -> ReadBack:
    """What `document(id:)` says about the sending of `reference`."""
    body = object_of(response)
    if response.status_code != 200 or error_messages(body) or "data" not in body:
        return ReadBack.UNANSWERED
    document = field(body, "document")
    if not document:
        return ReadBack.ABSENT
    return ReadBack.OURS if str(reference) in str(document.get("comment")).lower() else ReadBack.FOREIGN


def read_administrations(response: httpx.Response, numbers: Sequence[str]) -> Sequence[str] | str:
    """Those of `numbers` that came back as null; a text where the answer says nothing of them."""
    body = object_of(response)
    messages = error_messages(body)
    if "data" not in body or any(_OUR_QUERY.search(message) for message in messages):
        return f"answered {response.status_code}: {'; '.join(messages)}"[:500]
    return [number for place, number in enumerate(numbers) if not field(body, f"a{place}")]


def unwell(response: httpx.Response) -> str | None:
    """Why the answer to a probe is not that of an endpoint that is well, else None."""
    body = object_of(response)
    if response.status_code == 200 and isinstance(body.get("data"), dict):
        return None
    return f"a probe was answered {response.status_code}: {'; '.join(error_messages(body))}"[:500]


def field(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under `data.<name>`; empty where there is none."""
    data = body.get("data")
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def error_messages(body: Mapping[str, Any]) -> list[str]:
    """The messages of `errors`; an error without one has an empty text."""
    errors = body.get("errors")
    if not isinstance(errors, list):
        return []
    return [str(error.get("message", "")) if isinstance(error, dict) else "" for error in errors]
