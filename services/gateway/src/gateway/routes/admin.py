"""All routes of admins, and of how the system is."""

from fastapi import FastAPI

from gateway.admin.stories import AdminStories
from gateway.routes.audit import add_audit_routes
from gateway.routes.configuration import add_configuration_routes
from gateway.routes.envelopes import Envelopes
from gateway.routes.system import add_system_routes
from gateway.routes.users import add_user_routes
from gateway.use_cases import Authorize


def add_admin_routes(api: FastAPI, *, stories: AdminStories, authorize: Authorize, envelopes: Envelopes) -> None:
    add_user_routes(api, manage=stories.users, authorize=authorize, envelopes=envelopes)
    add_audit_routes(api, read=stories.audit, authorize=authorize, envelopes=envelopes)
    add_configuration_routes(api, configure=stories.configure, authorize=authorize, envelopes=envelopes)
    add_system_routes(api, status=stories.status, ui=stories.ui_config, authorize=authorize, envelopes=envelopes)
