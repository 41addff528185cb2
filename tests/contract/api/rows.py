"""Something behind every address, so that a good request gets a good answer."""

from uuid import UUID

from gateway.domain.access import Role, User
from gateway.domain.held import Evidence
from gateway.routes.examples import JOB, REPLAY, REQUESTS, ROW, USER
from tests.unit.gateway.fakes import NOON, World, invoice, job
from tests.unit.gateway.fakes_held import SETTLE, held
from tests.unit.gateway.fakes_operations import alert
from tests.unit.gateway.fakes_replays import failure, status
from tests.unit.gateway.fakes_webhooks import delivery, endpoint

IDS = {
    "job_id": JOB,
    "row_id": ROW,
    "replay_id": REPLAY,
    "user_id": USER,
    "alert_id": ROW,
    "webhook_id": ROW,
    "delivery_id": ROW,
}


def furnish(world: World) -> None:
    """The same rows as at the start, in the same lists: the application holds on to those."""
    world.jobs.rows[:] = [job(job_id=UUID(JOB))]
    world.invoices.rows[:] = [invoice(id=UUID(ROW))]
    world.operations.rows[:] = [alert(id=UUID(ROW))]
    world.replays.failures[:] = [failure(id=UUID(ROW))]
    world.replays.replays[:] = [status(id=UUID(REPLAY))]
    world.webhooks.rows[:] = [endpoint(id=UUID(ROW))]
    world.webhooks.log[:] = [delivery(id=UUID(ROW))]
    world.webhooks.asked.clear()
    world.held.gone.clear()
    evidence = Evidence(NOON, maybe_sent=True, holder=UUID(ROW), last_lease=NOON - SETTLE, accepted=None)
    world.held.add(held(id=UUID(ROW)), evidence)
    login = REQUESTS["auth_login"]["usual"]
    an = User(UUID(USER), login["username"], "an.peeters@example.be", Role.USER, is_active=True)
    world.users.add(an, login["password"])
