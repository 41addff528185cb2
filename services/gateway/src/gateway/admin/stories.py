"""All stories of admins, for the routes."""

from dataclasses import dataclass

from gateway.admin.users import ManageUsers


@dataclass(frozen=True, slots=True)
class AdminStories:
    users: ManageUsers
