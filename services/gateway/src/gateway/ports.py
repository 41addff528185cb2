"""What the stories need from outside."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from common.contracts.events import JobRequested
from gateway.domain.access import Account, Bearer, Caller, Grant, User
from gateway.domain.orders import Placed, Receipt
from gateway.domain.pace import Pace
from gateway.domain.readings import JobFilter, JobStatus, JobSummary


class Users(Protocol):
    async def account(self, username: str) -> Account | None: ...

    async def user(self, user_id: UUID) -> User | None:
        """As of now."""
        ...

    async def lately(self, user_id: UUID) -> User | None:
        """As of now or of a second ago."""
        ...

    async def signed_in(self, user: User, caller: Caller, *, new_hash: str | None) -> None:
        """Audit a sign-in; store `new_hash` where one is given and nobody has set a password since `user` was read."""
        ...

    async def sign_in_failed(self, username: str, user: User | None, caller: Caller) -> None:
        """Audit a refused sign-in."""
        ...

    async def create_first_admin(self, username: str, password_hash: str) -> bool:
        """Insert the admin; False, and nothing changed, when there is an admin or that name is taken."""
        ...


class Passwords(Protocol):
    def turn(self) -> AbstractAsyncContextManager[None]:
        """A place among the few who may hash at once. Raises Busy when too many wait."""
        ...

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Takes equally long with no hash to compare with."""
        ...

    async def hashed(self, password: str) -> str: ...

    def outdated(self, password_hash: str) -> bool: ...


class Throttle(Protocol):
    async def check(self, username: str, ip: str | None) -> None:
        """Raise TooManyAttempts when this caller failed too often."""
        ...

    async def failed(self, username: str, ip: str | None) -> None: ...

    async def succeeded(self, username: str, ip: str | None) -> None: ...


class Tokens(Protocol):
    def issue(self, user: User) -> Grant: ...

    def bearer(self, token: str) -> Bearer:
        """Whom a token of ours names. Raises NotSignedIn."""
        ...

    def public_keys(self) -> dict[str, list[dict[str, str]]]:
        """The JWK set with which others verify."""
        ...


class Jobs(Protocol):
    async def place(self, placed: Placed) -> Receipt:
        """Job, idempotency key and audit entry in one transaction. Raises IdempotencyKeyReused or TooManyJobs."""
        ...

    async def pace(self) -> Pace | None:
        """How fast the latest completed jobs were; None where none of them had an invoice."""
        ...

    async def job(self, job_id: UUID) -> JobStatus | None: ...

    async def jobs(self, chosen: JobFilter, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[JobSummary]:
        """Newest first."""
        ...


class JobRequests(Protocol):
    async def announce(self, event: JobRequested) -> None:
        """Raises InfrastructureError when it is not certain that the event is out."""
        ...
