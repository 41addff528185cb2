"""Users as an admin sees and changes them. Nothing here carries a password hash."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.domain.access import Caller, Role, User
from gateway.domain.faults import FieldRefused, NotAllowedNow

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256


@dataclass(frozen=True, slots=True)
class UserReading:
    """One who may or might sign in; nobody is ever deleted, for the audit log names them."""

    id: UUID
    username: str
    email: str
    role: Role
    is_active: bool
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class UserFilter:
    role: Role | None = None
    is_active: bool | None = None


@dataclass(frozen=True, slots=True)
class NewUser:
    username: str
    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is None stays as it is."""

    role: Role | None = None
    email: str | None = None
    is_active: bool | None = None


@dataclass(frozen=True, slots=True)
class By:
    """The admin who does it, for the audit log."""

    user: User
    caller: Caller


def refuse_weak(password: str, username: str) -> None:
    """Length and not the own name (NIST SP 800-63B asks for no more of its spelling). Raises FieldRefused."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        message = f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        raise FieldRefused("password", "password_length", message)
    if username.casefold() in password.casefold():
        raise FieldRefused("password", "password_has_username", "A password must not contain the username")


def refuse_without_admin(before: UserReading, change: UserChange, active_admins: int) -> None:
    """`active_admins`: how many there are before the change. Raises NotAllowedNow for the last one's."""
    stays = (change.role or before.role) is Role.ADMIN and change.is_active is not False
    if before.role is Role.ADMIN and before.is_active and not stays and active_admins <= 1:
        raise NotAllowedNow(
            "This is the last active admin; make somebody else an admin first", {"active_admins": active_admins}
        )


def differences(before: UserReading, after: UserReading) -> dict[str, Any]:
    """What changed, for the audit log: role and state from what to what, of an address only that it did."""
    changed: dict[str, Any] = {}
    if before.role is not after.role:
        changed["role"] = [before.role, after.role]
    if before.is_active is not after.is_active:
        changed["is_active"] = [before.is_active, after.is_active]
    if before.email != after.email:
        changed["email"] = "changed"
    return changed
