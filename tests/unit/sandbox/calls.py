"""Requests as the faces get them, and answers as their callers read them; no socket is involved."""

import json
from typing import Any

from sandbox.web import Handler, Plan, Reply, Request

TOKEN = "secret-of-the-test"
AUTHORISED = {b"authorization": f"Bearer {TOKEN}".encode()}
NOW = 1_770_000_000.0  # 2026-02-02T02:40:00Z


class FakeClock:
    """Time that only the test moves."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def get(handler: Handler, path: str, **query: str) -> Plan:
    return handler(Request("GET", path, query, AUTHORISED, b""))


def send(handler: Handler, method: str, path: str, content: object) -> Plan:
    return handler(Request(method, path, {}, AUTHORISED, json.dumps(content).encode()))


def post_invoice(handler: Handler, body: bytes, key: str = "key-1", **changes: str) -> Plan:
    query = {"administration": "0123456749", "direction": "SALE", "filename": "a.xml", "comment": "c", **changes}
    return handler(Request("POST", "/invoices", query, {**AUTHORISED, b"idempotency-key": key.encode()}, body))


def reply(plan: Plan) -> Reply:
    assert isinstance(plan, Reply), f"{plan} is no reply"
    return plan


def content(plan: Plan) -> Any:
    return json.loads(reply(plan).body)
