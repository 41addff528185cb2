"""Pausing and resuming what the machine does by itself."""

from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import Field, StringConstraints

from gateway.domain.access import Caller, Permission, User
from gateway.domain.switches import Flip, Flipped, Pausable, Paused
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.schemas import NO_CONTROLS, Sent
from gateway.switches import FlipSwitch, ReadSwitches
from gateway.use_cases import Authorize


class FlipRequest(Sent):
    service: Pausable
    administration: Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")] | None = Field(
        default=None, description="an enterprise number, ten digits; without one it is for all"
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS)] = Field(
        description="why, for the audit log and for whoever finds it paused"
    )

    def flip(self, user: User, caller: Caller, *, pause: bool) -> Flip:
        return Flip(pause, self.service, self.administration, self.reason, user, caller)


def add_switch_routes(
    api: FastAPI, *, read: ReadSwitches, flip: FlipSwitch, authorize: Authorize, envelopes: Envelopes
) -> None:
    reader = Depends(Guard(authorize, Permission.SWITCHES_READ))
    writer = Guard(authorize, Permission.SWITCHES_WRITE)

    @api.get("/api/v1/switches", tags=["switches"], name="list", dependencies=[reader])
    async def switches() -> Envelope[Paused]:
        """What is paused, since when, by whom and why."""
        return envelopes.success(await read())

    @api.post("/api/v1/switches/pause", tags=["switches"], dependencies=[Depends(json_only)])
    async def pause(user: Annotated[User, Depends(writer)], caller: FromCaller, body: FlipRequest) -> Envelope[Flipped]:
        """Pause; every replica heeds it within two seconds. What is on its way arrives, what waits goes back."""
        return envelopes.success(await flip(body.flip(user, caller, pause=True)))

    @api.post("/api/v1/switches/resume", tags=["switches"], dependencies=[Depends(json_only)])
    async def resume(
        user: Annotated[User, Depends(writer)], caller: FromCaller, body: FlipRequest
    ) -> Envelope[Flipped]:
        """Resume. A pause of all and one of an administration are apart: each needs its own."""
        return envelopes.success(await flip(body.flip(user, caller, pause=False)))
