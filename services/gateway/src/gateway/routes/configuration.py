"""The configuration that may change while the system runs. For admins."""

from typing import Annotated

from fastapi import Depends, FastAPI, Path
from pydantic import Field, StrictFloat, StrictInt, StrictStr, StringConstraints

from gateway.admin.configuration import Configure
from gateway.domain.access import Permission, User
from gateway.domain.configuration import ConfigurationDetail, ConfigurationEntry
from gateway.domain.readings import Page
from gateway.domain.users import By
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.schemas import NO_CONTROLS, Sent
from gateway.use_cases import Authorize

MOST_VERSIONS = 2_147_483_646
_Text = Annotated[StrictStr, StringConstraints(max_length=1000)]
_Version = Annotated[StrictInt, Field(ge=0, le=MOST_VERSIONS)]
KeyName = Annotated[str, Path(max_length=100)]


class _Change(Sent):
    expected_version: _Version = Field(description="the key's version as you saw it; 409 where it is another by now")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS)] = Field(
        description="why, for the history and the audit log"
    )


class SetRequest(_Change):
    value: StrictInt | StrictFloat | _Text = Field(description="of the key's kind and within its bounds")


class RollBackRequest(_Change):
    to_version: _Version = Field(description="what it was at that version; 0: not set, as before the first change")


def add_configuration_routes(api: FastAPI, *, configure: Configure, authorize: Authorize, envelopes: Envelopes) -> None:
    reader = Depends(Guard(authorize, Permission.CONFIGURATION_READ))
    writer = Guard(authorize, Permission.CONFIGURATION_WRITE)

    @api.get("/api/v1/configuration", tags=["configuration"], name="list", dependencies=[reader])
    async def keys() -> Envelope[Page[ConfigurationEntry]]:
        """Every key with its bounds, its value and its version; all on one page."""
        return envelopes.success(await configure.all())

    @api.get("/api/v1/configuration/{key}", tags=["configuration"], name="get", dependencies=[reader])
    async def one(key: KeyName) -> Envelope[ConfigurationDetail]:
        """One key with its newest 100 changes."""
        return envelopes.success(await configure.one(key))

    @api.put("/api/v1/configuration/{key}", tags=["configuration"], name="set", dependencies=[Depends(json_only)])
    async def put(
        key: KeyName, user: Annotated[User, Depends(writer)], caller: FromCaller, body: SetRequest
    ) -> Envelope[ConfigurationDetail]:
        """Set a live key; its service heeds it within seconds. 409 where it was changed meanwhile or is not live."""
        by = By(user, caller)
        changed = await configure.put(
            key, body.value, expected_version=body.expected_version, reason=body.reason, by=by
        )
        return envelopes.success(changed)

    @api.post("/api/v1/configuration/{key}/rollback", tags=["configuration"], dependencies=[Depends(json_only)])
    async def rollback(
        key: KeyName, user: Annotated[User, Depends(writer)], caller: FromCaller, body: RollBackRequest
    ) -> Envelope[ConfigurationDetail]:
        """What it was at an earlier version, as a new version; version 0 unsets it."""
        by = By(user, caller)
        changed = await configure.roll_back(
            key, body.to_version, expected_version=body.expected_version, reason=body.reason, by=by
        )
        return envelopes.success(changed)
