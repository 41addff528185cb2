"""All stories of admins, for the routes."""

from dataclasses import dataclass

from gateway.admin.audit import ReadAudit
from gateway.admin.configuration import Configure
from gateway.admin.status import ReadStatus, ReadUiConfig
from gateway.admin.users import ManageUsers


@dataclass(frozen=True, slots=True)
class AdminStories:
    users: ManageUsers
    audit: ReadAudit
    configure: Configure
    status: ReadStatus
    ui_config: ReadUiConfig
