"""The stories of the gateway."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from common.clock import Clock
from common.errors import InfrastructureError
from gateway.domain.access import Bearer, Caller, Grant, Permission, User
from gateway.domain.cursors import Cursors
from gateway.domain.faults import NotFound, NotPermitted, NotSignedIn, SignInRefused
from gateway.domain.orders import Order, Placed, Receipt
from gateway.domain.pace import usual_time
from gateway.domain.readings import JobFilter, JobStatus, JobSummary, Page
from gateway.paging import at_and_id, read_at_and_id, read_page
from gateway.ports import JobRequests, Jobs, Passwords, Throttle, Tokens, Users

log = structlog.get_logger()

FIRST_GUESS = timedelta(minutes=5)
"""The estimate while no job with an invoice has ever completed."""


@dataclass(frozen=True, slots=True)
class SignIn:
    users: Users
    passwords: Passwords
    throttle: Throttle
    tokens: Tokens

    async def __call__(self, username: str, password: str, caller: Caller) -> Grant:
        """Raises SignInRefused, the same for every cause, TooManyAttempts or Busy."""
        async with self.passwords.turn():  # the check is inside: a burst cannot slip past it while others hash
            await self.throttle.check(username, caller.ip)
            account = await self.users.account(username)
            right = await self.passwords.matches(account.password_hash if account else None, password)
            if account is None or not right or not account.user.is_active:
                await self.throttle.failed(username, caller.ip)
                await self.users.sign_in_failed(username, account.user if account else None, caller)
                raise SignInRefused
            outdated = self.passwords.outdated(account.password_hash)
            new_hash = await self.passwords.hashed(password) if outdated else None
        await self.throttle.succeeded(username, caller.ip)
        await self.users.signed_in(account.user, caller, new_hash=new_hash)
        return self.tokens.issue(account.user)


@dataclass(frozen=True, slots=True)
class Authorize:
    users: Users
    tokens: Tokens

    async def __call__(self, token: str | None, permission: Permission) -> User:
        """The token's user as the database knows it now; who only reads, of a second ago.

        Raises NotSignedIn or NotPermitted.
        """
        if token is None:
            raise NotSignedIn("Sign in first: send Authorization: Bearer <access_token>", presented=False)
        bearer = self.tokens.bearer(token)
        find = self.users.lately if permission.only_reads else self.users.user
        return _permitted(bearer, await find(bearer.user_id), permission)

    async def again(self, user: User, permission: Permission) -> None:
        """For what takes long: raise NotSignedIn or NotPermitted where `user` may not do it any more."""
        _permitted(Bearer(user.id, user.token_generation), await self.users.user(user.id), permission)


def _permitted(bearer: Bearer, user: User | None, permission: Permission) -> User:
    if user is None or not user.is_active:
        raise NotSignedIn("This user may not sign in any more")
    if bearer.generation != user.token_generation:
        raise NotSignedIn("This token has ended; sign in again")
    if not user.may(permission):
        raise NotPermitted(permission, user.role)
    return user


@dataclass(frozen=True, slots=True)
class StartProcessing:
    jobs: Jobs
    requests: JobRequests
    clock: Clock

    async def __call__(self, order: Order, user: User, caller: Caller, *, key: str | None) -> Receipt:
        """Place the order and announce it; the fetcher's sweep finds an order whose announcement failed.

        A dry run is placed in silence, and found by the fetcher within a second.
        """
        at, pace = self.clock.now(), await self.jobs.pace()
        placed = Placed(
            job_id=self.clock.new_id(),
            order=order,
            user=user,
            caller=caller,
            at=at,
            estimated_completion=at + (usual_time(pace, order.size) if pace else FIRST_GUESS),
            idempotency_key=key,
        )
        receipt = await self.jobs.place(placed)
        if not receipt.replayed and not order.dry_run:
            await self._announce(placed)
        return receipt

    async def _announce(self, placed: Placed) -> None:
        try:
            await self.requests.announce(placed.event())
            log.info("job_requested", job_id=str(placed.job_id))
        except InfrastructureError as error:
            log.warning("job_not_announced", job_id=str(placed.job_id), error=str(error))


@dataclass(frozen=True, slots=True)
class ReadJobs:
    jobs: Jobs
    cursors: Cursors

    async def one(self, job_id: UUID) -> JobStatus:
        """Raises NotFound."""
        if (job := await self.jobs.job(job_id)) is None:
            raise NotFound("job", str(job_id))
        return job

    async def page(self, chosen: JobFilter, *, cursor: str | None, limit: int) -> Page[JobSummary]:
        """Raises CursorInvalid."""
        bound = {"list": "dry runs" if chosen.dry_run else "jobs", "status": chosen.status, "job_type": chosen.job_type}
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda after, most: self.jobs.jobs(chosen, after=after, limit=most),
            place_of=lambda job: at_and_id(job.created_at, job.job_id), read_place=read_at_and_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CreateFirstAdmin:
    users: Users
    passwords: Passwords

    async def __call__(self, username: str, password: str) -> bool:
        """Make an admin where there is none yet; whether it did. A user of that name keeps password and role."""
        if await self.users.account(username) is not None:
            return False
        created = await self.users.create_first_admin(username, await self.passwords.hashed(password))
        if created:
            log.info("first_admin_created")
        return created
