"""What admins work on, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from common.clock import Clock
from common.configuration import Value
from common.contracts.topics import Group, Topic
from common.errors import InfrastructureError
from gateway.admin.audit import ReadAudit
from gateway.admin.configuration import Configure
from gateway.admin.status import Check, Presented, ReadStatus, ReadUiConfig
from gateway.admin.stories import AdminStories
from gateway.admin.users import ManageUsers
from gateway.domain.access import Account, Role, User
from gateway.domain.audit import AuditEntry, AuditFilter
from gateway.domain.configuration import ConfigurationVersion, Setting, Stored
from gateway.domain.cursors import Cursors
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.operations import StageCount
from gateway.domain.status import Breaker, NightJob, Reachability, ServiceSign
from gateway.domain.switches import Pause
from gateway.domain.users import By, NewUser, UserChange, UserFilter, UserReading, refuse_without_admin
from gateway.ports import Passwords

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class FakeUserAccounts:
    """Over the accounts with which people sign in."""

    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    audit: list[tuple[str, UUID, UUID]] = field(default_factory=list[tuple[str, UUID, UUID]])

    async def one(self, user_id: UUID) -> UserReading | None:
        return next((reading(account.user) for account in self.accounts.values() if account.user.id == user_id), None)

    async def all(self, chosen: UserFilter, *, after: str | None, limit: int) -> Sequence[UserReading]:
        found = [
            reading(account.user)
            for name, account in sorted(self.accounts.items())
            if chosen.role in {None, account.user.role}
            and chosen.is_active in {None, account.user.is_active}
            and (after is None or name > after)
        ]
        return found[:limit]

    async def create(self, new: NewUser, password_hash: str, by: By) -> UserReading:
        if new.username.lower() in {name.lower() for name in self.accounts}:
            raise NotAllowedNow("Another user has this username", {"field": "username"})
        created = User(uuid4(), new.username, new.email, new.role, is_active=True)
        self.accounts[new.username] = Account(created, password_hash)
        self.audit.append(("users.create", created.id, by.user.id))
        return reading(created)

    async def change(self, user_id: UUID, change: UserChange, by: By) -> UserReading:
        account = self._find(user_id)
        admins = sum(one.user.role is Role.ADMIN and one.user.is_active for one in self.accounts.values())
        refuse_without_admin(reading(account.user), change, admins)
        given = {name: getattr(change, name) for name in UserChange.__dataclass_fields__}
        changed = replace(account.user, **{name: value for name, value in given.items() if value is not None})
        if change.is_active is False:
            changed = _ended(changed)
        self.accounts[changed.username] = Account(changed, account.password_hash)
        self.audit.append(("users.change", user_id, by.user.id))
        return reading(changed)

    async def set_password(self, user_id: UUID, password_hash: str, by: By) -> None:
        account = self._find(user_id)
        self.accounts[account.user.username] = Account(_ended(account.user), password_hash)
        self.audit.append(("users.password", user_id, by.user.id))

    def _find(self, user_id: UUID) -> Account:
        for account in self.accounts.values():
            if account.user.id == user_id:
                return account
        raise NotFound("user", str(user_id))


@dataclass
class FakeConfiguration:
    versions: dict[str, list[ConfigurationVersion]] = field(default_factory=dict[str, list[ConfigurationVersion]])

    async def stored(self) -> Mapping[str, Stored]:
        newest = {key: versions[-1] for key, versions in self.versions.items() if versions}
        return {key: Stored(one.new_value, one.version, one.at, one.username) for key, one in newest.items()}

    async def history(self, key: str, limit: int) -> Sequence[ConfigurationVersion]:
        return self.versions.get(key, [])[::-1][:limit]

    async def version(self, key: str, number: int) -> ConfigurationVersion | None:
        return next((one for one in self.versions.get(key, []) if one.version == number), None)

    async def write(self, setting: Setting, by: By) -> bool:
        versions = self.versions.setdefault(setting.key, [])
        if len(versions) != setting.expected_version:
            return False
        old = versions[-1].new_value if versions else None
        number, user = len(versions) + 1, by.user
        versions.append(ConfigurationVersion(number, old, setting.value, user.id, user.username, setting.reason, NOON))
        return True


@dataclass
class FakeAudit:
    rows: list[AuditEntry] = field(default_factory=list[AuditEntry])

    async def entries(
        self, chosen: AuditFilter, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[AuditEntry]:
        found = [
            row
            for row in sorted(self.rows, key=lambda row: (row.at, row.id), reverse=True)
            if chosen.actor in {None, row.username}
            and chosen.action in {None, row.action}
            and chosen.resource_type in {None, row.resource_type}
            and chosen.resource_id in {None, row.resource_id}
            and (chosen.since is None or row.at >= chosen.since)
            and (chosen.until is None or row.at < chosen.until)
            and (before is None or (row.at, row.id) < before)
        ]
        return found[:limit]


PRESENTED = Presented("local", "0.1.0", {"page_size": 200})


@dataclass
class FakeStatus:
    found: list[ServiceSign] = field(default_factory=list[ServiceSign])
    opened: list[Breaker] = field(default_factory=list[Breaker])
    night: NightJob | None = None
    checks: dict[str, Check] = field(default_factory=dict[str, Check])
    behind: Mapping[tuple[Group, Topic], int] | None = None
    asked: int = 0
    clock: Clock = field(default_factory=Clock)
    around: list[Reachability] = field(default_factory=list[Reachability])

    async def services(self) -> Sequence[ServiceSign]:
        self.asked += 1
        return self.found

    async def breakers(self) -> Sequence[Breaker]:
        return self.opened

    async def night_job(self) -> NightJob | None:
        return self.night

    async def stages(self) -> Sequence[StageCount]:
        return []

    async def pauses(self) -> Sequence[Pause]:
        return []

    async def outside(self) -> Sequence[Reachability]:
        return self.around

    async def lags(self) -> Mapping[tuple[Group, Topic], int]:
        if self.behind is None:
            raise InfrastructureError("kafka: nobody there")
        return self.behind


@dataclass
class FakeAdmin:
    users: FakeUserAccounts = field(default_factory=FakeUserAccounts)
    audit: FakeAudit = field(default_factory=FakeAudit)
    configuration: FakeConfiguration = field(default_factory=FakeConfiguration)
    status: FakeStatus = field(default_factory=FakeStatus)

    async def live(self) -> Mapping[str, Value]:
        return {key: one.value for key, one in (await self.configuration.stored()).items() if one.value is not None}

    def stories(self, accounts: dict[str, Account], passwords: Passwords, cursors: Cursors) -> AdminStories:
        self.users.accounts = accounts
        return AdminStories(
            users=ManageUsers(self.users, passwords, cursors),
            audit=ReadAudit(self.audit, cursors),
            configure=Configure(self.configuration),
            status=ReadStatus(self.status, self.status.checks, self.status.lags, self.status.clock),
            ui_config=ReadUiConfig(PRESENTED, self.live),
        )


def _ended(someone: User) -> User:
    """None of their tokens is good any more."""
    return replace(someone, token_generation=someone.token_generation + 1)


def reading(someone: User) -> UserReading:
    return UserReading(someone.id, someone.username, someone.email, someone.role, someone.is_active, NOON, NOON)
