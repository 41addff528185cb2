"""Roles and what they may do. A role has everything that the one below it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Permission(StrEnum):
    PROFILE_READ = "profile:read"
    JOBS_READ = "jobs:read"
    JOBS_CANCEL = "jobs:cancel"
    INVOICES_READ = "invoices:read"
    INVOICES_EXPORT = "invoices:export"
    INVOICES_PROCESS = "invoices:process"
    DOCUMENTS_READ = "documents:read"
    HELD_READ = "held:read"
    HELD_RESOLVE = "held:resolve"
    ALERTS_READ = "alerts:read"
    ALERTS_OPEN = "alerts:open"
    ALERTS_CLOSE = "alerts:close"
    SYSTEM_READ = "system:read"
    SWITCHES_READ = "switches:read"
    SWITCHES_WRITE = "switches:write"
    RECOVERY_RUN = "recovery:run"
    FAILED_READ = "failed:read"
    FAILED_WRITE = "failed:write"
    REPLAYS_READ = "replays:read"
    REPLAYS_WRITE = "replays:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    AUDIT_READ = "audit:read"
    CONFIGURATION_READ = "configuration:read"
    CONFIGURATION_WRITE = "configuration:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_REPLAY = "webhooks:replay"
    WEBHOOKS_WRITE = "webhooks:write"

    @property
    def only_reads(self) -> bool:
        return self in _ONLY_READ


_ONLY_READ = frozenset(permission for permission in Permission if permission.endswith(":read"))


class Role(StrEnum):
    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"


_READS = frozenset(
    {
        Permission.PROFILE_READ,
        Permission.JOBS_READ,
        Permission.INVOICES_READ,
        Permission.HELD_READ,
        Permission.ALERTS_READ,
        Permission.SWITCHES_READ,
    }
)
_OPERATES = frozenset(
    {
        Permission.INVOICES_EXPORT,
        Permission.INVOICES_PROCESS,
        Permission.DOCUMENTS_READ,  # as they came, with all that is attached
        Permission.JOBS_CANCEL,
        Permission.HELD_RESOLVE,
        Permission.ALERTS_OPEN,
        Permission.ALERTS_CLOSE,
        Permission.SYSTEM_READ,
        Permission.SWITCHES_WRITE,
        Permission.FAILED_READ,  # documents of customers: more than the lowest role needs
        Permission.FAILED_WRITE,
        Permission.REPLAYS_READ,
        Permission.REPLAYS_WRITE,
        Permission.WEBHOOKS_READ,
        Permission.WEBHOOKS_REPLAY,
    }
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.USER: _READS,
    Role.OPERATOR: _READS | _OPERATES,
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class User:
    id: UUID
    username: str
    email: str
    role: Role
    is_active: bool
    token_generation: int = 0

    @property
    def permissions(self) -> list[Permission]:
        return sorted(PERMISSIONS[self.role])

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]


@dataclass(frozen=True, slots=True)
class Account:
    """A user with what proves that it is them."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token names. It is good while its generation is the user's own."""

    user_id: UUID
    generation: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A signed token and its life in seconds."""

    access_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, as far as anybody can know: for the audit log and the throttle."""

    ip: str | None
    user_agent: str | None
    correlation_id: str
