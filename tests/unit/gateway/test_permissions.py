"""Every route has a permission or is public on purpose, and asks for it."""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Route

from common.clock import SYSTEM_CLOCK
from common.health import Health
from gateway.domain.access import PERMISSIONS, Permission, Role
from gateway.routes.api import PUBLIC, make_api
from gateway.routes.guard import Guard
from tests.unit.gateway.fakes import World, user

ROW = "01a20bdb-f2df-7799-8505-d7193d2f5503"


def guards(dependant: Dependant) -> Iterator[Guard]:
    if isinstance(dependant.call, Guard):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from guards(inner)


def routes() -> list[tuple[str, str, Permission | None]]:
    """(method, path, permission) of every route there is."""
    found: list[tuple[str, str, Permission | None]] = []
    for route in make_api(World().stories(), clock=SYSTEM_CLOCK, health=Health({}).routes()).routes:
        assert isinstance(route, Route | APIRoute), f"{route} is no plain route: this walk does not see into it"
        needed = [guard.permission for guard in guards(route.dependant)] if isinstance(route, APIRoute) else []
        assert len(needed) <= 1, f"{route.path} asks twice"
        found += [(method, route.path, needed[0] if needed else None) for method in sorted(route.methods or ())]
    return found


GUARDED = [(method, path, permission) for method, path, permission in routes() if permission]


def test_a_route_without_a_permission_is_public_on_purpose() -> None:
    assert {path for _, path, permission in routes() if permission is None} == PUBLIC


def test_the_walk_sees_the_routes_that_matter() -> None:
    assert ("POST", "/api/v1/invoices/process", Permission.INVOICES_PROCESS) in GUARDED
    assert len(GUARDED) >= 6


@pytest.mark.parametrize(("method", "path", "permission"), GUARDED)
async def test_a_guarded_route_refuses_a_stranger(method: str, path: str, permission: Permission) -> None:
    answer = await World().http().request(method, _filled(path), json=_body(method))
    assert answer.status_code == 401


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "path", "permission"), GUARDED)
async def test_a_role_may_do_what_it_has_the_permission_for(
    method: str, path: str, permission: Permission, role: Role
) -> None:
    world = World()
    http = world.signed_in(world.users.add(user(role)))
    answer = await http.request(method, _filled(path), json=_body(method))
    assert (answer.status_code == 403) == (permission not in PERMISSIONS[role])
    assert answer.status_code in {200, 202, 403, 404, 409, 422}  # 409, 422: the guard let it pass


def test_each_role_has_all_that_the_one_below_it_has() -> None:
    assert PERMISSIONS[Role.USER] < PERMISSIONS[Role.OPERATOR] <= PERMISSIONS[Role.ADMIN] == frozenset(Permission)


async def test_a_users_role_is_the_databases_and_not_the_tokens() -> None:
    world = World()
    demoted = user(Role.USER)
    world.users.add(demoted)
    promoted = user(Role.ADMIN)
    http = world.signed_in(type(promoted)(demoted.id, demoted.username, demoted.email, Role.ADMIN, is_active=True))
    assert (await http.post("/api/v1/invoices/process", json={})).status_code == 403


async def test_a_user_who_was_disabled_is_out_at_once() -> None:
    world = World()
    http = world.signed_in(world.users.add(user(active=False)))
    assert (await http.get("/api/v1/auth/me")).status_code == 401


async def test_me_lists_what_i_may_do() -> None:
    world = World()
    data = (await world.signed_in(world.users.add(user(Role.USER))).get("/api/v1/auth/me")).json()["data"]
    assert (data["role"], data["permissions"]) == ("user", sorted(PERMISSIONS[Role.USER]))
    assert all(permission.endswith(":read") for permission in data["permissions"])


def _body(method: str) -> dict[str, str] | None:
    return {} if method in {"POST", "PUT", "PATCH"} else None


def _filled(path: str) -> str:
    filled = path.replace("{job_id}", ROW).replace("{row_id}", ROW)
    filled = filled.replace("{user_id}", ROW).replace("{key}", "send_rate")
    return filled.replace("{replay_id}", ROW).replace("{action}", "pause")
