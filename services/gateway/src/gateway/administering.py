"""The stories of admins, wired."""

from common.db.pool import Database
from gateway.adapters.postgres_audit import PostgresAudit
from gateway.adapters.postgres_configuration import PostgresConfiguration
from gateway.adapters.postgres_user_accounts import PostgresUserAccounts
from gateway.admin.audit import ReadAudit
from gateway.admin.configuration import Configure
from gateway.admin.stories import AdminStories
from gateway.admin.users import ManageUsers
from gateway.domain.cursors import Cursors
from gateway.ports import Passwords


def build_admin(database: Database, passwords: Passwords, cursors: Cursors) -> AdminStories:
    return AdminStories(
        users=ManageUsers(PostgresUserAccounts(database), passwords, cursors),
        audit=ReadAudit(PostgresAudit(database), cursors),
        configure=Configure(PostgresConfiguration(database)),
    )
