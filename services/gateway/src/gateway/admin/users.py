"""Users: who may sign in and do what."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol
from uuid import UUID

import structlog

from gateway.domain.cursors import Cursors
from gateway.domain.faults import NotFound
from gateway.domain.readings import Page
from gateway.domain.users import By, NewUser, UserChange, UserFilter, UserReading, refuse_weak
from gateway.paging import read_page
from gateway.ports import Passwords

log = structlog.get_logger()


class UserAccounts(Protocol):
    """Each change and its audit entry are one transaction, in which `by` is still an admin (else NotPermitted)."""

    async def one(self, user_id: UUID) -> UserReading | None: ...

    async def all(self, chosen: UserFilter, *, after: str | None, limit: int) -> Sequence[UserReading]:
        """By username, those behind `after`."""
        ...

    async def create(self, new: NewUser, password_hash: str, by: By) -> UserReading:
        """Raises NotAllowedNow when the name or the address is taken."""
        ...

    async def change(self, user_id: UUID, change: UserChange, by: By) -> UserReading:
        """Raises NotFound, or NotAllowedNow for the last active admin and for an address that is taken."""
        ...

    async def set_password(self, user_id: UUID, password_hash: str, by: By) -> None:
        """Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class ManageUsers:
    users: UserAccounts
    passwords: Passwords
    cursors: Cursors

    async def one(self, user_id: UUID) -> UserReading:
        """Raises NotFound."""
        if (found := await self.users.one(user_id)) is None:
            raise NotFound("user", str(user_id))
        return found

    async def page(self, chosen: UserFilter, *, cursor: str | None, limit: int) -> Page[UserReading]:
        """Raises CursorInvalid."""
        bound = {"list": "users", **asdict(chosen)}
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda after, most: self.users.all(chosen, after=after, limit=most),
            place_of=lambda user: (user.username,), read_place=lambda place: place[0],
        )  # fmt: skip

    async def create(self, new: NewUser, password: str, by: By) -> UserReading:
        """Raises FieldRefused, Busy, NotAllowedNow."""
        refuse_weak(password, new.username)
        created = await self.users.create(new, await self._hashed(password), by)
        log.warning("user_created", user_id=str(created.id), role=created.role, by=str(by.user.id))
        return created

    async def change(self, user_id: UUID, change: UserChange, by: By) -> UserReading:
        """It counts from the next request on, also for tokens that exist. Raises NotFound, NotAllowedNow."""
        changed = await self.users.change(user_id, change, by)
        log.warning("user_changed", user_id=str(user_id), role=changed.role, active=changed.is_active)
        return changed

    async def set_password(self, user_id: UUID, password: str, by: By) -> UserReading:
        """Raises NotFound, FieldRefused, Busy."""
        found = await self.one(user_id)
        refuse_weak(password, found.username)
        await self.users.set_password(user_id, await self._hashed(password), by)
        log.warning("password_set", user_id=str(user_id), by=str(by.user.id))
        return await self.one(user_id)

    async def _hashed(self, password: str) -> str:
        async with self.passwords.turn():
            return await self.passwords.hashed(password)
