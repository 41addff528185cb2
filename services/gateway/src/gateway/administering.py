"""The stories of admins, wired."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from faststream.kafka import KafkaBroker

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.topics import Group, Topic
from common.db.configuration import LiveConfiguration
from common.db.pool import Database
from common.kafka.health import broker_answers
from common.kafka.lag import lags
from common.settings import Environment
from gateway.adapters.installed import installed
from gateway.adapters.limits_throttle import LimitsThrottle
from gateway.adapters.postgres_audit import PostgresAudit
from gateway.adapters.postgres_configuration import PostgresConfiguration
from gateway.adapters.postgres_status import PostgresStatus
from gateway.adapters.postgres_user_accounts import PostgresUserAccounts
from gateway.admin.audit import ReadAudit
from gateway.admin.configuration import Configure
from gateway.admin.status import Check, Lags, Presented, ReadStatus, ReadUiConfig
from gateway.admin.stories import AdminStories
from gateway.admin.users import ManageUsers
from gateway.domain.cursors import Cursors
from gateway.domain.replays import MOST_ITEMS
from gateway.ports import Passwords
from gateway.routes.middleware import LONGEST_BODY

LIMITS = {"body_bytes": LONGEST_BODY, "page_size": 200, "invoice_ids": 1000, "replay_items": MOST_ITEMS}
"""A test compares them with the description of the API."""


async def _no_lags() -> Mapping[tuple[Group, Topic], int]:
    return {}


@dataclass(frozen=True, slots=True)
class Outside:
    """What the status asks besides the database."""

    checks: Mapping[str, Check] = field(default_factory=dict[str, Check])
    lags: Lags = _no_lags
    environment: str = Environment.LOCAL


def outside(broker: KafkaBroker, throttle: LimitsThrottle, bootstrap: str, environment: str) -> Outside:
    answers: Callable[[], Awaitable[bool]] | None = throttle.answers if throttle.is_shared else None
    checks: dict[str, Check] = {"kafka": partial(broker_answers, broker), **({"valkey": answers} if answers else {})}
    return Outside(checks, partial(lags, bootstrap), environment)


def build_admin(
    database: Database,
    passwords: Passwords,
    cursors: Cursors,
    around: Outside | None = None,
    *,
    clock: Clock = SYSTEM_CLOCK,
) -> AdminStories:
    around = around or Outside()
    presented = Presented(around.environment, installed()["clearfacts-gateway"], LIMITS)
    checks = {"postgres": database.is_there, **around.checks}
    return AdminStories(
        users=ManageUsers(PostgresUserAccounts(database), passwords, cursors),
        audit=ReadAudit(PostgresAudit(database), cursors),
        configure=Configure(PostgresConfiguration(database)),
        status=ReadStatus(PostgresStatus(database), checks, around.lags, clock),
        ui_config=ReadUiConfig(presented, LiveConfiguration(database, "gateway", clock=clock)),
    )
