"""Who is asking, and whether they may."""

import ipaddress
import re
from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.exceptions import HTTPException

from common.observability.tracing import correlation_id
from gateway.domain.access import Caller, Permission, User
from gateway.domain.faults import FieldRefused
from gateway.routes.faults import LONGEST_FIELD_NAME
from gateway.use_cases import Authorize

LONGEST_USER_AGENT = 256
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Guard(SecurityBase):
    """A route's dependency: the user who asks, if they have `permission`. A test finds it on every route.

    It is its own security scheme: one as a dependency of its own would be solved with each request.
    """

    model = HTTPBearer(bearerFormat="JWT", description="from POST /auth/login")
    scheme_name = "HTTPBearer"

    def __init__(self, authorize: Authorize, permission: Permission) -> None:
        self._authorize = authorize
        self.permission = permission

    async def __call__(self, request: Request) -> User:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        presented = token.strip() if scheme.lower() == "bearer" else ""
        user = await self._authorize(presented or None, self.permission)
        _refuse_repeated(request)
        return user


def _refuse_repeated(request: Request) -> None:
    """A parameter that is given twice: only the last one would count, and the answer would look right."""
    if b"&" not in request.scope["query_string"]:
        return
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen:
            field = f"query.{name}"[:LONGEST_FIELD_NAME]
            raise FieldRefused(field, "repeated", "Give this parameter once")
        seen.add(name)


def caller(request: Request) -> Caller:
    agent = _CONTROLS.sub("", request.headers.get("user-agent", ""))[:LONGEST_USER_AGENT]
    return Caller(_address(request), agent or None, correlation_id.get() or "")


def json_only(request: Request) -> None:
    """415 for a body that does not say it is JSON."""
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and kind != "application/json":
        raise HTTPException(415)


def _address(request: Request) -> str | None:
    try:
        return str(ipaddress.ip_address(request.client.host)) if request.client else None
    except ValueError:
        return None


FromCaller = Annotated[Caller, Depends(caller)]
