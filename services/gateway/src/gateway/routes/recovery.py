"""After the database was restored to an older state: giving back what it has forgotten."""

from typing import Annotated

from fastapi import Depends, FastAPI

from gateway.domain.access import Permission, User
from gateway.recovery.story import Recover, RecoveryReport
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.schemas import RecoveryRequest
from gateway.use_cases import Authorize


def add_recovery_routes(api: FastAPI, *, recover: Recover, authorize: Authorize, envelopes: Envelopes) -> None:
    runner = Guard(authorize, Permission.RECOVERY_RUN)

    @api.post("/api/v1/recovery", tags=["recovery"], name="run", dependencies=[Depends(json_only)])
    async def run(
        user: Annotated[User, Depends(runner)], caller: FromCaller, body: RecoveryRequest
    ) -> Envelope[RecoveryReport]:
        """Rebuild forgotten sendings from Kafka; answers when it is done. Repeating it is harmless.

        409 where nothing was forgotten (see `force`), or where it runs already.
        """
        return envelopes.success(await recover(body.order(), user, caller))
