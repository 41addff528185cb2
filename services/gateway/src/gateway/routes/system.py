"""How the whole system is; and what a user interface has to know."""

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from gateway.admin.status import ReadStatus, ReadUiConfig
from gateway.domain.access import Permission
from gateway.domain.status import SystemStatus, UiConfig
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import Guard
from gateway.use_cases import Authorize


def add_system_routes(
    api: FastAPI, *, status: ReadStatus, ui: ReadUiConfig, authorize: Authorize, envelopes: Envelopes
) -> None:
    operator = Depends(Guard(authorize, Permission.SYSTEM_READ))
    anybody = Depends(Guard(authorize, Permission.PROFILE_READ))

    @api.get("/api/v1/system/status", tags=["operations"], name="status", dependencies=[operator])
    async def system_status() -> Envelope[SystemStatus]:
        """Each dependency, service, consumer group, stage and breaker, what is paused, and how last night went."""
        return envelopes.success(await status())

    @api.get("/api/v1/ui-config", tags=["ui"], name="config", dependencies=[anybody])
    async def ui_config() -> Envelope[UiConfig]:
        """What a user interface has to know of this gateway."""
        tags = {str(tag) for route in api.routes if isinstance(route, APIRoute) for tag in route.tags}
        return envelopes.success(await ui(sorted(tags)))
