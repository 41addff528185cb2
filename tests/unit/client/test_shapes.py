"""`client.shapes` is what the generator makes of the description, and whatever the description has can be asked for."""

import inspect
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import httpx

from client import ApiError, GatewayClient, InvoiceCriteria, shapes
from gateway.domain.invoices import InvoiceFilter
from tests.unit.client.test_gateway_client import failure

ROOT = Path(__file__).parents[3]
DESCRIBED: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())
ID = "0192f0c1-2f00-7000-8000-000000000001"
GIVEN: dict[str, Any] = {"action": "pause", "selection": {}, "source": {}, "ids": [ID], "events": [], "version": 1}
GIVEN["since"] = datetime(2026, 11, 24, tzinfo=UTC)
NOT_ASKED = {"GET /.well-known/jwks.json"}
"""For services that check tokens."""


def asked() -> Iterator[str]:
    """What each method of the client asks, in a gateway that has nothing."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return failure(404, "NOT_FOUND")

    client = GatewayClient("http://gateway.test", transport=httpx.MockTransport(answer))
    for name, method in inspect.getmembers(client, inspect.ismethod):
        if not name.startswith("_") and name not in {"close", "health"}:
            needed = [one for one in inspect.signature(method).parameters.values() if one.default is one.empty]
            given = {one.name: GIVEN.get(one.name, ID) for one in needed if one.kind is not one.VAR_KEYWORD}
            with suppress(ApiError), ExitStack() as stack:
                found = method(**given)
                stack.enter_context(found) if isinstance(found, AbstractContextManager) else next(iter(found))
    return (f"{request.method} {request.url.path}" for request in seen)


def test_the_shapes_are_what_just_client_makes() -> None:
    spec = spec_from_file_location("make_shapes", ROOT / "libs" / "client" / "make_shapes.py")
    assert spec is not None
    assert spec.loader is not None
    make_shapes = module_from_spec(spec)
    spec.loader.exec_module(make_shapes)
    assert Path(shapes.__file__).read_text() == make_shapes.made(), "run `just client`, then commit it"


def test_whatever_is_described_can_be_asked_for() -> None:
    questions = set(asked())
    left = {
        f"{method.upper()} {path}"
        for path, item in DESCRIBED["paths"].items()
        for method in item
        if not any(re.fullmatch(f"{method.upper()} " + re.sub(r"\{\w+\}", "[^/]+", path), one) for one in questions)
    }
    assert left == NOT_ASKED


def test_invoices_are_chosen_by_all_that_the_gateway_filters_by() -> None:
    assert set(InvoiceCriteria.__annotations__) == set(InvoiceFilter.__dataclass_fields__)
